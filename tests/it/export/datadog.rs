//! Datadog's v2 series API and v2 log intake, by their documentation.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};

use super::tool::{Mood, Seen, Tool, must};
use super::{Pusher, ago, eventually, failures, shown, totals};

const SERIES: &str = "/api/v2/series";
const LOGS: &str = "/api/v2/logs";

fn contract(seen: &Seen) -> Result<(u16, Vec<u8>), String> {
    must(seen.header("dd-api-key") == "dd-key", "DD-API-KEY")?;
    must(seen.header("content-type") == "application/json", "content-type")?;
    must(seen.header("content-encoding") == "gzip", "content-encoding")?;
    let body: Json = serde_json::from_slice(&seen.body).map_err(|error| error.to_string())?;
    match seen.path.as_str() {
        SERIES => {
            must(seen.packed_bytes <= 512_000 && seen.body.len() < 5_242_880, "too large")?;
            must(body.as_object().unwrap().len() == 1, "members besides series")?;
            body["series"].as_array().ok_or("series")?.iter().try_for_each(check)?;
            Ok((202, b"{\"errors\":[]}".to_vec()))
        }
        LOGS => {
            let logs = body.as_array().ok_or("no array")?;
            must(!logs.is_empty() && logs.len() <= 1_000, "number of logs")?;
            must(seen.body.len() <= 5_000_000, "too large")?;
            for log in logs {
                must(
                    log["ddsource"] == "naze" && log["ddtags"].as_str() == Some("env:production,source_service:naze"),
                    "tags",
                )?;
                must(log["message"].is_string() && log["service"].is_string(), "message, service")?;
                let status = log["status"].as_str().unwrap_or_default();
                must(["critical", "error", "warning", "info"].contains(&status), "status")?;
                let time = DateTime::parse_from_rfc3339(log["timestamp"].as_str().ok_or("timestamp")?).unwrap();
                must((Utc::now() - time.to_utc()).num_hours() < 18, "older than 18 hours")?;
                must(log.to_string().len() <= 1_000_000, "a log above 1 MB")?;
            }
            Ok((202, b"{}".to_vec()))
        }
        other => Err(format!("there is no {other}")),
    }
}

fn check(series: &Json) -> Result<(), String> {
    const MEMBERS: [&str; 8] =
        ["interval", "metadata", "metric", "points", "resources", "source_type_name", "tags", "type"];
    let members = series.as_object().ok_or("a series is an object")?;
    must(
        members.keys().chain(["unit".to_owned()].iter()).all(|key| MEMBERS.contains(&key.as_str()) || key == "unit"),
        "members",
    )?;
    let metric = series["metric"].as_str().ok_or("metric")?;
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "_.".contains(character);
    must(metric.len() <= 200 && metric.starts_with(|c: char| c.is_ascii_alphabetic()), metric)?;
    must(metric.chars().all(is_plain), metric)?;
    for tag in series["tags"].as_array().ok_or("tags")? {
        let tag = tag.as_str().ok_or("a tag is a text")?;
        must(tag.chars().count() <= 200 && tag.contains(':'), tag)?;
        must(tag.chars().all(|character| character.is_alphanumeric() || "_-:./".contains(character)), tag)?;
    }
    let points = series["points"].as_array().ok_or("points")?;
    must(points.len() == 1, "points")?;
    let at = points[0]["timestamp"].as_i64().ok_or("timestamp")?;
    let now = Utc::now().timestamp();
    must(at > now - 3_600 && at < now + 600, "between an hour ago and 10 minutes ahead")?;
    points[0]["value"].as_f64().ok_or("value")?;
    match series["type"].as_u64() {
        Some(1) => must(series["interval"].as_i64().is_some_and(|seconds| seconds > 0), "a count has an interval"),
        Some(3) => Ok(()),
        other => Err(format!("type {other:?}")),
    }
}

fn config(url: &str) -> String {
    format!("[exports.dd]\nkind = \"datadog\"\nurl = \"{url}\"\ntoken = \"dd-key\"\ninterval_seconds = 1\n")
}

/// By how much each total grew, in the words of the text exposition.
fn grown(tool: &Tool) -> BTreeMap<String, f64> {
    let mut sums = BTreeMap::new();
    for seen in tool.taken(SERIES) {
        let body: Json = serde_json::from_slice(&seen.body).unwrap();
        for series in body["series"].as_array().unwrap().iter().filter(|series| series["type"] == 1) {
            let tags =
                series["tags"].as_array().unwrap().iter().filter_map(|tag| tag.as_str().unwrap().split_once(':'));
            let labels: BTreeMap<String, String> = tags
                .filter(|(name, _)| !["env", "source_service"].contains(name))
                .map(|(name, value)| (name.to_owned(), value.replace("_Inf", "+Inf")))
                .collect();
            *sums.entry(shown(series["metric"].as_str().unwrap(), &labels)).or_default() +=
                series["points"][0]["value"].as_f64().unwrap();
        }
    }
    totals(&sums)
}

