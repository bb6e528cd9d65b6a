//! Remote write: at a Grafana Cloud of our own by the specification, and at a real Prometheus.

use std::collections::BTreeMap;
use std::fs;

use prost::Message;
use serde_json::{Value as Json, json};

use super::tool::{Mood, Seen, Tool, must};
use super::{Pusher, ago, eventually, failures, shown, totals};
use crate::common::is_installed;
use crate::prometheus::{free_port, start};

const PATH: &str = "/api/prom/push";

/// As the specification has them.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    pub(crate) timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    pub(crate) labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    pub(crate) samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Label {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(string, tag = "2")]
    pub(crate) value: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct Sample {
    #[prost(double, tag = "1")]
    pub(crate) value: f64,
    #[prost(int64, tag = "2")]
    pub(crate) timestamp: i64,
}

fn contract(seen: &Seen) -> Result<(u16, Vec<u8>), String> {
    must(seen.path == PATH, &*seen.path)?;
    must(seen.header("content-type") == "application/x-protobuf", "content-type")?;
    must(seen.header("content-encoding") == "snappy", "content-encoding")?;
    must(seen.header("x-prometheus-remote-write-version") == "0.1.0", "version")?;
    must(!seen.header("user-agent").is_empty(), "user-agent")?;
    // 123456:glc_token
    must(seen.header("authorization") == "Basic MTIzNDU2OmdsY190b2tlbg==", "authorization")?;
    let told = WriteRequest::decode(&*seen.body).map_err(|error| error.to_string())?;
    for series in &told.timeseries {
        let names: Vec<&str> = series.labels.iter().map(|label| label.name.as_str()).collect();
        must(names.windows(2).all(|pair| pair[0] < pair[1]), format!("labels are sorted and differ: {names:?}"))?;
        must(names.contains(&"__name__"), "__name__")?;
        let is_plain = |name: &str| name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
        must(names.iter().all(|name| is_plain(name)), "names of labels")?;
        must(series.labels.iter().all(|label| !label.value.is_empty()), "an empty label")?;
        must(!series.samples.is_empty(), "no sample")?;
    }
    Ok((204, Vec::new()))
}

/// Samples in the order in which they were taken, by series.
fn samples(tool: &Tool) -> BTreeMap<String, Vec<(i64, f64)>> {
    let mut samples: BTreeMap<String, Vec<(i64, f64)>> = BTreeMap::new();
    for seen in tool.taken(PATH) {
        for series in WriteRequest::decode(&*seen.body).unwrap().timeseries {
            let mut labels: BTreeMap<String, String> =
                series.labels.into_iter().map(|label| (label.name, label.value)).collect();
            let name = labels.remove("__name__").unwrap();
            assert_eq!(labels.remove("job").as_deref(), Some("naze"));
            assert_eq!(labels.remove("environment").as_deref(), Some("production"));
            let told = series.samples.iter().map(|sample| (sample.timestamp, sample.value));
            samples.entry(shown(&name, &labels)).or_default().extend(told);
        }
    }
    samples
}

