//! What naze concludes of objectives and trends, for the page of metrics.

use super::Engine;
use super::objective::ObjectiveStatus;
use crate::error::Result;
use crate::export::prometheus::{Concluded, Promise};

/// An objective of this would be told as one of those that it sums up.
const ATTAINMENT: &str = "tps_kaizen_slo_attainment";

impl Engine {
    /// How objectives are kept, and where metrics were heading when they were last looked at.
    pub(super) fn concluded(&self) -> Result<Concluded> {
        let watching = self.watching();
        let is_sum = |name: &str| {
            let entry = watching.slos.get(name).ok();
            let selector = entry.and_then(|entry| entry.definition.indicator.measure.whole().selector.as_ref());
            selector.is_some_and(|selector| selector.metric == ATTAINMENT)
        };
        let slos = self.slos()?;
        let promises = slos.slos.iter().filter(|slo| !is_sum(&slo.name)).flat_map(|slo| &slo.objectives);
        let promises = promises.map(promise).collect();
        Ok(Concluded { promises, headings: self.headings.told() })
    }
}

fn promise(ObjectiveStatus { name, told, .. }: &ObjectiveStatus) -> Promise {
    Promise {
        slo: name.clone(),
        attainment: told.evaluation.attainment,
        weekly: [told.weekly.current, told.weekly.previous],
        budget_remaining: told.evaluation.budget.map(|budget| budget.remaining.raw),
    }
}
