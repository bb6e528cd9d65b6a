//! Queries made to crash, stall or bloat whoever answers them.

use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::common::{LOOPBACK, serve};

fn corpus() -> Vec<(&'static str, String)> {
    let naze = "https://w3id.org/naze#";
    let star = "?a ?b ?c . ?d ?e ?f . ?g ?h ?i";
    let doubled: String = (0..60).map(|n| format!("BIND(CONCAT(?x{n}, ?x{n}) AS ?x{}) ", n + 1)).collect();
    let replaced: String =
        (0..20).map(|n| format!("BIND(REPLACE(?x{n}, \"x\", \"xxxxxxxxxx\") AS ?x{}) ", n + 1)).collect();
    let many = |count: usize, text: &str| text.repeat(count);
    let numbers: String = (0..10_000).map(|n| format!("{n} ")).collect();
    vec![
        ("nested 1000", format!("SELECT * WHERE {} {}", many(1_000, "{"), many(1_000, "}"))),
        ("nested 95", format!("SELECT * WHERE {} {}", many(95, "{"), many(95, "}"))),
        ("parens 90", format!("SELECT * WHERE {{ FILTER({}1{}) }}", many(90, "("), many(90, ")"))),
        ("minus signs", format!("SELECT ({}1 AS ?x) {{}}", many(30_000, "- "))),
        ("subtractions", format!("SELECT (1{} AS ?x) {{}}", many(30_000, "-1"))),
        ("subtractions spaced", format!("SELECT (1{} AS ?x) {{}}", many(15_000, " - 1"))),
        ("groups", format!("SELECT * WHERE {{ {} }}", many(5_000, "{?s ?p ?o}"))),
        ("groups apart", format!("SELECT * WHERE {{ {} }}", (0..4_000).map(|n| format!("{{?s ?p ?o{n}}}")).collect::<String>())),
        ("columns", format!("SELECT {} {{}}", (0..5_000).map(|n| format!("(1 AS ?x{n})")).collect::<String>())),
        ("from", format!("SELECT * {} {{ ?s ?p ?o }}", many(6_000, "FROM <a:>"))),
        ("optionals 200", format!("SELECT * WHERE {{ {} }}", many(200, "OPTIONAL { ?a ?b ?c } "))),
        ("optionals 480", format!("SELECT * WHERE {{ {} }}", many(480, "OPTIONAL{?a ?b ?c}"))),
        ("unions 480", format!("SELECT * WHERE {{ {{?a ?b ?c}} {} }}", many(480, "UNION {?a ?b ?c}"))),
        ("triples 480", format!("SELECT * WHERE {{ {} }}", (0..480).map(|n| format!("?a{n} ?b{n} ?c{n} .")).collect::<String>())),
        ("path both ends free", "SELECT * { ?a (<p>|^<p>)* ?b }".to_owned()),
        ("path from a component", "SELECT (COUNT(*) AS ?n) { <urn:naze:component:c1> (!<urn:p>|!^<urn:p>)* ?b }".to_owned()),
        ("path pairs", format!("SELECT (COUNT(*) AS ?n) {{ ?r <{naze}component> ?c . FILTER EXISTS {{ <urn:naze:component:c1> (!<urn:p>|!^<urn:p>)* ?r }} }}")),
        ("path in not in", format!("SELECT (COUNT(*) AS ?n) {{ ?r <{naze}component> ?c . FILTER(?c IN (EXISTS {{ ?x (!<urn:p>|!^<urn:p>)* ?y }})) }}")),
        ("path nested closure", "SELECT (COUNT(*) AS ?n) { <urn:naze:component:c1> (((!<urn:p>|!^<urn:p>)*)*)* ?b }".to_owned()),
        ("path long", format!("SELECT (COUNT(*) AS ?n) {{ ?a !<urn:p>{} ?b }}", many(240, "/!<urn:p>"))),
        ("path optional steps", format!("SELECT (COUNT(*) AS ?n) {{ ?a !<urn:p>?{} ?b }}", many(200, "/(!<urn:p>|!^<urn:p>)?"))),
        ("path alternatives", format!("SELECT (COUNT(*) AS ?n) {{ ?a (!<urn:p>{}) ?b . ?b (!<urn:p>{0}) ?c }}", many(100, "|!<urn:p>"))),
        ("cartesian count", format!("SELECT (COUNT(*) AS ?n) {{ {star} }}")),
        ("cartesian order", format!("SELECT * {{ {star} }} ORDER BY ?c ?f ?i")),
        ("cartesian distinct", format!("SELECT DISTINCT * {{ {star} }}")),
        ("cartesian distinct count", format!("SELECT (COUNT(DISTINCT CONCAT(STR(?c), STR(?f), STR(?i))) AS ?n) {{ {star} }}")),
        ("cartesian group", format!("SELECT ?c ?f ?i (COUNT(*) AS ?n) {{ {star} }} GROUP BY ?c ?f ?i")),
        ("cartesian concat", format!("SELECT (GROUP_CONCAT(CONCAT(STR(?c), STR(?f), STR(?i))) AS ?n) {{ {star} }}")),
        ("cartesian construct", format!("CONSTRUCT {{ ?a ?b ?f . ?d ?e ?i . ?g ?h ?c }} {{ {star} }}")),
        ("cartesian describe", format!("DESCRIBE * {{ {star} }}")),
        ("cartesian minus", format!("SELECT * {{ {star} MINUS {{ ?a ?x ?y . ?z ?u ?v }} }}")),
        ("cartesian hash join", "SELECT (COUNT(*) AS ?n) { { SELECT ?a ?d { ?a ?b ?c . ?d ?e ?f } } { SELECT ?a ?d { ?a ?x ?y . ?d ?z ?u } } }".to_owned()),
        ("values", format!("SELECT (COUNT(*) AS ?n) {{ VALUES ?a {{ {numbers} }} {{ ?x ?y ?z }} {{ ?u ?v ?w }} }}")),
        ("doubled text", format!("SELECT (STRLEN(?x60) AS ?n) {{ BIND(\"0123456789\" AS ?x0) {doubled} }}")),
        ("replaced text", format!("SELECT (STRLEN(?x20) AS ?n) {{ BIND(\"xxxxxxxxxx\" AS ?x0) {replaced} }}")),
        ("regex bomb", "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f FILTER(REGEX(CONCAT(STR(?c), STR(?f)), \"(a|a?)+$|((x+x+)+y){1,200}\")) }".to_owned()),
        ("regex per row", "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f FILTER(REGEX(STR(?c), CONCAT(STR(?f), \"(\\\\w{1,90}){1,90}\"))) }".to_owned()),
        ("functions", format!("PREFIX naze: <{naze}> SELECT (COUNT(?x) AS ?n) {{ ?a naze:occurredAt ?t . ?d ?e ?f BIND(naze:mean(CONCAT(\"m\", STR(?d), STR(?a)), \"c1\", ?t, NOW()) AS ?x) }}")),
        ("functions the same", format!("PREFIX naze: <{naze}> SELECT (COUNT(?x) AS ?n) {{ ?a naze:occurredAt ?t . ?d ?e ?f . ?g ?h ?i BIND(naze:mean(\"m\", \"c1\", ?t, NOW()) AS ?x) }}")),
        ("functions of long texts", format!("PREFIX naze: <{naze}> SELECT (COUNT(?x) AS ?n) {{ {{ SELECT (GROUP_CONCAT(STR(?t); SEPARATOR=\" \") AS ?ts) {{ ?a ?b ?c . ?d naze:occurredAt ?t }} }} ?g naze:occurredAt ?h BIND(naze:pearson(\"m\", \"c1\", ?h, NOW(), ?ts) AS ?x) }}")),
        ("hashes", format!("SELECT (MAX(SHA512(CONCAT(STR(?c), STR(?f)))) AS ?n) {{ {star} }}")),
    ]
}

