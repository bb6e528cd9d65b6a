//! The text that exporters show to Prometheus, old form and `OpenMetrics`: `name{label="value"} 1.5 [time]`, with `# TYPE` and
//! `# UNIT` before.
//!
//! Times are milliseconds in the old form and seconds in `OpenMetrics`, which ends with `# EOF`.

use std::collections::{BTreeMap, HashMap};

use super::{Measurement, Taken};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::measure::Kind;
use crate::measure::selector::labels;

const FIX: &str = "send lines such as http_requests_total{code=\"200\"} 1027";

pub(super) fn read(text: &str, taken: &mut Taken<'_>) -> Result<()> {
    let is_open_metrics = text.trim_end().ends_with("# EOF");
    let mut types: HashMap<&str, &str> = HashMap::new();
    let mut units: HashMap<&str, &str> = HashMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix('#') {
            let words: Vec<&str> = comment.split_whitespace().collect();
            match words[..] {
                ["TYPE", name, kind] => drop(types.insert(name, kind)),
                ["UNIT", name, unit] => drop(units.insert(name, unit)),
                _ => {}
            }
        } else if !line.is_empty() {
            match sample(line, is_open_metrics) {
                Ok(Some(mut told)) => {
                    let family = family(&told.metric, &types);
                    told.kind = Some(kind(&told.metric, family.and_then(|family| types.get(family)).copied()));
                    told.unit = family.and_then(|family| units.get(family)).map(|unit| (*unit).to_owned());
                    taken.take(told)?;
                }
                Ok(None) => {}
                Err(message) => taken.refuse(&format!("line {number}"), "", line, message, FIX),
            }
        }
    }
    Ok(())
}

/// The name under which the type of a sample was told: counters and histograms add endings to it.
fn family<'a>(metric: &str, types: &HashMap<&'a str, &str>) -> Option<&'a str> {
    let endings = ["", "_total", "_bucket", "_count", "_sum", "_created"];
    let names = endings.iter().filter_map(|ending| metric.strip_suffix(ending));
    names.filter_map(|name| types.get_key_value(name)).map(|(name, _)| *name).next()
}

fn kind(metric: &str, told: Option<&str>) -> Kind {
    let counts = ["_total", "_bucket", "_count", "_sum"].iter().any(|ending| metric.ends_with(ending));
    match told {
        Some("counter") => Kind::Counter,
        Some("gauge") => Kind::Gauge,
        _ if counts => Kind::Counter,
        _ => Kind::Gauge,
    }
}

/// A line's sample; `None` for a value that is none, such as NaN or the time a counter was made.
fn sample(line: &str, is_open_metrics: bool) -> std::result::Result<Option<Measurement>, &'static str> {
    let end = line.find(['{', ' ', '\t']).ok_or("a value is missing")?;
    let (metric, rest) = line.split_at(end);
    let is_name = |text: &str| text.chars().all(|one| one.is_ascii_alphanumeric() || "_:.".contains(one));
    if metric.is_empty() || metric.starts_with(|first: char| first.is_ascii_digit()) || !is_name(metric) {
        return Err("it does not begin with the name of a metric");
    }
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    // What follows a # is an exemplar.
    let mut words = rest.split('#').next().unwrap_or_default().split_whitespace();
    let value = number(words.next().ok_or("a value is missing")?).ok_or("the value is not a number")?;
    let at = words.next().map(|text| time(text, is_open_metrics).ok_or("the time is not a number")).transpose()?;
    if !value.is_finite() || metric.ends_with("_created") {
        return Ok(None);
    }
    Ok(Some(Measurement { metric: metric.to_owned(), labels, at, value, ..Measurement::default() }))
}

fn number(text: &str) -> Option<f64> {
    match text {
        "+Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        text => text.parse().ok(),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a time out of range saturates and is refused")]
fn time(text: &str, is_open_metrics: bool) -> Option<Timestamp> {
    let number: f64 = text.parse().ok()?;
    let micros = number * if is_open_metrics { 1e6 } else { 1e3 };
    Timestamp::from_micros(micros.round() as i64)
}
