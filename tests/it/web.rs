//! The pages: they render in every world, are whole, bounded and strict, and evidence stays text.

mod access;
mod browser;
mod charts;
mod hostile;
mod html;
mod live;
mod principles;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use serde_json::{Value as Json, json};
use sha2::Digest as _;

use self::html::elements;
use crate::common::{Naze, Reply};

/// The largest page.
const BYTES_MAX: usize = 100_000;
const WORLDS: [&str; 5] = ["bad_deploy", "dependency_outage", "noisy_neighbour", "quiet", "slow_leak"];

fn open_incident(naze: &Naze) -> String {
    let given = json!({"component": "web", "summary": "web answers 502", "severity": "critical",
        "metric": "error_ratio", "detectedAt": "2026-03-10T10:09:00Z", "reference": "inc-web"});
    let reply = naze.post("/v1/incidents", "application/json", given.to_string());
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
    "/incidents/inc-web".to_owned()
}

/// What every page owes its reader and its browser.
#[track_caller]
fn check(path: &str, reply: &Reply) -> String {
    let text = reply.text();
    assert_eq!(reply.headers["content-type"], "text/html; charset=utf-8", "{path}");
    let policy = reply.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'self'; script-src 'self'") && !policy.contains("unsafe")
    );
    assert_eq!(reply.headers["x-content-type-options"], "nosniff", "{path}");
    assert!(reply.body.len() <= BYTES_MAX, "{path} has {} bytes", reply.body.len());
    for once in
        ["<!DOCTYPE html>", "<html lang=\"en\">", " · naze</title>", "<h1", "<main id=\"main\"", "href=\"#main\""]
    {
        assert_eq!(text.matches(once).count(), 1, "{once} in {path}");
    }
    let elements = elements(path, &text);
    let mut ids = BTreeSet::new();
    for (name, attributes) in &elements {
        assert!(
            !attributes.keys().any(|name| name.starts_with("on") || name == "style"),
            "{path}: {name} {attributes:?}"
        );
        assert!(!["iframe", "object", "embed", "base", "style"].contains(&name.as_str()), "{path}: <{name}>");
        if name == "script" {
            assert!(attributes["src"].starts_with("/assets/naze-"), "{path}: {attributes:?}");
        }
        for target in ["href", "src", "action", "formaction"].iter().filter_map(|name| attributes.get(*name)) {
            assert!(
                (target.starts_with('/') && !target.starts_with("//")) || target.starts_with('#'),
                "{path}: {target}"
            );
        }
        if let Some(id) = attributes.get("id") {
            assert!(ids.insert(id.clone()), "{path}: two elements are called {id}");
        }
    }
    text
}

/// Follows every link from the overview.
fn crawl(naze: &Naze, pages_max: usize) -> BTreeMap<String, String> {
    crawl_from(naze, &["/"], pages_max)
}

/// Follows every link from some pages, and returns all by path. The time that is looked at is not changed.
fn crawl_from(naze: &Naze, starts: &[&str], pages_max: usize) -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    let mut seen: BTreeSet<String> = starts.iter().map(|&path| path.to_owned()).collect();
    let mut queue: VecDeque<String> = starts.iter().map(|&path| path.to_owned()).collect();
    let is_other_time = |path: &str| {
        let is_moved = path.contains("from=") && !path.starts_with("/queries/");
        is_moved || path.contains("range=") || path.starts_with("/reviews/")
    };
    while let Some(path) = queue.pop_front().filter(|_| pages.len() < pages_max) {
        let reply = naze.get_as(&path, "text/html,application/xhtml+xml,*/*;q=0.8");
        assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text());
        if ["/v1/", "/assets/", "/ontology"].iter().any(|start| path.starts_with(start)) {
            continue;
        }
        let text = check(&path, &reply);
        for (_, attributes) in elements(&path, &text) {
            for target in ["href", "src"].iter().filter_map(|name| attributes.get(*name)) {
                let target = target.split('#').next().unwrap().to_owned();
                if !target.is_empty() && !is_other_time(&target) && seen.insert(target.clone()) {
                    queue.push_back(target);
                }
            }
        }
        pages.insert(path, text);
    }
    pages
}

