//! The objectives that naze watches: those it ships, and those of a user's own folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;

use super::{SloDefinition, Span, Unit};
use crate::analyse::slo::burn::Policy;
use crate::error::{Context as _, Error, Result};
use crate::receive::openslo;
use crate::vocab::nearest;

/// The objectives that naze ships.
const SHIPPED: &str = include_str!("../../slos/tps.yaml");
/// Where those come from, as answers tell it.
const SHIPPED_BY: &str = "naze";
/// `GET /v1/slos/rules` is something else.
const NAME_TAKEN: &str = "rules";
/// Slices are made of whole minutes and fit a day.
const SLICE_MAX: TimeDelta = TimeDelta::days(1);

/// Objectives by name.
#[derive(Debug, Clone, Default)]
pub struct Book(BTreeMap<String, Entry>);

/// An objective, and where it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What is promised.
    pub definition: SloDefinition,
    /// The file it is from; `naze` for those that naze ships.
    pub file: String,
    /// It is one that naze ships: it counts only where its metric is measured.
    pub is_shipped: bool,
}

impl Book {
    /// The objectives that naze ships, and those in the `.yaml` and `.yml` files of a folder. One of the folder takes the
    /// place of a shipped one of its name.
    ///
    /// # Errors
    /// `Invalid` naming file, field and fix of all that is wrong; `Conflict` when a name is in two files.
    pub fn load(folder: Option<&Path>) -> Result<Self> {
        let mut book = Self::default();
        book.add(SHIPPED_BY, SHIPPED.as_bytes(), true)?;
        if let Some(folder) = folder {
            book.add_folder(folder)?;
        }
        Ok(book)
    }

    fn add_folder(&mut self, folder: &Path) -> Result<()> {
        let unreadable = || format!("cannot read the SLOs in {}", folder.display());
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in std::fs::read_dir(folder).invalid(unreadable())? {
            paths.push(entry.invalid(unreadable())?.path());
        }
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml"));
        paths.sort();
        for path in paths {
            let name = path.display().to_string();
            let text = std::fs::read(&path).invalid(format!("cannot read {name}"))?;
            self.add(&name, &text, false)?;
        }
        Ok(())
    }

    /// Adds one that was declared over HTTP under its name.
    ///
    /// # Errors
    /// `Invalid` naming field and fix; `Conflict` when a file has one of that name.
    pub fn declare(&mut self, name: &str, text: &[u8]) -> Result<()> {
        let declared = format!("declared as {name}");
        let mut own = Self::default();
        own.add(&declared, text, false)?;
        if !own.0.keys().eq([name]) {
            let names: Vec<&str> = own.0.keys().map(String::as_str).collect();
            return Err(Error::invalid(format!(
                "{declared}: metadata.name has to be \"{name}\", not \"{}\"",
                names.join(", ")
            ))
            .hint("one SLO is declared at a time, under its own name"));
        }
        self.add(&declared, text, false)
    }

    fn add(&mut self, file: &str, text: &[u8], is_shipped: bool) -> Result<()> {
        let definitions = openslo(text).map_err(|error| {
            let told = Error::new(error.kind(), format!("{file}: {}", error.message()));
            error.hints().iter().fold(told, Error::hint)
        })?;
        let refused = definitions.refused.into_iter().map(|fault| (fault.message, fault.fix));
        let faults: Vec<(String, String)> = refused.chain(definitions.slos.iter().flat_map(faults)).collect();
        if let Some((message, fix)) = faults.first() {
            let told = Error::invalid(format!("{file}: {message}")).hint(fix);
            return Err(faults[1..].iter().fold(told, |error, (message, fix)| error.hint(format!("{message}: {fix}"))));
        }
        for definition in definitions.slos {
            let name = definition.name.clone();
            let entry = Entry { definition, file: file.to_owned(), is_shipped };
            if let Some(other) = self.0.insert(name.clone(), entry).filter(|other| !other.is_shipped) {
                return Err(Error::conflict(format!("{file}: there is an SLO {name} already, in {}", other.file))
                    .hint("rename one"));
            }
        }
        Ok(())
    }

    /// The objective of this name.
    ///
    /// # Errors
    /// `NotFound` with the nearest name.
    pub fn get(&self, name: &str) -> Result<&Entry> {
        self.0.get(name).ok_or_else(|| {
            let near = nearest(name, self.0.keys())
                .map_or_else(|| "GET /v1/slos lists them".to_owned(), |near| format!("did you mean {near}?"));
            Error::not_found(format!("there is no SLO \"{name}\"")).hint(near)
        })
    }

    /// All objectives, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.0.values()
    }
}

/// What keeps naze from watching an objective, and what to do about it.
fn faults(slo: &SloDefinition) -> Vec<(String, String)> {
    let mut faults = Vec::new();
    let mut tell = |field: &str, told: String, fix: &str| {
        faults.push((format!("SLO {}: {field} {told}", slo.name), fix.to_owned()));
    };
    if slo.name == NAME_TAKEN {
        tell("metadata.name", format!("\"{NAME_TAKEN}\" is a path of naze"), "give it another name");
    }
    let span = slo.window().span();
    if !slo.window().has_zone() {
        tell(
            "spec.timeWindow[0].calendar.timeZone",
            "is not in the IANA time zone database".to_owned(),
            "write it as America/New_York or UTC",
        );
    }
    for (place, objective) in slo.objectives.iter().enumerate() {
        if let Err(error) = Policy::new(objective.target, span.length()) {
            let field = format!("spec.objectives[{place}] over {span}:");
            let fix = error.hints().first().cloned().unwrap_or_default();
            tell(&field, error.message().to_owned(), &fix);
        }
        if let Some(slice) = objective.slice.filter(|slice| !fits(*slice)) {
            let field = format!("spec.objectives[{place}].timeSliceWindow");
            tell(&field, format!("{slice} is longer than a day"), "write at most 1d, such as 1m or 1h");
        }
    }
    faults
}

fn fits(slice: Span) -> bool {
    let is_fixed = matches!(slice.unit, Unit::Minute | Unit::Hour | Unit::Day);
    is_fixed && slice.length() <= SLICE_MAX
}
