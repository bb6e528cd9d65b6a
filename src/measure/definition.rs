//! What users say of metrics of their own: what they are, in which unit, and which way is good.

use std::fmt;

use serde::Deserialize;
use serde_json::json;

use super::Kind;
use super::crossing::{Direction, Threshold};

const NAME_CHARACTERS_MAX: usize = 200;
const TEXT_CHARACTERS_MAX: usize = 500;
const BUCKETS_MAX: usize = 50;
/// naze's own begin with this.
const RESERVED: &str = "naze_";
/// Units by UCUM; two of them may be joined by `/`, and words may stand in braces, such as `{orders}/min`.
const UNITS: [&str; 33] = [
    "1", "%", "ns", "us", "ms", "s", "min", "h", "d", "By", "kBy", "MBy", "GBy", "TBy", "KiBy", "MiBy", "GiBy", "TiBy",
    "bit", "kbit", "Mbit", "Hz", "m", "km", "g", "kg", "J", "W", "kW", "V", "A", "K", "Cel",
];
/// What people write for some of them.
const MEANT: [(&str, &str); 20] = [
    ("ratio", "1"),
    ("count", "1"),
    ("none", "1"),
    ("percent", "%"),
    ("nanoseconds", "ns"),
    ("microseconds", "us"),
    ("milliseconds", "ms"),
    ("millis", "ms"),
    ("seconds", "s"),
    ("secs", "s"),
    ("sec", "s"),
    ("minutes", "min"),
    ("hours", "h"),
    ("days", "d"),
    ("bytes", "By"),
    ("byte", "By"),
    ("b", "By"),
    ("mb", "MBy"),
    ("mib", "MiBy"),
    ("hertz", "Hz"),
];
const PRINCIPLES: [&str; 6] = ["jidoka", "kanban", "andon", "kaizen", "heijunka", "tracing"];
/// Bounds of the buckets of durations in seconds, and of all else.
const SECONDS: [f64; 12] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 3.0, 5.0, 10.0];
const DECADES: [f64; 12] = [0.1, 0.5, 1.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1_000.0, 5_000.0, 10_000.0, 100_000.0];

/// A metric of a user's own.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Written")]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// What it means.
    pub description: String,
    /// Unit of its values, by UCUM.
    pub unit: String,
    /// Which way a value goes that becomes worse.
    pub worse: Direction,
    /// How its values are to be read.
    pub kind: Kind,
    /// What series are of that name no component.
    pub component: Option<String>,
    /// The principle that it tells of.
    pub principle: Option<String>,
    /// Upper bounds of the buckets that its distribution is shown in.
    pub buckets: Vec<f64>,
    /// What is held against it.
    pub threshold: Option<Threshold>,
}

/// A definition as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(default)]
    description: String,
    unit: String,
    polarity: String,
    #[serde(default)]
    kind: Option<String>,
    component: Option<String>,
    principle: Option<String>,
    buckets: Option<Vec<f64>>,
    warning: Option<String>,
    critical: Option<String>,
    #[serde(rename = "for")]
    beyond_for: Option<String>,
}

impl TryFrom<Written> for Definition {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let threshold = threshold(&written)?;
        let Written { name, description, unit, polarity, kind, component, principle, buckets, .. } = written;
        check_name(&name)?;
        check_unit(&name, &unit)?;
        if description.chars().count() > TEXT_CHARACTERS_MAX {
            return Err(format!("description of {name} is longer than {TEXT_CHARACTERS_MAX} characters"));
        }
        let worse = match polarity.as_str() {
            "lower" => Direction::Up,
            "higher" => Direction::Down,
            _ => {
                return Err(format!(
                    "polarity = \"{polarity}\" of {name} is unknown: write lower or higher, whichever is better"
                ));
            }
        };
        if let Some(threshold) = threshold.as_ref().filter(|threshold| threshold.direction() != Some(worse)) {
            return Err(format!(
                "the limit in \"{threshold}\" is on the good side: {polarity} is better by its polarity"
            ));
        }
        let kind = match kind.as_deref() {
            None => Kind::Gauge,
            Some("summary") => Kind::Distribution,
            Some(kind) => Kind::named(kind).ok_or_else(|| {
                format!("kind = \"{kind}\" of {name} is unknown: write gauge, counter, delta, histogram or summary")
            })?,
        };
        if let Some(principle) = principle.as_ref().filter(|one| !PRINCIPLES.contains(&one.as_str())) {
            let known = PRINCIPLES.join(", ");
            return Err(format!("principle = \"{principle}\" of {name} is unknown: known are {known}"));
        }
        let is_duration = unit == "s";
        let buckets = buckets.unwrap_or_else(|| if is_duration { SECONDS.to_vec() } else { DECADES.to_vec() });
        let is_rising =
            buckets.windows(2).all(|pair| pair[0] < pair[1]) && buckets.iter().all(|bound| bound.is_finite());
        if !is_rising || buckets.is_empty() || buckets.len() > BUCKETS_MAX {
            return Err(format!("buckets of {name} have to be 1 to {BUCKETS_MAX} rising numbers"));
        }
        Ok(Self { name, description, unit, worse, kind, component, principle, buckets, threshold })
    }
}

