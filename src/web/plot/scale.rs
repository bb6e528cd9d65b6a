//! Where values and times lie in a drawing, and which of them are written at its edges.
#![expect(clippy::cast_precision_loss, reason = "microseconds of a window fit 53 bits")]

use crate::clock::Timestamp;

/// Steps between written times, in seconds.
const STEPS: [i64; 14] =
    [60, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000];
const DAY_SECONDS: i64 = 86_400;
/// Most times and values that are written.
const TIMES_MAX: i64 = 8;
const VALUES_MAX: f64 = 4.0;

/// Values from bottom to top.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Values {
    pub(super) low: f64,
    pub(super) high: f64,
    step: f64,
}

impl Values {
    /// Round edges around `values`; from zero where that is near.
    pub(super) fn around(values: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let finite = values.filter(|value| value.is_finite());
        let (low, high) = (finite.clone().reduce(f64::min)?, finite.reduce(f64::max)?);
        let low = if low > 0.0 && low < high * 0.6 { 0.0 } else { low };
        let span = if high > low { high - low } else { high.abs().max(1.0) };
        let rough = span / VALUES_MAX;
        let magnitude = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|times| times * magnitude);
        let step = step.into_iter().find(|step| *step >= rough * 0.999).unwrap_or(rough);
        let low = (low / step).floor() * step;
        let high = ((high / step).ceil() * step).max(low + step);
        Some(Self { low, high, step })
    }

    /// Round values between the edges.
    pub(super) fn ticks(&self) -> impl Iterator<Item = f64> {
        let (low, step) = (self.low, self.step);
        let count = ((self.high - low) / step).round().clamp(1.0, 20.0);
        (0_u32..=20).map(f64::from).take_while(move |number| *number <= count).map(move |number| low + number * step)
    }

    /// How far from the bottom, 0 to 1 and beyond.
    pub(super) fn share(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }
}

/// Round times of a window and how each is written.
pub(super) fn times(from: Timestamp, to: Timestamp) -> Vec<(Timestamp, String)> {
    let length = to.since(from).num_seconds();
    let step = STEPS.into_iter().find(|step| length / step < TIMES_MAX).unwrap_or(length / TIMES_MAX + 1);
    let first = from.micros().div_euclid(step * 1_000_000) + 1;
    (first..=first + TIMES_MAX)
        .map_while(|number| Timestamp::from_micros(number.checked_mul(step * 1_000_000)?).filter(|time| *time <= to))
        .map(|time| {
            let is_midnight = time.micros().div_euclid(1_000_000) % DAY_SECONDS == 0;
            let form = if is_midnight { "%-d %b" } else { "%H:%M" };
            (time, time.utc().format(form).to_string())
        })
        .collect()
}

/// How far a time lies in a window, 0 to 1 and beyond.
pub(super) fn share(time: Timestamp, from: Timestamp, to: Timestamp) -> f64 {
    let micros = |later: Timestamp| later.since(from).num_microseconds().unwrap_or(0) as f64;
    micros(time) / micros(to).max(1.0)
}
