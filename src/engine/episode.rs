//! Alerts that end without a word from their sender.

use std::sync::MutexGuard;

use chrono::TimeDelta;

use super::Engine;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::receive::alertmanager::api::{NAME, RESOLVE_TIMEOUT, SOURCE as PROMETHEUS};
use crate::receive::episode::Episodes;

/// Ledger entries looked through at start for alerts that still fire.
const ENTRIES_MAX: usize = 20_000;
/// Older ones are not taken up again: whatever they were, nobody waits for their end.
const AGE_MAX: TimeDelta = TimeDelta::days(7);

impl Engine {
    /// Takes up the alerts that fired when naze stopped: their senders have one timeout to tell them again.
    ///
    /// # Errors
    /// `Internal` when the ledger cannot be read.
    pub fn resume_alerts(&self) -> Result<()> {
        let now = self.clock.now();
        let ends_at = now.checked_add(RESOLVE_TIMEOUT).unwrap_or(now);
        let first = self.ledger.len()?.saturating_sub(ENTRIES_MAX as u64);
        let entries = self.ledger.read(first.., ENTRIES_MAX)?;
        let mut episodes = self.episodes();
        for recorded in entries.iter().filter(|recorded| now.since(recorded.recorded_at) < AGE_MAX) {
            episodes.restore(recorded, PROMETHEUS, ends_at);
        }
        Ok(())
    }

    /// Records the end of alerts that were to be told again before `now` and were not; returns how many.
    ///
    /// # Errors
    /// As [`Engine::record`]; then they stay open and the next call tries again.
    pub fn end_episodes(&self, now: Timestamp) -> Result<usize> {
        let lapsed = self.episodes().lapsed(now);
        if lapsed.is_empty() {
            return Ok(0);
        }
        let (alerts, drafts): (Vec<String>, Vec<_>) = lapsed.into_iter().unzip();
        let outcomes = self.record_drafts(NAME, drafts)?;
        self.episodes().close(alerts.iter().map(String::as_str), now);
        Ok(outcomes.len())
    }

    pub(super) fn episodes(&self) -> MutexGuard<'_, Episodes> {
        self.episodes.lock().expect("nobody panics while holding the episodes")
    }
}
