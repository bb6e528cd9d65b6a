//! naze's own figures: one list of names, shown at `/metrics`.

use std::sync::Arc;
use std::time::Duration;

use prometheus::proto::MetricFamily;
use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

use crate::export::prometheus::{Bounded, METRICS};

/// Buckets in seconds, from a point look-up to a query's deadline.
const SECONDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Labels of what is told of exports.
const EXPORT: &[&str] = &["export", "signal"];

/// What naze promises to be quick at; `docs/metrics.md` says how quick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Promise {
    /// Recording the receipts of a document.
    Log,
    /// Recording the samples of a document.
    MetricUpdate,
    /// Recording an alert with what follows from it, and notifying of it.
    AlertResponse,
    /// Exporting a portion of spans.
    TraceExport,
    /// Answering why something broke, or how the system is.
    Diagnostics,
}

impl Promise {
    const ALL: [Self; 5] = [Self::Log, Self::MetricUpdate, Self::AlertResponse, Self::TraceExport, Self::Diagnostics];

    fn metric(self) -> &'static str {
        match self {
            Self::Log => "tps_self_log_seconds",
            Self::MetricUpdate => "tps_self_metric_update_seconds",
            Self::AlertResponse => "tps_self_alert_response_seconds",
            Self::TraceExport => "tps_self_trace_export_seconds",
            Self::Diagnostics => "tps_self_diagnostics_seconds",
        }
    }
}

/// Counters and timings of this process. Cheap to clone.
#[derive(Clone)]
pub struct Telemetry(Arc<Figures>);

struct Figures {
    registry: Registry,
    receive: IntCounterVec,
    receive_bytes: IntCounterVec,
    samples: IntCounterVec,
    reconcile: IntCounterVec,
    export_sent: IntCounterVec,
    export_failed: IntCounterVec,
    export_dropped: IntCounterVec,
    export_waiting: IntGaugeVec,
    export_spool_bytes: IntGaugeVec,
    promised_seconds: [Histogram; 5],
    stage_seconds: HistogramVec,
    query_seconds: HistogramVec,
    http_seconds: HistogramVec,
    ledger_entries: IntGauge,
    index_entries: IntGauge,
    index_wal_bytes: IntGauge,
    queue_wait: IntGauge,
    metrics_folded: IntGauge,
    metrics_left_out: IntGauge,
}

impl Telemetry {
    /// All figures, at zero.
    pub fn new() -> Self {
        let figures = Figures {
            registry: Registry::new(),
            receive: counters("naze_receive_total", "Receipts received", &["source", "outcome"]),
            samples: counters("naze_samples_total", "Samples of series received", &["source", "outcome"]),
            receive_bytes: counters("naze_receive_bytes_total", "Bytes received", &["source"]),
            reconcile: counters(
                "naze_reconcile_total",
                "Rounds of asking senders what was missed",
                &["source", "outcome"],
            ),
            export_sent: counters("naze_export_sent_total", "Items that a tool has taken", EXPORT),
            export_failed: counters("naze_export_failed_total", "Requests to a tool that failed", EXPORT),
            export_dropped: counters(
                "naze_export_dropped_total",
                "Items that no tool will get",
                &["export", "signal", "reason"],
            ),
            export_waiting: gauges("naze_export_waiting", "Items that wait for a tool", EXPORT),
            export_spool_bytes: gauges("naze_export_spool_bytes", "Size of what waits beside the ledger", EXPORT),
            promised_seconds: Promise::ALL.map(promised),
            stage_seconds: timings("naze_record_seconds", "Time to record a group of receipts, by stage", &["stage"]),
            query_seconds: timings("naze_query_seconds", "Time to answer a query", &["query", "outcome"]),
            http_seconds: timings(
                "naze_http_request_seconds",
                "Time to answer a request",
                &["route", "method", "status"],
            ),
            ledger_entries: gauge("naze_ledger_entries", "Entries in the ledger"),
            index_entries: gauge("naze_index_entries", "Ledger entries that are in the index"),
            index_wal_bytes: gauge("naze_index_wal_bytes", "Size of the index's write-ahead log"),
            queue_wait: gauge("naze_requests_in_progress", "Requests being answered"),
            metrics_folded: gauge(
                "naze_metrics_folded",
                "Values that tps_ metrics tell as other, for want of room for labels",
            ),
            metrics_left_out: gauge(
                "naze_metrics_left_out",
                "Series that tps_ metrics do not tell, for there are too many",
            ),
        };
        figures.register();
        Self(Arc::new(figures))
    }

    /// One receipt of `source` came to `outcome`: `recorded`, `duplicate`, `refused` or `ignored`.
    pub fn received(&self, source: &str, outcome: &str, count: u64) {
        if count > 0 {
            self.0.receive.with_label_values(&[source, outcome]).inc_by(count);
        }
    }

    /// So many samples of `source` came to `outcome`: `recorded`, `refused` or `ignored`.
    pub fn measured(&self, source: &str, outcome: &str, count: u64) {
        if count > 0 {
            self.0.samples.with_label_values(&[source, outcome]).inc_by(count);
        }
    }

    /// A document of `source` came in.
    pub fn received_bytes(&self, source: &str, bytes: usize) {
        self.0.receive_bytes.with_label_values(&[source]).inc_by(bytes as u64);
    }

    /// A server of `source` was asked what was missed, with `outcome` `ok` or `error`.
    pub fn reconciled(&self, source: &str, outcome: &str) {
        self.0.reconcile.with_label_values(&[source, outcome]).inc();
    }

    /// An export's tool has taken so many items of a signal.
    pub fn export_sent(&self, export: &str, signal: &str, items: u64) {
        self.0.export_sent.with_label_values(&[export, signal]).inc_by(items);
    }

