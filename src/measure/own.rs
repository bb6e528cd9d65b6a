//! Series that naze makes itself, of what it knows without a sender of samples.

use super::Series;
use super::crossing::Direction;

/// How many failures it recorded, by component and `type`.
pub const FAILURES: &str = "naze_failures";
/// Seconds since the last sample of a component that told one before.
pub const SAMPLE_AGE: &str = "naze_sample_age_seconds";
/// How many values stood out, by component and `metric`; told with the label of [`super::OWN`].
pub const OUTLIERS: &str = "tps_kaizen_outliers_detected_total";
/// 1 while it runs.
pub const UP: &str = "naze_up";
/// The score of each pillar, and of all.
pub const HEALTH_SCORE: &str = "naze_health_score";
/// What it judges health to be.
const HEALTH_PREFIX: &str = "naze_health_";
/// What it counts the same failures in as in `tps_jidoka_failures_total`.
const FAILURES_AGAIN: [&str; 4] =
    [FAILURES, "tps_andon_errors_total", "tps_jidoka_failure_types_total", "tps_jidoka_failure_rate"];

/// Is it one of these? What is concluded from other evidence is no evidence beside it.
pub fn is_own(metric: &str) -> bool {
    metric.starts_with(HEALTH_PREFIX) || [FAILURES, SAMPLE_AGE, UP].contains(&metric)
}

/// Does naze tell in it what it tells in another series as well?
pub fn is_again(series: &Series) -> bool {
    series.is_own() && FAILURES_AGAIN.contains(&series.metric.as_str())
}

/// Where naze tells first what it tells in this one of its own metrics: failures as they are counted, percentiles of the
/// durations that it keeps.
pub fn told_first_in(metric: &str) -> Option<&'static str> {
    match metric {
        FAILURES => None,
        "tps_production_lead_time_p90_seconds" => Some("tps_production_lead_time_seconds"),
        _ => Some(FAILURES),
    }
}

/// Which way one of these goes that becomes worse.
pub fn worse(metric: &str) -> Option<Direction> {
    match metric {
        FAILURES | SAMPLE_AGE => Some(Direction::Up),
        HEALTH_SCORE => Some(Direction::Down),
        _ => None,
    }
}