#[test]
fn every_link_of_every_world_leads_to_a_whole_page() {
    for world in WORLDS {
        let naze = Naze::in_world(world);
        open_incident(&naze);
        let pages = crawl(&naze, 150);
        for path in [
            "/",
            "/principles/jidoka",
            "/principles/tracing",
            "/slos",
            "/recommendations",
            "/reviews",
            "/kaizen",
            "/experiments",
            "/incidents",
            "/incidents/inc-web",
            "/trends",
            "/queries",
            "/queries/changes_before",
            "/explore",
            "/ledger",
        ] {
            assert!(pages.contains_key(path), "{world}: nothing leads to {path}");
        }
        for start in ["/component?name=", "/receipts/", "/queries/verdicts"] {
            assert!(pages.keys().any(|path| path.starts_with(start)), "{world}: nothing leads to {start}");
        }
    }
}

#[test]
fn pages_of_an_empty_naze_say_so() {
    let naze = Naze::in_memory();
    let pages = crawl(&naze, 100);
    assert!(pages["/"].contains("nothing is measured") && pages["/incidents"].contains("None."));
    assert!(
        pages["/trends"].contains("Nothing is measured yet") && pages["/ledger"].contains("Nothing is recorded yet")
    );
}

#[test]
fn the_incident_page_shows_the_cause_with_its_reasons() {
    let naze = Naze::in_world("bad_deploy");
    let text = check("incident", &naze.get(&open_incident(&naze)));
    let answer = naze.get("/v1/incidents/inc-web/why").json();
    assert!(text.contains("checkout likely broke web."), "{text}");
    let first = &answer["ranked"][0];
    for term in first["terms"].as_array().unwrap() {
        assert!(text.contains(&maud_escaped(term["statement"].as_str().unwrap())), "{term}");
        for id in term["receipts"].as_array().unwrap().iter().take(8) {
            assert!(text.contains(&format!("href=\"/receipts/{}\"", id.as_str().unwrap())), "{id}");
        }
    }
    for step in answer["chain"].as_array().unwrap() {
        assert!(text.contains(&maud_escaped(step["because"].as_str().unwrap())), "{step}");
    }
    for other in answer["whyNot"].as_array().unwrap() {
        assert!(text.contains(&maud_escaped(other["statement"].as_str().unwrap())), "{other}");
    }
    assert!(
        text.contains("<li>web depends on checkout</li>") && text.contains("<title>checkout: first suspect</title>")
    );
}

fn maud_escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[test]
fn the_timeline_is_narrowed_by_kind_component_and_severity() {
    let naze = Naze::in_world("bad_deploy");
    let path = open_incident(&naze);
    let kinds = |query: &str| -> BTreeSet<String> {
        let text = naze.get(&format!("{path}{query}")).text();
        let table = text.split("aria-label=\"Events\"").nth(1).unwrap_or_default();
        let rows = table.split("<tr>").skip(2).map(|row| row.split("<td>").nth(3).unwrap_or_default());
        rows.map(|cell| cell.split('<').next().unwrap().to_owned()).collect()
    };
    assert!(kinds("").len() > 4, "{:?}", kinds(""));
    assert_eq!(kinds("?kind=deployment"), BTreeSet::from(["deployment".to_owned()]));
    let critical = ["alert", "failure", "incident"].map(str::to_owned);
    assert_eq!(kinds("?kind=&severity=critical&component=web"), BTreeSet::from(critical));
    assert_eq!(naze.get(&format!("{path}?severity=loud")).status, StatusCode::BAD_REQUEST);
}

