//! What a query with functions may cost, in this process and in a worker's, and that it does not matter where it runs.

use serde_json::json;

use super::{between, feed, measured, rows, sparql, time, told};
use crate::common::{LOOPBACK, Naze, serve};

#[test]
fn calls_are_bounded_and_the_same_one_is_answered_once() {
    let naze = measured();
    let digits: String = (0..150).map(|n| format!("{n} ")).collect();
    let (window, rows) = (between(0, 60), format!("VALUES ?a {{ {digits} }} VALUES ?b {{ {digits} }}"));
    // 150 × 150 = 22,500 calls.
    let different = format!(
        "SELECT (COUNT(?x) AS ?n) {{ {rows} BIND(naze:mean(CONCAT('m', STR(?a), '_', STR(?b)), 'orders', {window}) AS ?x) }}"
    );
    let reply = sparql(&naze, &different);
    assert_eq!(reply.status, 400, "{}", reply.text());
    let json = reply.json();
    assert_eq!(json["detail"], "the query asks for more than 20000 different figures of series");
    assert!(json["hints"][0].as_str().unwrap().contains("filter before BIND"), "{json}");
    let same = format!("SELECT (SUM(?x) AS ?n) {{ {rows} BIND(naze:mean('depth', 'orders', {window}) AS ?x) }}");
    assert_eq!(sparql(&naze, &same).text(), "n\r\n337500\r\n", "22,500 × 15");
}

/// A worker has no series: it asks for every figure.
#[test]
fn a_worker_tells_the_same_as_this_process() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, url) = serve(folder.path(), LOOPBACK);
    let http = reqwest::blocking::Client::new();
    let naze = Naze::in_memory();
    let odd = told("gauge", "depth{component=\"orders\"}", 0..720, |at| {
        if at < 400 { 0.1 } else { 0.7 + f64::from(i32::try_from(at % 7).unwrap()) / 3.0 }
    });
    feed(&naze, odd.clone());
    let sent =
        http.post(format!("{url}/v1/measurements")).header("content-type", "text/plain").body(odd).send().unwrap();
    assert_eq!(sent.status(), 201);
    let failures: Vec<_> = (0..40)
        .map(|n| json!({"kind": "failure", "occurredAt": time(380 + 4 * n), "component": "orders", "failureType": "E", "message": format!("{n}")}))
        .collect();
    naze.record(&json!(failures));
    let sent = http
        .post(format!("{url}/v1/receipts"))
        .header("content-type", "application/json")
        .body(json!(failures).to_string());
    assert_eq!(sent.send().unwrap().status(), 201);
    let window = between(360, 720);
    let at = time(400);
    let query = format!(
        "PREFIX naze: <https://w3id.org/naze#> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
         SELECT ?samples ?mean ?quantile ?slope ?change ?moved ?p ?pearson ?spearman ?lag ?nothing {{
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
    let ask = |query: &str| {
        let request = http.post(format!("{url}/sparql")).header("content-type", "application/sparql-query");
        let reply = request.header("accept", "text/csv").body(query.to_owned()).send().unwrap();
        (reply.status().as_u16(), reply.text().unwrap())
    };
    let here = sparql(
        &naze,
        &query.replace("PREFIX naze: <https://w3id.org/naze#> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>", ""),
    );
    assert_eq!(here.status, 200, "{}", here.text());
    assert!(here.text().contains(&format!(",{at},")), "it moved at 400: {}", here.text());
    assert!(here.text().trim_end().ends_with(','), "nothing is unbound: {}", here.text());
    assert_eq!(here.text().matches(",,").count(), 0, "all others have a value: {}", here.text());
    assert_eq!(ask(&query), (200, here.text()));
    let (status, text) = ask("PREFIX naze: <https://w3id.org/naze#> SELECT (naze:mean('depth') AS ?x) {}");
    assert_eq!(status, 400);
    assert!(text.contains("naze:mean takes 4 arguments, 1 were given"), "{text}");
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