impl Definition {
    /// The name of its family at `/metrics`.
    pub fn family(&self) -> String {
        as_name(&self.name, ":")
    }

    /// All names that its values have there.
    pub fn exposed(&self) -> Vec<String> {
        exposed(self.family(), self.kind == Kind::Distribution)
    }

    /// Which way is good, as it is written.
    pub fn polarity(&self) -> &'static str {
        match self.worse {
            Direction::Up => "lower",
            Direction::Down => "higher",
        }
    }
}

/// In a line, as receipts tell it.
impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}, {} is better", self.name, self.unit, self.polarity())?;
        self.threshold.iter().try_for_each(|threshold| write!(f, "; {threshold}"))
    }
}

/// As Prometheus takes it: `http.requests` is `http_requests`.
pub(crate) fn as_name(name: &str, further: &str) -> String {
    let taken = |one: char| one.is_ascii_alphanumeric() || one == '_' || further.contains(one);
    let name: String = name.chars().map(|one| if taken(one) { one } else { '_' }).collect();
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// Names at `/metrics` of what a family holds.
pub(crate) fn exposed(family: String, is_histogram: bool) -> Vec<String> {
    let parts: &[&str] = if is_histogram { &["_count", "_sum", "_bucket"] } else { &[] };
    let mut names: Vec<String> = parts.iter().map(|part| format!("{family}{part}")).collect();
    names.push(family);
    names
}

/// Can a metric of a user's own have this name?
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "_.:".contains(character);
    if !name.starts_with(|first: char| first.is_ascii_alphabetic())
        || !name.chars().all(is_plain)
        || name.len() > NAME_CHARACTERS_MAX
    {
        return Err(format!(
            "name = \"{name}\" names no metric: write up to {NAME_CHARACTERS_MAX} letters, digits, _, . and :, a letter \
             first"
        ));
    }
    if as_name(name, ":").starts_with(RESERVED) {
        return Err(format!("name = \"{name}\" is naze's own: use another than {RESERVED}…"));
    }
    Ok(())
}

fn check_unit(name: &str, unit: &str) -> Result<(), String> {
    let is_word = |part: &str| {
        let word = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        word.is_some_and(|word| {
            !word.is_empty() && word.chars().all(|one| one.is_alphanumeric() || "_- ".contains(one))
        })
    };
    let parts: Vec<&str> = unit.split('/').collect();
    if parts.len() <= 2 && parts.iter().all(|part| UNITS.contains(part) || is_word(part)) {
        return Ok(());
    }
    let meant = MEANT.iter().find(|(word, _)| unit.eq_ignore_ascii_case(word));
    let fix = meant.map_or_else(
        || "write one of UCUM such as s, By, 1, % or By/s, or a word in braces such as {orders}".to_owned(),
        |(_, unit)| format!("write \"{unit}\""),
    );
    Err(format!("unit = \"{unit}\" of {name} is unknown: {fix}"))
}

fn threshold(written: &Written) -> Result<Option<Threshold>, String> {
    let Written { name, warning, critical, beyond_for, .. } = written;
    if warning.is_none() && critical.is_none() {
        return match beyond_for {
            Some(beyond_for) => Err(format!("for = \"{beyond_for}\" of {name} needs a warning or critical limit")),
            None => Ok(None),
        };
    }
    let mut document = json!({"metric": name});
    for (key, value) in [("warning", warning), ("critical", critical), ("for", beyond_for)] {
        if let Some(value) = value {
            document[key] = json!(value);
        }
    }
    serde_json::from_value(document).map(Some).map_err(|error| error.to_string())
}
