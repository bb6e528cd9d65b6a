//! What happened in a window, and why.

use std::time::Instant;

use chrono::TimeDelta;

use super::Engine;
use crate::analyse::cause::{self, Answer, Question};
use crate::clock::ago;
use crate::error::Result;
use crate::receipt::Value;
use crate::record::{Recorded, Window};
use crate::telemetry::Promise;

/// How far back a question looks for causes.
pub const LOOKBACK_DEFAULT: TimeDelta = TimeDelta::hours(24);

impl Engine {
    /// All receipts that occurred in `window`, and the topology known before its end.
    pub fn evidence(&self, window: Window) -> Result<Vec<Recorded>> {
        let mut found = self.ledger.within(window, self.config.limits.evidence_receipts_max, |_| true)?;
        // Dependencies are shown once and hold on.
        found.extend(self.index.topology_before(window.from)?);
        found.sort_by_key(|recorded| (recorded.occurred_at(), recorded.id));
        Ok(found)
    }

    /// What tells of a component in `window`, as its own or as one that is called or blamed.
    pub fn evidence_of(&self, component: &str, window: Window) -> Result<Vec<Recorded>> {
        const FIELDS: [&str; 3] = ["target", "peer", "causeComponent"];
        let mut found = self.ledger.telling_of(component, window, self.config.limits.evidence_receipts_max)?;
        found.retain(|recorded| {
            let receipt = &recorded.receipt;
            let fields = FIELDS.iter().filter_map(|field| receipt.component_field(field));
            receipt.component().into_iter().chain(fields).any(|name| name == component)
        });
        Ok(found)
    }

    /// The receipts of one kind in `window`.
    ///
    /// # Errors
    /// As [`Engine::evidence`].
    pub fn evidence_of_kind(&self, kind: &str, window: Window) -> Result<Vec<Recorded>> {
        let mut found = self.mentioning(kind, window)?;
        found.retain(|recorded| recorded.receipt.kind() == kind);
        Ok(found)
    }

    /// Receipts with this text somewhere in them: most entries need not be read to see that they lack it.
    fn mentioning(&self, text: &str, window: Window) -> Result<Vec<Recorded>> {
        let as_it_stands_in_an_entry = serde_json::Value::from(text).to_string();
        let finder = memchr::memmem::Finder::new(as_it_stands_in_an_entry.as_bytes());
        let limit = self.config.limits.evidence_receipts_max;
        self.ledger.within(window, limit, |entry| finder.find(entry).is_some())
    }

    /// Why did it break? Looks back `lookback` from the question's time.
    pub fn why(&self, question: &Question, lookback: TimeDelta) -> Result<Answer> {
        self.diagnosed(|| Ok(cause::why(question, &self.evidence(looked_back(question, lookback))?)))
    }

    /// The answer with the evidence it was found in. What people said later of the question's incident counts.
    pub fn investigate(&self, question: &Question, lookback: TimeDelta) -> Result<(Answer, Vec<Recorded>)> {
        self.diagnosed(|| self.investigated(question, looked_back(question, lookback)))
    }

    fn investigated(&self, question: &Question, window: Window) -> Result<(Answer, Vec<Recorded>)> {
        let mut evidence = self.evidence(window)?;
        if let Some(incident) = question.incident {
            let said = self.index.with("incidentReceipt", &Value::Receipt(incident))?;
            evidence.extend(said.into_iter().filter(|note| note.occurred_at() >= window.to));
        }
        Ok((cause::why(question, &evidence), evidence))
    }

    /// Notes how long a diagnosis took.
    pub(super) fn diagnosed<T>(&self, diagnose: impl FnOnce() -> Result<T>) -> Result<T> {
        let started = Instant::now();
        let told = diagnose();
        self.telemetry.took(Promise::Diagnostics, started.elapsed());
        told
    }
}

/// What happened at the question's time belongs to it.
fn looked_back(question: &Question, lookback: TimeDelta) -> Window {
    Window { from: ago(question.at, lookback), to: question.at.just_after() }
}
