//! What is recommended is kept: a receipt when a recommendation is new, and the last answer for pages that need no newer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use sha2::{Digest as _, Sha256};

use super::{Engine, LOOKBACK_DEFAULT, Outcome, SELF};
use crate::analyse::advise::{Advised, Recommendation};
use crate::clock::{Timestamp, ago};
use crate::error::Result;
use crate::query::Priority;
use crate::receipt::{Receipt, Value};
use crate::receive::Draft;
use crate::record::Window;
use crate::report::advise::reason;

/// Receipts that one recommendation cites.
const EVIDENCE_MAX: usize = 100;
/// Recommendations that are remembered from before a start.
const REMEMBERED_MAX: usize = 10_000;
/// The answer of the last round serves questions asked so soon after it.
const FRESH: TimeDelta = TimeDelta::minutes(2);
/// What was worked out for somebody who asked is told again for so many times as long as that took, and while nothing new
/// is recorded.
const COST_SHARE: u32 = 20;
/// Lengths of windows whose answer is kept.
const ANSWERS_MAX: usize = 8;

/// What was recommended in the last round.
#[derive(Default)]
pub(super) struct Recommending {
    /// The recommendations that hold, by name, with their type; nothing before the first round.
    holding: Mutex<Option<BTreeMap<String, String>>>,
    last: Mutex<Option<Arc<Advised>>>,
    /// What was worked out for those who asked, the newest last.
    asked: Mutex<Vec<Answer>>,
    /// Held while an answer is worked out, so that those who ask meanwhile wait for the same one.
    working: Mutex<()>,
}

/// An answer to somebody who asked.
struct Answer {
    advised: Arc<Advised>,
    /// Entries of the ledger before it was worked out.
    entries: u64,
    made: Instant,
    cost: Duration,
}

