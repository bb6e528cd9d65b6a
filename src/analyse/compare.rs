//! Two samples held against each other: did it change, by how much, and could that be chance?
//!
//! Two tests answer. Welch's t asks whether the means differ, whatever the spreads: it decides, because its interval is in
//! the same unit as the change that somebody expected, and because means of an hour of minutes are near enough to normal.
//! Mann–Whitney U asks whether one side tends to be larger, whatever the distribution: it stands beside, so that a
//! difference made by a few outliers shows, and decides where no value varies and Welch's t has no answer.
//!
//! The minutes of a series are no independent values. Each follows the one before, so a series is worth fewer values than
//! it has: their number is reduced by the autocorrelation at lag one before Welch's t is asked.

mod rank;
mod welch;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::trend::Summary;
pub use rank::{MannWhitney, mann_whitney};
pub use welch::{Interval, Welch, welch};

/// Least values on either side.
pub const VALUES_MIN: usize = 10;
/// Values of a side that is as unlikely as this by chance are held to differ.
pub const P_MAX: f64 = 0.05;

/// One of the two sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    values: Vec<f64>,
    effective: f64,
}

/// One of the two sides, in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Side {
    /// The plain numbers.
    #[serde(flatten)]
    pub summary: Summary,
    /// How many independent values it is worth.
    pub n_effective: f64,
}

/// The second side against the first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Compared {
    /// What it is held against.
    pub control: Side,
    /// What is held against it.
    pub canary: Side,
    /// Mean of the canary less mean of the control, with its 95 % interval.
    pub difference: Interval,
    /// The same in percent of the control's mean; nothing when that is 0.
    pub change_percent: Option<Interval>,
    /// Whether the means differ; nothing when no value varies.
    pub welch: Option<Welch>,
    /// Whether one side tends to be larger.
    pub mann_whitney: MannWhitney,
    /// The difference in standard deviations, after Cohen; nothing when no value varies.
    pub cohens_d: Option<f64>,
    /// The test that decides.
    pub test: Test,
    /// Its two-sided probability of such a difference by chance.
    pub p_value: f64,
    /// Is that below 5 %?
    pub is_significant: bool,
}

/// A test, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Test {
    /// Do the means differ?
    #[serde(rename = "Welch's t")]
    Welch,
    /// Does one side tend to be larger?
    #[serde(rename = "Mann–Whitney U")]
    MannWhitney,
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Welch => "Welch's t",
            Self::MannWhitney => "Mann–Whitney U",
        })
    }
}

impl Sample {
    /// Values that know nothing of each other. Those that are no finite number are left out.
    pub fn independent(values: impl IntoIterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        let effective = count(&values);
        Self { values, effective }
    }

    /// Values in order of time, each of which may follow the one before.
    pub fn series(values: impl IntoIterator<Item = f64>) -> Self {
        let own = Self::independent(values);
        let memory = autocorrelation(&own.values).max(0.0);
        let effective = (own.effective * (1.0 - memory) / (1.0 + memory)).max(own.effective.min(2.0));
        Self { effective, ..own }
    }

    /// How many values.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn side(&self) -> Option<Side> {
        Some(Side { summary: Summary::of(&self.values)?, n_effective: self.effective })
    }
}

/// Holds `canary` against `control`.
///
/// # Errors
/// A sentence that says of what there is too little.
pub fn compare(control: &Sample, canary: &Sample) -> Result<Compared, String> {
    for (name, sample) in [("control", control), ("canary", canary)] {
        if sample.len() < VALUES_MIN {
            return Err(format!("the {name} has {} values, {VALUES_MIN} are needed", sample.len()));
        }
    }
    let (Some(control_side), Some(canary_side)) = (control.side(), canary.side()) else {
        return Err("there are no values".to_owned());
    };
    let welch = welch(control, canary);
    let mann_whitney = mann_whitney(&control.values, &canary.values);
    let (test, p_value) = match &welch {
        Some(welch) => (Test::Welch, welch.p_value),
        None => (Test::MannWhitney, mann_whitney.p_value),
    };
    Ok(Compared {
        difference: welch::difference(control, canary, welch.as_ref()),
        change_percent: welch::change_percent(control, canary, welch.as_ref()),
        cohens_d: welch::cohens_d(control, canary),
        control: control_side,
        canary: canary_side,
        welch,
        mann_whitney,
        test,
        p_value,
        is_significant: p_value < P_MAX,
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts of values fit 53 bits")]
fn count(values: &[f64]) -> f64 {
    values.len() as f64
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / count(values)
}

/// At lag one; 0 of values that do not vary.
fn autocorrelation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let mean = mean(values);
    let whole: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let lagged: f64 = values.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
    if whole > 0.0 { lagged / whole } else { 0.0 }
}
