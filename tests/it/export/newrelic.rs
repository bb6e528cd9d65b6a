//! New Relic's Metric API and Log API, by their documentation.

use std::collections::BTreeMap;

use chrono::Utc;
use serde_json::{Value as Json, json};

use super::tool::{Mood, Seen, Tool, must};
use super::{Pusher, ago, eventually, failures, shown, totals};

const METRICS: &str = "/metric/v1";
const LOGS: &str = "/log/v1";

fn contract(seen: &Seen) -> Result<(u16, Vec<u8>), String> {
    must(seen.header("api-key") == "nr-key", "Api-Key")?;
    must(seen.header("content-type") == "application/json", "content-type")?;
    must(seen.header("content-encoding") == "gzip", "content-encoding")?;
    must(seen.packed_bytes <= 1_000_000, "more than 10^6 bytes")?;
    let body: Json = serde_json::from_slice(&seen.body).map_err(|error| error.to_string())?;
    let blocks = body.as_array().filter(|blocks| blocks.len() == 1).ok_or("one block")?;
    must(blocks[0]["common"]["attributes"]["service.name"] == "naze", "service.name")?;
    must(blocks[0]["common"]["attributes"]["environment"] == "production", "environment")?;
    let now = Utc::now().timestamp_millis();
    let is_recent = |at: i64| at > now - 48 * 3_600_000 && at <= now + 1_000;
    match seen.path.as_str() {
        METRICS => {
            for metric in blocks[0]["metrics"].as_array().ok_or("metrics")? {
                let name = metric["name"].as_str().ok_or("name")?;
                must(name.len() <= 255, name)?;
                check(&metric["attributes"], 150)?;
                let value = metric["value"].as_f64().ok_or("value")?;
                let at = metric["timestamp"].as_i64().ok_or("timestamp")?;
                must(is_recent(at), "timestamp")?;
                match metric["type"].as_str() {
                    Some("gauge") => {}
                    Some("count") => {
                        must(value > 0.0, "a count is positive")?;
                        let interval = metric["interval.ms"].as_i64().ok_or("a count has an interval")?;
                        must(interval > 0 && is_recent(at + interval), "interval")?;
                    }
                    other => return Err(format!("type {other:?}")),
                }
            }
        }
        LOGS => {
            for log in blocks[0]["logs"].as_array().filter(|logs| !logs.is_empty()).ok_or("logs")? {
                must(log["timestamp"].as_i64().is_some_and(is_recent), "timestamp")?;
                must(log["message"].is_string(), "message")?;
                check(&log["attributes"], 255)?;
            }
        }
        other => return Err(format!("there is no {other}")),
    }
    Ok((202, b"{\"requestId\":\"1\"}".to_vec()))
}

fn check(attributes: &Json, number_max: usize) -> Result<(), String> {
    let attributes = attributes.as_object().ok_or("attributes")?;
    must(attributes.len() <= number_max, "too many attributes")?;
    for (name, value) in attributes {
        must(name.len() <= 255 && !["accountId", "eventType"].contains(&name.as_str()), name)?;
        must(!value.is_array() && !value.is_object() && !value.is_null(), format!("{name} is no scalar"))?;
        must(value.as_str().is_none_or(|text| text.chars().count() <= 4_094), format!("{name} is too long"))?;
    }
    Ok(())
}

fn config(url: &str) -> String {
    format!("[exports.nr]\nkind = \"newrelic\"\nurl = \"{url}\"\ntoken = \"nr-key\"\ninterval_seconds = 1\n")
}

fn told(tool: &Tool, path: &str, member: &str) -> Vec<Json> {
    let requests = tool.taken(path).into_iter().map(|seen| serde_json::from_slice::<Json>(&seen.body).unwrap());
    requests.flat_map(|body| body[0][member].as_array().unwrap().clone()).collect()
}

fn grown(tool: &Tool) -> BTreeMap<String, f64> {
    let mut sums = BTreeMap::new();
    for metric in told(tool, METRICS, "metrics").iter().filter(|metric| metric["type"] == "count") {
        let labels: BTreeMap<String, String> = serde_json::from_value(metric["attributes"].clone()).unwrap();
        *sums.entry(shown(metric["name"].as_str().unwrap(), &labels)).or_default() += metric["value"].as_f64().unwrap();
    }
    totals(&sums)
}

#[test]
fn counts_and_levels_and_logs_arrive_once() {
    let tool = Tool::start(contract);
    let mut naze = Pusher::new(&config(&tool.url));
    eventually("a first reading", |seen| *seen > 0, || tool.taken(METRICS).len());
    let before = totals(&naze.scraped());
    tool.will([Mood::Status(503), Mood::Status(500)]);
    let mut recorded = naze.record(&failures(0..20));
    let opened = json!({"kind": "andon", "occurredAt": ago(20), "component": "checkout", "status": "opened",
        "level": "warning", "reference": "a1", "summary": "x".repeat(9_000)});
    recorded.extend(naze.record(&[opened]));
    naze.stop();
    naze.start();
    recorded.extend(naze.record(&failures(20..30)));
    let after = totals(&naze.scraped());
    let expected: BTreeMap<String, f64> = after
        .iter()
        .map(|(name, value)| (name.clone(), value - before.get(name).copied().unwrap_or(0.0)))
        .filter(|(_, growth)| *growth > 0.0)
        .collect();
    assert_eq!(expected["tps_jidoka_failures_total{component=\"checkout\"}"], 30.0);
    eventually("the growth of the totals", |grown: &BTreeMap<String, f64>| *grown == expected, || grown(&tool));
    let logs = eventually("all logs", |logs: &Vec<Json>| logs.len() >= 31, || told(&tool, LOGS, "logs"));
    let ids: Vec<&str> = logs.iter().map(|log| log["attributes"]["naze.receipt.id"].as_str().unwrap()).collect();
    assert_eq!(ids, recorded);
    assert_eq!(logs[0]["message"], "Timeout: number 0");
    for (name, value) in [("level", "error"), ("trace.id", super::TRACE), ("span.id", super::SPAN)] {
        assert_eq!(logs[0]["attributes"][name], value, "{name}");
    }
    let levels = told(&tool, METRICS, "metrics");
    let open = levels.iter().rfind(|m| m["name"] == "tps_andon_open" && m["attributes"]["severity"] == "warning");
    assert_eq!(
        open.map(|metric| (metric["type"].clone(), metric["value"].as_f64())),
        Some((json!("gauge"), Some(1.0)))
    );
}
