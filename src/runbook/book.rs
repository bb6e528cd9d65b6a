//! All runbooks: those that naze ships, and those of a user's own folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use super::{Matched, Runbook, Subject};
use crate::clock::Timestamp;
use crate::error::{Context as _, Error, Result};
use crate::vocab::nearest;

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/runbooks");
/// Where those come from, as answers tell it.
const SHIPPED_BY: &str = "naze";
/// Runbooks of one folder.
const RUNBOOKS_MAX: usize = 10_000;

/// Runbooks by name.
#[derive(Debug, Clone, Default)]
pub struct Book(BTreeMap<String, Runbook>);

impl Book {
    /// The runbooks that naze ships, and the `.md` files of a folder. One of the folder takes the place of a shipped one
    /// of its name.
    ///
    /// # Errors
    /// `Invalid` naming file and field of what is wrong.
    pub fn load(folder: Option<&Path>) -> Result<Self> {
        let mut book = Self::default();
        for file in SHIPPED.files() {
            let name = file.path().display().to_string();
            let text = file.contents_utf8().ok_or_else(|| Error::internal(format!("{name} is not UTF-8")))?;
            let runbook = Runbook { file: SHIPPED_BY.to_owned(), ..Runbook::read(&name, text)? };
            book.0.insert(runbook.name.clone(), runbook);
        }
        if let Some(folder) = folder {
            book.add_folder(folder)?;
        }
        Ok(book)
    }

    fn add_folder(&mut self, folder: &Path) -> Result<()> {
        let unreadable = || format!("cannot read the runbooks in {}", folder.display());
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in std::fs::read_dir(folder).invalid(unreadable())? {
            paths.push(entry.invalid(unreadable())?.path());
        }
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
        paths.sort();
        if paths.len() > RUNBOOKS_MAX {
            return Err(Error::invalid(format!("{} has more than {RUNBOOKS_MAX} runbooks", folder.display())));
        }
        for path in paths {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(&path).invalid(format!("cannot read {name}"))?;
            let runbook = Runbook::read(&name, &text)?;
            self.0.insert(runbook.name.clone(), runbook);
        }
        Ok(())
    }

    /// The runbook of this name.
    ///
    /// # Errors
    /// `NotFound` with the nearest name.
    pub fn get(&self, name: &str) -> Result<&Runbook> {
        self.0.get(name).ok_or_else(|| {
            let near = nearest(name, self.0.keys())
                .map_or_else(|| "GET /v1/runbooks lists them".to_owned(), |near| format!("did you mean {near}?"));
            Error::not_found(format!("there is no runbook \"{name}\"")).hint(near)
        })
    }

    /// All runbooks, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Runbook> {
        self.0.values()
    }

    /// Those for `subject`, the one with the narrowest pattern first.
    pub fn matching(&self, subject: &Subject, now: Timestamp) -> Vec<Matched> {
        let mut matched: Vec<(usize, &Runbook)> =
            self.iter().filter_map(|runbook| Some((runbook.pattern.fit(subject)?, runbook))).collect();
        matched.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.name.cmp(&b.1.name)));
        matched.into_iter().map(|(_, runbook)| Matched::of(runbook, now)).collect()
    }
}