fn logged(tool: &Tool) -> Vec<Json> {
    let requests = tool.taken(LOGS).into_iter().map(|seen| serde_json::from_slice::<Vec<Json>>(&seen.body).unwrap());
    requests.flatten().collect()
}

#[test]
fn counts_add_up_to_the_totals_whatever_happens_on_the_way() {
    let tool = Tool::start(contract);
    let mut naze = Pusher::new(&config(&tool.url));
    eventually("a first reading", |seen| *seen > 0, || tool.taken(SERIES).len());
    let before = totals(&naze.scraped());
    naze.record(&failures(0..3));
    eventually(
        "three",
        |grown: &BTreeMap<String, f64>| grown.get("tps_jidoka_failures_total{component=\"checkout\"}") == Some(&3.0),
        || grown(&tool),
    );
    // Not now, never, and not at all: the growth that a lost reading told is told by the next one.
    tool.will([Mood::Status(500), Mood::Status(400), Mood::Status(429), Mood::Status(408)]);
    naze.record(&failures(3..5));
    let readings = tool.taken(SERIES).len();
    eventually("readings go on", |seen| *seen > readings + 2, || tool.taken(SERIES).len());
    naze.kill();
    naze.start();
    naze.record(&failures(5..9));
    naze.record(&[json!({"kind": "stage", "occurredAt": ago(30), "component": "build", "reference": "W1",
        "stageName": "testing", "durationSeconds": 100.0, "ok": true})]);
    let grown = eventually(
        "nine, and a stage",
        |grown: &BTreeMap<String, f64>| {
            grown.get("tps_jidoka_failures_total{component=\"checkout\"}") == Some(&9.0)
                && grown.contains_key("tps_production_stage_duration_seconds_count{stage=\"testing\"}")
        },
        || grown(&tool),
    );
    let after = totals(&naze.scraped());
    let expected: BTreeMap<String, f64> = after
        .into_iter()
        .map(|(name, value)| (name.clone(), value - before.get(&name).copied().unwrap_or(0.0)))
        .filter(|(_, growth)| *growth > 0.0)
        .collect();
    let grown: BTreeMap<String, f64> = grown.into_iter().filter(|(_, growth)| *growth > 0.0).collect();
    assert_eq!(grown, expected);
}

#[test]
fn receipts_are_logs_of_their_component_and_old_ones_are_counted_not_sent() {
    let tool = Tool::start(contract);
    let naze = Pusher::new(&format!("{}metrics = false\n", config(&tool.url)));
    let old = json!({"kind": "note", "occurredAt": ago(20 * 3_600), "component": "checkout", "message": "long ago"});
    naze.record(&[old]);
    let recorded = naze.record(&failures(0..2));
    let logs = eventually("two logs", |logs: &Vec<Json>| logs.len() == 2, || logged(&tool));
    let ids: Vec<&str> = logs.iter().map(|log| log["naze.receipt.id"].as_str().unwrap()).collect();
    assert_eq!(ids, recorded);
    let log = &logs[1];
    for (member, value) in [
        ("service", "checkout"),
        ("message", "Timeout: number 1"),
        ("status", "error"),
        ("trace_id", super::TRACE),
        ("span_id", super::SPAN),
        ("naze.label.team", "pay"),
    ] {
        assert_eq!(log[member], value, "{member}");
    }
    assert_eq!(naze.figure("naze_export_dropped_total{export=\"dd\",reason=\"too_old\",signal=\"receipts\"}"), 1.0);
    assert_eq!(naze.standing("receipts")["dropped"], 1);
}

#[test]
fn many_series_are_sent_within_the_limits_of_a_request() {
    let tool = Tool::start(contract);
    let naze = Pusher::new(&config(&tool.url));
    eventually("a first reading", |seen| *seen > 0, || tool.taken(SERIES).len());
    let many: Vec<Json> = (0..3_000)
        .map(|number| {
            json!({"kind": "failure", "occurredAt": ago(60), "component": format!("component, {}", number % 99),
                "failureType": format!("Type {number}"), "message": format!("{number} {}", "x".repeat(2_000))})
        })
        .collect();
    let recorded: Vec<String> = many.chunks(500).flat_map(|some| naze.record(some)).collect();
    let logs = eventually("all logs", |logs: &Vec<Json>| logs.len() >= 3_000, || logged(&tool));
    let ids: Vec<&str> = logs.iter().map(|log| log["naze.receipt.id"].as_str().unwrap()).collect();
    assert_eq!(ids, recorded);
    let errors = |grown: &BTreeMap<String, f64>| -> f64 {
        grown.iter().filter(|(name, _)| name.starts_with("tps_andon_errors_total")).map(|(_, count)| count).sum()
    };
    eventually("all failures", |grown: &BTreeMap<String, f64>| errors(grown) == 3_000.0, || grown(&tool));
}
