//! Nothing is lost, nothing is sent twice, nothing waits for a tool: whatever the tool does.

use std::time::{Duration, Instant};

use super::otlp::{config, contract, ids};
use super::tool::{Mood, Tool};
use super::{Pusher, eventually, failures};

const DROPPED: &str = "naze_export_dropped_total{export=\"otel\",reason=\"refused\",signal=\"receipts\"}";
const FAILED: &str = "naze_export_failed_total{export=\"otel\",signal=\"receipts\"}";
const WAITING: &str = "naze_export_waiting{export=\"otel\",signal=\"receipts\"}";

/// Receipts alone, so that each request is one that the test knows of.
fn receipts_only(url: &str) -> String {
    format!("{}metrics = false\n", config(url))
}

fn wait_for(tool: &Tool, expected: &[String]) {
    eventually("delivered", |ids: &Vec<String>| ids.len() >= expected.len(), || ids(tool));
    assert_eq!(ids(tool), expected, "each once, in order");
}

#[test]
fn a_tool_that_says_not_now_gets_everything_later_and_not_before_it_said() {
    let tool = Tool::start(contract);
    let naze = Pusher::new(&receipts_only(&tool.url));
    let date = (chrono::Utc::now() + chrono::TimeDelta::seconds(4)).to_rfc2822().replace("+0000", "GMT");
    tool.will([Mood::Status(503), Mood::After(429, "3".to_owned()), Mood::After(503, date)]);
    let mut recorded = naze.record(&failures(0..10));
    let started = Instant::now();
    recorded.extend(naze.record(&failures(10..20)));
    assert!(started.elapsed() < Duration::from_secs(2), "recording does not wait");
    wait_for(&tool, &recorded);
    let seen = tool.seen();
    let statuses: Vec<u16> = seen.iter().map(|seen| seen.status).collect();
    assert_eq!(statuses[..3], [503, 429, 503]);
    assert_eq!(statuses[3..].iter().filter(|status| **status != 200).count(), 0);
    assert!(seen[1].at - seen[0].at >= Duration::from_secs(1), "a backoff of its own");
    assert!(seen[2].at - seen[1].at >= Duration::from_secs(3), "Retry-After in seconds");
    assert_eq!((naze.figure(FAILED), naze.figure(DROPPED), naze.figure(WAITING)), (3.0, 0.0, 0.0));
    assert_eq!(naze.standing("receipts")["failing"], false);
}

#[test]
fn a_tool_that_does_not_answer_gets_it_again() {
    let tool = Tool::start(contract);
    let naze = Pusher::new(&receipts_only(&tool.url));
    tool.will([Mood::Silent(Duration::from_secs(5))]);
    let recorded = naze.record(&failures(0..3));
    wait_for(&tool, &recorded);
    let seen = tool.seen();
    let waited = seen[1].at - seen[0].at;
    assert!(waited >= Duration::from_secs(3) && waited < Duration::from_secs(30), "timeout and backoff: {waited:?}");
    assert_eq!(naze.figure(FAILED), 1.0);
}

#[test]
fn what_is_refused_is_given_up_and_counted_and_the_next_goes_on() {
    let tool = Tool::start(contract);
    let naze = Pusher::new(&receipts_only(&tool.url));
    // The protocol forbids to try 500 again.
    for (number, status) in [400, 500, 404, 302].into_iter().enumerate() {
        tool.will([Mood::Status(status)]);
        naze.record(&failures(number..number + 1));
        let given_up = number as f64 + 1.0;
        eventually("given up", |dropped| *dropped == given_up, || naze.figure(DROPPED));
        let problem = naze.standing("receipts")["lastProblem"]["message"].as_str().unwrap().to_owned();
        assert!(problem.contains(&status.to_string()) && problem.contains("as asked"), "{problem}");
    }
    let told = std::process::Command::new(env!("CARGO_BIN_EXE_naze")).args(["exports", "--server", &naze.url]).output();
    let told = String::from_utf8(told.unwrap().stdout).unwrap();
    let row = told.lines().find(|line| line.contains("receipts")).unwrap();
    assert!(["otel", "otlp", "true", "302"].iter().all(|cell| row.contains(cell)), "{told}");
    let next = naze.record(&failures(10..12));
    wait_for(&tool, &next);
    assert_eq!(tool.seen().len(), 5);
}

#[test]
fn what_is_too_large_is_sent_in_parts() {
    let tool = Tool::start(contract);
    let naze = Pusher::new(&receipts_only(&tool.url));
    tool.will([Mood::AtMost(2_000)]);
    let recorded = naze.record(&failures(0..40));
    wait_for(&tool, &recorded);
    assert_eq!(naze.figure(DROPPED), 0.0);
    tool.behave();
    // One alone that is too large will never be taken.
    tool.will([Mood::AtMost(10)]);
    naze.record(&failures(50..51));
    eventually("given up", |dropped| *dropped == 1.0, || naze.figure(DROPPED));
    tool.behave();
    let next = naze.record(&failures(51..52));
    wait_for(&tool, &[recorded, next].concat());
}

