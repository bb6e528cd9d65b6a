//! What a scrape has no room for.

use std::collections::BTreeMap;

/// Of each metric, what is not shown under its own labels.
#[derive(Debug, Clone, Default)]
pub struct Bounded {
    /// Values that are told as `other`.
    pub(super) folded: BTreeMap<&'static str, usize>,
    /// Series that are not told.
    pub(super) left_out: BTreeMap<&'static str, usize>,
}

impl Bounded {
    /// How many values are told as `other`.
    pub fn folded(&self) -> usize {
        self.folded.values().sum()
    }

    /// How many series are not told.
    pub fn left_out(&self) -> usize {
        self.left_out.values().sum()
    }

    /// Says in the log of which metrics it is, when these are others than `before`.
    pub(super) fn say(&self, before: &Self) {
        if !self.folded.is_empty() && !self.folded.keys().eq(before.folded.keys()) {
            tracing::warn!(values = ?self.folded, "labels have too many values: those beyond the first hundred are told as other");
        }
        if !self.left_out.is_empty() && !self.left_out.keys().eq(before.left_out.keys()) {
            tracing::warn!(series = ?self.left_out, "too many series of tps_ metrics: those that came last are not told");
        }
    }
}
