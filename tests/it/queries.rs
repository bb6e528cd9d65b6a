//! The catalogue on the worlds, and the guard before ad-hoc SPARQL.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use naze::clock::Timestamp;
use naze::config::Config;
use naze::error::Kind;
use naze::query::{AdhocFormat, CannedQuery, Catalogue, Limits, Meter, ProtocolDataset, adhoc};
use naze::record::slot::Width;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::common::Naze;

/// What somebody on call would ask about each world; a parameter of one query only is named `query.parameter`.
pub(crate) const WORLDS: [(&str, &[(&str, &str)]); 5] = [
    (
        "bad_deploy",
        &[
            ("at", "2026-03-10T10:15:00Z"),
            ("to", "2026-03-10T12:00:00Z"),
            ("onset", "2026-03-10T10:06:00Z"),
            ("since", "2026-03-10T10:06:00Z"),
            ("component", "checkout"),
            ("incident", "INC-101"),
            ("metric", "error_ratio"),
            ("trace", "7b1e0f6a"),
            ("deployment_regression.at", "2026-03-10T10:00:00Z"),
        ],
    ),
    (
        "dependency_outage",
        &[
            ("at", "2026-03-10T14:10:00Z"),
            ("to", "2026-03-10T16:00:00Z"),
            ("onset", "2026-03-10T14:00:00Z"),
            ("since", "2026-03-10T14:00:00Z"),
            ("component", "payment"),
            ("incident", "INC-202"),
            ("metric", "error_ratio"),
            ("trace", "c0ffee01"),
            ("deployment_regression.component", "checkout"),
            ("deployment_regression.at", "2026-03-10T13:52:00Z"),
        ],
    ),
    (
        "noisy_neighbour",
        &[
            ("at", "2026-03-10T02:15:00Z"),
            ("to", "2026-03-10T09:00:00Z"),
            ("onset", "2026-03-10T02:01:00Z"),
            ("since", "2026-03-10T02:01:00Z"),
            ("component", "cart"),
            ("incident", "INC-404"),
            ("metric", "latency_p99"),
            ("trace", "none"),
        ],
    ),
    (
        "quiet",
        &[
            ("at", "2026-03-10T14:20:00Z"),
            ("to", "2026-03-10T19:00:00Z"),
            ("onset", "2026-03-10T14:00:00Z"),
            ("since", "2026-03-10T14:00:00Z"),
            ("component", "payment"),
            ("incident", "INC-1"),
            ("metric", "disk_ratio"),
            ("trace", "none"),
            ("deployment_regression.at", "2026-03-10T14:00:00Z"),
        ],
    ),
    (
        "slow_leak",
        &[
            ("at", "2026-03-10T16:50:00Z"),
            ("to", "2026-03-10T23:30:00Z"),
            ("onset", "2026-03-10T16:40:00Z"),
            ("since", "2026-03-10T16:40:00Z"),
            ("component", "sessions"),
            ("incident", "INC-303"),
            ("metric", "memory_ratio"),
            ("trace", "none"),
            ("deployment_regression.at", "2026-03-06T09:00:00Z"),
        ],
    ),
];

/// The path that asks `query` about a world, with the parameters it must have and the moment it is asked for.
pub(crate) fn path_of(query: &CannedQuery, given: &[(&str, &str)]) -> String {
    let mut path = format!("/v1/queries/{}?", query.id);
    let asked = query
        .parameters
        .iter()
        .filter(|parameter| parameter.required || ["at", "to", "since"].contains(&&*parameter.name));
    for parameter in asked {
        let value = |name: &str| given.iter().find(|(given, _)| *given == name).map(|(_, value)| *value);
        let value = value(&format!("{}.{}", query.id, parameter.name)).or_else(|| value(&parameter.name));
        let value = value.unwrap_or_else(|| panic!("{}: no value for {}", query.id, parameter.name));
        path += &format!("{}={value}&", parameter.name);
    }
    path.pop();
    path
}

fn rows(naze: &Naze, path: &str) -> Vec<Json> {
    let reply = naze.get(path);
    assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    reply.json()["rows"].as_array().unwrap().clone()
}

