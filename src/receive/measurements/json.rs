//! Measurements in JSON: `{"metric", "value", "component"?, "occurredAt"?, "unit"?, "kind"?, "labels"?, "count"?}`, one, in
//! an array, or one a line.

use serde_json::{Map, Value as Json};

use super::{Measurement, Taken};
use crate::error::{Error, Result};
use crate::measure::Kind;
use crate::receive::body;

const MEMBERS: &str = "metric, value, component, occurredAt, unit, kind, labels, count";

pub(super) fn document(text: &str, taken: &mut Taken<'_>) -> Result<()> {
    let json: Json = serde_json::from_str(text).map_err(|error| body::not_json(&error))?;
    match json {
        Json::Array(list) => {
            list.iter().enumerate().try_for_each(|(place, one)| take(one, &format!("[{place}]"), taken))
        }
        Json::Object(_) => take(&json, "", taken),
        other => Err(Error::invalid(format!("the body is {}, not a measurement", body::type_of(&other)))
            .hint("send {\"metric\": …, \"value\": …} or several of them in an array")),
    }
}

pub(super) fn lines(text: &str, taken: &mut Taken<'_>) -> Result<()> {
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str::<Json>(line) {
            Ok(json) => take(&json, &format!("line {number}"), taken)?,
            Err(error) => taken.refuse(
                &format!("line {number}"),
                "",
                line,
                &format!("it is not JSON: {error}"),
                "send one object a line",
            ),
        }
    }
    Ok(())
}

fn take(json: &Json, place: &str, taken: &mut Taken<'_>) -> Result<()> {
    match json.as_object().ok_or(Wrong::new("", json, "a measurement must be an object")).and_then(read) {
        Ok(measurement) => taken.take(measurement),
        Err(wrong) => {
            taken.refuse(place, &wrong.field, &wrong.value, wrong.message, wrong.fix);
            Ok(())
        }
    }
}

struct Wrong {
    field: String,
    value: String,
    message: &'static str,
    fix: &'static str,
}

impl Wrong {
    fn new(field: &str, value: &Json, message: &'static str) -> Self {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Self { field: field.to_owned(), value, message, fix: MEMBERS_FIX }
    }
}

const MEMBERS_FIX: &str = "send {\"metric\": \"queue_depth\", \"value\": 12, \"component\": \"orders\", \
     \"occurredAt\": \"2026-01-26T18:40:00Z\"}; occurredAt, unit, kind, labels and count may be left out";

fn read(members: &Map<String, Json>) -> std::result::Result<Measurement, Wrong> {
    let mut told = Measurement { value: f64::NAN, ..Measurement::default() };
    for (name, value) in members {
        let field = format!(".{name}");
        let wrong = |message| Wrong::new(&field, value, message);
        let text = || value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        match name.as_str() {
            "metric" => told.metric = text().ok_or_else(|| wrong("metric must be a text"))?,
            "component" => told.component = Some(text().ok_or_else(|| wrong("component must be a text"))?),
            "unit" => told.unit = Some(text().ok_or_else(|| wrong("unit must be a text"))?),
            "value" => told.value = value.as_f64().ok_or_else(|| wrong("value must be a number"))?,
            "count" => {
                told.count =
                    Some(value.as_u64().filter(|count| *count > 0).ok_or_else(|| wrong("count must be 1 or more"))?);
            }
            "occurredAt" => {
                let time = value.as_str().and_then(body::time);
                told.at = Some(time.ok_or_else(|| wrong("occurredAt must be a time, such as 2026-01-26T18:40:00Z"))?);
            }
            "kind" => {
                let kind = value.as_str().and_then(Kind::named);
                told.kind = Some(kind.ok_or_else(|| wrong("kind must be gauge, counter, delta or distribution"))?);
            }
            "labels" => {
                for (label, value) in value.as_object().ok_or_else(|| wrong("labels must be an object of texts"))? {
                    let text = match value {
                        Json::String(text) => text.clone(),
                        Json::Number(_) | Json::Bool(_) => value.to_string(),
                        _ => return Err(Wrong::new(&format!(".labels.{label}"), value, "a label must be a text")),
                    };
                    told.labels.insert(label.clone(), text);
                }
            }
            _ => return Err(Wrong { fix: MEMBERS, ..wrong("a measurement has no such member") }),
        }
    }
    let json = Json::Object(members.clone());
    if told.metric.is_empty() {
        return Err(Wrong::new("", &json, "a measurement needs a metric"));
    }
    if told.value.is_nan() {
        return Err(Wrong::new("", &json, "a measurement needs a value"));
    }
    Ok(told)
}
