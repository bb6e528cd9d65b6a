//! All incidents, in memory: read once, then followed in the ledger. Pages show them all the time, and each new one is held
//! against those before it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;
use memchr::memmem::Finder;
use oxrdf::{Literal, Term};

use super::incident::INCIDENTS_MAX;
use super::{Engine, Incident};
use crate::clock::{Timestamp, ago};
use crate::error::Result;
use crate::query::Rows;
use crate::receipt::{ReceiptId, Value, percent_encode};
use crate::record::{Recorded, Window};

/// Incidents that are kept; of more those that were told of last.
const KEPT_MAX: usize = 10_000;
/// How far back similar ones are looked for, as the canned query `similar_incidents` does.
const SIMILAR_WITHIN: TimeDelta = TimeDelta::days(365);
/// Its columns.
const COLUMNS: [&str; 8] = ["receipt", "reference", "last", "overlap", "shared", "rootCause", "fix", "cause"];

/// What is known of incidents.
#[derive(Default)]
pub(super) struct Incidents(Mutex<Book>);

#[derive(Default)]
struct Book {
    /// Entries of the ledger that were looked at; nothing before the first look.
    entries: Option<u64>,
    /// By reference, in order of time.
    receipts: BTreeMap<String, Vec<Recorded>>,
    /// Receipts of incidents that another receipt corrects.
    corrected: BTreeSet<ReceiptId>,
    /// Names of alerts that belong to incidents, as far as they are known.
    alerts: BTreeMap<ReceiptId, Option<String>>,
    /// Newest first, until something new comes.
    told: Option<Arc<Vec<Incident>>>,
}

impl Book {
    fn take(&mut self, recorded: Recorded) {
        if let Some(Value::Receipt(corrected)) = recorded.receipt.first("supersedes") {
            self.corrected.insert(*corrected);
        }
        if recorded.receipt.kind() != "incident" {
            return;
        }
        let Some(reference) = recorded.receipt.text("reference").map(str::to_owned) else { return };
        self.alerts.extend(alerts(&recorded).map(|alert| (alert, None)));
        let receipts = self.receipts.entry(reference).or_default();
        if receipts.iter().all(|known| known.id != recorded.id) {
            receipts.push(recorded);
            receipts.sort_by_key(|recorded| (recorded.occurred_at(), recorded.id));
            self.told = None;
        }
    }

    /// Forgets what was not told of for longest.
    fn bound(&mut self) {
        while self.receipts.len() > KEPT_MAX {
            let last = |receipts: &Vec<Recorded>| receipts.last().map(Recorded::occurred_at);
            let oldest = self.receipts.iter().min_by_key(|(_, receipts)| last(receipts));
            let Some(oldest) = oldest.map(|(reference, _)| reference.clone()) else { return };
            self.receipts.remove(&oldest);
        }
    }

    fn told(&mut self) -> Arc<Vec<Incident>> {
        let receipts = &self.receipts;
        Arc::clone(self.told.get_or_insert_with(|| {
            let incident = |(reference, receipts): (&String, &Vec<Recorded>)| {
                let (opened, updates) = receipts.split_first()?;
                Some(Incident { reference: reference.clone(), opened: opened.clone(), updates: updates.to_vec() })
            };
            let mut all: Vec<Incident> = receipts.iter().filter_map(incident).collect();
            let last = |incident: &Incident| incident.updates.last().unwrap_or(&incident.opened).occurred_at();
            all.sort_by_key(|incident| std::cmp::Reverse(last(incident)));
            all.truncate(INCIDENTS_MAX);
            super::incident::newest_first(&mut all);
            Arc::new(all)
        }))
    }

    /// What incidents have in common, in words.
    fn signs(&self, recorded: &Recorded) -> BTreeSet<String> {
        let receipt = &recorded.receipt;
        let component = receipt.component().map(|name| format!("component {}", percent_encode(name)));
        let metric = receipt.text("metric").map(|metric| format!("metric {metric}"));
        let alerts = alerts(recorded).filter_map(|alert| self.alerts.get(&alert)?.as_ref());
        component.into_iter().chain(metric).chain(alerts.map(|name| format!("alert {name}"))).collect()
    }

    fn similar(&self, reference: &str, window: Window) -> Vec<Similar> {
        let own = self.receipts.get(reference).into_iter().flatten();
        let own: BTreeSet<String> = own.flat_map(|recorded| self.signs(recorded)).collect();
        let mut found = Vec::new();
        for (other, receipts) in self.receipts.iter().filter(|(other, _)| *other != reference) {
            let mut similar: Option<Similar> = None;
            let stands = |recorded: &&Recorded| !self.corrected.contains(&recorded.id);
            let told = receipts.iter().filter(|recorded| window.contains(recorded.occurred_at())).filter(stands);
            for recorded in told {
                let shared: Vec<String> = self.signs(recorded).intersection(&own).cloned().collect();
                if !shared.is_empty() {
                    similar.get_or_insert_with(|| Similar::of(other, receipts)).add(recorded, shared);
                }
            }
            found.extend(similar);
        }
        found.sort_by(|a, b| {
            let by_overlap = b.shared.len().cmp(&a.shared.len());
            by_overlap.then_with(|| b.last.cmp(&a.last)).then_with(|| a.reference.cmp(&b.reference))
        });
        found
    }
}