fn judge(naze: &Naze, path: &str, form: &str, headers: &[(&str, &str)]) -> Reply {
    let request = Request::post(format!("{path}/verdict")).header("content-type", "application/x-www-form-urlencoded");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    naze.send(request.body(Body::from(form.to_owned())).unwrap())
}

#[test]
fn a_person_rules_out_and_confirms_and_the_answer_follows() {
    let naze = Naze::in_world("bad_deploy");
    let path = open_incident(&naze);
    let reply = judge(&naze, &path, "verdict=ruled_out&cause=checkout&message=rolled+back%2C+no+change", &[]);
    assert_eq!(
        (reply.status, &reply.headers["location"]),
        (StatusCode::SEE_OTHER, &"/incidents/inc-web#cause".parse().unwrap())
    );
    let answer = naze.get("/v1/incidents/inc-web/why").json();
    assert_ne!(answer["ranked"][0]["component"], "checkout");
    let same_origin = [("sec-fetch-site", "same-origin")];
    assert_eq!(judge(&naze, &path, "verdict=confirmed&cause=inventory", &same_origin).status, StatusCode::SEE_OTHER);
    let answer = naze.get("/v1/incidents/inc-web/why").json();
    assert_eq!((&answer["ranked"][0]["component"], &answer["verdict"]), (&json!("inventory"), &json!("confirmed")));
    let text = naze.get(&path).text();
    assert!(text.contains("inventory broke web: confirmed.") && text.contains("rolled back, no change"));
    // As of then, nobody had said so.
    let then = naze.get("/v1/incidents/inc-web/why?at=2026-03-10T10:09:00Z").json();
    assert_eq!((&then["ranked"][0]["component"], &then["verdict"]), (&json!("checkout"), &json!("likely")));
    let notes = naze.get("/v1/queries/verdicts?incident=inc-web&at=2026-03-10T12:00:01Z").json();
    assert_eq!(notes["rows"].as_array().unwrap().len(), 2, "{notes}");
}

#[test]
fn a_verdict_from_another_site_or_without_sense_is_refused() {
    let naze = Naze::in_world("bad_deploy");
    let path = open_incident(&naze);
    let form = "verdict=confirmed&cause=inventory";
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example"), ("host", "127.0.0.1:7310")],
        &[("origin", "null"), ("host", "127.0.0.1:7310")],
    ] {
        assert_eq!(judge(&naze, &path, form, headers).status, StatusCode::FORBIDDEN, "{headers:?}");
    }
    let own = [("origin", "http://127.0.0.1:7310"), ("host", "127.0.0.1:7310")];
    assert_eq!(judge(&naze, &path, "verdict=maybe&cause=inventory", &own).status, StatusCode::BAD_REQUEST);
    assert_eq!(judge(&naze, &path, "verdict=confirmed", &own).status, StatusCode::BAD_REQUEST);
    assert_eq!(judge(&naze, "/incidents/none", form, &own).status, StatusCode::NOT_FOUND);
    assert_eq!(naze.get("/v1/incidents/inc-web/why").json()["verdict"], "likely");
    assert_eq!(judge(&naze, &path, form, &own).status, StatusCode::SEE_OTHER);
}

#[test]
fn what_is_not_there_has_a_page_too() {
    let naze = Naze::in_memory();
    for (path, status) in [
        ("/incidents/none", 404),
        ("/receipts/xyz", 400),
        (&*format!("/receipts/{}", "0".repeat(64)), 404),
        ("/queries/none", 404),
        ("/component", 400),
        ("/component?name=web&from=soon", 400),
        ("/why", 400),
        ("/principles/none", 404),
        ("/slos/none", 404),
        ("/component?name=web&from=-1h&to=-2h", 400),
        ("/trends?metric=x&range=2h", 400),
    ] {
        let reply = naze.get(path);
        assert_eq!(reply.status.as_u16(), status, "{path}");
        check(path, &reply);
    }
}

