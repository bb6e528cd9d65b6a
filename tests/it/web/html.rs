//! Pages as a browser reads them.

use std::collections::BTreeMap;

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{Token, Tokenizer};

/// An element's name and attributes.
pub(super) type Element = (String, BTreeMap<String, String>);

/// All elements of a page, by the tokenizer of the HTML standard. A page with a parse error fails.
#[track_caller]
pub(super) fn elements(path: &str, html: &str) -> Vec<Element> {
    let mut emitter = DefaultEmitter::<()>::default();
    emitter.naively_switch_states(true);
    let tokenizer = Tokenizer::new_with_emitter(html, emitter);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let mut found = Vec::new();
    for Ok(token) in tokenizer {
        match token {
            Token::StartTag(tag) => {
                let attributes = tag.attributes.iter().map(|(name, value)| (text(name), text(value)));
                found.push((text(&tag.name), attributes.collect()));
            }
            Token::Error(error) => panic!("{path}: {error:?}"),
            _ => {}
        }
    }
    found
}
