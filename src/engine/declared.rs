//! Thresholds, SLOs and metrics that were declared over HTTP, as they were sent.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::error::{Context as _, Error, Result};
use crate::measure::definition;

/// Of each subject.
const DOCUMENTS_MAX: usize = 1_000;
const NAME_BYTES_MAX: usize = 64;

/// What can be declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A limit of some series, in JSON.
    Threshold,
    /// A service level objective, in `OpenSLO`.
    Slo,
    /// A metric of a user's own, in JSON.
    Metric,
}

impl Subject {
    const ALL: [Self; 3] = [Self::Threshold, Self::Slo, Self::Metric];

    /// As paths and messages call them.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Threshold => "thresholds",
            Self::Slo => "slos",
            Self::Metric => "metrics",
        }
    }

    /// What its documents are.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Threshold | Self::Metric => "application/json",
            Self::Slo => "application/yaml",
        }
    }
}

/// The documents, on disk when there is a data directory.
#[derive(Debug, Clone, Default)]
pub(super) struct Declared {
    folder: Option<PathBuf>,
    documents: BTreeMap<(Subject, String), Vec<u8>>,
}

impl Declared {
    pub(super) fn open(data: Option<&Path>) -> Result<Self> {
        let mut declared = Self { folder: data.map(|data| data.join("declared")), ..Self::default() };
        let Some(folder) = &declared.folder else { return Ok(declared) };
        for subject in Subject::ALL {
            let folder = folder.join(subject.plural());
            let unreadable = || format!("cannot read {}", folder.display());
            fs::create_dir_all(&folder).internal(unreadable())?;
            for entry in fs::read_dir(&folder).internal(unreadable())? {
                let name = entry.internal(unreadable())?.file_name();
                // A draft that was never finished has a name that none may have.
                let Some(name) = name.to_str().filter(|name| check_name(subject, name).is_ok()) else { continue };
                let document = fs::read(folder.join(name)).internal(unreadable())?;
                declared.documents.insert((subject, name.to_owned()), document);
            }
        }
        Ok(declared)
    }

    /// All of a subject, by name.
    pub(super) fn of(&self, subject: Subject) -> impl Iterator<Item = (&str, &[u8])> {
        let documents = self.documents.iter().filter(move |((of, _), _)| *of == subject);
        documents.map(|((_, name), document)| (name.as_str(), document.as_slice()))
    }

    pub(super) fn get(&self, subject: Subject, name: &str) -> Option<&[u8]> {
        self.documents.get(&(subject, name.to_owned())).map(Vec::as_slice)
    }

    /// These with one more, or another in its place; nothing is on disk yet.
    pub(super) fn with(&self, subject: Subject, name: &str, document: &[u8]) -> Result<Self> {
        check_name(subject, name)?;
        let mut declared = self.clone();
        declared.documents.insert((subject, name.to_owned()), document.to_vec());
        if declared.of(subject).count() > DOCUMENTS_MAX {
            let told = format!("there are {DOCUMENTS_MAX} {} declared already", subject.plural());
            return Err(Error::invalid(told).hint("delete one, or put them into the configuration"));
        }
        Ok(declared)
    }

    /// These without one; on disk it still is.
    pub(super) fn without(&self, subject: Subject, name: &str) -> Self {
        let mut declared = self.clone();
        declared.documents.remove(&(subject, name.to_owned()));
        declared
    }

    /// Brings the disk to what is known of one.
    pub(super) fn save(&self, subject: Subject, name: &str) -> Result<()> {
        let Some(folder) = self.folder.as_ref().map(|folder| folder.join(subject.plural())) else { return Ok(()) };
        let path = folder.join(name);
        let unwritable = || format!("cannot write {}", path.display());
        match self.get(subject, name) {
            Some(document) => {
                let draft = folder.join(format!(".{name}"));
                let mut file = File::create(&draft).internal(unwritable())?;
                file.write_all(document).and_then(|()| file.sync_all()).internal(unwritable())?;
                fs::rename(&draft, &path).internal(unwritable())?;
            }
            None => fs::remove_file(&path).internal(unwritable())?,
        }
        File::open(&folder).and_then(|folder| folder.sync_all()).internal(unwritable())
    }
}

fn check_name(subject: Subject, name: &str) -> Result<()> {
    if subject == Subject::Metric {
        return definition::check_name(name).map_err(Error::invalid);
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let begins_well = name.starts_with(|first: char| first.is_ascii_alphanumeric());
    if begins_well && name.len() <= NAME_BYTES_MAX && name.bytes().all(is_plain) {
        return Ok(());
    }
    Err(Error::invalid(format!("the name \"{name}\" cannot be used")).hint(format!(
        "write up to {NAME_BYTES_MAX} of a-z, A-Z, 0-9, \"-\", \"_\" and \".\", a letter or digit first"
    )))
}