    /// So many requests to an export's tool failed.
    pub fn export_failed(&self, export: &str, signal: &str, requests: u64) {
        self.0.export_failed.with_label_values(&[export, signal]).inc_by(requests);
    }

    /// So many items were given up, for `reason`: `spool_full`, `too_old` or `refused`.
    pub fn export_dropped(&self, export: &str, signal: &str, reason: &str, items: u64) {
        self.0.export_dropped.with_label_values(&[export, signal, reason]).inc_by(items);
    }

    /// So many items wait, and take so many bytes beside the ledger.
    pub fn export_waiting(&self, export: &str, signal: &str, items: u64, bytes: u64) {
        let level = |level: u64| i64::try_from(level).unwrap_or(i64::MAX);
        self.0.export_waiting.with_label_values(&[export, signal]).set(level(items));
        self.0.export_spool_bytes.with_label_values(&[export, signal]).set(level(bytes));
    }

    /// Something promised was done.
    pub fn took(&self, promise: Promise, time: Duration) {
        self.0.promised_seconds[promise as usize].observe(time.as_secs_f64());
    }

    /// A group was validated.
    pub fn validated(&self, time: Duration) {
        self.0.stage_seconds.with_label_values(&["validate"]).observe(time.as_secs_f64());
    }

    /// A group was fsynced into the ledger.
    pub fn ledger_committed(&self, receipts: usize, time: Duration) {
        tracing::debug!(receipts, ledger_seconds = time.as_secs_f64(), "group committed");
        self.0.stage_seconds.with_label_values(&["ledger"]).observe(time.as_secs_f64());
    }

    /// A group was applied to the index.
    pub fn index_applied(&self, time: Duration) {
        self.0.stage_seconds.with_label_values(&["index"]).observe(time.as_secs_f64());
    }

    /// Where ledger and index stand.
    pub fn positions(&self, ledger: u64, index: u64) {
        self.0.ledger_entries.set(i64::try_from(ledger).unwrap_or(i64::MAX));
        self.0.index_entries.set(i64::try_from(index).unwrap_or(i64::MAX));
    }

    /// Size of the index's write-ahead log.
    pub fn index_wal(&self, bytes: u64) {
        self.0.index_wal_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// A query ended with `outcome`: `ok` or an error kind.
    pub fn queried(&self, query: &str, outcome: &str, time: Duration) {
        self.0.query_seconds.with_label_values(&[query, outcome]).observe(time.as_secs_f64());
    }

    /// A request was answered. `route` is the pattern, never the path: labels must stay few.
    pub fn answered(&self, route: &str, method: &str, status: u16, time: Duration) {
        self.0.http_seconds.with_label_values(&[route, method, &status.to_string()]).observe(time.as_secs_f64());
    }

    /// Requests being answered right now.
    pub fn in_progress(&self) -> &IntGauge {
        &self.0.queue_wait
    }

    /// What the metrics of the system under observation have no room for.
    pub fn bounded(&self, bounded: &Bounded) {
        let level = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.0.metrics_folded.set(level(bounded.folded()));
        self.0.metrics_left_out.set(level(bounded.left_out()));
    }

    /// All figures.
    pub fn families(&self) -> Vec<MetricFamily> {
        self.0.registry.gather()
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self::new()
    }
}

impl Figures {
    fn register(&self) {
        let collectors: [Box<dyn prometheus::core::Collector>; 18] = [
            Box::new(self.receive.clone()),
            Box::new(self.receive_bytes.clone()),
            Box::new(self.samples.clone()),
            Box::new(self.reconcile.clone()),
            Box::new(self.export_sent.clone()),
            Box::new(self.export_failed.clone()),
            Box::new(self.export_dropped.clone()),
            Box::new(self.export_waiting.clone()),
            Box::new(self.export_spool_bytes.clone()),
            Box::new(self.stage_seconds.clone()),
            Box::new(self.query_seconds.clone()),
            Box::new(self.http_seconds.clone()),
            Box::new(self.ledger_entries.clone()),
            Box::new(self.index_entries.clone()),
            Box::new(self.index_wal_bytes.clone()),
            Box::new(self.queue_wait.clone()),
            Box::new(self.metrics_folded.clone()),
            Box::new(self.metrics_left_out.clone()),
        ];
        let promised = self.promised_seconds.iter().map(|histogram| Box::new(histogram.clone()) as _);
        for collector in collectors.into_iter().chain(promised) {
            self.registry.register(collector).expect("every name is registered once");
        }
        let build = Opts::new("naze_build_info", "Version of naze").const_label("version", env!("CARGO_PKG_VERSION"));
        let build = IntGauge::with_opts(build).expect("the name is a valid metric name");
        build.set(1);
        self.registry.register(Box::new(build)).expect("every name is registered once");
    }
}

fn counters(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    IntCounterVec::new(Opts::new(name, help), labels).expect("names in this file are valid metric names")
}

fn gauges(name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
    IntGaugeVec::new(Opts::new(name, help), labels).expect("names in this file are valid metric names")
}

fn timings(name: &str, help: &str, labels: &[&str]) -> HistogramVec {
    let options = HistogramOpts::new(name, help).buckets(SECONDS.to_vec());
    HistogramVec::new(options, labels).expect("names in this file are valid metric names")
}

fn promised(promise: Promise) -> Histogram {
    let metric = METRICS.iter().find(|metric| metric.name == promise.metric()).expect("the table has every promise");
    let options = HistogramOpts::new(metric.name, metric.definition).buckets(metric.bounds().to_vec());
    Histogram::with_opts(options).expect("names of the table are valid metric names")
}

fn gauge(name: &str, help: &str) -> IntGauge {
    IntGauge::new(name, help).expect("names in this file are valid metric names")
}
