//! The same notice again, so soon after the last one, is not told; what goes on is told when the cooldown is over.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::notice::{has_end, is_over, key_of};
use super::told::Told;
use crate::clock::Timestamp;
use crate::measure::crossing::threshold::COOLDOWN_MAX;

/// So much is remembered; the oldest is forgotten first, and told again.
const KEYS_MAX: usize = 4_000;

/// What one export was told.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Cooling {
    /// When each step was told last.
    steps: BTreeMap<String, Timestamp>,
    /// What began and has not ended: when it was heard of last, and whether any of it was told.
    open: BTreeMap<String, (Timestamp, bool)>,
    /// What was held back of it; on disk beside the others, which were there first.
    #[serde(skip)]
    pub(super) held: Held,
}

/// What was held back and has not ended, by what it is a step of.
pub(super) type Held = BTreeMap<String, Step>;

/// A step that was held back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Step {
    name: String,
    /// Its place in the ledger.
    position: u64,
    /// When it may be told.
    due: Timestamp,
}

impl Cooling {
    /// Was the same told less than `cooldown` before? The end of what was not told is not told either.
    pub(super) fn holds(&self, told: &Told, cooldown: TimeDelta) -> bool {
        if is_over(told) {
            return self.open.get(&key_of(told)).is_some_and(|(_, is_told)| !is_told);
        }
        let last = self.steps.get(&step_of(told));
        last.is_some_and(|last| told.recorded.occurred_at().since(*last).abs() < cooldown)
    }

    /// It is held back: until the cooldown is over, unless it ends before.
    pub(super) fn hold(&mut self, told: &Told, cooldown: TimeDelta) {
        self.note(told, false);
        if is_over(told) || !has_end(told) {
            return;
        }
        let (at, name, position) = (told.recorded.occurred_at(), step_of(told), told.recorded.position);
        let due = self.steps.get(&name).and_then(|last| last.checked_add(cooldown)).unwrap_or(at);
        self.held.insert(key_of(told), Step { name, position, due });
        forget(&mut self.held, at, |held| held.due);
    }

    /// It is told at `at`, and speaks for the same steps that are held back: a row of them is not told one by one later.
    pub(super) fn tell(&mut self, told: &Told, at: Timestamp) {
        self.note(told, true);
        if is_over(told) {
            return;
        }
        let (key, name) = (key_of(told), step_of(told));
        self.held.retain(|held_key, held| *held_key != key && held.name != name);
        self.steps.insert(name, at);
        forget(&mut self.steps, at, |at| *at);
    }

    /// Nobody is told of it; what it ends has ended all the same.
    pub(super) fn pass(&mut self, told: &Told) {
        if is_over(told) {
            self.note(told, false);
        }
    }

    fn note(&mut self, told: &Told, is_told: bool) {
        let (at, key) = (told.recorded.occurred_at(), key_of(told));
        if is_over(told) {
            self.open.remove(&key);
            self.held.remove(&key);
            return;
        }
        let was_told = self.open.get(&key).is_some_and(|(_, was_told)| *was_told);
        self.open.insert(key, (at, is_told || was_told));
        forget(&mut self.open, at, |(at, _)| *at);
    }

    /// Is anything held back?
    pub(super) fn holds_any(&self) -> bool {
        !self.held.is_empty()
    }

    /// The place in the ledger of what may be told by `now`, the first one.
    pub(super) fn due(&self, now: Timestamp) -> Option<u64> {
        self.held.values().filter(|held| held.due <= now).map(|held| held.position).min()
    }

    /// What has this place in the ledger is not held any more.
    pub(super) fn release(&mut self, position: u64) {
        self.held.retain(|_, held| held.position != position);
    }
}

/// What is as old at `now` as no cooldown is, and what is too much.
fn forget<T>(kept: &mut BTreeMap<String, T>, now: Timestamp, at: fn(&T) -> Timestamp) {
    kept.retain(|_, one| now.since(at(one)) <= COOLDOWN_MAX);
    while kept.len() > KEYS_MAX {
        let oldest = kept.iter().min_by_key(|(_, one)| at(one)).map(|(key, _)| key.clone());
        let Some(oldest) = oldest else { break };
        kept.remove(&oldest);
    }
}

/// The same step of the same alert, or of the same series beyond the same threshold. An andon and a crossing have another
/// reference each time.
fn step_of(told: &Told) -> String {
    let receipt = &told.recorded.receipt;
    let is_crossing = receipt.kind() == "crossing";
    let fields: &[&str] = if is_crossing {
        &["metric", "rule", "severity"]
    } else {
        &["name", "fingerprint", "status", "colour", "level"]
    };
    let texts = fields.iter().map(|field| receipt.text(field).unwrap_or_default().to_owned());
    let labels = receipt.labels().iter().filter(|_| is_crossing).map(|(name, value)| format!("{name}={value}"));
    let named = [receipt.kind(), receipt.component().unwrap_or_default()].map(str::to_owned);
    named.into_iter().chain(texts).chain(labels).collect::<Vec<_>>().join("\n")
}
