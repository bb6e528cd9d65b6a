//! Where values change colour. Those of a metric are what `thresholds.toml` says of it; any other can be written into a
//! panel.

use serde::{Deserialize, Deserializer};

use crate::measure::crossing::{Colours, Direction, Limit, Palette};
use crate::vocab::nearest;

/// By how much of it a value has to be above a bound to differ from it: more than what arithmetic loses.
const JUST_ABOVE: f64 = 1e-9;

/// The conditions under which a value is not green.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bands(Colours);

#[derive(Deserialize)]
#[serde(untagged, expecting = "bands are a metric, or { yellow = …, orange = …, red = … } with a condition each")]
enum Written {
    Metric(String),
    Conditions(Conditions),
}

/// Conditions as texts, so that a wrong one is told by what is wrong with it.
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
        let mut limits = self.0.limits();
        let is_above = limits.clone().all(|(_, limit)| limit.direction() == Direction::Up);
        if is_above {
            let steps = limits.map(|(colour, limit)| (Some(start(limit, limit.includes_bound())), colour));
            return std::iter::once((None, "green")).chain(steps).collect();
        }
        // The worst is lowest; each condition ends where the next better colour starts.
        let ends = limits.clone().rev().map(|(_, limit)| Some(start(limit, !limit.includes_bound())));
        let worst = limits.next_back().map_or("green", |(colour, _)| colour);
        let better = limits.rev().map(|(colour, _)| colour).chain(["green"]);
        std::iter::once((None, worst)).chain(ends.zip(better)).collect()
    }

    fn read(written: Conditions) -> Result<Self, String> {
        let limit = |text: Option<String>| text.map(Limit::try_from).transpose();
        let colours =
            Colours { yellow: limit(written.yellow)?, orange: limit(written.orange)?, red: limit(written.red)? };
        if colours == Colours::default() {
            return Err("bands have no condition: write one, such as red = \"> 1000\"".to_owned());
        }
        colours.check().map(|()| Self(colours))
    }
}

fn start(limit: Limit, with_bound: bool) -> f64 {
    let bound = limit.value();
    if with_bound { bound } else { bound + JUST_ABOVE * bound.abs().max(1.0) }
}

impl<'de> Deserialize<'de> for Bands {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bands = match Written::deserialize(deserializer)? {
            Written::Metric(metric) => Palette::shipped().colours(&metric).map(Self).ok_or_else(|| unknown(&metric)),
            Written::Conditions(conditions) => Self::read(conditions),
        };
        bands.map_err(serde::de::Error::custom)
    }
}

fn unknown(metric: &str) -> String {
    let meant = nearest(metric, Palette::shipped().metrics());
    let meant = meant.map(|known| format!("did you mean \"{known}\"? ")).unwrap_or_default();
    format!(
        "there are no bands for \"{metric}\": {meant}write a metric of naze's, or {{ yellow = \"> 500\", red = \"> 1000\" }}"
    )
}