fn alerts(recorded: &Recorded) -> impl Iterator<Item = ReceiptId> {
    recorded.receipt.values("alerts").iter().filter_map(Value::as_receipt)
}

/// An incident that has something in common with another.
struct Similar {
    reference: String,
    /// Its receipts.
    receipts: Vec<ReceiptId>,
    /// The latest receipt that has something in common: second and id.
    latest: Option<(i64, ReceiptId)>,
    last: Timestamp,
    shared: BTreeSet<String>,
    root_cause: Option<String>,
    fix: Option<String>,
}

impl Similar {
    fn of(reference: &str, receipts: &[Recorded]) -> Self {
        Self {
            reference: reference.to_owned(),
            receipts: receipts.iter().map(|recorded| recorded.id).collect(),
            latest: None,
            last: Timestamp::MIN,
            shared: BTreeSet::new(),
            root_cause: None,
            fix: None,
        }
    }

    fn add(&mut self, recorded: &Recorded, shared: Vec<String>) {
        let text = |field: &str| recorded.receipt.text(field).filter(|text| !text.is_empty()).map(str::to_owned);
        let at = recorded.occurred_at();
        self.latest = self.latest.max(Some((at.micros().div_euclid(1_000_000), recorded.id)));
        self.last = self.last.max(at);
        self.shared.extend(shared);
        self.root_cause = self.root_cause.take().max(text("rootCause"));
        self.fix = self.fix.take().max(text("fix"));
    }

    /// The row of the canned query.
    fn row(self, causes: &BTreeSet<String>) -> Vec<Option<Term>> {
        let text = |text: &str| Term::from(Literal::from(text));
        let list = |names: &BTreeSet<String>| names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let overlap = Literal::from(i64::try_from(self.shared.len()).unwrap_or(i64::MAX));
        vec![
            self.latest.map(|(_, id)| id.iri().into()),
            Some(text(&self.reference)),
            Some(Value::Time(self.last).to_term()),
            Some(overlap.into()),
            Some(text(&list(&self.shared))),
            self.root_cause.as_deref().map(text),
            self.fix.as_deref().map(text),
            (!causes.is_empty()).then(|| text(&list(causes))),
        ]
    }
}

impl Engine {
    /// Incidents, newest first; of very many those that were told of last.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn incidents(&self) -> Result<Arc<Vec<Incident>>> {
        Ok(self.known_incidents()?.told())
    }

    /// The incidents of the last year that have most in common with one, as the canned query `similar_incidents` tells
    /// them.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn similar_incidents(&self, reference: &str, at: Timestamp, rows_max: usize) -> Result<Rows> {
        let window = Window { from: ago(at, SIMILAR_WITHIN), to: at };
        let mut found = self.known_incidents()?.similar(reference, window);
        let truncated = found.len() > rows_max;
        found.truncate(rows_max);
        let rows = found.into_iter().map(|similar| {
            let causes = self.confirmed_causes(&similar.receipts)?;
            Ok(similar.row(&causes))
        });
        let rows = rows.collect::<Result<_>>()?;
        Ok(Rows { columns: COLUMNS.map(str::to_owned).to_vec(), rows, truncated })
    }

    /// What people confirmed as the cause of the incident with these receipts.
    fn confirmed_causes(&self, receipts: &[ReceiptId]) -> Result<BTreeSet<String>> {
        let mut causes = BTreeSet::new();
        for id in receipts {
            let notes = self.index.with("incidentReceipt", &Value::Receipt(*id))?;
            let confirmed = notes.iter().filter(|note| note.receipt.text("verdict") == Some("confirmed"));
            causes.extend(
                confirmed.filter_map(|note| note.receipt.component_field("causeComponent")).map(percent_encode),
            );
        }
        Ok(causes)
    }

    /// What is known, after a look at what came in since the last one.
    fn known_incidents(&self) -> Result<MutexGuard<'_, Book>> {
        let mut book = self.incidents.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = match book.entries {
            Some(entries) => entries,
            None => self.read_incidents(&mut book)?,
        };
        let words = ["\"incident\"", "\"supersedes\""].map(|word| Finder::new(word.as_bytes()));
        let (told, end) = self.ledger.since(entries, |entry| words.iter().any(|word| word.find(entry).is_some()))?;
        told.into_iter().for_each(|recorded| book.take(recorded));
        if book.entries != Some(end) {
            self.name_alerts(&mut book)?;
            book.bound();
            book.entries = Some(end);
        }
        Ok(book)
    }

    /// Reads what the index has; returns up to which entry of the ledger that is.
    fn read_incidents(&self, book: &mut Book) -> Result<u64> {
        let applied = self.index.applied()?;
        for recorded in self.index.of_kind("incident", Window::ALL)? {
            if !self.index.with("supersedes", &Value::Receipt(recorded.id))?.is_empty() {
                book.corrected.insert(recorded.id);
            }
            book.take(recorded);
        }
        Ok(applied)
    }

    /// An alert may be recorded after the incident that it belongs to.
    fn name_alerts(&self, book: &mut Book) -> Result<()> {
        for (alert, name) in book.alerts.iter_mut().filter(|(_, name)| name.is_none()) {
            *name = self.index.get(*alert)?.and_then(|alert| alert.receipt.text("name").map(str::to_owned));
        }
        Ok(())
    }
}
