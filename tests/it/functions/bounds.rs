//! What a query with functions may cost, in this process and in a worker's, and that it does not matter where it runs.

use naze::config::Config;
use serde_json::json;

use super::{between, feed, measured, rows, sparql, time, told};
use crate::common::Naze;

/// A naze that answers ad-hoc queries in processes of their own.
fn with_workers() -> (tempfile::TempDir, Naze) {
    let folder = tempfile::tempdir().unwrap();
    let worker = Some(env!("CARGO_BIN_EXE_naze").into());
    let naze = Naze::with(Config { worker, ..Config::with_data(folder.path()) });
    (folder, naze)
}

/// 22,500 rows.
fn pairs() -> String {
    let numbers: String = (0..150).map(|n| format!("{n} ")).collect();
    format!("VALUES ?a {{ {numbers} }} VALUES ?b {{ {numbers} }}")
}

/// A query with a call in each row, no two alike.
fn different() -> String {
    format!(
        "SELECT (COUNT(?x) AS ?n) {{ {} BIND(naze:mean(CONCAT('m', STR(?a), '_', STR(?b)), 'orders', {}) AS ?x) }}",
        pairs(),
        between(0, 60)
    )
}

#[test]
fn calls_are_bounded_and_the_same_one_is_answered_once() {
    let naze = measured();
    let reply = sparql(&naze, &different());
    assert_eq!(reply.status, 400, "{}", reply.text());
    let json = reply.json();
    assert_eq!(json["detail"], "the query asks for more than 20000 different figures of series");
    assert!(json["hints"][0].as_str().unwrap().contains("filter before BIND"), "{json}");
    let same = format!(
        "SELECT (SUM(?x) AS ?n) {{ {} BIND(naze:mean('depth', 'orders', {}) AS ?x) }}",
        pairs(),
        between(0, 60)
    );
    assert_eq!(sparql(&naze, &same).text(), "n\r\n337500\r\n", "22,500 × 15");
}

/// A worker has no series: it asks for every figure.
#[test]
fn a_worker_tells_the_same_as_this_process() {
    let (_folder, with_workers) = with_workers();
    let naze = Naze::in_memory();
    let odd = told("gauge", "depth{component=\"orders\"}", 0..720, |at| {
        if at < 400 { 0.1 } else { 0.7 + f64::from(i32::try_from(at % 7).unwrap()) / 3.0 }
    });
    feed(&naze, odd.clone());
    feed(&with_workers, odd);
    let failures: Vec<_> = (0..40)
        .map(|n| json!({"kind": "failure", "occurredAt": time(380 + 4 * n), "component": "orders", "failureType": "E", "message": format!("{n}")}))
        .collect();
    naze.record(&json!(failures));
    with_workers.record(&json!(failures));
    let window = between(360, 720);
    let at = time(400);
    let query = format!(
        "SELECT ?samples ?mean ?quantile ?slope ?change ?moved ?p ?pearson ?spearman ?lag ?nothing {{
           {{ SELECT (GROUP_CONCAT(STR(?time); SEPARATOR=' ') AS ?times) {{ ?f a naze:Failure ; naze:occurredAt ?time }} }}
           BIND(naze:samples('depth', 'orders', {window}) AS ?samples)
           BIND(naze:mean('depth', 'orders', {window}) AS ?mean)
           BIND(naze:quantile('depth', 'orders', {window}, 0.9) AS ?quantile)
           BIND(naze:slope('depth', 'orders', {window}) AS ?slope)
           BIND(naze:change('depth', 'orders', {window}) AS ?change)
           BIND(naze:movedAt('depth', 'orders', {window}) AS ?moved)
           BIND(naze:mannWhitney('depth', 'orders', {window}, '{at}'^^xsd:dateTime) AS ?p)
           BIND(naze:pearson('depth', 'orders', {window}, ?times) AS ?pearson)
           BIND(naze:spearman('depth', 'orders', {window}, ?times) AS ?spearman)
           BIND(naze:lag('depth', 'orders', {window}, ?times) AS ?lag)
           BIND(naze:mean('nothing', 'orders', {window}) AS ?nothing)
         }}"
    );
    let here = sparql(&naze, &query);
    assert_eq!(here.status, 200, "{}", here.text());
    assert!(here.text().contains(&format!(",{at},")), "it moved at 400: {}", here.text());
    assert!(here.text().trim_end().ends_with(','), "nothing is unbound: {}", here.text());
    assert_eq!(here.text().matches(",,").count(), 0, "all others have a value: {}", here.text());
    let there = sparql(&with_workers, &query);
    assert_eq!((there.status.as_u16(), there.text()), (200, here.text()));
    let wrong = "SELECT (naze:mean('depth') AS ?x) {}";
    let (here, there) = (sparql(&naze, wrong).json(), sparql(&with_workers, wrong).json());
    assert_eq!(there["detail"], "naze:mean takes 4 arguments, 1 were given");
    assert_eq!((&there["detail"], &there["hints"]), (&here["detail"], &here["hints"]));
}

/// A worker that asks too much is told so by whoever answers it.
#[test]
fn calls_of_a_worker_are_bounded_too() {
    let (_folder, naze) = with_workers();
    let reply = sparql(&naze, &different());
    assert_eq!(reply.status, 400, "{}", reply.text());
    assert_eq!(reply.json()["detail"], "the query asks for more than 20000 different figures of series");
}

/// In which order series and receipts came must not show.
#[test]
fn the_same_measurements_in_another_order_give_the_same_bytes() {
    let series: Vec<String> = (0..30)
        .map(|n| {
            let value = move |at: i64| (f64::from(i32::try_from((at * (n + 3)) % 11).unwrap()) + 0.1) / 3.0;
            told("gauge", &format!("depth_{}{{component=\"c{}\",shard=\"{n}\"}}", n % 3, n % 5), 0..120, value)
        })
        .collect();
    let answers = |order: &mut dyn Iterator<Item = &String>| {
        let naze = Naze::in_memory();
        order.for_each(|text| feed(&naze, text.clone()));
        let changed = rows(&naze, "what_else_changed?at=2026-03-10T02:00:00Z&lookback=1h");
        assert_eq!(changed.len(), 30);
        (changed, sparql(&naze, &format!("SELECT (naze:mean('depth_0', '', {}) AS ?x) {{}}", between(0, 120))).text())
    };
    assert_eq!(answers(&mut series.iter()), answers(&mut series.iter().rev()));
}
