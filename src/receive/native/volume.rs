//! What comes in volume, in native JSON: tasks, workers, measurements, log entries, spans, snapshots of resources. They are
//! values of series; an error among them is a receipt as well.

mod member;

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use self::member::Members;
use crate::clock::Timestamp;
use crate::measure::told::{DEAD_LETTERS, TASK_FAILED, WORKER_ACTIVE};
use crate::measure::{Kind, Point, Samples, Series};
use crate::receipt::{Receipt, Value};
use crate::validate::Violation;

/// Labels by name.
type Labels = BTreeMap<String, String>;

/// What such an object becomes.
#[derive(Debug, Default)]
pub(super) struct Volume {
    pub(super) samples: Vec<Samples>,
    pub(super) receipt: Option<Receipt>,
}

/// What is known of an object before its kind is looked at.
struct Base {
    component: String,
    at: Timestamp,
    samples: Vec<Samples>,
}

type Reader = fn(&mut Members<'_>, &mut Base) -> Option<Receipt>;

const READERS: [(&str, Reader); 6] = [
    ("task", task),
    ("worker", worker),
    ("measurement", measurement),
    ("log", log),
    ("span", span),
    ("diagnostics", diagnostics),
];

/// Reads an object of such a kind; `None` when it is of another.
pub(super) fn read(object: &Map<String, Json>) -> Option<Result<Volume, Vec<Violation>>> {
    let kind = object.get("kind").and_then(Json::as_str)?;
    let (kind, reader) = READERS.iter().find(|(name, _)| *name == kind)?;
    let mut members = Members::of(kind, object);
    let component = members.need("component", Members::text);
    let at = members.need("occurredAt", Members::time);
    let (component, at) = (component.unwrap_or_default(), at.unwrap_or(Timestamp::MIN));
    let mut base = Base { component, at, samples: Vec::new() };
    let receipt = reader(&mut members, &mut base);
    Some(members.finish().map(|()| Volume { samples: base.samples, receipt }))
}

impl Base {
    fn tell(&mut self, metric: &str, kind: Kind, unit: &str, labels: &[(&str, &str)], value: f64) {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let series = Series { metric: metric.to_owned(), component: self.component.clone(), kind, labels };
        let unit = (!unit.is_empty()).then(|| unit.to_owned());
        self.samples.push(Samples { series, unit, points: vec![Point::once(self.at, value)] });
    }

    fn failure(&self, members: &mut Members<'_>, failure_type: &str) -> Receipt {
        let mut receipt =
            Receipt::new("failure", self.at, &self.component).with("failureType", Value::text(failure_type));
        for name in ["message", "source", "environment", "instance", "traceId", "spanId"] {
            receipt = receipt.with_text(name, members.text(&[name]).as_deref());
        }
        for (name, value) in members.labels() {
            receipt.label(&name, &value);
        }
        receipt
    }
}

/// How long an item waited and took, and how it ended.
fn task(members: &mut Members<'_>, base: &mut Base) -> Option<Receipt> {
    let queue = members.text(&["queue"]).unwrap_or_else(|| base.component.clone());
    let [enqueued, started, finished] =
        [["enqueuedAt", "enqueued"], ["startedAt", "started"], ["finishedAt", "finished"]]
            .map(|names| members.time(&names));
    let seconds = members.seconds(&["latencySeconds", "latency"], &["latencyMs", "ms"]);
    let outcome = members.one_of(&["outcome"], &["ok", "failed", "dead_letter"]);
    base.at = finished.unwrap_or(base.at);
    let between = |from: Option<Timestamp>, to: Option<Timestamp>| {
        from.zip(to).map(|(from, to)| to.seconds() - from.seconds()).filter(|seconds| *seconds >= 0.0)
    };
    let labels = [("queue", queue.as_str())];
    let (latency, wait) = (seconds.or_else(|| between(enqueued, finished)), between(enqueued, started));
    if let Some(latency) = latency {
        base.tell("tps_kanban_latency_seconds", Kind::Distribution, "s", &labels, latency);
    }
    if let Some(wait) = wait {
        base.tell("tps_kanban_wait_time_seconds", Kind::Distribution, "s", &labels, wait);
    }
    let is_done = latency.is_some() || finished.is_some() || outcome.is_some();
    if is_done {
        let is_ok = outcome.is_none_or(|outcome| outcome == "ok");
        if is_ok {
            base.tell("tps_kanban_throughput_total", Kind::Delta, "", &labels, 1.0);
        }
        // Told of one that went well too: how many were tried is told by how often this is.
        base.tell(TASK_FAILED, Kind::Gauge, "", &labels, f64::from(u8::from(!is_ok)));
        if outcome == Some("dead_letter") {
            base.tell(DEAD_LETTERS, Kind::Delta, "", &labels, 1.0);
        }
    }
    if !is_done && wait.is_none() {
        members
            .fault("latencyMs", "a task needs how long it took: latencyMs, or enqueuedAt with startedAt or finishedAt");
    }
    None
}

/// Who is at work; how many are is counted from the latest word of each.
fn worker(members: &mut Members<'_>, base: &mut Base) -> Option<Receipt> {
    let worker = members.need("worker", Members::text)?;
    let pool = members.text(&["pool"]).unwrap_or_else(|| base.component.clone());
    let status = members.one_of(&["status"], &["activated", "deactivated"]);
    match status {
        None => members.fault("status", "a worker needs a status: activated or deactivated"),
        Some(status) => {
            let is_active = f64::from(u8::from(status == "activated"));
            base.tell(WORKER_ACTIVE, Kind::Gauge, "", &[("pool", &pool), ("worker", &worker)], is_active);
        }
    }
    None
}

fn measurement(members: &mut Members<'_>, base: &mut Base) -> Option<Receipt> {
    let metric = members.need("metric", Members::text);
    let value = members.need("value", Members::number);
    let unit = members.text(&["unit"]).unwrap_or_default();
    let labels = members.labels();
    let labels: Vec<(&str, &str)> = labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let kind = members.one_of(&["type"], &["gauge", "counter", "delta", "distribution"]);
    let kind = kind.and_then(Kind::named).unwrap_or(Kind::Gauge);
    base.tell(&metric?, kind, &unit, &labels, value?);
    None
}

fn log(members: &mut Members<'_>, base: &mut Base) -> Option<Receipt> {
    let told = members.need("level", Members::text)?;
    let level = level(&told);
    base.tell("tps_andon_log_messages_total", Kind::Delta, "", &[("level", level)], 1.0);
    members.ignore(&["fields", "message"]);
    let is_error = level == "CRITICAL" || told.to_ascii_lowercase().starts_with("err");
    is_error.then(|| {
        let severity = (level == "CRITICAL").then_some("critical");
        base.failure(members, "error log").with_text("severity", severity)
    })
}

/// A level by any of its names, as one of the four that are counted.
pub(in crate::receive) fn level(told: &str) -> &'static str {
    match told.to_ascii_lowercase().as_str() {
        "trace" | "debug" => "DEBUG",
        "warn" | "warning" | "error" | "err" => "WARNING",
        "fatal" | "critical" | "crit" | "alert" | "emergency" | "panic" => "CRITICAL",
        _ => "INFO",
    }
}