#[test]
fn wrong_credentials_cost_nothing_and_are_not_told() {
    let tool = Tool::start(contract);
    let naze = Pusher::new(&format!(
        "{}token = \"s3cr3t-t0ken\"\nheaders = {{ \"x-team\" = \"h1dden\" }}\n",
        receipts_only(&tool.url)
    ));
    tool.will([Mood::Says(403, b"unknown token s3cr3t-t0ken, Bearer s3cr3t-t0ken, h1dden".to_vec())]);
    naze.record(&failures(0..2));
    let standing =
        eventually("failing", |standing: &serde_json::Value| standing["failing"] == true, || naze.standing("receipts"));
    let problem = standing["lastProblem"]["message"].as_str().unwrap();
    assert!(problem.contains("403") && problem.contains("check token"), "{problem}");
    assert!(!problem.contains("s3cr3t") && !problem.contains("h1dden"), "{problem}");
    assert_eq!((standing["waiting"].as_u64(), standing["dropped"].as_u64()), (Some(2), Some(0)));
    let seen = &tool.seen()[0];
    assert_eq!((seen.header("authorization"), seen.header("x-team")), ("Bearer s3cr3t-t0ken", "h1dden"));
}

#[test]
fn a_tool_that_is_not_there_is_no_trouble_for_recording_and_gets_all_when_it_comes_even_after_a_restart() {
    let tool = Tool::start(contract);
    let (port, url) = (tool.port, tool.url.clone());
    drop(tool);
    let mut naze = Pusher::new(&receipts_only(&url));
    let mut recorded = Vec::new();
    for batch in 0..5 {
        let started = Instant::now();
        recorded.extend(naze.record(&failures(batch * 100..batch * 100 + 100)));
        assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    }
    eventually("refused connections", |failed| *failed >= 1.0, || naze.figure(FAILED));
    eventually("all wait", |waiting| *waiting == 500.0, || naze.figure(WAITING));
    let took = naze.stop();
    assert!(took < Duration::from_secs(10), "stopping took {took:?}");
    naze.start();
    recorded.extend(naze.record(&failures(500..510)));
    naze.kill();
    let tool = Tool::at(port, contract);
    naze.start();
    wait_for(&tool, &recorded);
}

#[test]
fn killed_while_it_delivers_naze_loses_nothing_and_repeats_what_was_under_way() {
    let tool = Tool::start(contract);
    let mut naze = Pusher::new(&receipts_only(&tool.url));
    let first = naze.record(&failures(0..10));
    wait_for(&tool, &first);
    tool.will([Mood::TakesSilently(Duration::from_secs(3))]);
    let second = naze.record(&failures(10..20));
    eventually("under way", |ids: &Vec<String>| ids.len() == 20, || ids(&tool));
    naze.kill();
    naze.start();
    let third = naze.record(&failures(20..25));
    eventually("delivered", |ids: &Vec<String>| ids.ends_with(&third), || ids(&tool));
    let repeated: Vec<String> = [&first[..], &second, &second, &third].concat();
    let told = ids(&tool);
    assert!(told == repeated || told == [&first[..], &second, &[&second[..], &third].concat()].concat(), "{told:?}");
}

#[test]
fn stopping_sends_what_waits() {
    let tool = Tool::start(contract);
    let mut naze = Pusher::new(&config(&tool.url));
    eventually(
        "a first reading",
        |sent| *sent > 0.0,
        || naze.figure("naze_export_sent_total{export=\"otel\",signal=\"metrics\"}"),
    );
    let readings = tool.taken("/v1/metrics").len();
    let recorded = naze.record(&failures(0..3));
    naze.stop();
    assert_eq!(ids(&tool), recorded);
    assert!(tool.taken("/v1/metrics").len() > readings, "a last reading");
    assert!(naze.data().join("exports.redb").exists());
}

#[test]
fn readings_wait_within_their_bound_and_the_oldest_go_first() {
    let tool = Tool::start(contract);
    let (port, url) = (tool.port, tool.url.clone());
    drop(tool);
    let naze = Pusher::new(&format!("{}receipts = false\nspool_bytes_max = 8000\n", config(&url)));
    let labels = "{export=\"otel\",signal=\"metrics\"}";
    let dropped = "naze_export_dropped_total{export=\"otel\",reason=\"spool_full\",signal=\"metrics\"}";
    eventually("forgotten", |dropped| *dropped > 0.0, || naze.figure(dropped));
    assert!(naze.figure(&format!("naze_export_spool_bytes{labels}")) <= 8_000.0);
    naze.record(&failures(0..9));
    let tool = Tool::at(port, contract);
    eventually("delivered", |waiting| *waiting == 0.0, || naze.figure(&format!("naze_export_waiting{labels}")));
    let times: Vec<u64> = tool.taken("/v1/metrics").iter().map(|seen| time_of(&seen.body)).collect();
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "in order: {times:?}");
}

