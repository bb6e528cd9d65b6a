//! Rules, paths and values as people write them.

use oxrdf::vocab::rdf;
use oxrdf::{NamedNode, NamedNodeRef, Term, TermRef};
use rudof_rdf::rdf_core::SHACLPath;

use super::SHACL;
use crate::receipt::component_name;
use crate::vocab::{LABEL_PREFIX, NAMESPACE};

const VALUE_LENGTH_MAX: usize = 200;

/// `sh:MinCountConstraintComponent` is what breaks `sh:minCount`.
pub(super) fn rule_name(component: &NamedNode) -> String {
    let name = local_name(component.as_str());
    let name = name.strip_suffix("ConstraintComponent").unwrap_or(name);
    if name == "SPARQL" {
        return "sparql".to_owned();
    }
    let mut letters = name.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// The JSON name of what a path leads to.
pub(super) fn field_name(path: &SHACLPath) -> String {
    let Some(iri) = path.pred() else { return path_text(path) };
    if iri.as_str() == rdf::TYPE.as_str() {
        return "kind".to_owned();
    }
    if let Some(key) = iri.as_str().strip_prefix(LABEL_PREFIX) {
        return format!("labels.{key}");
    }
    local_name(iri.as_str()).to_owned()
}

/// The property, when the path is a single step.
pub(super) fn property(path: &SHACLPath) -> Option<&str> {
    Some(path.pred()?.as_str())
}

/// A path as SPARQL writes it.
fn path_text(path: &SHACLPath) -> String {
    let joined = |paths: &[SHACLPath], sign: &str| paths.iter().map(path_text).collect::<Vec<_>>().join(sign);
    match path {
        SHACLPath::Predicate { pred } => prefixed(NamedNodeRef::new_unchecked(pred.as_str())),
        SHACLPath::Sequence { paths } => format!("({})", joined(paths, "/")),
        SHACLPath::Alternative { paths } => format!("({})", joined(paths, "|")),
        SHACLPath::Inverse { path } => format!("^{}", path_text(path)),
        SHACLPath::ZeroOrMore { path } => format!("{}*", path_text(path)),
        SHACLPath::OneOrMore { path } => format!("{}+", path_text(path)),
        SHACLPath::ZeroOrOne { path } => format!("{}?", path_text(path)),
    }
}

pub(super) fn local_name(iri: &str) -> &str {
    iri.rsplit(['#', '/', ':']).next().unwrap_or(iri)
}

pub(super) fn prefixed(iri: NamedNodeRef<'_>) -> String {
    let spaces = [(SHACL, "sh:"), (NAMESPACE, "naze:"), ("http://www.w3.org/2001/XMLSchema#", "xsd:")];
    let short =
        spaces.iter().find_map(|(space, prefix)| Some(format!("{prefix}{}", iri.as_str().strip_prefix(space)?)));
    short.unwrap_or_else(|| iri.to_string())
}

/// A value as its sender wrote it.
pub(super) fn human(value: TermRef<'_>) -> String {
    match value {
        TermRef::Literal(literal) => shorten(literal.value()),
        TermRef::NamedNode(iri) => shorten(&component_name(iri).unwrap_or_else(|| iri.as_str().to_owned())),
        other => shorten(&other.to_string()),
    }
}

pub(super) fn shorten(text: &str) -> String {
    match text.char_indices().nth(VALUE_LENGTH_MAX) {
        Some(_) => text.chars().take(VALUE_LENGTH_MAX - 1).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

/// `?message` comes from the engine as an RDF term.
pub(super) fn unquoted(said: &str) -> String {
    match said.parse::<Term>() {
        Ok(Term::Literal(literal)) => literal.value().to_owned(),
        _ => said.to_owned(),
    }
}
