//! The vocabulary for tools that read JSON-LD.

use oxrdf::vocab::xsd;
use serde_json::{Value as Json, json};

use super::{LABEL_PREFIX, NAMESPACE, Range, Vocabulary};

impl Vocabulary {
    /// The JSON-LD context under which native JSON is JSON-LD.
    pub fn json_ld_context(&self) -> Json {
        let mut context = serde_json::Map::new();
        context.insert("naze".into(), NAMESPACE.into());
        context.insert("label".into(), LABEL_PREFIX.into());
        context.insert("xsd".into(), "http://www.w3.org/2001/XMLSchema#".into());
        context.insert("id".into(), json!("@id"));
        context.insert("kind".into(), json!("@type"));
        for (name, kind) in self.kinds() {
            context.insert(name.into(), kind.class.as_str().into());
        }
        context.insert("labels".into(), json!({"@id": "@nest", "@context": {"@vocab": LABEL_PREFIX}}));
        for (name, field) in self.fields() {
            let mut term = serde_json::Map::new();
            term.insert("@id".into(), field.iri.as_str().into());
            match field.range {
                Range::Component | Range::Receipt => drop(term.insert("@type".into(), "@id".into())),
                Range::Time => drop(term.insert("@type".into(), xsd::DATE_TIME.as_str().into())),
                Range::Number => drop(term.insert("@type".into(), xsd::DOUBLE.as_str().into())),
                _ => {}
            }
            if field.multiple {
                term.insert("@container".into(), "@set".into());
            }
            context.insert(name.into(), Json::Object(term));
        }
        json!({ "@context": context })
    }
}