/// What one query may take.
const SECONDS: u64 = 1;
const MEMORY_MB: u64 = 256;

/// The resident set of a process at its largest, in MB.
fn memory_peak(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

fn children(process: u32) -> String {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    threads.map(|thread| std::fs::read_to_string(thread.unwrap().path().join("children")).unwrap_or_default()).collect()
}

/// Each costs its sender an error and nobody else anything: the server lives, does not grow, and leaves nothing behind.
#[test]
fn no_query_harms_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let limits = format!("[limits]\nquery_seconds = {SECONDS}\nquery_memory_bytes = {}\n", MEMORY_MB << 20);
    std::fs::write(folder.path().join("naze.toml"), limits).unwrap();
    let (server, url) = serve(folder.path(), LOOPBACK);
    let http = reqwest::blocking::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
    let receipts: Json = (0..5_000)
        .map(|n| json!({"kind": "failure", "occurredAt": format!("2026-03-{:02}T10:00:{:02}Z", 1 + n % 28, n % 60),
            "component": format!("c{}", n % 50), "failureType": format!("E{}", n % 7), "message": format!("{n} {}", "a".repeat(30))}))
        .collect();
    let sent = http.post(format!("{url}/v1/receipts")).header("content-type", "application/json");
    assert_eq!(sent.body(receipts.to_string()).send().unwrap().status(), 201);
    let ask = |query: String| {
        let request = http.post(format!("{url}/sparql")).header("content-type", "application/sparql-query");
        let reply = request.body(query).send().unwrap();
        (reply.status().as_u16(), String::from_utf8(reply.bytes().unwrap().to_vec()).unwrap())
    };
    let count = || ask("SELECT (COUNT(*) AS ?n) { ?r <https://w3id.org/naze#failureType> ?t }".to_owned());

    let before = count();
    assert!(before.1.contains("\"5000\""), "{}", before.1);
    let memory = memory_peak(server.0.id());
    for (name, query) in corpus() {
        let (status, text) = ask(query);
        println!("{name:28} {status} {}", text.chars().take(120).collect::<String>().replace('\n', " "));
        assert_ne!(status, 500, "{name}: {text}");
        assert_eq!(children(server.0.id()), "", "{name} left its worker running");
        assert!(memory_peak(server.0.id()) < memory + MEMORY_MB, "{name} took the server's memory");
    }
    assert_eq!(count(), before);
}
