//! All incidents, in memory: read once, then followed in the ledger. Pages show them all the time, and each new one is held
//! against those before it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, Range};
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
/// Those that were told of longest ago go together, when there are so many more.
const SURPLUS_MAX: usize = KEPT_MAX / 10;
/// When so much came in since the last look, reading all from the index costs less than following the ledger.
const FOLLOWED_MAX: u64 = 50_000;
/// Alerts without a name that are looked for again.
const NAMELESS_MAX: usize = 1_000;
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
    /// By reference.
    incidents: BTreeMap<String, Incident>,
    /// Their receipts that another receipt corrects.
    corrected: BTreeSet<ReceiptId>,
    /// All their receipts.
    receipts: BTreeSet<ReceiptId>,
    /// Names of their alerts, as far as they are known.
    alerts: BTreeMap<ReceiptId, Option<String>>,
    /// The last alert without a name that was looked for; the next look goes on after it.
    looked_for: Option<ReceiptId>,
    /// Newest first, until something new comes.
    told: Option<Arc<Vec<Incident>>>,
}

impl Book {
    /// Puts what is known of an incident now in the place of what was.
    fn put(&mut self, incident: Incident) {
        for alert in incident.receipts().flat_map(alerts) {
            self.alerts.entry(alert).or_default();
        }
        self.receipts.extend(incident.receipts().map(|recorded| recorded.id));
        self.incidents.insert(incident.reference.clone(), incident);
        self.told = None;
    }

    /// The next alerts without a name, each in its turn.
    fn nameless(&mut self) -> Vec<ReceiptId> {
        let after = self.looked_for.map_or(Bound::Unbounded, Bound::Excluded);
        let until = self.looked_for.map_or(Bound::Unbounded, Bound::Included);
        let later = self.alerts.range((after, Bound::Unbounded));
        let others = self.alerts.range((Bound::Unbounded, until)).filter(|_| self.looked_for.is_some());
        let nameless = later.chain(others).filter(|(_, name)| name.is_none()).map(|(alert, _)| *alert);
        let nameless: Vec<ReceiptId> = nameless.take(NAMELESS_MAX).collect();
        self.looked_for = nameless.last().copied();
        nameless
    }

    /// Forgets what was not told of for longest.
    fn bound(&mut self) {
        if self.incidents.len() <= KEPT_MAX + SURPLUS_MAX {
            return;
        }
        let mut by_time: Vec<_> = self.incidents.values().map(|one| (one.told_at(), one.reference.clone())).collect();
        by_time.sort_unstable();
        for (_, reference) in &by_time[..by_time.len() - KEPT_MAX] {
            self.incidents.remove(reference);
        }
        let receipts = || self.incidents.values().flat_map(Incident::receipts);
        self.receipts = receipts().map(|recorded| recorded.id).collect();
        let named: BTreeSet<ReceiptId> = receipts().flat_map(alerts).collect();
        self.corrected.retain(|id| self.receipts.contains(id));
        self.alerts.retain(|id, _| named.contains(id));
    }

    fn told(&mut self) -> Arc<Vec<Incident>> {
        let incidents = &self.incidents;
        Arc::clone(self.told.get_or_insert_with(|| {
            let mut last: Vec<&Incident> = incidents.values().collect();
            last.sort_by_key(|incident| std::cmp::Reverse(incident.told_at()));
            let mut told: Vec<Incident> = last.into_iter().take(INCIDENTS_MAX).cloned().collect();
            super::incident::newest_first(&mut told);
            Arc::new(told)
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
        let own = self.incidents.get(reference).into_iter().flat_map(Incident::receipts);
        let own: BTreeSet<String> = own.flat_map(|recorded| self.signs(recorded)).collect();
        let mut found = Vec::new();
        for other in self.incidents.values().filter(|other| other.reference != reference) {
            let mut similar: Option<Similar> = None;
            let stands = |recorded: &&Recorded| !self.corrected.contains(&recorded.id);
            let told = other.receipts().filter(|recorded| window.contains(recorded.occurred_at())).filter(stands);
            for recorded in told {
                let shared: Vec<String> = self.signs(recorded).intersection(&own).cloned().collect();
                if !shared.is_empty() {
                    similar.get_or_insert_with(|| Similar::of(other)).add(recorded, shared);
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
    fn of(incident: &Incident) -> Self {
        Self {
            reference: incident.reference.clone(),
            receipts: incident.receipts().map(|recorded| recorded.id).collect(),
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
        // Not beyond what the index has: the rest of an incident, and its alerts, are read there.
        let applied = self.index.applied()?;
        if book.entries == Some(applied) {
            return Ok(book);
        }
        match book.entries.filter(|entries| (*entries..=entries + FOLLOWED_MAX).contains(&applied)) {
            Some(entries) => self.follow_incidents(&mut book, entries..applied)?,
            None => *book = self.read_incidents()?,
        }
        for alert in book.nameless() {
            // An alert may be recorded after the incident that it belongs to.
            let name = self.index.get(alert)?.and_then(|alert| alert.receipt.text("name").map(str::to_owned));
            book.alerts.insert(alert, name);
        }
        book.bound();
        book.entries = Some(applied);
        Ok(book)
    }

    fn follow_incidents(&self, book: &mut Book, entries: Range<u64>) -> Result<()> {
        let words = ["\"incident\"", "\"supersedes\""].map(|word| Finder::new(word.as_bytes()));
        let is_wanted = |entry: &[u8]| words.iter().any(|word| word.find(entry).is_some());
        for recorded in self.ledger.among(entries, is_wanted)? {
            if let Some(Value::Receipt(corrected)) = recorded.receipt.first("supersedes")
                && book.receipts.contains(corrected)
            {
                book.corrected.insert(*corrected);
            }
            if recorded.receipt.kind() == "incident"
                && let Some(reference) = recorded.receipt.text("reference")
                && let Some(incident) = self.incident_of(reference.to_owned())?
            {
                self.put_incident(book, incident)?;
            }
        }
        Ok(())
    }

    /// Reads what the index has.
    fn read_incidents(&self) -> Result<Book> {
        let mut receipts: BTreeMap<String, Vec<Recorded>> = BTreeMap::new();
        for recorded in self.index.of_kind("incident", Window::ALL)? {
            if let Some(reference) = recorded.receipt.text("reference").map(str::to_owned) {
                receipts.entry(reference).or_default().push(recorded);
            }
        }
        let mut book = Book::default();
        for (reference, mut receipts) in receipts {
            receipts.sort_by_key(|recorded| (recorded.occurred_at(), recorded.id));
            let opened = receipts.remove(0);
            self.put_incident(&mut book, Incident { reference, opened, updates: receipts })?;
        }
        Ok(book)
    }

    fn put_incident(&self, book: &mut Book, incident: Incident) -> Result<()> {
        for recorded in incident.receipts() {
            if !self.index.with("supersedes", &Value::Receipt(recorded.id))?.is_empty() {
                book.corrected.insert(recorded.id);
            }
        }
        book.put(incident);
        Ok(())
    }
}
