//! What two metrics say together.

use super::Comparison;

/// Rise, in percent, from which a metric is said to have risen.
const RISE_MIN_PERCENT: f64 = 5.0;

/// Latency and queue depth that rise together: more work comes in than the workers take out.
pub fn worker_saturation(latency: &Comparison, queue_depth: &Comparison) -> Option<String> {
    let (latency, queue) = (latency.change_percent?, queue_depth.change_percent?);
    (latency >= RISE_MIN_PERCENT && queue >= RISE_MIN_PERCENT)
        .then(|| format!("latency {latency:+.0} % and queue depth {queue:+.0} %: the workers are likely saturated"))
}
