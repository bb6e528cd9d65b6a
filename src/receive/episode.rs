//! Episodes of alerts that their sender repeats while they last, such as Prometheus does.
//!
//! One episode is told many times, with starts that differ: a second Prometheus of a pair sees it a moment later, and a
//! restarted one begins anew. As in Alertmanager, activity of the same labels that overlaps is one episode. And a sender
//! that falls silent never says that it is over, so an episode ends by itself when its last promise has passed.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::alertmanager::alert;
use super::{Draft, Item, Received};
use crate::clock::Timestamp;
use crate::receipt::{Receipt, Value};
use crate::record::Recorded;

/// Episodes watched at the same moment; more are recorded but end only when their sender says so.
pub const EPISODES_MAX: usize = 20_000;
/// Prometheus repeats a resolved alert for 15 minutes; so long an episode that is over is remembered.
const REMEMBERED: TimeDelta = TimeDelta::minutes(16);
/// Label of an end that no sender told.
const RESOLVED_BY: (&str, &str) = ("resolved.by", "timeout");

/// One item of a document that is a step of such an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its place among the items.
    pub item: usize,
    /// What tells the alert from others, in all its episodes.
    pub alert: String,
    /// When the episode began.
    pub starts_at: Timestamp,
    /// When it ended; of a firing alert, when it is over unless it is told again.
    pub ends_at: Timestamp,
    /// Whether it has ended.
    pub is_resolved: bool,
}

/// The episodes that are open, and those just over.
#[derive(Debug, Default)]
pub struct Episodes(BTreeMap<String, Episode>);

#[derive(Debug)]
struct Episode {
    starts_at: Timestamp,
    ends_at: Timestamp,
    /// The receipt of its firing, until it is over.
    firing: Option<Receipt>,
}

impl Episode {
    fn overlaps(&self, step: &Step) -> bool {
        let meets = step.starts_at < self.ends_at && self.starts_at < step.ends_at;
        meets || step.starts_at == self.starts_at
    }

    /// The end of the episode of `alert`, unless it is over already.
    fn end(&self, alert: &str) -> Option<Draft> {
        let mut receipt = self.firing.clone()?.with_label(RESOLVED_BY.0, RESOLVED_BY.1);
        receipt.set("status", Value::text("resolved"));
        receipt.set("endsAt", Value::Time(self.ends_at));
        receipt.set("occurredAt", Value::Time(self.ends_at));
        Some(Draft::new(receipt).with_key(Some(alert::key(
            alert,
            "resolved",
            Some(self.starts_at),
            Some(self.ends_at),
        ))))
    }
}

impl Episodes {
    /// Tells each step as one of the episode it belongs to, and adds the end of an episode that another one followed.
    pub fn settle(&mut self, received: &mut Received) {
        for step in std::mem::take(&mut received.repeated) {
            let Some(Item::Receipt(draft)) = received.items.get_mut(step.item) else { continue };
            let known = self.0.get(&step.alert);
            let same = known.filter(|episode| episode.overlaps(&step));
            let settled = same.map_or_else(|| step.clone(), |episode| joined(&step, episode));
            if settled.starts_at != step.starts_at || (step.is_resolved && settled.ends_at != step.ends_at) {
                rename(draft, &settled);
            }
            let firing = (!step.is_resolved).then(|| draft.receipt.clone());
            let followed = if same.is_none() { known.and_then(|known| known.end(&step.alert)) } else { None };
            received.items.extend(followed.map(Item::Receipt));
            if known.is_some() || self.0.len() < EPISODES_MAX {
                let episode = Episode { starts_at: settled.starts_at, ends_at: settled.ends_at, firing };
                self.0.insert(step.alert, episode);
            }
        }
    }

    /// The ends of episodes whose last promise has passed at `now`, by alert; they stay open until [`Episodes::close`].
    /// Those that have long been over are forgotten.
    pub fn lapsed(&mut self, now: Timestamp) -> Vec<(String, Draft)> {
        self.0.retain(|_, episode| episode.firing.is_some() || now.since(episode.ends_at) < REMEMBERED);
        let lapsed = self.0.iter().filter(|(_, episode)| episode.ends_at <= now);
        lapsed.filter_map(|(alert, episode)| Some((alert.clone(), episode.end(alert)?))).collect()
    }

    /// Notes that the episodes of `alerts` are over, save those told again meanwhile.
    pub fn close<'a>(&mut self, alerts: impl IntoIterator<Item = &'a str>, now: Timestamp) {
        for alert in alerts {
            if let Some(episode) = self.0.get_mut(alert).filter(|episode| episode.ends_at <= now) {
                episode.firing = None;
            }
        }
    }

    /// Takes up what the ledger holds, oldest first: an alert of `source` that still fires is over at `ends_at` unless it
    /// is told again.
    pub fn restore(&mut self, recorded: &Recorded, source: &str, ends_at: Timestamp) {
        let receipt = &recorded.receipt;
        let (Some(key), Some(starts_at)) = (recorded.key.as_deref(), receipt.time("startsAt")) else { return };
        let is_firing = receipt.text("status") == Some("firing");
        let end = receipt.time("endsAt").filter(|_| !is_firing);
        let suffix = alert::key("", receipt.text("status").unwrap_or_default(), Some(starts_at), end);
        let Some(alert) = key.strip_suffix(&suffix) else { return };
        if is_firing && receipt.text("source") == Some(source) && self.0.len() < EPISODES_MAX {
            let episode = Episode { starts_at, ends_at, firing: Some(receipt.clone()) };
            self.0.insert(alert.to_owned(), episode);
        } else if let (Some(end), Some(episode)) = (end, self.0.get_mut(alert))
            && episode.starts_at == starts_at
        {
            *episode = Episode { starts_at, ends_at: end, firing: None };
        }
    }
}

/// The step as one of `episode`: the start first told names it, and the end first told is its end.
fn joined(step: &Step, episode: &Episode) -> Step {
    let ends_at = match (step.is_resolved, &episode.firing) {
        (true, None) => episode.ends_at,
        (false, Some(_)) => step.ends_at.max(episode.ends_at),
        _ => step.ends_at,
    };
    Step { starts_at: episode.starts_at, ends_at, ..step.clone() }
}

fn rename(draft: &mut Draft, step: &Step) {
    let (status, end) = if step.is_resolved { ("resolved", Some(step.ends_at)) } else { ("firing", None) };
    draft.key = Some(alert::key(&step.alert, status, Some(step.starts_at), end));
    draft.receipt.set("startsAt", Value::Time(step.starts_at));
    draft.receipt.set("occurredAt", Value::Time(end.unwrap_or(step.starts_at)));
    if let Some(end) = end {
        draft.receipt.set("endsAt", Value::Time(end));
    }
}
