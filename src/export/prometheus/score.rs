//! The scores of health on the page.

use super::page::Page;
use crate::analyse::health::Health;

/// Tells the scores.
pub(super) fn tell(page: &mut Page, health: &Health) {
    for score in &health.scores {
        page.gauge_if("tps_health_score", &[score.pillar.name()], score.score.map(|score| score.value));
    }
    page.gauge_if("tps_health_score", &["overall"], health.overall);
}
