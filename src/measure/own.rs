//! Series that naze makes itself, of what it knows without a sender of samples.

/// How many failures it recorded, by component and `type`.
pub const FAILURES: &str = "naze_failures";
/// Seconds since the last sample of a component that told one before.
pub const SAMPLE_AGE: &str = "naze_sample_age_seconds";
/// How many values stood out, by component and `metric`; told with the label of [`super::OWN`].
pub const OUTLIERS: &str = "tps_kaizen_outliers_detected_total";
/// 1 while it runs.
pub const UP: &str = "naze_up";
/// What it judges health to be.
const HEALTH_PREFIX: &str = "naze_health_";

/// Is it one of these? What is concluded from other evidence is no evidence beside it.
pub fn is_own(metric: &str) -> bool {
    metric.starts_with(HEALTH_PREFIX) || [FAILURES, SAMPLE_AGE, UP].contains(&metric)
}