#[test]
fn queries_are_run_from_their_forms_and_errors_stand_beside_them() {
    let naze = Naze::in_world("bad_deploy");
    let shown =
        check("query", &naze.get("/queries/changes_before?at=2026-03-10T10:09:00Z&lookback=24h&component=&limit="));
    assert!(shown.contains("4 rows") || shown.contains("3 rows"), "{shown}");
    let rows = naze.get("/v1/queries/changes_before?at=2026-03-10T10:09:00Z&lookback=24h").json();
    for row in rows["rows"].as_array().unwrap() {
        assert!(shown.contains(&format!("/receipts/{}", row["event"].as_str().unwrap())), "{row}");
    }
    let wrong = check("wrong", &naze.get("/queries/changes_before?lookback=soon"));
    assert!(wrong.contains("lookback=&quot;soon&quot; is no span of time") && wrong.contains("value=\"soon\""));
    let required = check("required", &naze.get("/queries/similar_incidents"));
    assert!(required.contains("Fill in what is required"));
}

#[test]
fn the_editor_answers_every_form_of_query() {
    let naze = Naze::in_world("bad_deploy");
    let ask = |query: &str| {
        let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
        check(&query, &naze.get(&format!("/explore?query={query}")))
    };
    let select = ask(
        "PREFIX naze: <https://w3id.org/naze#> SELECT ?component (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?d a naze:Deployment ; naze:component ?component } } GROUP BY ?component ORDER BY ?component",
    );
    assert!(select.contains("<a href=\"/component?name=checkout\">checkout</a>"), "{select}");
    assert!(ask("ASK { GRAPH ?g { ?s ?p ?o } }").contains("<p class=\"lead\">true</p>"));
    assert!(ask("CONSTRUCT { <urn:a> <urn:b> \"<script>\" } WHERE {}").contains("&lt;script&gt;"));
    assert!(ask("SELECT WHERE").contains("role=\"alert\""));
}

fn measured(naze: &Naze) {
    let minutes = (0..240).map(|minute| {
        let value = if minute < 180 { 0.2 } else { 0.9 };
        json!({"metric": "tps_heijunka_pool_utilization", "component": "checkout", "occurredAt": format!("2026-03-10T{:02}:{:02}:00Z", 8 + minute / 60, minute % 60), "value": value})
    });
    let body: Vec<Json> = minutes.collect();
    let reply = naze.post("/v1/measurements", "application/json", json!(body).to_string());
    assert!(reply.status.is_success(), "{}", reply.text());
}

#[test]
fn a_trend_is_drawn_with_its_events_and_a_principle_has_its_colour() {
    let naze = Naze::in_world("bad_deploy");
    let heijunka = |colour: &str, word: &str| {
        format!("<a href=\"/principles/heijunka\">Heijunka</a> <span class=\"chip {colour}\">{word}</span></h3>")
    };
    assert!(naze.get("/").text().contains(&heijunka("grey", "no data")));
    measured(&naze);
    let text = check("/", &naze.get("/"));
    assert!(text.contains(&heijunka("red", "act now")) && text.contains("<p class=\"value\">90 %</p>"), "{text}");
    let trend = check("trend", &naze.get("/trends?metric=tps_heijunka_pool_utilization&component=checkout&range=24h"));
    assert!(trend.contains("<path class=\"line\" d=\"M"), "{trend}");
    assert!(
        trend.contains("deployment succeeded: 2.8.0") && trend.contains("class=\"mark-head deployment\""),
        "{trend}"
    );
    assert!(naze.get("/trends").text().contains("tps_heijunka_pool_utilization"));
}

/// The line that says what to do first.
fn first(naze: &Naze) -> String {
    let text = check("/", &naze.get("/"));
    let start = text.find("<p class=\"first ").expect("the overview begins with it");
    text[start..start + text[start..].find("</p>").unwrap()].to_owned()
}