#[test]
fn every_query_gives_what_was_read_and_accepted_for_every_world() {
    let catalogue = Catalogue::builtin().unwrap();
    for (world, given) in WORLDS {
        let naze = Naze::in_world(world);
        let names = names_of_receipts(&naze, world);
        let mut told = String::new();
        for query in catalogue.iter() {
            let path = path_of(query, given);
            let reply = naze.get(&path);
            assert_eq!(reply.status, 200, "{world} {path}: {}", reply.text());
            let json = reply.json();
            let declared: Vec<&str> = query.columns.iter().map(|column| column.name.as_str()).collect();
            assert_eq!(json["columns"], json!(declared), "{}", query.id);
            assert_eq!(naze.get(&path).body, reply.body, "{}: the same question gives the same bytes", query.id);
            let limited = naze.get(&format!("{path}&limit=1")).json();
            assert_eq!(
                limited["rows"].as_array().unwrap()[..],
                json["rows"].as_array().unwrap()[..].iter().take(1).cloned().collect::<Vec<_>>()[..]
            );
            let csv = naze.get_as(&path, "text/csv").text();
            told += &format!("# {}\n# {path}\n{}\n", query.question, with_names(&csv, &names));
        }
        insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!(format!("queries on {world}"), told);
        });
    }
}

/// Receipts of a world by id, under the names that the world's file gives them: ids say nothing to a reader.
fn names_of_receipts(naze: &Naze, world: &str) -> Vec<(String, String)> {
    let path = format!("{}/tests/worlds/{world}.ttl", env!("CARGO_MANIFEST_DIR"));
    let turtle = std::fs::read_to_string(path).unwrap();
    let names = turtle.lines().filter_map(|line| line.strip_prefix("r:")?.split_once(" a ").map(|(name, _)| name));
    let outcomes = naze.post("/v1/receipts", "text/turtle", turtle.clone()).json();
    let ids = outcomes["receipts"].as_array().unwrap().iter().map(|outcome| outcome["id"].as_str().unwrap());
    let names: Vec<(String, String)> = ids.zip(names).map(|(id, name)| (id.to_owned(), name.to_owned())).collect();
    assert_eq!(names.len(), outcomes["receipts"].as_array().unwrap().len(), "a receipt of {world} has no name");
    names
}

fn with_names(csv: &str, names: &[(String, String)]) -> String {
    let csv = names.iter().fold(csv.replace("\r\n", "\n"), |csv, (id, name)| csv.replace(id, name));
    csv.replace("urn:naze:receipt:", "r:").replace("urn:naze:component:", "c:")
}

/// Short windows are searched in another way when slots are long; and how long slots are must not matter at all.
#[test]
fn the_width_of_slots_does_not_change_answers() {
    let catalogue = Catalogue::builtin().unwrap();
    for (world, given) in WORLDS {
        let [by_day, by_hour] = [Width::Day, Width::Hour]
            .map(|slot_width| Naze::in_world_with(world, Config { slot_width, ..Config::in_memory() }));
        for query in catalogue.iter() {
            let spans = ["lookback", "after", "before", "baseline"];
            let has = |name: &str| query.parameters.iter().any(|parameter| parameter.name == name);
            for (span, minutes) in [("10m", 10), ("2h", 120), ("5h", 300), ("3d", 4_320)] {
                let mut path = path_of(query, given);
                for name in spans.iter().filter(|name| has(name)) {
                    path += &format!("&{name}={span}");
                }
                if has("from") {
                    let to = given.iter().find(|(name, _)| *name == "to").unwrap().1;
                    let from = to.parse::<Timestamp>().unwrap().checked_add(-TimeDelta::minutes(minutes)).unwrap();
                    path += &format!("&from={from}");
                }
                let (day, hour) = (by_day.get(&path), by_hour.get(&path));
                assert_eq!(day.status, 200, "{path}: {}", day.text());
                assert_eq!(day.text(), hour.text(), "{world} {path}");
            }
        }
    }
}

