//! The catalogue: every `.rq` file of `queries/`, and those of a user's own folder.

use std::collections::BTreeMap;
use std::path::Path;

use include_dir::{Dir, include_dir};

use super::header::{self, CannedQuery};
use crate::error::{Context as _, Error, Result};
use crate::vocab::nearest;

static QUERIES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/queries");

/// Group of queries from a user's own folder.
const USER_GROUP: &str = "user";

/// All canned queries by id.
#[derive(Debug, Clone)]
pub struct Catalogue(BTreeMap<String, CannedQuery>);

impl Catalogue {
    /// The bundled queries.
    pub fn builtin() -> Result<Self> {
        let mut catalogue = Self(BTreeMap::new());
        for folder in QUERIES.dirs() {
            let group = folder.path().to_string_lossy().into_owned();
            for file in folder.files() {
                let name = file.path().display().to_string();
                let text = file.contents_utf8().ok_or_else(|| Error::internal(format!("{name} is not UTF-8")))?;
                catalogue.add(&name, file.path(), &group, text)?;
            }
        }
        Ok(catalogue)
    }

    /// Adds the `.rq` files of a folder.
    ///
    /// # Errors
    /// `Invalid` naming file, line and fix; `Conflict` when an id is taken.
    pub fn with_folder(mut self, folder: &Path) -> Result<Self> {
        let unreadable = || format!("cannot read the queries in {}", folder.display());
        for entry in std::fs::read_dir(folder).invalid(unreadable())? {
            let path = entry.invalid(unreadable())?.path();
            if path.extension().is_some_and(|extension| extension == "rq") {
                let text = std::fs::read_to_string(&path).invalid(format!("cannot read {}", path.display()))?;
                self.add(&path.display().to_string(), &path, USER_GROUP, &text)?;
            }
        }
        Ok(self)
    }

    fn add(&mut self, name: &str, path: &Path, group: &str, text: &str) -> Result<()> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let query = header::read(name, &stem, group, text)?;
        if let Some(other) = self.0.insert(query.id.clone(), query) {
            return Err(Error::conflict(format!("{name}: there is a query {} already, in {}", other.id, other.group))
                .hint("rename one"));
        }
        Ok(())
    }

    /// Takes `value` for a parameter of a query that nobody gives, in place of the default in its file.
    #[must_use]
    pub fn with_default(mut self, id: &str, parameter: &str, value: &str) -> Self {
        self.0.entry(id.to_owned()).and_modify(|query| query.by_default(parameter, value));
        self
    }

    /// The query with this id.
    ///
    /// # Errors
    /// `NotFound` with the nearest id.
    pub fn get(&self, id: &str) -> Result<&CannedQuery> {
        self.0.get(id).ok_or_else(|| {
            let near = nearest(id, self.0.keys())
                .map_or_else(|| "GET /v1/queries lists them".to_owned(), |near| format!("did you mean {near}?"));
            Error::not_found(format!("there is no query \"{id}\"")).hint(near)
        })
    }

    /// All queries, by id.
    pub fn iter(&self) -> impl Iterator<Item = &CannedQuery> {
        self.0.values()
    }
}
