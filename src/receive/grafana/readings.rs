//! The values of a rule's queries and expressions: a member `values`, and `valueString`, which has their labels too.

use serde_json::Value as Json;

/// One value of a `valueString`: `[ var='B' labels={job=node, instance=a} value=17 ]`.
pub(super) struct Reading<'a> {
    /// The query or expression it comes from; test notifications have none.
    pub(super) name: Option<&'a str>,
    pub(super) value: f64,
    labels: &'a str,
}

impl<'a> Reading<'a> {
    /// What the readings that have a label say, when they all say the same.
    pub(super) fn agreed(readings: &[Self], label: &str) -> Option<&'a str> {
        let mut told = readings.iter().filter_map(|reading| reading.label(label));
        let first = told.next()?;
        told.all(|other| other == first).then_some(first)
    }

    fn label(&self, name: &str) -> Option<&'a str> {
        let labels = self.labels.split(", ").filter_map(|label| label.split_once('='));
        labels.into_iter().find(|(key, _)| *key == name).map(|(_, text)| text)
    }
}

/// The readings of a `valueString`; what is not in its form is left out.
pub(super) fn of_text(text: &str) -> Vec<Reading<'_>> {
    let inner = text.trim().strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or_default();
    inner.split(" ], [ ").filter_map(reading).collect()
}

fn reading(text: &str) -> Option<Reading<'_>> {
    let (before, value) = text.rsplit_once("value=")?;
    let (before, labels) = before.rsplit_once("labels={")?;
    let name = before.split_once("var='").and_then(|(_, rest)| rest.split_once('\'')).map(|(name, _)| name);
    let value = value.trim().parse().ok().filter(|value: &f64| value.is_finite())?;
    Some(Reading { name, value, labels: labels.trim_end().strip_suffix('}')? })
}

/// The numbers of a member `values`, by name.
pub(super) fn values(member: Option<&Json>) -> Vec<(&str, f64)> {
    let members = member.and_then(Json::as_object).into_iter().flatten();
    let mut values: Vec<(&str, f64)> =
        members.filter_map(|(name, value)| Some((name.as_str(), value.as_f64()?))).collect();
    values.sort_by(|a, b| a.0.cmp(b.0));
    values
}

/// The value that was compared: the only one, or the one before the condition, which is 1 while it holds and 0 when not.
pub(super) fn measured(values: &[(&str, f64)], firing: bool) -> Option<f64> {
    match values {
        [(_, value)] => Some(*value),
        [(_, value), (_, condition)] if condition.total_cmp(&f64::from(u8::from(firing))).is_eq() => Some(*value),
        _ => None,
    }
}
