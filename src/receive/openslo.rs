//! `OpenSLO` v1: definitions of service level objectives, as YAML documents or lists of them.
//!
//! People write such files, so a member that nobody knows is told with the name that was meant.

mod annotations;
mod indicator;
mod registration;
mod section;
mod spec;

use std::collections::BTreeSet;

use serde_json::Value as Json;

use self::indicator::Known;
use self::section::{Faults, Section};
use super::{body, yaml};
use crate::error::{Error, Result};
use crate::slo::SloDefinition;
use crate::validate::Violation;

/// Most objects of one file.
const OBJECTS_MAX: usize = 10_000;
const VERSION: &str = "openslo/v1";
const KINDS: [&str; 7] =
    ["SLO", "SLI", "DataSource", "Service", "AlertPolicy", "AlertCondition", "AlertNotificationTarget"];
const NAME_CHARACTERS_MAX: usize = 255;

/// What a file defines.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Definitions {
    /// The objectives without fault, in the order of the file.
    pub slos: Vec<SloDefinition>,
    /// What is wrong with other objects; each field begins with the place of its object in the file.
    pub refused: Vec<Violation>,
    /// Objects that define no objective, such as services and alert policies.
    pub ignored: usize,
}

/// Reads a file. What an SLO refers to is looked for in the same file.
///
/// ```
/// let definitions = naze::receive::openslo(b"
/// apiVersion: openslo/v1
/// kind: SLO
/// metadata: {name: availability}
/// spec:
///   service: checkout
///   budgetingMethod: occurrences
///   indicatorRef: answered
///   objectives: [{target: 99.9}]
/// ")?;
/// let told: Vec<_> = definitions.refused.iter().map(|fault| (fault.message.as_str(), fault.fix.as_str())).collect();
/// assert_eq!(told, [
///     ("[0].spec.indicatorRef \"answered\" names no SLI of this file",
///      "put the SLI of that name into the same file, or write it as indicator"),
///     ("[0].spec.budgetingMethod \"occurrences\" is not one of Occurrences, Timeslices, RatioTimeslices",
///      "did you mean \"Occurrences\"?"),
///     ("[0].spec.objectives[0].target 99.9 is not from 0 up to, but not, 1",
///      "write a share, such as 0.999, or targetPercent: 99.9"),
/// ]);
/// # Ok::<(), naze::error::Error>(())
/// ```
///
/// # Errors
/// `Invalid` when the body is empty, no UTF-8, no YAML, or too large.
pub fn openslo(body: &[u8]) -> Result<Definitions> {
    let documents = yaml::documents(body::text(body)?)?;
    let objects: Vec<Json> = documents
        .into_iter()
        .flat_map(|document| match document {
            Json::Array(objects) => objects,
            Json::Null => Vec::new(),
            other => vec![other],
        })
        .collect();
    if objects.is_empty() {
        return Err(Error::invalid("the body holds no OpenSLO object").hint("send at least one of kind SLO"));
    }
    if objects.len() > OBJECTS_MAX {
        return Err(body::too_many("OpenSLO objects", OBJECTS_MAX));
    }
    let faults = Faults::default();
    let (registered, objects): (Vec<_>, Vec<_>) =
        objects.iter().enumerate().partition(|(_, json)| registration::is_it(json));
    let objects: Vec<Object<'_>> =
        objects.into_iter().filter_map(|(place, json)| Object::read(json, place, &faults)).collect();
    let known = known(&objects);
    let mut definitions = Definitions::default();
    let mut names = BTreeSet::new();
    for object in &objects {
        match object.kind {
            "SLO" if !names.insert(object.name) => {
                object.tell_of_name("is the name of an SLO before it", "give each SLO a name of its own");
            }
            "SLO" => {
                let before = faults.count();
                let slo = spec::read(&object.section, object.name, &known);
                definitions.slos.extend(slo.filter(|_| faults.count() == before));
            }
            _ => definitions.ignored += 1,
        }
    }
    for (place, json) in registered {
        let before = faults.count();
        let Some(section) = Section::of(json, format!("[{place}]"), &faults) else { continue };
        let slo = registration::read(&section).filter(|_| faults.count() == before);
        if slo.as_ref().is_some_and(|slo| definitions.slos.iter().any(|known| known.name == slo.name)) {
            section.fault("name", "name", "is the name of another SLO", "give each SLO a name of its own");
        } else {
            definitions.slos.extend(slo);
        }
    }
    definitions.refused = faults.into_list();
    Ok(definitions)
}

/// An object whose kind, version and name are as they should be.
struct Object<'a> {
    section: Section<'a>,
    kind: &'a str,
    name: &'a str,
}

impl<'a> Object<'a> {
    fn read(json: &'a Json, place: usize, faults: &'a Faults) -> Option<Self> {
        let before = faults.count();
        let section = Section::of(json, format!("[{place}]"), faults)?;
        let version = section.need_text("apiVersion", VERSION)?;
        if version != VERSION {
            let fix = match version {
                "openslo/v1alpha" => {
                    "write it as openslo/v1: timeWindow with a duration for timeWindows, and indicator for ratioMetrics"
                }
                _ => "write it as openslo/v1",
            };
            section.fault("version", "apiVersion", "is not read", fix);
            return None;
        }
        let kinds = KINDS.map(|kind| (kind, kind));
        let kind = section.word("kind", &kinds)?;
        section.only(&["apiVersion", "kind", "metadata", "spec"]);
        let metadata = section.need_section("metadata", "{name: checkout-availability}")?;
        metadata.only(&["name", "displayName", "labels", "annotations"]);
        let name = metadata.need_text("name", "checkout-availability")?;
        let object = Self { section, kind, name };
        if name.chars().count() > NAME_CHARACTERS_MAX
            || name.contains(|letter: char| letter.is_whitespace() || letter.is_control())
        {
            let fix = "write small letters, digits and \"-\", at most 255, such as checkout-availability";
            object.tell_of_name("is no name", fix);
        }
        if kind == "Service"
            && let Some(spec) = object.section.section("spec")
        {
            spec.only(&["description"]);
        }
        (faults.count() == before).then_some(object)
    }

    fn tell_of_name(&self, told: &str, fix: &str) {
        if let Some(metadata) = self.section.section("metadata") {
            metadata.fault("name", "name", told, fix);
        }
    }
}

/// What SLOs may refer to. SLIs refer to data sources, so these come first.
fn known(objects: &[Object<'_>]) -> Known {
    let of_kind = |kind: &'static str| objects.iter().filter(move |object| object.kind == kind);
    let mut known = Known::default();
    for source in of_kind("DataSource") {
        if let Some(source_type) = source.section.section("spec").and_then(|spec| spec.text("type")) {
            known.source_types.insert(source.name.to_owned(), source_type.to_owned());
        }
    }
    for sli in of_kind("SLI") {
        if let Some(indicator) = indicator::read(&sli.section, &known) {
            known.indicators.insert(sli.name.to_owned(), indicator);
        }
    }
    known
}
