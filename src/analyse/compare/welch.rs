//! Welch's t: do two means differ, when the spreads may differ too?

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF as _, StudentsT};

use super::{Sample, count, mean};

/// Share of intervals that hold the truth.
const CONFIDENCE: f64 = 0.95;

/// What the test says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Welch {
    /// The difference of the means in its standard errors.
    pub t: f64,
    /// Degrees of freedom after Welch and Satterthwaite.
    pub degrees_of_freedom: f64,
    /// Two-sided probability of such a difference by chance.
    pub p_value: f64,
}

/// A number with the interval that holds it with 95 % confidence; without ends where the values do not vary.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The number.
    pub value: f64,
    /// Lower end.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

/// Asks the test; nothing when no value varies, or a side is worth fewer than two.
pub fn welch(control: &Sample, canary: &Sample) -> Option<Welch> {
    let (a, b) = (canary.error()?, control.error()?);
    let together = a + b;
    if together <= 0.0 {
        return None;
    }
    let t = (mean(&canary.values) - mean(&control.values)) / together.sqrt();
    let freedom = together.powi(2) / (a.powi(2) / (canary.effective - 1.0) + b.powi(2) / (control.effective - 1.0));
    let distribution = StudentsT::new(0.0, 1.0, freedom).ok()?;
    Some(Welch { t, degrees_of_freedom: freedom, p_value: 2.0 * distribution.cdf(-t.abs()) })
}

/// Mean of the canary less mean of the control.
pub(super) fn difference(control: &Sample, canary: &Sample, welch: Option<&Welch>) -> Interval {
    let value = mean(&canary.values) - mean(&control.values);
    let error = control.error().zip(canary.error()).map(|(a, b)| (a + b).sqrt());
    Interval::around(value, error, welch)
}

/// The change in percent of the control's mean. Its error is that of a ratio, by the delta method: the control's mean is
/// no less uncertain than the canary's.
pub(super) fn change_percent(control: &Sample, canary: &Sample, welch: Option<&Welch>) -> Option<Interval> {
    let (base, reached) = (mean(&control.values), mean(&canary.values));
    if base == 0.0 {
        return None;
    }
    let error = control.error().zip(canary.error()).map(|(of_base, of_reached)| {
        100.0 * (of_reached / base.powi(2) + reached.powi(2) * of_base / base.powi(4)).sqrt()
    });
    Some(Interval::around((reached - base) / base.abs() * 100.0, error, welch))
}

/// The difference in pooled standard deviations.
pub(super) fn cohens_d(control: &Sample, canary: &Sample) -> Option<f64> {
    let (n, m) = (count(&control.values), count(&canary.values));
    let pooled = ((n - 1.0) * control.variance()? + (m - 1.0) * canary.variance()?) / (n + m - 2.0);
    (pooled > 0.0).then(|| (mean(&canary.values) - mean(&control.values)) / pooled.sqrt())
}

impl Interval {
    fn around(value: f64, error: Option<f64>, welch: Option<&Welch>) -> Self {
        let reach = error.zip(welch).and_then(|(error, welch)| {
            let distribution = StudentsT::new(0.0, 1.0, welch.degrees_of_freedom).ok()?;
            Some(error * distribution.inverse_cdf(f64::midpoint(1.0, CONFIDENCE)))
        });
        Self { value, low: reach.map(|reach| value - reach), high: reach.map(|reach| value + reach) }
    }
}

impl Sample {
    /// The sample's variance; nothing of fewer than two values.
    fn variance(&self) -> Option<f64> {
        let mean = mean(&self.values);
        let sum: f64 = self.values.iter().map(|value| (value - mean).powi(2)).sum();
        (self.len() >= 2).then(|| sum / (count(&self.values) - 1.0))
    }

    /// The squared standard error of its mean.
    fn error(&self) -> Option<f64> {
        (self.effective > 1.0).then_some(())?;
        Some(self.variance()? / self.effective)
    }
}