#[test]
fn queries_keep_the_conventions_of_the_catalogue() {
    for query in Catalogue::builtin().unwrap().iter() {
        let id = &query.id;
        assert!(id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{id}");
        assert!(query.question.ends_with('?'), "{id}: {}", query.question);
        assert!(query.sparql.contains("ORDER BY") && query.sparql.contains("LIMIT 1000"), "{id} has no order or limit");
        assert!(!query.sparql.contains("SERVICE"), "{id}");
        let has_place = |name: &str| {
            query
                .sparql
                .lines()
                .any(|line| line.contains("VALUES") && line.contains("UNDEF") && line.contains(&format!("?{name}")))
        };
        for (name, description) in query.parameters.iter().map(|parameter| (&parameter.name, &parameter.description)) {
            assert!(!description.is_empty(), "{id}: {name}");
        }
        assert!(has_place("from") && has_place("to"), "{id} does not take its window");
    }
}

#[test]
fn nothing_stands_out_in_a_quiet_world() {
    let naze = Naze::in_world("quiet");
    for query in Catalogue::builtin()
        .unwrap()
        .iter()
        .filter(|query| query.group == "cause" && !["changes_before", "dependencies"].contains(&&*query.id))
    {
        let given = if query.parameters.iter().any(|parameter| parameter.name == "onset" && parameter.required) {
            "onset=2026-03-10T10:06:00Z"
        } else if query.parameters.iter().any(|parameter| parameter.name == "incident" && parameter.required) {
            "incident=INC-101"
        } else if query.parameters.iter().any(|parameter| parameter.name == "component" && parameter.required) {
            "component=checkout&at=2026-03-10T10:00:00Z"
        } else {
            ""
        };
        assert_eq!(rows(&naze, &format!("/v1/queries/{}?{given}", query.id)), Vec::<Json>::new(), "{}", query.id);
    }
}

#[test]
fn parameters_are_data_and_wrong_ones_are_named() {
    let naze = Naze::in_world("bad_deploy");
    let attack = "%22%7D%20UNION%20%7B%20%3Fs%20%3Fp%20%3Fo%20%7D%23";
    assert_eq!(
        rows(&naze, &format!("/v1/queries/failures_before?at=2026-03-10T11:00:00Z&component={attack}")),
        Vec::<Json>::new()
    );
    let detail = |path: &str| {
        let reply = naze.get(path);
        assert!(reply.status.is_client_error(), "{path}");
        let json = reply.json();
        format!("{} | {}", json["detail"].as_str().unwrap(), json["hints"][0].as_str().unwrap())
    };
    assert_eq!(
        detail("/v1/queries/failures_befor"),
        "there is no query \"failures_befor\" | did you mean failures_before?"
    );
    assert_eq!(
        detail("/v1/queries/failures_before?componnt=x"),
        "failures_before has no parameter componnt | did you mean component?"
    );
    assert_eq!(
        detail("/v1/queries/failures_before?lookback=soon"),
        "lookback=\"soon\" is no span of time | write 90s, 5m, 1h30m, 7d or 2w"
    );
    assert_eq!(
        detail("/v1/queries/events_around?kind=failrue"),
        "kind: \"failrue\" is not a kind of receipt | did you mean \"failure\"?"
    );
    assert!(
        detail("/v1/queries/events_around?at=noon").starts_with("at=\"noon\" is no time | write 2026-03-10T10:05:00Z")
    );
    assert!(detail("/v1/queries/why_chain").starts_with("why_chain needs the parameter incident"));
    assert!(
        detail("/v1/queries/failure_types?from=2026-03-10T10:00:00Z&to=2026-03-09T10:00:00Z")
            .starts_with("the window is empty")
    );
}

#[test]
fn a_window_is_half_open() {
    let naze = Naze::in_memory();
    let at = |time: &str| json!({"kind": "failure", "occurredAt": time, "component": "a", "failureType": time});
    naze.record(&json!([
        at("2026-03-09T23:59:59.999999Z"),
        at("2026-03-10T00:00:00Z"),
        at("2026-03-10T00:59:59.999999Z"),
        at("2026-03-10T01:00:00Z")
    ]));
    let found = rows(&naze, "/v1/queries/failure_types?from=2026-03-10T00:00:00Z&to=2026-03-10T01:00:00Z");
    let mut types: Vec<&str> = found.iter().map(|row| row["failureType"].as_str().unwrap()).collect();
    types.sort_unstable();
    assert_eq!(types, ["2026-03-10T00:00:00Z", "2026-03-10T00:59:59.999999Z"]);
}

fn sparql(naze: &Naze, query: &str, accept: &str) -> crate::common::Reply {
    let request = axum::http::Request::post("/sparql")
        .header("content-type", "application/sparql-query")
        .header("accept", accept);
    naze.send(request.body(query.to_owned().into()).unwrap())
}

#[test]
fn sparql_answers_in_every_form_and_takes_no_update() {
    let naze = Naze::in_memory();
    naze.record(
        &json!({"kind": "signal", "occurredAt": "2026-03-10T10:00:00Z", "component": "line 1", "colour": "red"}),
    );
    let select = "PREFIX naze: <https://w3id.org/naze#> SELECT ?colour WHERE { ?r naze:colour ?colour }";
    assert_eq!(sparql(&naze, select, "text/csv").text(), "colour\r\nred\r\n");
    assert_eq!(sparql(&naze, select, "text/tab-separated-values").text(), "?colour\n\"red\"\n");
    assert_eq!(
        sparql(&naze, select, "application/sparql-results+json").json()["results"]["bindings"][0]["colour"]["value"],
        "red"
    );
    assert!(sparql(&naze, select, "application/sparql-results+xml").text().contains("<literal>red</literal>"));
    assert_eq!(sparql(&naze, "ASK { ?r a <https://w3id.org/naze#Signal> }", "*/*").json()["boolean"], true);
    let construct = "CONSTRUCT { ?r <urn:c> ?c } WHERE { ?r <https://w3id.org/naze#colour> ?c }";
    assert!(sparql(&naze, construct, "application/n-triples").text().ends_with("<urn:c> \"red\" .\n"));
    let update = sparql(&naze, "DELETE WHERE { ?s ?p ?o }", "*/*");
    assert_eq!(update.status, 400);
    assert!(update.json()["hints"][0].as_str().unwrap().contains("append-only"));
    let form = naze.post("/sparql", "application/x-www-form-urlencoded", "update=DELETE+WHERE+%7B%3Fs+%3Fp+%3Fo%7D");
    assert_eq!(
        (form.status.as_u16(), &form.json()["detail"]),
        (400, &json!("naze takes no SPARQL Update: evidence is append-only"))
    );
    assert_eq!(sparql(&naze, select, "image/png").status, 406);
    assert_eq!(naze.post("/sparql", "text/plain", select).status, 415);
    assert_eq!(naze.get("/sparql").headers["content-type"], "text/turtle");
}

#[test]
fn what_could_kill_or_stall_the_evaluator_is_refused() {
    let naze = Naze::in_world("bad_deploy");
    let nested = format!("SELECT * WHERE {} {}", "{".repeat(1_000), "}".repeat(1_000));
    let wide = format!("SELECT * WHERE {{ {} }}", "OPTIONAL { ?a ?b ?c } ".repeat(600));
    let long = format!("SELECT * WHERE {{ ?s ?p \"{}\" }}", "x".repeat(70_000));
    for (query, named) in [
        (nested.as_str(), "nesting is 1000"),
        (wide.as_str(), "operators"),
        (long.as_str(), "length"),
        ("SELECT * WHERE { ?a (<urn:p>|^<urn:p>)* ?b }", "both ends free"),
        ("SELECT * WHERE { SERVICE <http://evil.example/> { ?s ?p ?o } }", "SERVICE"),
        ("SELECT WHERE", "not SPARQL"),
    ] {
        let reply = sparql(&naze, query, "*/*");
        assert_eq!(reply.status, 400, "{named}: {}", reply.text());
        assert!(reply.json()["detail"].as_str().unwrap().contains(named), "{named}: {}", reply.text());
    }
    let brackets_in_text = format!("SELECT * WHERE {{ ?s ?p \"{}\" }}", "{".repeat(500));
    assert_eq!(sparql(&naze, &brackets_in_text, "*/*").status, 200);
}

#[test]
fn a_query_that_takes_too_long_is_stopped() {
    let naze = Naze::in_world("bad_deploy");
    let limits = Limits { deadline: Duration::from_millis(200), ..Limits::default() };
    let format = AdhocFormat { solutions: "text/csv", graph: "text/turtle" };
    let cross = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }";
    let nothing: Meter = Arc::new(|_| Ok(None));
    let error = adhoc(naze.engine.index(), cross, &ProtocolDataset::default(), format, nothing, &limits).unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.message().contains("ran out of time after 0.2 s"), "{error}");
}

