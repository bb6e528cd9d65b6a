//! Which series are kept, and under which labels: rules as in Prometheus' `metric_relabel_configs`.

use regex::Regex;
use serde::Deserialize;

use super::Series;

/// The label that stands for the name of the metric.
const NAME: &str = "__name__";
/// The label that stands for the component.
const COMPONENT: &str = "component";
/// What makes a regular expression one for the whole text.
const START: &str = "^(?s:";
const END: &str = ")$";

/// One rule. Rules are applied in their order.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Labels whose values, joined by `separator`, are matched; `__name__` is the metric, `component` the component.
    #[serde(default)]
    source_labels: Vec<String>,
    #[serde(default = "semicolon")]
    separator: String,
    /// Matches the whole text.
    #[serde(default)]
    regex: Anchored,
    /// What is done with what matches.
    action: Action,
    /// Label that `replace` writes.
    target_label: Option<String>,
    /// What it writes there, with `$1` for the first group.
    #[serde(default = "first_group")]
    replacement: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    /// Series that do not match are dropped.
    Keep,
    /// Series that match are dropped.
    Drop,
    /// Labels whose names match are removed.
    LabelDrop,
    /// Labels whose names do not match are removed.
    LabelKeep,
    /// The target label is written when the text matches.
    Replace,
}

/// A regular expression for the whole of a text.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct Anchored(Regex);

impl Anchored {
    /// Does it match the whole text?
    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// The expression as it was written.
    pub fn text(&self) -> &str {
        let whole = self.0.as_str();
        whole.strip_prefix(START).and_then(|rest| rest.strip_suffix(END)).unwrap_or(whole)
    }
}

impl TryFrom<String> for Anchored {
    type Error = regex::Error;

    fn try_from(text: String) -> Result<Self, regex::Error> {
        Regex::new(&format!("{START}{text}{END}")).map(Self)
    }
}

impl Default for Anchored {
    fn default() -> Self {
        Self::try_from("(.*)".to_owned()).expect("the default is a regular expression")
    }
}

fn semicolon() -> String {
    ";".to_owned()
}

fn first_group() -> String {
    "$1".to_owned()
}

/// The series under its new labels; `None` when a rule drops it.
pub fn relabelled(rules: &[Rule], mut series: Series) -> Option<Series> {
    for rule in rules {
        series = rule.apply(series)?;
    }
    (!series.metric.is_empty()).then_some(series)
}

impl Rule {
    fn apply(&self, mut series: Series) -> Option<Series> {
        let Anchored(regex) = &self.regex;
        match self.action {
            Action::Keep => regex.is_match(&self.text(&series)).then_some(series),
            Action::Drop => (!regex.is_match(&self.text(&series))).then_some(series),
            Action::LabelDrop | Action::LabelKeep => {
                series.labels.retain(|name, _| regex.is_match(name) == (self.action == Action::LabelKeep));
                Some(series)
            }
            Action::Replace => {
                let text = self.text(&series);
                if let (Some(target), Some(found)) = (&self.target_label, regex.captures(&text)) {
                    let mut value = String::new();
                    found.expand(&self.replacement, &mut value);
                    write(&mut series, target, value);
                }
                Some(series)
            }
        }
    }

    fn text(&self, series: &Series) -> String {
        let values: Vec<&str> = self.source_labels.iter().map(|name| read(series, name)).collect();
        values.join(&self.separator)
    }
}

fn read<'a>(series: &'a Series, label: &str) -> &'a str {
    match label {
        NAME => &series.metric,
        COMPONENT => &series.component,
        label => series.labels.get(label).map(String::as_str).unwrap_or_default(),
    }
}

fn write(series: &mut Series, label: &str, value: String) {
    match label {
        NAME => series.metric = value,
        COMPONENT => series.component = value,
        label if value.is_empty() => drop(series.labels.remove(label)),
        label => drop(series.labels.insert(label.to_owned(), value)),
    }
}