fn time_of(body: &[u8]) -> u64 {
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
    use opentelemetry_proto::tonic::metrics::v1::metric::Data;
    use prost::Message as _;
    let told = ExportMetricsServiceRequest::decode(body).unwrap();
    let mut metrics = told.resource_metrics[0].scope_metrics[0].metrics.iter();
    metrics
        .find_map(|metric| match &metric.data {
            Some(Data::Sum(sum)) => Some(sum.data_points[0].time_unix_nano),
            _ => None,
        })
        .unwrap()
}

#[test]
fn vendors_are_found_at_their_own_addresses_and_each_kind_is_documented() {
    let addresses = |keys: &str| -> Vec<String> {
        let config: naze::config::Config = toml::from_str(&format!("[exports.a]\n{keys}")).unwrap();
        let export = &config.exports["a"];
        let receipts = export.receipts().map(|route| (route.url)(export));
        let metrics = export.metrics().map(|route| (route.url)(export));
        metrics.into_iter().chain(receipts).collect()
    };
    let (datadog, newrelic) = ("kind = \"datadog\"", "kind = \"newrelic\"");
    for (keys, expected) in [
        (
            datadog.to_owned(),
            ["https://api.datadoghq.com/api/v2/series", "https://http-intake.logs.datadoghq.com/api/v2/logs"],
        ),
        (
            format!("{datadog}\nsite = \"datadoghq.eu\""),
            ["https://api.datadoghq.eu/api/v2/series", "https://http-intake.logs.datadoghq.eu/api/v2/logs"],
        ),
        (newrelic.to_owned(), ["https://metric-api.newrelic.com/metric/v1", "https://log-api.newrelic.com/log/v1"]),
        (
            format!("{newrelic}\nsite = \"eu.newrelic.com\""),
            ["https://metric-api.eu.newrelic.com/metric/v1", "https://log-api.eu.newrelic.com/log/v1"],
        ),
        ("kind = \"otlp\"".to_owned(), ["http://localhost:4318/v1/metrics", "http://localhost:4318/v1/logs"]),
    ] {
        assert_eq!(addresses(&keys), expected, "{keys}");
    }
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/exports.md")).unwrap();
    let rows: String = docs.lines().filter(|line| line.starts_with("| `")).collect();
    for kind in naze::export::DESTINATIONS {
        assert!(rows.contains(&format!("`{}`", kind.name)), "{} is not in docs/exports.md", kind.name);
    }
    for figure in ["sent_total", "failed_total", "dropped_total", "waiting", "spool_bytes"] {
        assert!(rows.contains(&format!("`naze_export_{figure}`")), "{figure}");
    }
}

#[test]
fn a_token_of_the_environment_goes_over_the_files() {
    let text = "[exports.my-tool]\nkind = \"datadog\"\ntoken = \"of the file\"";
    let mut config: naze::config::Config = toml::from_str(text).unwrap();
    config.take_credentials(|name| (name == "NAZE_EXPORT_MY_TOOL_TOKEN").then(|| "of the environment".to_owned()));
    let token = config.exports["my-tool"].token.as_ref().unwrap();
    assert_eq!(token.expose(), b"of the environment");
    assert!(!format!("{config:?}").contains("of the environment"));
}

#[test]
fn a_wrong_configuration_is_refused_by_key_before_anything_is_served() {
    for (exports, wrong) in [
        ("[exports.a]\nkind = \"otlpx\"", "kind \"otlpx\" is unknown; known are datadog"),
        ("[exports.a]\nkind = \"datadog\"", "exports.a.token is missing"),
        ("[exports.a-b]\nkind = \"newrelic\"", "NAZE_EXPORT_A_B_TOKEN"),
        (
            "[exports.a]\nkind = \"grafana_cloud\"\nurl = \"http://127.0.0.1\"\ntoken = \"t\"",
            "exports.a.user is missing",
        ),
        ("[exports.a]\nkind = \"remote_write\"\nurl = \"127.0.0.1\"", "exports.a.url gives an address that is none"),
        ("[exports.a]\nkind = \"remote_write\"\nurl = \"http://h\"\nreceipts = true", "exports.a.receipts is true"),
        ("[exports.a]\nkind = \"otlp\"\nmetrics = false\nreceipts = false\ntraces = false", "nothing else is pushed"),
        ("[exports.a]\nkind = \"otlp\"\ninterval_seconds = 0", "exports.a.interval_seconds is 0"),
        ("[exports.a]\nkind = \"otlp\"\nheaders = { \"a b\" = \"c\" }", "is no header"),
        ("[exports.a]\nkind = \"otlp\"\nendpoint = \"http://h\"", "endpoint"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("naze.toml");
        std::fs::write(&config, exports).unwrap();
        let naze = std::process::Command::new(env!("CARGO_BIN_EXE_naze"))
            .args(["serve", "--listen", crate::common::LOOPBACK, "--data"])
            .arg(folder.path().join("naze"))
            .arg("--config")
            .arg(&config)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&naze.stderr).into_owned();
        assert_eq!(naze.status.code(), Some(2), "{exports}: {said}");
        assert!(said.contains(wrong), "{exports}: {said}");
    }
}