/// A request that was answered: a span without one above it, or of a server.
fn span(members: &mut Members<'_>, base: &mut Base) -> Option<Receipt> {
    let name = members.need("name", Members::text)?;
    let parent = members.text(&["parentSpanId", "parent"]);
    let kind = members.one_of(&["spanKind"], &["server", "client", "producer", "consumer", "internal"]);
    let (from, to) = (members.time(&["startedAt", "start"]), members.time(&["finishedAt", "end"]));
    let told = members.seconds(&["durationSeconds", "duration"], &["durationMs", "ms"]);
    let between = from.zip(to).map(|(from, to)| to.seconds() - from.seconds()).filter(|seconds| *seconds >= 0.0);
    let is_error = members.one_of(&["status"], &["ok", "error", "unset"]) == Some("error");
    let failure_type = members.text(&["failureType"]);
    members.ignore(&["attributes", "baggage", "message"]);
    match told.or(between) {
        None => members.fault("durationMs", "a span needs how long it took: durationMs, or startedAt and finishedAt"),
        Some(seconds) if kind == Some("server") || (kind.is_none() && parent.is_none()) => {
            base.tell("tps_tracing_duration_seconds", Kind::Distribution, "s", &[("endpoint", &name)], seconds);
            // Told of one that went well too: without failures that is known, and not nothing.
            base.tell("tps_tracing_error_traces_total", Kind::Delta, "", &[], f64::from(u8::from(is_error)));
        }
        Some(_) => {}
    }
    is_error.then(|| base.failure(members, failure_type.as_deref().unwrap_or("error span")))
}

/// What a host or process uses.
fn diagnostics(members: &mut Members<'_>, base: &mut Base) -> Option<Receipt> {
    for (name, metric, unit) in [
        ("memoryRatio", "tps_observer_memory_ratio", "ratio"),
        ("memoryBytes", "tps_observer_memory_bytes", "By"),
        ("cpuRatio", "tps_observer_cpu_ratio", "ratio"),
        ("processes", "tps_observer_processes", ""),
    ] {
        if let Some(value) = members.number(&[name]) {
            base.tell(metric, Kind::Gauge, unit, &[], value);
        }
    }
    let each: [(&str, &str, &str, &str, Kind); 2] = [
        ("diskUsedRatio", "tps_observer_disk_used_ratio", "disk", "ratio", Kind::Gauge),
        ("networkBytes", "tps_observer_network_bytes_total", "direction", "By", Kind::Counter),
    ];
    for (name, metric, label, unit, kind) in each {
        for (of, value) in members.numbers(name) {
            base.tell(metric, kind, unit, &[(label, &of)], value);
        }
    }
    if base.samples.is_empty() {
        members.fault(
            "memoryBytes",
            "a snapshot needs memoryBytes, memoryRatio, cpuRatio, processes, diskUsedRatio or networkBytes",
        );
    }
    None
}
