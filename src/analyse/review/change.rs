//! Trouble that follows changes: of how many changes of a component did alerts or incidents come within the hour?

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::pattern::{Origin, Pattern};
use crate::receipt::ReceiptId;
use crate::record::Recorded;

/// Trouble this soon after a change may come of it.
const SOON: TimeDelta = TimeDelta::hours(1);
/// Changes that have to be followed by trouble.
const FOLLOWED_MIN: usize = 2;

/// Components whose changes are followed by trouble; `receipts` are in order of time.
pub fn after_changes(receipts: &[Recorded], show: impl Fn(&str) -> String) -> Vec<Pattern> {
    let mut changes: BTreeMap<&str, Vec<&Recorded>> = BTreeMap::new();
    for told in receipts.iter().filter(|told| ["deployment", "change"].contains(&told.receipt.kind())) {
        // What was begun only, or never came to be, changed nothing.
        let is_done = !matches!(told.receipt.text("status"), Some("started" | "failed"));
        if let (true, Some(component)) = (is_done, told.receipt.component()) {
            changes.entry(component).or_default().push(told);
        }
    }
    let patterns = changes.into_iter().filter_map(|(component, changes)| {
        let followed: Vec<(&Recorded, &Recorded)> = changes
            .iter()
            .filter_map(|change| Some((*change, receipts.iter().find(|told| follows(told, change, component))?)))
            .collect();
        if followed.len() < FOLLOWED_MIN {
            return None;
        }
        let cited: Vec<ReceiptId> = followed.iter().flat_map(|(change, trouble)| [change.id, trouble.id]).collect();
        Some(Pattern {
            origin: Origin::AfterChanges,
            title: format!("trouble follows changes of {component}"),
            statement: format!(
                "{} of {} changes of {component} were followed by an alert or incident of it within the hour",
                followed.len(),
                changes.len()
            ),
            component: component.to_owned(),
            occurrences: followed.len(),
            last_fix: None,
            receipts: Pattern::cited(cited),
            show: show(component),
        })
    });
    patterns.collect()
}

fn follows(told: &Recorded, change: &Recorded, component: &str) -> bool {
    let is_trouble = match told.receipt.kind() {
        "alert" => told.receipt.text("status") == Some("firing"),
        "incident" => told.receipt.text("status") == Some("open"),
        _ => false,
    };
    let after = told.occurred_at().since(change.occurred_at());
    is_trouble && told.receipt.component() == Some(component) && after >= TimeDelta::zero() && after <= SOON
}
