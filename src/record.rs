//! Recording: an accepted receipt is in the ledger before anyone hears so, and in the index right after.
//!
//! The [`ledger`] is the truth (fsynced, hash-chained, signed); the [`store`] is an index over it that can be rebuilt.
//! One [`writer`] owns every mutation of both.

mod checkpoint;
pub mod ledger;
mod merkle;
pub mod slot;
pub mod snapshot;
pub mod store;
pub mod topology;
pub mod writer;

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::clock::Timestamp;
use crate::receipt::{Receipt, ReceiptId, Value};

/// A receipt with what naze added when it was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Its content hash.
    pub id: ReceiptId,
    /// What was sent.
    pub receipt: Receipt,
    /// When naze recorded it.
    pub recorded_at: Timestamp,
    /// Its place in the ledger, from 0.
    pub position: u64,
    /// SHA-256 of the raw document it was read from.
    pub source: [u8; 32],
    /// The sender's own name for this fact, when it has one; only the ledger keeps it.
    pub key: Option<String>,
}

impl Recorded {
    /// When it happened. Every recorded receipt says so: the shapes demand it.
    pub fn occurred_at(&self) -> Timestamp {
        self.receipt.occurred_at().unwrap_or(self.recorded_at)
    }
}

/// Without those that another of them corrects.
pub fn standing(mut receipts: Vec<Recorded>) -> Vec<Recorded> {
    let corrections = receipts.iter().filter_map(|recorded| recorded.receipt.first("supersedes"));
    let corrected: BTreeSet<ReceiptId> =
        corrections.filter_map(|value| if let Value::Receipt(id) = value { Some(*id) } else { None }).collect();
    receipts.retain(|recorded| !corrected.contains(&recorded.id));
    receipts
}

/// A half-open span of time, `from <= t < to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First instant inside.
    pub from: Timestamp,
    /// First instant after.
    pub to: Timestamp,
}

impl Window {
    /// All of time.
    pub const ALL: Self = Self { from: Timestamp::MIN, to: Timestamp::MAX };

    /// How long it is.
    pub fn length(&self) -> TimeDelta {
        self.to.since(self.from)
    }

    /// How long it is, as queries take it: in whole seconds, at least one.
    pub fn lookback(&self) -> String {
        format!("{}s", self.length().num_seconds().max(1))
    }

    /// Is `time` inside?
    pub fn contains(&self, time: Timestamp) -> bool {
        self.from <= time && time < self.to
    }
}
