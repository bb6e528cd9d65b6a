//! What senders only mention in passing, such as the version they run: a change is recorded when a value turns up that was
//! not seen lately.

use std::collections::HashMap;
use std::sync::Mutex;

use chrono::TimeDelta;

use crate::clock::{Timestamp, ago};
use crate::receipt::Value;
use crate::receive::{Draft, Observed};

/// While two versions run side by side neither is new.
const LATELY: TimeDelta = TimeDelta::minutes(10);
/// Subjects remembered at the same moment, and values of each; of any more no change is inferred.
const SUBJECTS_MAX: usize = 100_000;
const VALUES_MAX: usize = 16;

/// When each value of a subject was seen last, the newest one first.
#[derive(Default)]
pub(super) struct Observations(Mutex<HashMap<String, Vec<(String, Timestamp)>>>);

impl Observations {
    /// Is this something new? Then it also says what was there before.
    pub(super) fn is_change(&self, draft: &mut Draft, now: Timestamp) -> bool {
        let Some(observed) = draft.observed.take() else { return true };
        let Observed { subject, value, field_before } = *observed;
        let mut subjects = self.0.lock().expect("nobody panics while holding the observations");
        if subjects.len() >= SUBJECTS_MAX && !subjects.contains_key(&subject) {
            return false;
        }
        let seen = subjects.entry(subject).or_default();
        let before = seen.first().map(|(value, _)| value.clone());
        let is_recent = seen.iter().any(|(known, at)| *known == value && *at > ago(now, LATELY));
        seen.retain(|(known, _)| *known != value);
        seen.insert(0, (value.clone(), now));
        seen.truncate(VALUES_MAX);
        // The first value ever seen says how things are, not that they changed.
        let Some(before) = before.filter(|before| !is_recent && *before != value) else { return false };
        draft.receipt.set(field_before, Value::text(before));
        true
    }
}
