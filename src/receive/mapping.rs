//! Which label of a sender names the component.

use std::collections::BTreeMap;

/// Label names to look for, best first; `namespace/app` joins two labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentMapping(Vec<String>);

impl ComponentMapping {
    /// Looks for these labels, the first one present wins.
    pub fn new(labels: Vec<String>) -> Self {
        Self(labels)
    }

    /// The component that `labels` name.
    pub fn component(&self, labels: &BTreeMap<String, String>) -> Option<String> {
        self.0.iter().find_map(|rule| {
            let parts: Option<Vec<&str>> = rule.split('/').map(|name| labels.get(name).map(String::as_str).filter(|value| !value.is_empty())).collect();
            parts.map(|parts| parts.join("/"))
        })
    }
}
