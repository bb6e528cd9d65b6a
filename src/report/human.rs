//! What people write in a report stands between `<!-- human:NAME -->` and `<!-- /human:NAME -->`, and is kept.

use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// The parts that people wrote in an earlier Markdown version, by name, byte for byte.
///
/// # Errors
/// `Invalid` naming a marker that is open, closed twice, misspelt, repeated or within another: what people wrote there
/// would be lost.
pub(super) fn parts(previous: &str) -> Result<BTreeMap<String, String>> {
    let mut parts = BTreeMap::new();
    let mut open: Option<(&str, usize)> = None;
    let mut place = 0;
    while let Some(start) = previous[place..].find("<!--").map(|found| place + found) {
        let after = start + "<!--".len();
        let Some(marker) = Marker::read(&previous[after..]) else {
            place = after;
            continue;
        };
        let Marker { name, is_end, length } = marker?;
        place = after + length;
        open = match (open, is_end) {
            (None, false) if parts.contains_key(name) => return Err(broken(name, "stands there twice")),
            (None, false) => Some((name, place)),
            (Some((opened, from)), true) if opened == name => {
                parts.insert(name.to_owned(), previous[from..start].to_owned());
                None
            }
            (Some((opened, _)), _) => {
                return Err(broken(opened, &format!("has no end: <!-- /human:{opened} --> is missing")));
            }
            (None, true) => {
                return Err(broken(name, &format!("has no beginning: <!-- human:{name} --> is missing")));
            }
        };
    }
    match open {
        Some((opened, _)) => Err(broken(opened, &format!("has no end: <!-- /human:{opened} --> is missing"))),
        None => Ok(parts),
    }
}

struct Marker<'a> {
    name: &'a str,
    is_end: bool,
    /// Bytes after `<!--` up to the end of `-->`.
    length: usize,
}

impl<'a> Marker<'a> {
    /// Reads what follows `<!--`; `None` if it is another comment.
    fn read(text: &'a str) -> Option<Result<Self>> {
        let inner = text.trim_start();
        let is_end = inner.starts_with('/');
        let named = inner.strip_prefix('/').unwrap_or(inner).trim_start().strip_prefix("human:")?;
        let first_line = named.lines().next().unwrap_or_default();
        let Some((name, _)) = first_line.split_once("-->") else {
            let shown: String = first_line.chars().take(40).collect();
            return Some(Err(broken(shown.trim(), "is not closed with -->")));
        };
        let length = text.len() - named.len() + name.len() + "-->".len();
        let name = name.trim();
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|character| character.is_alphanumeric() || "-_.".contains(character))
        };
        if is_name(name) {
            Some(Ok(Self { name, is_end, length }))
        } else {
            Some(Err(broken(name, "has no name of letters, digits and -")))
        }
    }
}

fn broken(name: &str, what: &str) -> Error {
    Error::invalid(format!("the marker human:{name} of the earlier version {what}"))
        .hint("repair it by hand, so that nothing people wrote is lost")
}