fn condition() -> impl Strategy<Value = String> {
    let time =
        (1u32..28, 0u32..24).prop_map(|(day, hour)| format!("\"2026-02-{day:02}T{hour:02}:30:00Z\"^^xsd:dateTime"));
    let operator = prop_oneof![Just(">"), Just(">="), Just("<"), Just("<="), Just("="), Just("!=")];
    let one = (time, operator, any::<bool>()).prop_map(|(time, operator, swapped)| {
        if swapped { format!("{time} {operator} ?t") } else { format!("?t {operator} {time}") }
    });
    one.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            inner.prop_map(|a| format!("!({a})")),
        ]
    })
}

fn pattern() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("?r naze:occurredAt ?t ; naze:key ?k FILTER(@)"),
        Just("GRAPH ?g { ?r naze:occurredAt ?t ; naze:key ?k } FILTER(@)"),
        Just("?r naze:key ?k . OPTIONAL { ?r naze:occurredAt ?t FILTER(@) }"),
        Just(
            "{ ?r naze:occurredAt ?t ; naze:key ?k FILTER(@) } UNION { ?r naze:key ?k ; naze:component <urn:naze:component:a> }"
        ),
        Just("?r naze:key ?k MINUS { ?r naze:occurredAt ?t FILTER(@) }"),
        Just("?r naze:key ?k . { SELECT ?r WHERE { ?r naze:occurredAt ?t FILTER(@) } }"),
        Just("?r naze:occurredAt ?t ; naze:key ?k . ?other naze:key ?k FILTER(@)"),
        Just("?r naze:key ?k FILTER(EXISTS { ?r naze:occurredAt ?t FILTER(@) })"),
        Just("?r naze:occurredAt ?t ; naze:key ?k FILTER(@ && EXISTS { ?x naze:component <urn:naze:component:b> })"),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Reading time bounds out of a query must never change its answer: FROM every graph forbids it, so both ways are asked.
    #[test]
    fn pushed_down_windows_do_not_change_answers(condition in condition(), pattern in pattern()) {
        thread_local!(static NAZE: Naze = {
            let naze = Naze::in_memory();
            let changes: Json = (1..28).flat_map(|day| [0, 9, 23].map(|hour| json!({
                "kind": "change", "occurredAt": format!("2026-02-{day:02}T{hour:02}:30:00Z"), "component": if day % 2 == 0 { "a" } else { "b" },
                "changeType": "config", "key": format!("{day}-{hour}")}))).collect();
            naze.record(&changes);
            naze
        });
        NAZE.with(|naze| {
            let body = pattern.replace('@', &format!("({condition})"));
            let query = |from: &str| format!("PREFIX naze: <https://w3id.org/naze#> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> SELECT ?k {from} WHERE {{ {body} }} ORDER BY ?k");
            let graphs: String = (1..28).map(|day| format!("<urn:naze:slot:2026-02-{day:02}> ")).collect();
            let from: String = graphs.split_whitespace().map(|graph| format!("FROM {graph} FROM NAMED {graph} ")).collect();
            let pushed = sparql(naze, &query(""), "text/csv");
            let whole = sparql(naze, &query(&from), "text/csv");
            prop_assert_eq!(pushed.status.as_u16(), 200, "{}", pushed.text());
            prop_assert_eq!(pushed.text(), whole.text(), "{}", body);
            Ok(())
        })?;
    }
}
