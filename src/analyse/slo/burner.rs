//! Who burns the budget?

use serde::Serialize;

use super::{Count, check_target};
use crate::analyse::clamped::settled;
use crate::error::Result;
use crate::receipt::ReceiptId;

/// What one component contributed to an objective.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution {
    /// The component.
    pub component: String,
    /// Its events.
    pub count: Count,
    /// Receipts of its bad ones.
    pub receipts: Vec<ReceiptId>,
}

/// A component that spent some of the budget.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Burner {
    /// The component.
    pub component: String,
    /// Its bad events.
    pub bad: u64,
    /// All its events.
    pub total: u64,
    /// Share of all bad events.
    pub share: f64,
    /// What it spent of the budget of all: 1 is all of it.
    pub consumed: f64,
    /// What that rests on.
    pub receipts: Vec<ReceiptId>,
}

/// Components with bad events, those with most first. Contributions of one component are added up.
#[expect(clippy::cast_precision_loss, reason = "nobody counts 2^53 events")]
pub fn burners(target: f64, contributions: &[Contribution]) -> Result<Vec<Burner>> {
    check_target(target)?;
    let all: Count = contributions.iter().map(|contribution| contribution.count).sum();
    let allowed = (1.0 - target) * all.total() as f64;
    let mut sorted: Vec<&Contribution> = contributions.iter().collect();
    sorted.sort_by(|a, b| a.component.cmp(&b.component));
    let mut burners: Vec<Burner> = sorted
        .chunk_by(|a, b| a.component == b.component)
        .map(|of_one| {
            let count: Count = of_one.iter().map(|contribution| contribution.count).sum();
            let mut receipts: Vec<ReceiptId> = of_one.iter().flat_map(|one| one.receipts.iter().copied()).collect();
            receipts.sort();
            receipts.dedup();
            Burner {
                component: of_one[0].component.clone(),
                bad: count.bad(),
                total: count.total(),
                share: settled(count.bad() as f64 / all.bad() as f64),
                consumed: settled(count.bad() as f64 / allowed),
                receipts,
            }
        })
        .filter(|burner| burner.bad > 0)
        .collect();
    burners.sort_by_key(|burner| std::cmp::Reverse(burner.bad));
    Ok(burners)
}
