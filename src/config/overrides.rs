//! Keys that the environment sets over the file: `NAZE__LIMITS__ROWS_MAX=500` is `rows_max` of `[limits]`.

use std::collections::BTreeMap;
use std::fmt;

use toml::{Table, Value};

use super::document::Node;
use crate::error::{Error, Result};

const PREFIX: &str = "NAZE__";
const SEPARATOR: &str = "__";

/// Values, as they were given, by the path of their key. Some are secrets.
#[derive(Clone, Default, PartialEq)]
pub struct Overrides(Vec<(Vec<String>, String)>);

impl fmt::Debug for Overrides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(path, _)| variable(path))).finish()
    }
}

impl Overrides {
    /// Those among all variables.
    pub fn of(variables: impl Iterator<Item = (String, String)>) -> Self {
        let read = |(name, text): (String, String)| {
            let path = name.strip_prefix(PREFIX)?.to_lowercase().split(SEPARATOR).map(str::to_owned).collect();
            Some((path, text))
        };
        let mut overrides: Vec<_> = variables.filter_map(read).collect();
        overrides.sort();
        Self(overrides)
    }

    /// Are there any?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A message that names variables in place of their values.
    pub(super) fn hide(&self, message: &str) -> String {
        self.0.iter().fold(message.to_owned(), |message, (path, text)| {
            message.replace(&format!("\"{}\"", text.trim_matches('"')), &variable(path))
        })
    }

    /// A document with them put into it.
    pub(super) fn over(&self, document: Table) -> Result<Node> {
        let mut nodes: BTreeMap<String, Node> =
            document.into_iter().map(|(key, value)| (key, Node::read(value))).collect();
        for (path, text) in &self.0 {
            let Some((key, tables)) = path.split_last() else { continue };
            let mut table = &mut nodes;
            for name in tables {
                let inner = table.entry(name.clone()).or_insert_with(|| Node::Table(BTreeMap::new()));
                let Node::Table(inner) = inner else {
                    return Err(Error::invalid(format!("{} goes into {name}, which is no table", variable(path)))
                        .hint("unset it; docs/configuration.md lists every key"));
                };
                table = inner;
            }
            let toml = toml::from_str::<Table>(&format!("value = {text}")).ok();
            let value = toml.and_then(|mut table| table.remove("value")).unwrap_or_else(|| Value::from(&**text));
            table.insert(key.clone(), Node::given(&variable(path), value, text));
        }
        Ok(Node::Table(nodes))
    }
}

fn variable(path: &[String]) -> String {
    format!("{PREFIX}{}", path.join(SEPARATOR).to_uppercase())
}
