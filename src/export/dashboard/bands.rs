//! Where values change colour. The bands of `dashboards/bands.toml` have names; any other can be written into a panel.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Deserializer};

use super::DASHBOARDS;
use crate::vocab::nearest;

/// Where the named bands are.
pub(super) const FILE: &str = "bands.toml";

/// By how much of it a value has to be above a bound to differ from it: more than what arithmetic loses.
const JUST_ABOVE: f64 = 1e-9;

static NAMED: LazyLock<BTreeMap<String, Bands>> = LazyLock::new(|| {
    let text = DASHBOARDS.get_file(FILE).and_then(|file| file.contents_utf8()).expect("the file is packed");
    toml::from_str(text).expect("a test reads the file")
});

/// The conditions under which a value is not green, all in one direction: mild ones first.
#[derive(Debug, Clone, PartialEq)]
pub struct Bands(Vec<(&'static str, Condition)>);

/// A value compared with a bound.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Condition {
    is_above: bool,
    includes_bound: bool,
    bound: f64,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "bands are a name, or { yellow = …, orange = …, red = … } with a condition each")]
enum Written {
    Name(String),
    Conditions(Conditions),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Conditions {
    yellow: Option<String>,
    orange: Option<String>,
    red: Option<String>,
}

impl Bands {
    /// The colour from each bound on, lowest first; the first has none. A bound counts for the colour that it starts, so
    /// a condition without its bound starts just above it.
    pub fn steps(&self) -> Vec<(Option<f64>, &'static str)> {
        let is_above = self.0.first().is_none_or(|(_, condition)| condition.is_above);
        if is_above {
            let start = |condition: Condition| condition.start_of(condition.includes_bound);
            return std::iter::once((None, "green"))
                .chain(self.0.iter().map(|(colour, condition)| (Some(start(*condition)), *colour)))
                .collect();
        }
        // The worst is lowest; each condition ends where the next better colour starts.
        let better = self.0.iter().rev().skip(1).map(|(colour, _)| *colour).chain(["green"]);
        let ends = self.0.iter().rev().map(|(_, condition)| condition.start_of(!condition.includes_bound));
        let worst = self.0.last().map_or("green", |(colour, _)| colour);
        std::iter::once((None, worst)).chain(ends.map(Some).zip(better)).collect()
    }

    fn read(Conditions { yellow, orange, red }: Conditions) -> Result<Self, String> {
        let mut conditions = Vec::new();
        for (colour, text) in [("yellow", yellow), ("orange", orange), ("red", red)] {
            if let Some(text) = text {
                conditions.push((colour, Condition::read(&text)?));
            }
        }
        if conditions.is_empty() {
            return Err("bands have no condition: write one, such as red = \"> 1000\"".to_owned());
        }
        match conditions.windows(2).find(|pair| !pair[1].1.is_beyond(pair[0].1)) {
            Some(pair) => Err(format!("{} has to lie beyond {}, in the same direction", pair[1].0, pair[0].0)),
            None => Ok(Self(conditions)),
        }
    }
}

impl Condition {
    /// Whether fewer values meet it than `milder`.
    fn is_beyond(self, milder: Self) -> bool {
        let distance = if self.is_above { self.bound - milder.bound } else { milder.bound - self.bound };
        self.is_above == milder.is_above && distance >= 0.0
    }

    fn start_of(self, with_bound: bool) -> f64 {
        if with_bound { self.bound } else { self.bound + JUST_ABOVE * self.bound.abs().max(1.0) }
    }

    /// Reads `> 1000`, `>= 500`, `< 1` or `<= 0.95`.
    fn read(text: &str) -> Result<Self, String> {
        let (is_above, rest) = match text.trim().split_at_checked(1) {
            Some((">", rest)) => (true, rest),
            Some(("<", rest)) => (false, rest),
            _ => return Err(format!("\"{text}\" is no condition: write one such as \"> 1000\" or \"<= 0.95\"")),
        };
        let number = rest.strip_prefix('=');
        match number.unwrap_or(rest).trim().parse() {
            Ok(bound) if f64::is_finite(bound) => Ok(Self { is_above, includes_bound: number.is_some(), bound }),
            _ => Err(format!("\"{text}\" does not compare with a number: write one such as \"> 1000\"")),
        }
    }
}

impl<'de> Deserialize<'de> for Bands {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bands = match Written::deserialize(deserializer)? {
            Written::Name(name) => NAMED.get(&name).cloned().ok_or_else(|| unknown(&name)),
            Written::Conditions(conditions) => Self::read(conditions),
        };
        bands.map_err(serde::de::Error::custom)
    }
}

fn unknown(name: &str) -> String {
    let meant = nearest(name, NAMED.keys()).map(|known| format!("did you mean \"{known}\"? ")).unwrap_or_default();
    format!("there are no bands \"{name}\": {meant}write a name or {{ yellow = \"> 500\", red = \"> 1000\" }}")
}
