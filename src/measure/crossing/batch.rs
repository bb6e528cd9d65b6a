//! The whole of a series at once, as a case folder has it: where it left the band it kept before.
//!
//! The band is the median of a leading share of the samples, plus or minus three robust standard deviations. The scale
//! has a floor, so that a metric that never moved (MAD 0) does not make every wiggle an alarm.

use std::collections::BTreeMap;

use super::band::{Bounded, quantile, scale};
use crate::clock::Timestamp;
use crate::receipt::{Receipt, Value};

/// One raw sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// When it was taken.
    pub time: Timestamp,
    /// What was measured.
    pub component: String,
    /// Name of the metric.
    pub metric: String,
    /// Its value, in `unit`.
    pub value: f64,
    /// UCUM-like code: `s`, `ms`, `1`, `%`, `By`.
    pub unit: Option<String>,
}

/// Robust deviation from which a sample is outside the band.
const DEVIATION_MIN: f64 = 3.0;
/// Samples that a band has to rest on.
const BASELINE_SAMPLES_MIN: usize = 8;
/// Leading share of the samples that the band of a sudden change rests on.
const BASELINE_SHARE: f64 = 0.6;
/// The same for a slow change, which would be half over by then.
const SLOW_BASELINE_SHARE: f64 = 0.25;
/// A slow change stays outside for at least this many samples, almost without a break.
const SLOW_SAMPLES_MIN: usize = 20;

/// An excursion of one series that lasts or lasted until the end of the samples.
struct Excursion {
    first: usize,
    peak: usize,
    outside: usize,
    deviation: f64,
    median: f64,
    scale: f64,
}

/// The largest excursion of each series before `until`, as `crossing` receipts that begin where the excursion begins.
pub fn crossings(samples: &[Sample], until: Timestamp) -> Vec<Receipt> {
    let mut series: BTreeMap<(&str, &str), Vec<&Sample>> = BTreeMap::new();
    for sample in samples.iter().filter(|sample| sample.time <= until && sample.value.is_finite()) {
        series.entry((&sample.component, &sample.metric)).or_default().push(sample);
    }
    series
        .into_values()
        .filter_map(|mut series| {
            series.sort_by(|a, b| a.time.cmp(&b.time).then(a.value.total_cmp(&b.value)));
            Some(receipt(&series, &largest(&series)?))
        })
        .collect()
}

fn largest(series: &[&Sample]) -> Option<Excursion> {
    let sudden = excursion(series, BASELINE_SHARE);
    let slow = excursion(series, SLOW_BASELINE_SHARE).filter(|slow| {
        let after = series.len() - slow.first;
        after >= SLOW_SAMPLES_MIN && slow.outside * 10 >= after * 9 && slow.first * 10 <= series.len() * 6
    });
    match (sudden, slow) {
        (Some(sudden), Some(slow)) if slow.deviation.abs() > sudden.deviation.abs() => Some(slow),
        (None, slow) => slow,
        (sudden, _) => sudden,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of a count"
)]
fn excursion(series: &[&Sample], baseline_share: f64) -> Option<Excursion> {
    let baseline_samples = (series.len() as f64 * baseline_share) as usize;
    if baseline_samples < BASELINE_SAMPLES_MIN || baseline_samples == series.len() {
        return None;
    }
    let mut baseline: Vec<f64> = series[..baseline_samples].iter().map(|sample| sample.value).collect();
    baseline.sort_by(f64::total_cmp);
    let median = quantile(&baseline, 0.5);
    let largest = series.iter().map(|sample| sample.value.abs()).fold(0.0, f64::max);
    if largest == 0.0 {
        return None;
    }
    let scale = scale(&baseline, median, largest, Bounded::by_unit(series[0].unit.as_deref()));
    let deviation = |place: usize| (series[place].value - median) / scale;
    let peak = (baseline_samples..series.len())
        .max_by(|a, b| deviation(*a).abs().total_cmp(&deviation(*b).abs()).then(b.cmp(a)))?;
    let sign = deviation(peak).signum();
    let is_outside = |place: usize| deviation(place) * sign >= DEVIATION_MIN;
    if !is_outside(peak) {
        return None;
    }
    // Back to where it left the band, over single samples inside.
    let mut first = peak;
    while first > 0 && (is_outside(first - 1) || (first > 1 && is_outside(first - 2))) {
        first -= 1;
    }
    while !is_outside(first) {
        first += 1;
    }
    let outside = (first..series.len()).filter(|place| is_outside(*place)).count();
    Some(Excursion { first, peak, outside, deviation: deviation(peak), median, scale })
}

fn receipt(series: &[&Sample], excursion: &Excursion) -> Receipt {
    let sample = series[excursion.first];
    let sign = excursion.deviation.signum();
    Receipt::new("crossing", sample.time, &sample.component)
        .with("metric", Value::text(&sample.metric))
        .with("value", Value::Number(series[excursion.peak].value))
        .with("threshold", Value::Number(excursion.median + sign * DEVIATION_MIN * excursion.scale))
        .with("direction", Value::text(if sign > 0.0 { "up" } else { "down" }))
        .with("rule", Value::text("median ± 3 robust standard deviations"))
        .with("baseline", Value::Number(excursion.median))
        .with("deviation", Value::Number(excursion.deviation))
        .with("source", Value::text("naze"))
        .with_text("unit", sample.unit.as_deref())
}