#[test]
fn grafana_cloud_gets_every_reading_once_and_in_order_and_a_wrong_one_does_not_block() {
    let tool = Tool::start(contract);
    let url = format!("{}{PATH}", tool.url);
    let mut naze = Pusher::new(&format!(
        "[exports.grafana]\nkind = \"grafana_cloud\"\nurl = \"{url}\"\nuser = \"123456\"\ntoken = \"glc_token\"\ninterval_seconds = 1\n"
    ));
    eventually("a first reading", |seen| *seen > 0, || tool.taken(PATH).len());
    tool.will([Mood::Status(500), Mood::Status(400), Mood::After(429, "1".to_owned()), Mood::Status(503)]);
    naze.record(&failures(0..4));
    let dropped = "naze_export_dropped_total{export=\"grafana\",reason=\"refused\",signal=\"metrics\"}";
    eventually("one refused", |dropped| *dropped > 0.0, || naze.figure(dropped));
    naze.kill();
    naze.start();
    naze.record(&failures(4..6));
    let failures = "tps_jidoka_failures_total{component=\"checkout\"}";
    let last =
        |samples: &BTreeMap<String, Vec<(i64, f64)>>| samples.get(failures).and_then(|told| told.last().copied());
    eventually("six failures", |samples| last(samples).is_some_and(|(_, value)| value == 6.0), || samples(&tool));
    for (series, told) in samples(&tool) {
        let mut times: Vec<i64> = told.iter().map(|(at, _)| *at).collect();
        // One that was under way when naze was killed may come again.
        times.dedup();
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{series}: {times:?}");
        if series == failures {
            assert!(told.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{told:?}");
        }
    }
    let standing = naze.standing("metrics");
    assert_eq!((standing["kind"].as_str(), standing["url"].as_str()), (Some("grafana_cloud"), Some(&*url)));
}

#[test]
fn a_real_prometheus_has_the_values_of_the_metrics_page() {
    if !is_installed("prometheus") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("prometheus.yml"), "{}").unwrap();
    let port = free_port();
    let naze = Pusher::new(&format!(
        "[exports.prometheus]\nkind = \"remote_write\"\nurl = \"http://127.0.0.1:{port}/api/v1/write\"\ninterval_seconds = 1\n"
    ));
    // It comes late: what was read before waits for it.
    naze.record(&failures(0..5));
    naze.record(&[json!({"kind": "stage", "occurredAt": ago(30), "component": "build", "reference": "W1",
        "stageName": "testing", "durationSeconds": 100.0, "ok": true})]);
    eventually(
        "it waits",
        |failed| *failed > 0.0,
        || naze.figure("naze_export_failed_total{export=\"prometheus\",signal=\"metrics\"}"),
    );
    let arguments = [
        "--config.file=prometheus.yml".to_owned(),
        "--storage.tsdb.path=data".to_owned(),
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--web.enable-remote-write-receiver".to_owned(),
    ];
    let _prometheus = start("prometheus", folder.path(), &arguments);
    let query = |query: &str| -> Vec<Json> {
        let url = format!("http://127.0.0.1:{port}/api/v1/query");
        let url = reqwest::Url::parse_with_params(&url, [("query", query)]).unwrap();
        let Ok(answer) = naze.http.get(url).send() else { return Vec::new() };
        let answer: Json = answer.json().unwrap_or_default();
        answer["data"]["result"].as_array().cloned().unwrap_or_default()
    };
    let stored = || -> BTreeMap<String, f64> {
        let told = query("{job=\"naze\", environment=\"production\"}");
        let series = told.iter().map(|series| {
            let mut labels: BTreeMap<String, String> = serde_json::from_value(series["metric"].clone()).unwrap();
            let name = labels.remove("__name__").unwrap();
            labels.retain(|name, _| name != "job" && name != "environment");
            (shown(&name, &labels), series["value"][1].as_str().unwrap().parse().unwrap())
        });
        series.collect()
    };
    let expected = totals(&naze.scraped());
    assert_eq!(expected["tps_jidoka_failures_total{component=\"checkout\"}"], 5.0);
    let stored = eventually("the totals of the metrics page", |stored| totals(stored) == expected, stored);
    // Levels that do not follow the clock are the same, too.
    let scraped = naze.scraped();
    for level in ["tps_andon_critical_alerts", "tps_andon_open{severity=\"critical\"}"] {
        assert_eq!(stored.get(level), scraped.get(level), "{level}");
    }
    let counted = query("count_over_time(tps_receipts_total{kind=\"failure\"}[5m])");
    let readings: f64 = counted[0]["value"][1].as_str().unwrap().parse().unwrap();
    assert!(readings >= 2.0, "what waited came as well: {readings}");
    assert_eq!(naze.standing("metrics")["dropped"], 0);
}
