//! JSON-LD before it is parsed: contexts are checked, since nothing is fetched, and native JSON is made good JSON-LD.

use serde_json::{Map, Value as Json, json};

use super::body;
use crate::error::{Error, Result};
use crate::receipt::{CONTEXT_URL, ReceiptId, component_iri, label_iri};
use crate::vocab::{COMPONENT_PREFIX, NAMESPACE, Range, Vocabulary};

/// What relative names are relative to: they hold within one document only.
pub(super) const BASE: &str = "urn:naze:document:/";
/// The bundled context, by its published and its served address.
const BUNDLED: [&str; 2] = [CONTEXT_URL, "/ontology/context.jsonld"];
/// Each context costs the parser a copy of all terms in force, so contexts and terms together cost their product.
const CONTEXTS_MAX: usize = 1_000;
const TERMS_MAX: usize = 1_000;

/// The document with nothing in it that would have to be fetched, and with the bundled context where it has none.
///
/// Under the bundled context alone, components and receipts may be named as in native JSON, `labels` may have any keys,
/// and a name that the context lacks is kept, to be refused, where JSON-LD would drop it in silence.
pub(super) fn prepare(text: &str, vocabulary: &Vocabulary) -> Result<Vec<u8>> {
    let document: Json = serde_json::from_str(text).map_err(|error| body::not_json(&error))?;
    let mut nodes = match document {
        Json::Array(nodes) => nodes,
        node @ Json::Object(_) => vec![node],
        other => {
            return Err(Error::invalid(format!(
                "the body is {}, neither a JSON object nor an array",
                body::type_of(&other)
            ))
            .hint("send one node object or an array of them"));
        }
    };
    let only_bundled = nodes.iter().all(|node| node.get("@context").is_none_or(is_bundled));
    if only_bundled {
        for node in &mut nodes {
            if let Json::Object(members) = node {
                members.shift_remove("@context");
            }
        }
    }
    let mut count = Count::default();
    for node in &mut nodes {
        if let Json::Object(members) = node {
            if only_bundled {
                tidy(members, vocabulary);
            } else {
                members.entry("@context").or_insert_with(|| CONTEXT_URL.into());
            }
        }
        count.check(node)?;
    }
    let document = if only_bundled {
        json!({"@context": [CONTEXT_URL, {"@vocab": NAMESPACE}], "@graph": nodes})
    } else {
        Json::Array(nodes)
    };
    Ok(document.to_string().into_bytes())
}

fn is_bundled(context: &Json) -> bool {
    context.as_str().is_some_and(|url| BUNDLED.contains(&url))
}

/// Refuses what would have to be fetched, and more contexts and terms than are reasonable.
#[derive(Default)]
struct Count {
    contexts: usize,
    terms: usize,
}

impl Count {
    fn check(&mut self, json: &mut Json) -> Result<()> {
        match json {
            Json::Array(items) => items.iter_mut().try_for_each(|item| self.check(item)),
            Json::Object(members) => members.iter_mut().try_for_each(|(key, value)| match key.as_str() {
                "@context" => self.check_context(value),
                "labels" if value.is_object() => self.add_context(),
                _ => self.check(value),
            }),
            _ => Ok(()),
        }
    }

    fn check_context(&mut self, context: &mut Json) -> Result<()> {
        self.add_context()?;
        match context {
            Json::String(url) if BUNDLED.contains(&url.as_str()) => CONTEXT_URL.clone_into(url),
            Json::String(url) => return Err(remote(&format!("\"{url}\""))),
            Json::Array(parts) => return parts.iter_mut().try_for_each(|part| self.check_context(part)),
            Json::Object(terms) => {
                self.terms += terms.len();
                if self.terms > TERMS_MAX {
                    return Err(body::too_many("terms in its contexts", TERMS_MAX)
                        .hint("leave out the terms that no receipt uses"));
                }
                if let Some(url) = terms.get("@import") {
                    return Err(remote(&url.to_string()));
                }
                if let Some((term, _)) = terms.iter().find(|(_, definition)| definition.get("@context").is_some()) {
                    let message = format!("the term \"{}\" has a context of its own", body::clip(term));
                    return Err(Error::invalid(message).hint("define its terms in the @context of the document"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// In the bundled context `labels` has a context of its own, so each use of it is one more.
    fn add_context(&mut self) -> Result<()> {
        self.contexts += 1;
        if self.contexts <= CONTEXTS_MAX {
            return Ok(());
        }
        Err(body::too_many("contexts, of which each object \"labels\" is one,", CONTEXTS_MAX)
            .hint("use the bundled context alone, or one @context around all of it, with the nodes in @graph"))
    }
}

fn remote(url: &str) -> Error {
    Error::invalid(format!("the context {} is not fetched", body::clip(url)))
        .hint(format!("use \"{CONTEXT_URL}\", which is bundled, or write your context into the document"))
}

/// Native JSON says names where JSON-LD wants IRIs.
fn tidy(members: &mut Map<String, Json>, vocabulary: &Vocabulary) {
    if let Some(Json::Object(labels)) = members.get("labels") {
        let labels: Vec<(String, Json)> =
            labels.iter().map(|(key, value)| (label_iri(key).into_string(), value.clone())).collect();
        members.shift_remove("labels");
        members.extend(labels);
    }
    for (key, value) in members.iter_mut() {
        match vocabulary.field(key).map(|field| field.range) {
            Some(Range::Component) => each_text(value, |name| {
                (!name.starts_with(COMPONENT_PREFIX)).then(|| component_iri(name).into_string())
            }),
            Some(Range::Receipt) => each_text(value, receipt_iri),
            _ if matches!(key.as_str(), "id" | "@id") => each_text(value, receipt_iri),
            _ => {}
        }
        tidy_within(value, vocabulary);
    }
}

fn tidy_within(json: &mut Json, vocabulary: &Vocabulary) {
    match json {
        Json::Array(items) => items.iter_mut().for_each(|item| tidy_within(item, vocabulary)),
        Json::Object(members) => tidy(members, vocabulary),
        _ => {}
    }
}

fn receipt_iri(text: &str) -> Option<String> {
    text.parse::<ReceiptId>().ok().map(|id| id.iri().into_string())
}

/// Replaces a text, or each text of an array, where `change` has something better.
fn each_text(json: &mut Json, change: impl Fn(&str) -> Option<String> + Copy) {
    match json {
        Json::String(text) => {
            if let Some(better) = change(text) {
                *text = better;
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| each_text(item, change)),
        _ => {}
    }
}
