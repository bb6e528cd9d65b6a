//! Which of the `tps_*` metrics a Prometheus has, and why it lacks others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::TimeDelta;

use super::{Finding, counted, listed};
use crate::asked::prometheus::data;
use crate::asked::{Server, blocking};
use crate::clock::{Timestamp, ago};
use crate::engine::Engine;
use crate::error::Result;
use crate::export::prometheus::{METRICS, Metric, Type};

/// What tells a metric, and is no kind of receipts.
const NO_KINDS: [&str; 5] = ["all", "naze", "objectives", "series", "trends"];
/// What is older is no data.
const DATA_WITHIN: TimeDelta = TimeDelta::hours(1);

/// Names of the metrics that naze shows itself.
pub(super) type Exposed = BTreeSet<String>;

/// What `/metrics` shows now; none where it shows nothing of the system, as while naze reads after a start.
pub(super) async fn exposed(engine: &Arc<Engine>) -> Option<Exposed> {
    let families = blocking(engine, |engine| {
        let told = engine.metrics()?;
        Ok((!told.is_empty()).then(|| [engine.telemetry().families(), told].concat()))
    });
    // What cannot be told is not shown; /readyz says why.
    let families = families.await.unwrap_or_default()?;
    Some(families.iter().map(|family| family.name().to_owned()).collect())
}

/// Names of the `tps_*` metrics that it had values of in the last hour.
pub(super) async fn names(server: &Server, now: Timestamp) -> Result<BTreeSet<String>> {
    let start = ago(now, DATA_WITHIN).to_string();
    let query = [("match[]", "{__name__=~\"tps_.+\"}"), ("start", &*start)];
    data(server, "/api/v1/label/__name__/values", &query).await
}

/// Is the metric among these names?
fn is_among(metric: &Metric, names: &BTreeSet<String>) -> bool {
    match metric.holds {
        Type::Histogram(_) => names.contains(&format!("{}_count", metric.name)),
        Type::Counter | Type::Gauge => names.contains(metric.name),
    }
}

pub(super) fn check(
    server: &Server,
    names: &BTreeSet<String>,
    exposed: Option<&Exposed>,
    is_scraped: bool,
) -> Vec<Finding> {
    let missing: Vec<&Metric> = METRICS.iter().filter(|metric| !is_among(metric, names)).collect();
    let there = METRICS.len() - missing.len();
    let mut findings = vec![Finding::ok(
        "metrics",
        format!("{there} of {} have data in {}", counted(METRICS.len(), "tps_ metric"), server.name),
    )];
    let Some(exposed) = exposed else {
        let detail = "naze shows no tps_ metric now, as while it reads its ledger after a start: why some lack data is not known";
        findings.push(Finding::warn("metrics", detail, "wait until /metrics shows them, then run naze doctor again"));
        return findings;
    };
    let (shown, untold): (Vec<&Metric>, Vec<&Metric>) =
        missing.into_iter().partition(|metric| exposed.contains(metric.name));
    if !shown.is_empty() {
        let names = listed(shown.iter().map(|metric| metric.name));
        let (why, fix) = if is_scraped {
            let fix = "look for them in metric_relabel_configs of naze's job in prometheus.yml; after a start wait for a scrape";
            ("something drops them on the way", fix)
        } else {
            ("naze is not scraped", "mend what is said of \"scrape\"")
        };
        let detail = format!("{} that naze shows are not in {}: {names}: {why}", shown.len(), server.name);
        findings.push(Finding::warn("metrics", detail, fix));
    }
    let mut by_teller: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for metric in untold {
        by_teller.entry(metric.told_by).or_default().push(metric.name);
    }
    findings.extend(by_teller.into_iter().map(|(teller, names)| untold_by(teller, &names)));
    findings
}

/// Metrics that nobody tells, by what would tell them.
fn untold_by(teller: &str, names: &[&str]) -> Finding {
    let tellers = || teller.split(", ");
    let is_told_by = |what: &str| tellers().any(|teller| teller == what);
    let kinds: Vec<&str> = tellers().filter(|kind| !NO_KINDS.contains(kind)).collect();
    let mut why = Vec::new();
    if !kinds.is_empty() {
        why.push(format!("nobody sends receipts of kind {}", kinds.join(" or ")));
    }
    if is_told_by("objectives") {
        why.push("no objective has values to judge".to_owned());
    }
    if is_told_by("trends") {
        why.push("no tps_ metric has a past to tell a trend of".to_owned());
    }
    if is_told_by("all") {
        why.push("naze has no receipts".to_owned());
    }
    if is_told_by("series") {
        why.push("no program exports it".to_owned());
    }
    let fix = if is_told_by("objectives") {
        "naze slo, which says what each lacks".to_owned()
    } else if !kinds.is_empty() {
        format!("naze record FILE, with receipts of kind {}", kinds.join(" or "))
    } else if is_told_by("series") {
        format!("add the program that exports {} to scrape_configs, or send it by remote write", names[0])
    } else {
        "naze record FILE".to_owned()
    };
    let verb = if names.len() == 1 { "has" } else { "have" };
    let why = if why.is_empty() { "naze did not tell it yet".to_owned() } else { why.join(", and ") };
    Finding::warn("metrics", format!("{} {verb} no data: {why}", listed(names.iter().copied())), fix)
}