impl Engine {
    /// Works out what to do about the last 24 hours, and, unless the configuration says not to, records what was not
    /// recommended in the round before: a recommendation is recorded once while it holds. Tells how many were recorded.
    ///
    /// # Errors
    /// As [`Engine::record`]; then the next round tries again.
    pub fn recommend(&self, now: Timestamp) -> Result<usize> {
        let window = Window { from: ago(now, LOOKBACK_DEFAULT), to: now };
        let advised = Arc::new(self.advise(window, &BTreeMap::new())?);
        *self.last_advised() = Some(Arc::clone(&advised));
        let mut holding = self.recommending.holding.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match holding.take() {
            Some(before) => before,
            None => self.recommended_in(window)?,
        };
        let found = advised.recommendations.iter().map(|one| (name(one), one));
        let new: Vec<Draft> = found
            .clone()
            .filter(|(name, _)| !before.contains_key(name))
            .map(|(name, one)| draft(name, one, now))
            .collect();
        let mut still: BTreeMap<String, String> = found.map(|(name, one)| (name, one.query.clone())).collect();
        // What a query could not tell this time may hold all the same; of a cut list nobody knows the rest.
        let is_unknown = |kind: &String| advised.failed.iter().any(|failed| failed.query == *kind);
        still.extend(before.clone().into_iter().filter(|(_, kind)| advised.truncated || is_unknown(kind)));
        let recorded = if new.is_empty() || !self.config.record_recommendations {
            Ok(Vec::new())
        } else {
            self.record_drafts(SELF, new)
        };
        // What could not be recorded is new in the next round as well.
        *holding = Some(if recorded.is_ok() { still } else { before });
        let outcomes = recorded?;
        Ok(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Recorded(_))).count())
    }

    /// What to do about `window`: from the last round when that looked at the same, or as somebody was told lately, else
    /// worked out. The answer says up to when it looked.
    ///
    /// # Errors
    /// As [`Engine::advise`].
    pub fn advise_lately(&self, window: Window) -> Result<Arc<Advised>> {
        let is_same = |told: &Arc<Advised>| {
            let later = window.to.since(told.window.to);
            let longer = (told.window.length() - window.length()).abs();
            longer < TimeDelta::seconds(1) && later >= TimeDelta::zero() && later <= FRESH
        };
        if let Some(last) = self.last_advised().clone().filter(is_same) {
            return Ok(last);
        }
        let kept = || -> Result<Option<Arc<Advised>>> {
            let entries = self.ledger.len()?;
            let holds = |told: &&Answer| {
                // One that looked up to the same moment, but at less, would seem to be as of now.
                let is_young = told.made.elapsed() < told.cost * COST_SHARE && told.advised.window.to < window.to;
                is_same(&told.advised) && (told.entries == entries || is_young)
            };
            Ok(self.asked().iter().rev().find(holds).map(|told| Arc::clone(&told.advised)))
        };
        if let Some(told) = kept()? {
            return Ok(told);
        }
        let _working = self.recommending.working.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(told) = kept()? {
            return Ok(told);
        }
        let (started, entries) = (Instant::now(), self.ledger.len()?);
        let advised = Arc::new(self.advise(window, &BTreeMap::new())?);
        let answer = Answer { advised: Arc::clone(&advised), entries, made: Instant::now(), cost: started.elapsed() };
        let mut asked = self.asked();
        asked.retain(|told| !is_same(&told.advised));
        if asked.len() == ANSWERS_MAX {
            asked.remove(0);
        }
        asked.push(answer);
        Ok(advised)
    }

    fn asked(&self) -> MutexGuard<'_, Vec<Answer>> {
        self.recommending.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Names of what was recommended before naze started.
    fn recommended_in(&self, window: Window) -> Result<BTreeMap<String, String>> {
        let (told, _) = self.index.of_kinds(&["recommendation"], window, REMEMBERED_MAX)?;
        let of_own = told.iter().filter(|told| told.receipt.text("source") == Some(SELF));
        let named =
            of_own.filter_map(|told| Some((told.receipt.text("reference")?, told.receipt.text("recommendationType")?)));
        Ok(named.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect())
    }

    fn last_advised(&self) -> MutexGuard<'_, Option<Arc<Advised>>> {
        self.recommending.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same for a recommendation that is given again, whatever its figures and its evidence then are.
fn name(recommendation: &Recommendation) -> String {
    let mut hash = Sha256::new();
    let component = recommendation.component.as_deref().unwrap_or_default();
    for part in [&*recommendation.query, component].into_iter().chain(recommendation.about.iter().map(String::as_str)) {
        hash.update(part);
        hash.update([0]);
    }
    format!("recommendation-{}", &hex::encode(hash.finalize())[..16])
}

fn draft(name: String, recommendation: &Recommendation, now: Timestamp) -> Draft {
    let advice = &recommendation.advice;
    let (priority, severity) = match advice.priority {
        Priority::P1 => ("P1", "critical"),
        Priority::P2 => ("P2", "warning"),
        Priority::P3 => ("P3", "info"),
    };
    let reason = Some(reason(recommendation)).filter(|reason| !reason.is_empty());
    let mut receipt = Receipt::new("recommendation", now, recommendation.component.as_deref().unwrap_or(SELF))
        .with("priority", Value::text(priority))
        .with("severity", Value::text(severity))
        .with("recommendationType", Value::text(&recommendation.query))
        .with("title", Value::text(&recommendation.title))
        .with("action", Value::text(&advice.action))
        .with("effort", Value::text(format!("{:?}", advice.effort)))
        .with("expectedImpact", Value::text(&advice.impact))
        .with("reference", Value::text(name))
        .with("source", Value::text(SELF))
        .with_text("reason", reason.as_deref())
        .with_text("metric", recommendation.found.get("metric").and_then(serde_json::Value::as_str));
    for id in recommendation.because.iter().take(EVIDENCE_MAX) {
        receipt.push("evidence", Value::Receipt(*id));
    }
    Draft::new(receipt)
}