#[test]
fn all_is_well_only_when_everything_is_known_and_nothing_is_wrong() {
    let naze = Naze::in_memory();
    let record = |receipt: Json| {
        let reply = naze.post("/v1/receipts", "application/json", receipt.to_string());
        assert_eq!(reply.status, 201, "{}", reply.text());
    };
    assert!(first(&naze).contains("Unknown: no incident is open, but nothing is measured"), "{}", first(&naze));
    record(json!({"kind": "circuit", "component": "cart", "occurredAt": "2026-03-10T11:59:00Z", "state": "closed"}));
    let told = first(&naze);
    assert!(told.starts_with("<p class=\"first grey\">No trouble is known: no incident is open"), "{told}");
    assert!(told.contains("Nothing is known of Kanban"), "{told}");
    let text = naze.get("/").text();
    assert!(text.contains("health 100 of 100, from 1 of 4 pillars"), "{text}");
    record(
        json!({"kind": "health", "component": "payment", "occurredAt": "2026-03-10T11:59:30Z", "state": "unhealthy",
        "reason": "its disk is full"}),
    );
    let told = first(&naze);
    assert!(told.starts_with("<p class=\"first red\">") && told.contains("payment"), "{told}");
    assert!(told.contains("its disk is full"), "{told}");
}

#[test]
fn reports_as_pages_run_nothing() {
    let naze = Naze::in_world("bad_deploy");
    let path = open_incident(&naze);
    for report in ["postmortem", "timeline", "why"] {
        let reply = naze.get_as(&format!("/v1{path}/{report}"), "text/html");
        let policy = reply.headers["content-security-policy"].to_str().unwrap();
        let text = reply.text();
        let style = text.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(style));
        assert_eq!(policy.split("; ").nth(1).unwrap(), format!("style-src 'sha256-{hash}'"), "{report}");
        assert!(policy.starts_with("default-src 'none'; ") && !text.contains("<script"), "{report}");
    }
}

#[test]
fn the_largest_pages_stay_small() {
    let naze = Naze::in_memory();
    let long = "x<&\"".repeat(4_000);
    let receipts: Vec<Json> = (0..500)
        .map(|number| {
            let at = format!("2026-03-10T10:{:02}:{:02}.{:03}Z", number / 60 % 60, number % 60, number % 1000);
            let labels: serde_json::Map<String, Json> = (0..20).map(|label| (format!("label{label}"), json!("v<".repeat(200)))).collect();
            json!({"kind": "failure", "occurredAt": at, "component": format!("component-{}-{}", number % 40, "y".repeat(60)), "failureType": format!("E{number}"),
                "message": long, "peer": "web", "summary": format!("{number} {}", "z&".repeat(200)), "labels": labels})
        })
        .collect();
    naze.record(&json!(receipts));
    open_incident(&naze);
    let pages = crawl(&naze, 60);
    assert!(pages.len() >= 60, "{}", pages.len());
}

#[test]
fn assets_are_named_after_their_content_and_kept_forever() {
    let naze = Naze::in_memory();
    let text = naze.get("/").text();
    let assets: Vec<String> = elements("/", &text)
        .into_iter()
        .flat_map(|(_, attributes)| attributes.into_values())
        .filter(|value| value.starts_with("/assets/"))
        .collect();
    assert_eq!(assets.len(), 3, "{assets:?}");
    for path in assets {
        let reply = naze.get(&path);
        assert_eq!(reply.headers["cache-control"], "public, max-age=31536000, immutable", "{path}");
        let sum = sha2_hex(&reply.body);
        assert!(path.contains(&sum[..16]), "{path} is not named after {sum}");
    }
    assert_eq!(naze.get("/assets/naze-0000000000000000.css").status, StatusCode::NOT_FOUND);
}

fn sha2_hex(bytes: &[u8]) -> String {
    hex::encode(sha2::Sha256::digest(bytes))
}
