//! How each signal of each export stands, for people and for `/metrics`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use super::super::destination::{self, Export};
use crate::clock::{Clock, Timestamp};
use crate::engine::Engine;
use crate::telemetry::{Promise, Telemetry};

/// What is pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Signal {
    /// Readings of the metrics.
    Metrics,
    /// Receipts.
    Receipts,
    /// What had a beginning and an end, as spans.
    Traces,
}

impl Signal {
    /// Its name, as in the metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Metrics => "metrics",
            Self::Receipts => "receipts",
            Self::Traces => "traces",
        }
    }
}

/// What has not been delivered yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) items: u64,
    /// On disk, beside the ledger.
    pub(super) bytes: u64,
}

/// How one signal of one export stands.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// The export's name in the configuration.
    pub export: String,
    /// What is pushed.
    pub signal: Signal,
    /// What kind of tool it goes to.
    pub kind: &'static str,
    /// Where it goes.
    pub url: String,
    /// Did the last request fail? `None` before the first.
    pub failing: Option<bool>,
    /// Items that wait.
    pub waiting: u64,
    /// Bytes on disk that they take, beside the ledger.
    pub waiting_bytes: u64,
    /// Items delivered since naze was started.
    pub sent: u64,
    /// Requests that failed since then.
    pub failed: u64,
    /// Items given up since then.
    pub dropped: u64,
    /// When something was delivered last.
    pub last_delivered: Option<Timestamp>,
    /// What went wrong last.
    pub last_problem: Option<Problem>,
}

/// What went wrong.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    /// When.
    pub at: Timestamp,
    /// In words.
    pub message: String,
}

/// How everything stands. Cheap to clone.
#[derive(Clone)]
pub struct Board(Arc<Mutex<BTreeMap<(String, Signal), Standing>>>);

impl Board {
    /// Nothing is pushed yet.
    pub(super) fn new(exports: &BTreeMap<String, Export>) -> Self {
        let standing = |name: &String, export: &Export, signal, url: String| {
            let standing = Standing {
                export: name.clone(),
                signal,
                kind: export.kind.name,
                url: destination::shown_of(export, &url),
                failing: None,
                waiting: 0,
                waiting_bytes: 0,
                sent: 0,
                failed: 0,
                dropped: 0,
                last_delivered: None,
                last_problem: None,
            };
            ((name.clone(), signal), standing)
        };
        let all = exports.iter().flat_map(|(name, export)| {
            let metrics = export.metrics().map(|route| standing(name, export, Signal::Metrics, (route.url)(export)));
            let receipts = export.receipts().map(|route| standing(name, export, Signal::Receipts, (route.url)(export)));
            let traces = export.traces().map(|route| standing(name, export, Signal::Traces, (route.url)(export)));
            metrics.into_iter().chain(receipts).chain(traces)
        });
        Self(Arc::new(Mutex::new(all.collect())))
    }

    /// How each stands, by export and signal.
    pub fn standings(&self) -> Vec<Standing> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, Signal), Standing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes what becomes of one signal of one export.
#[derive(Clone)]
pub(super) struct Meter {
    key: (String, Signal),
    board: Board,
    telemetry: Telemetry,
    clock: Clock,
}

impl Meter {
    pub(super) fn new(engine: &Engine, export: &str, signal: Signal) -> Self {
        let (board, telemetry) = (engine.exports().clone(), engine.telemetry().clone());
        let meter = Self { key: (export.to_owned(), signal), board, telemetry, clock: engine.clock() };
        // A rate of nothing is 0.
        meter.sent(0);
        meter.waiting(Waiting::default());
        ["spool_full", "too_old", "refused"].into_iter().for_each(|reason| meter.dropped(reason, 0));
        meter.telemetry.export_failed(meter.name(), signal.name(), 0);
        meter
    }

    /// The export's name.
    pub(super) fn name(&self) -> &str {
        &self.key.0
    }

    fn note(&self, change: impl FnOnce(&mut Standing)) {
        if let Some(standing) = self.board.lock().get_mut(&self.key) {
            change(standing);
        }
    }

    /// So many items were delivered.
    pub(super) fn sent(&self, items: u64) {
        self.telemetry.export_sent(self.name(), self.key.1.name(), items);
        if items > 0 {
            let now = self.clock.now();
            self.note(|standing| {
                standing.failing = Some(false);
                standing.sent += items;
                standing.last_delivered = Some(now);
            });
        }
    }

    /// A request took so long, whatever became of it.
    pub(super) fn asked(&self, time: Duration) {
        if self.key.1 == Signal::Traces {
            self.telemetry.took(Promise::TraceExport, time);
        }
    }

    /// Somebody was told of what was recorded at `recorded_at`.
    pub(super) fn notified(&self, recorded_at: Timestamp) {
        let time = self.clock.now().since(recorded_at).to_std().unwrap_or_default();
        self.telemetry.took(Promise::AlertResponse, time);
    }

    /// A request failed.
    pub(super) fn failed(&self, why: &str) {
        self.telemetry.export_failed(self.name(), self.key.1.name(), 1);
        self.note(|standing| {
            standing.failing = Some(true);
            standing.failed += 1;
        });
        self.problem(why);
        tracing::warn!(export = self.name(), signal = self.key.1.name(), why, "an export failed");
    }

    /// The tool will never take so many items.
    pub(super) fn refused(&self, items: u64, why: &str) {
        self.dropped("refused", items);
        self.problem(why);
        tracing::error!(export = self.name(), signal = self.key.1.name(), items, why, "an export was refused");
    }

    /// So many items were given up.
    pub(super) fn dropped(&self, reason: &str, items: u64) {
        self.telemetry.export_dropped(self.name(), self.key.1.name(), reason, items);
        self.note(|standing| standing.dropped += items);
        if items > 0 && reason != "refused" {
            tracing::warn!(export = self.name(), signal = self.key.1.name(), reason, items, "an export gave up items");
        }
    }

    /// What waits now.
    pub(super) fn waiting(&self, waiting: Waiting) {
        self.telemetry.export_waiting(self.name(), self.key.1.name(), waiting.items, waiting.bytes);
        self.note(|standing| {
            standing.waiting = waiting.items;
            standing.waiting_bytes = waiting.bytes;
        });
    }

    fn problem(&self, message: &str) {
        let problem = Problem { at: self.clock.now(), message: message.to_owned() };
        self.note(|standing| standing.last_problem = Some(problem));
    }
}
