//! What opens and closes, by name: alerts, andons, outages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// Episodes remembered; closed ones make room first, the oldest before the others.
const EPISODES_MAX: usize = 10_000;

/// The latest step of each episode.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Episodes<T>(BTreeMap<String, Step<T>>);

#[derive(Debug, Serialize, Deserialize)]
struct Step<T> {
    at: Timestamp,
    open: Option<T>,
}

impl<T: Clone> Episodes<T> {
    /// It opened at `at`, unless something later is known of it.
    pub(super) fn open(&mut self, name: &str, at: Timestamp, what: T) {
        self.step(name, at, Some(what));
    }

    /// Is nothing known of it yet?
    pub(super) fn is_new(&self, name: &str) -> bool {
        !self.0.contains_key(name)
    }

    /// It closed at `at`; returns what had been open, and since when.
    pub(super) fn close(&mut self, name: &str, at: Timestamp) -> Option<(T, Timestamp)> {
        self.step(name, at, None)
    }

    /// Is it open?
    pub(super) fn is_open(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|step| step.open.is_some())
    }

    /// What is open.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.values().filter_map(|step| step.open.as_ref())
    }

    fn step(&mut self, name: &str, at: Timestamp, open: Option<T>) -> Option<(T, Timestamp)> {
        if let Some(step) = self.0.get_mut(name) {
            if step.at > at {
                return None;
            }
            if open.is_some() && step.open.is_some() {
                // Told again: it has been open all the while.
                step.open = open;
                return None;
            }
            let before = std::mem::replace(step, Step { at, open });
            return before.open.map(|what| (what, before.at));
        }
        if self.0.len() >= EPISODES_MAX {
            self.make_room();
        }
        self.0.insert(name.to_owned(), Step { at, open });
        None
    }

    fn make_room(&mut self) {
        let oldest = self.0.iter().min_by_key(|(_, step)| (step.open.is_some(), step.at));
        if let Some(name) = oldest.map(|(name, _)| name.clone()) {
            self.0.remove(&name);
        }
    }
}
