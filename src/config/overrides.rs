//! Keys that the environment sets over the file: `NAZE__LIMITS__ROWS_MAX=500` is `rows_max` of `[limits]`.

use toml::{Table, Value};

use crate::error::{Error, Result};

const PREFIX: &str = "NAZE__";
const SEPARATOR: &str = "__";

/// Values by the path of their key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides(Vec<(Vec<String>, Value)>);

impl Overrides {
    /// Those among all variables. A value is TOML, or else the text that it is.
    pub fn of(variables: impl Iterator<Item = (String, String)>) -> Self {
        let read = |(name, text): (String, String)| {
            let path: Vec<String> =
                name.strip_prefix(PREFIX)?.to_lowercase().split(SEPARATOR).map(str::to_owned).collect();
            let toml = toml::from_str::<Table>(&format!("value = {text}")).ok();
            let value = toml.and_then(|mut table| table.remove("value"));
            Some((path, value.unwrap_or(Value::String(text))))
        };
        let mut overrides: Vec<_> = variables.filter_map(read).collect();
        overrides.sort_by(|a, b| a.0.cmp(&b.0));
        Self(overrides)
    }

    /// Are there any?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts them into a document.
    pub(super) fn apply(&self, document: &mut Table) -> Result<()> {
        for (path, value) in &self.0 {
            let Some((key, tables)) = path.split_last() else { continue };
            let mut table = &mut *document;
            for name in tables {
                let inner = table.entry(name).or_insert_with(|| Value::Table(Table::new()));
                table = inner.as_table_mut().ok_or_else(|| {
                    let variable = format!("{PREFIX}{}", path.join(SEPARATOR).to_uppercase());
                    Error::invalid(format!("{variable} goes into {name}, which is no table"))
                        .hint("unset it; docs/configuration.md lists every key")
                })?;
            }
            table.insert(key.clone(), value.clone());
        }
        Ok(())
    }
}
