//! A program with the OpenTelemetry SDK sends to a real naze.

use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};

use crate::common::serve;
use crate::receive::crate_path;

/// Every receipt of a kind, with its fields and labels, in the order of recording.
fn receipts(url: &str, kind: &str) -> Vec<Json> {
    let query = format!(
        "SELECT ?r {{ GRAPH ?g {{ ?r a <https://w3id.org/naze#{kind}> ; <https://w3id.org/naze#ledgerPosition> ?at }} }} ORDER BY ?at"
    );
    let client = reqwest::blocking::Client::new();
    let request = client.post(format!("{url}/sparql")).header("content-type", "application/sparql-query").body(query);
    let found: Json = request.send().unwrap().json().unwrap();
    let ids = found["results"]["bindings"].as_array().unwrap().iter().map(|row| row["r"]["value"].as_str().unwrap());
    let show = |iri: &str| {
        let id = iri.strip_prefix("urn:naze:receipt:").unwrap();
        client.get(format!("{url}/v1/receipts/{id}")).send().unwrap().json::<Json>().unwrap()
    };
    ids.map(show).collect()
}

#[test]
fn what_an_sdk_exports_becomes_failures_dependencies_deployments_and_series() {
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("opentelemetry").join("bin/python");
    if !python.exists() {
        eprintln!("SKIPPED: {} is not here; scripts/setup test installs the OpenTelemetry SDK", python.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (_naze, url) = serve(folder.path(), "127.0.0.1:0");
    let run = |version: &str| {
        let shop = Command::new(&python).arg(crate_path("tests/opentelemetry/shop.py")).args([&url, version]).output();
        let shop = shop.unwrap();
        let said = String::from_utf8_lossy(&shop.stderr).into_owned();
        assert!(shop.status.success() && !said.contains("Failed to export"), "{said}");
    };
    run("2.7.9");

    let failures = receipts(&url, "Failure");
    // Which of spans and logs comes first is chance.
    let told = |failure: &Json| {
        json!([
            failure["failureType"].as_str().unwrap().trim_start_matches("__main__."),
            failure["message"],
            failure["severity"]
        ])
    };
    let mut types: Vec<Json> = failures.iter().map(told).collect();
    types.sort_by_key(Json::to_string);
    let expected = [
        json!(["KeyError", "stock", "critical"]),
        json!(["PaymentDeclined", "no funds", null]),
        json!(["error log", "no exception, but an error", null]),
    ];
    assert_eq!(types, expected, "the exception that is a log record and a span's event is one failure");
    for failure in &failures {
        assert_eq!(failure["component"], "checkout");
        assert_eq!(failure["environment"], "test");
        assert_eq!(failure["labels"]["service.version"], "2.7.9");
        assert_eq!(failure["traceId"].is_string(), failure["message"] == "no funds", "{failure}");
    }
    let last = |metric: &str, labels: &str| {
        let path = format!("{url}/v1/series/{metric}?from=-10m&to=%2B10m&step=1h&stat=last{labels}");
        let shown: Json = reqwest::blocking::get(path).unwrap().json().unwrap();
        let series = &shown["series"][0];
        assert_eq!(
            (&series["component"], shown["series"].as_array().unwrap().len()),
            (&json!("checkout"), 1),
            "{shown}"
        );
        (
            series["kind"].clone(),
            series["unit"].clone(),
            series["points"].as_array().unwrap().last().unwrap()[1].clone(),
        )
    };
    assert_eq!(last("shop.orders", "&label.paid=true"), (json!("counter"), json!("{order}"), json!(7.0)));
    assert_eq!(last("shop.queue.depth", "&label.queue=in"), (json!("gauge"), json!(null), json!(12.0)));
    for (bound, count) in [("0.1", 1.0), ("1", 3.0), ("%2BInf", 4.0)] {
        assert_eq!(last("shop.order.duration_bucket", &format!("&label.le={bound}")).2, json!(count), "le {bound}");
    }
    assert_eq!(last("shop.order.duration_sum", "").2, json!(8.15));

    let edges: Vec<Json> =
        receipts(&url, "Dependency").iter().map(|edge| json!([edge["component"], edge["target"]])).collect();
    assert_eq!(edges, [json!(["checkout", "payments"])]);
    assert_eq!(receipts(&url, "Deployment"), Vec::<Json>::new(), "the first version says how things are");

    run("2.8.0");
    let deployments: Vec<Json> = receipts(&url, "Deployment")
        .iter()
        .map(|deployment| {
            json!([
                deployment["component"],
                deployment["version"],
                deployment["previousVersion"],
                deployment["labels"]["inferred"]
            ])
        })
        .collect();
    assert_eq!(deployments, [json!(["checkout", "2.8.0", "2.7.9", "service.version"])]);
    assert_eq!(receipts(&url, "Failure").len(), 6, "another run fails anew");
    assert_eq!(receipts(&url, "Dependency").len(), 1, "the edge was told today");

    let counted = reqwest::blocking::get(format!("{url}/metrics")).unwrap().text().unwrap();
    for line in [
        "naze_receive_total{outcome=\"recorded\",source=\"otlp\"} 8",
        "naze_receive_total{outcome=\"duplicate\",source=\"otlp\"} 3",
    ] {
        assert!(counted.lines().any(|found| found == line), "{line} is not in\n{counted}");
    }
    assert!(!counted.contains("outcome=\"refused\""), "{counted}");
}
