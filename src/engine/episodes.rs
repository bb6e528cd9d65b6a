//! What ends by itself: alerts that their sender has to tell again, or else they are over.
//!
//! The list is kept in memory: after a restart an alert ends when its sender says so, or when it is told and not told again.

use std::collections::HashMap;
use std::sync::Mutex;

use super::Engine;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::receipt::write_json;
use crate::receive::{Draft, Item, Received};
use crate::record::ledger::Source;

/// Episodes watched at the same moment; of any more the end has to be told.
const EPISODES_MAX: usize = 100_000;

/// Firing alerts by their episode, with when and how they end.
#[derive(Default)]
pub(super) struct Episodes(Mutex<HashMap<String, (Timestamp, Draft)>>);

impl Episodes {
    /// Takes the ending out of a draft and watches it; told again, it ends later.
    pub(super) fn note(&self, draft: &mut Draft) {
        let Some(ending) = draft.ending.take() else { return };
        let mut watched = self.0.lock().expect("nobody panics while holding the episodes");
        match ending.by_itself {
            None => drop(watched.remove(&ending.episode)),
            Some((at, end)) if watched.len() < EPISODES_MAX || watched.contains_key(&ending.episode) => {
                watched.insert(ending.episode, (at, *end));
            }
            Some(_) => {}
        }
    }

    fn over(&self, now: Timestamp) -> Vec<Draft> {
        let mut watched = self.0.lock().expect("nobody panics while holding the episodes");
        watched.extract_if(|_, (at, _)| *at <= now).map(|(_, (_, end))| end).collect()
    }
}

impl Engine {
    /// Records the end of everything that should have been told again by `now`.
    pub fn end_episodes(&self, now: Timestamp) -> Result<()> {
        for end in self.episodes.over(now) {
            let id = end.receipt.id(&self.vocabulary);
            let json = serde_json::Value::Object(write_json(&end.receipt, id, &[]));
            let source = Source { media_type: "application/json".into(), bytes: json.to_string().into_bytes() };
            self.record(
                "alertmanager_api",
                Received { items: vec![Item::Receipt(end)], ..Received::default() },
                source,
            )?;
        }
        Ok(())
    }
}
