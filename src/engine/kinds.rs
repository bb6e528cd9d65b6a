//! Kinds of receipts: those of naze, and a user's own.

use std::path::Path;
use std::sync::Arc;

use crate::config::Config;
use crate::error::{Context as _, Result};
use crate::validate::Shapes;
use crate::vocab::{self, Vocabulary};

/// The vocabulary and the shapes that a configuration asks for.
pub(super) fn load(config: &Config) -> Result<(Arc<Vocabulary>, Shapes)> {
    let Some(folder) = &config.kinds else {
        return Ok((Vocabulary::builtin(), Shapes::load(vocab::shapes_documents())?));
    };
    let ontology = read_turtle(&folder.join("ontology"))?;
    let shapes = read_turtle(&folder.join("shapes"))?;
    let with_own = |bundled: Vec<(&'static str, &'static str)>, own: &[(String, String)]| -> Vec<(String, String)> {
        let bundled = bundled.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned()));
        bundled.chain(own.iter().cloned()).collect()
    };
    let ontology = with_own(vocab::ontology_documents().collect(), &ontology);
    let shapes = with_own(vocab::shapes_documents().collect(), &shapes);
    Ok((Arc::new(Vocabulary::load(texts(&ontology))?), Shapes::load(texts(&shapes))?))
}

fn texts(documents: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    documents.iter().map(|(name, text)| (name.as_str(), text.as_str()))
}

fn read_turtle(folder: &Path) -> Result<Vec<(String, String)>> {
    let unreadable = || format!("cannot read {}", folder.display());
    let mut documents = Vec::new();
    for entry in std::fs::read_dir(folder).invalid(unreadable())? {
        let path = entry.invalid(unreadable())?.path();
        if path.extension().is_some_and(|extension| extension == "ttl") {
            let text = std::fs::read_to_string(&path).invalid(format!("cannot read {}", path.display()))?;
            documents.push((path.display().to_string(), text));
        }
    }
    documents.sort();
    Ok(documents)
}
