//! From the overview down to the history of one component, and objectives and advice beside it.

use axum::http::StatusCode;
use serde_json::{Value as Json, json};

use super::check;
use super::html::elements;
use crate::common::Naze;

/// Three queues: one far beyond its limit for an hour, one near it, one empty; nothing was told for half an hour.
fn queues() -> Naze {
    let naze = Naze::in_world("bad_deploy");
    let depths = [("orders", 1_200.0), ("mails", 600.0), ("audits", 3.0)];
    let samples = depths.iter().flat_map(|(queue, now)| {
        (0..240).filter(|minute| !(60..90).contains(minute)).map(move |minute| {
            json!({"metric": "tps_kanban_queue_depth", "component": format!("{queue}-service"), "labels": {"queue": queue},
                "occurredAt": format!("2026-03-10T{:02}:{:02}:00Z", 8 + minute / 60, minute % 60),
                "value": if minute < 180 { 3.0 } else { *now }})
        })
    });
    let reply = naze.post("/v1/measurements", "application/json", samples.collect::<Json>().to_string());
    assert!(reply.status.is_success(), "{}", reply.text());
    naze
}

fn links(path: &str, html: &str) -> Vec<String> {
    elements(path, html).into_iter().filter_map(|(_, mut attributes)| attributes.remove("href")).collect()
}

#[test]
fn a_principle_shows_its_colour_value_and_bands_and_what_is_behind_it_worst_first() {
    let naze = queues();
    let text = check("kanban", &naze.get("/principles/kanban"));
    assert!(text.contains("act now: 1200 waiting in the deepest queue"), "{text}");
    assert!(text.contains("watch from 500, act above 1000"));
    let behind = text.split("aria-label=\"What is behind it\"").nth(1).unwrap();
    let place =
        |name: &str| behind.find(&format!(">{name}-service</a>")).unwrap_or_else(|| panic!("{name} in {behind}"));
    assert!(place("orders") < place("mails") && place("mails") < place("audits"));
    assert!(text.contains("tps_kanban_queue_depth of orders-service") && text.contains("critical &gt; 1000"), "{text}");
    let empty = check("tracing", &naze.get("/principles/tracing"));
    assert!(
        empty.contains("no data: nothing is measured") && empty.contains("tps_tracing_duration_seconds"),
        "{empty}"
    );
}

/// What a page says of limits is what is in force: of the configuration, and of what was declared since.
#[test]
fn pages_tell_the_limits_that_are_in_force() {
    let thresholds = r#"
        [metrics]
        cache_seconds = 0
        [[thresholds]]
        metric = "tps_kanban_queue_depth"
        warning = ">= 100"
        critical = "> 400"
        [[thresholds]]
        metric = "tps_andon_error_rate"
        yellow = "> 0.001"
    "#;
    let naze = Naze::with(toml::from_str(thresholds).unwrap());
    let told = |slug: &str, limits: &str| {
        for path in ["/".to_owned(), format!("/principles/{slug}")] {
            let text = check(&path, &naze.get(&path));
            assert!(text.contains(limits), "{limits} in {path}: {text}");
        }
    };
    told("jidoka", "watch above 0 %, act above 30 %");
    told("kanban", "watch from 100, act above 400<");
    told("andon", "watch above 0.1 %<");
    told("kaizen", "watch from 95 % down, act below 90 %");
    told("heijunka", "watch from 70 %, act above 85 %");
    told("tracing", "watch from 3 s, act above 5 s");
    let declared = json!({"metric": "tps_tracing_duration_seconds", "statistic": "p99", "warning": "> 0.25"});
    let reply = naze.send(
        axum::http::Request::put("/v1/thresholds/fast")
            .header("content-type", "application/json")
            .body(declared.to_string().into())
            .unwrap(),
    );
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
    told("tracing", "watch above 0.25 s<");
}

/// Now, the last hour, the last day, and what to do about all three, as `/v1/health` tells them.
#[test]
fn a_principle_shows_where_its_reading_is_heading() {
    let naze = queues();
    assert!(!naze.get("/principles/kanban").text().contains("Where it is heading"), "it has no past yet");
    let naze = queues();
    // Down to 450 for 23 hours, and up again.
    let past: Json = (0..1_440)
        .map(|minute| {
            let value = if minute < 1_380 { 1_830 - minute } else { 450 + 12 * (minute - 1_380) };
            let at = naze.engine.clock().now().checked_add(chrono::TimeDelta::minutes(minute - 1_440)).unwrap();
            json!({"metric": "naze_health_reading", "component": "naze", "occurredAt": at, "value": value,
                "labels": {"principle": "kanban"}})
        })
        .collect();
    assert!(naze.post("/v1/measurements", "application/json", past.to_string()).status.is_success());
    let kanban = naze.get("/v1/health").json()["principles"][1].clone();
    let outlook = &kanban["outlook"];
    assert_eq!(
        (&outlook["hour"]["direction"], &outlook["day"]["direction"], &outlook["decision"]),
        (&json!("degrading"), &json!("improving"), &json!("page on-call")),
        "{kanban:#}"
    );
    let text = check("kanban", &naze.get("/principles/kanban"));
    assert!(text.contains("act now: 1200 waiting in the deepest queue<small>page on-call; watch from 500"), "{text}");
    assert!(text.contains("; so since <time datetime=\"2026-03-10T11:"), "{text}");
    let heading = text.split("aria-label=\"Where it is heading\"").nth(1).unwrap().split("</table>").next().unwrap();
    for (row, verdict) in [("1h", "hour"), ("24h", "day")] {
        let chip = if verdict == "hour" { "red\">degrading" } else { "green\">improving" };
        let statement = super::maud_escaped(outlook[verdict]["statement"].as_str().unwrap());
        let told = format!("<th scope=\"row\">{row}</th><td><span class=\"chip {chip}</span></td><td>{statement}</td>");
        assert!(heading.contains(&told), "{told} in {heading}");
    }
    let overview = check("/", &naze.get("/"));
    assert!(overview.contains("<p>1h degrading, 24h improving</p>"), "{overview}");
}

#[test]
fn links_keep_the_time_down_to_the_history_and_up_again() {
    let naze = queues();
    for time in ["range=7d", "from=2026-03-10T10%3A00%3A00Z&to=2026-03-10T12%3A00%3A00Z"] {
        let at = |path: &str| {
            let mark = if path.contains('?') { '&' } else { '?' };
            let path = format!("{path}{mark}{time}");
            let text = check(&path, &naze.get(&path));
            (links(&path, &text), text)
        };
        let leads = |links: &[String], start: &str| {
            let found = links.iter().find(|link| link.starts_with(start) && link.ends_with(time));
            found.unwrap_or_else(|| panic!("{start}…{time} in {links:?}")).clone()
        };
        let (overview, _) = at("/");
        assert_eq!(leads(&overview, "/principles/kanban"), format!("/principles/kanban?{time}"));
        let (principle, _) = at("/principles/kanban");
        leads(&principle, "/?");
        leads(&principle, "/component?name=orders-service");
        leads(&principle, "/trends?metric=tps_kanban_queue_depth&component=orders-service");
        let (component, _) = at("/component?name=orders-service");
        leads(&component, "/?");
        leads(&component, "/trends?metric=tps_kanban_queue_depth&component=orders-service");
        let (trend, _) = at("/trends?metric=tps_kanban_queue_depth&component=orders-service");
        leads(&trend, "/component?name=orders-service");
    }
}

#[test]
fn a_range_moves_back_and_forth_and_wrong_ones_are_refused() {
    let naze = queues();
    let text = check("1h", &naze.get("/principles/kanban?range=1h"));
    let back = "/principles/kanban?from=2026-03-10T10%3A00%3A00Z&to=2026-03-10T11%3A00%3A00Z";
    assert!(links("1h", &text).iter().any(|link| link == back), "{text}");
    assert!(!text.contains(">later"), "there is nothing after now");
    let past = check("past", &naze.get("/principles/kanban?from=2026-03-10T08:00:00Z&to=2026-03-10T09:00:00Z"));
    let forth = "/principles/kanban?from=2026-03-10T09%3A00%3A00Z&to=2026-03-10T10%3A00%3A00Z";
    assert!(links("past", &past).iter().any(|link| link == forth), "{past}");
    for wrong in ["range=2h", "from=soon", "from=2026-03-10T12:00:00Z&to=2026-03-10T11:00:00Z"] {
        let reply = naze.get(&format!("/principles/kanban?{wrong}"));
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{wrong}");
        check(wrong, &reply);
    }
}

#[test]
fn objectives_show_what_is_left_and_the_broken_one_first() {
    let naze = Naze::in_memory();
    let samples: Json = (0..600)
        .flat_map(|minute| {
            let at = format!("2026-03-10T{:02}:{:02}:00Z", 2 + minute / 60, minute % 60);
            [("tps_quality_gate_pass_rate", 0.99), ("tps_tpm_uptime_ratio", if minute < 500 { 1.0 } else { 0.0 })].map(
                |(metric, value)| json!({"metric": metric, "component": "build", "occurredAt": at, "value": value}),
            )
        })
        .collect();
    assert!(naze.post("/v1/measurements", "application/json", samples.to_string()).status.is_success());
    let api = naze.get("/v1/slos").json();
    let names: Vec<&str> = api["slos"].as_array().unwrap().iter().map(|slo| slo["name"].as_str().unwrap()).collect();
    assert!(names.len() >= 2, "{api}");
    let text = check("/slos", &naze.get("/slos"));
    let list = text.split("aria-label=\"Objectives\"").nth(1).unwrap();
    let (broken, kept): (Vec<&str>, Vec<&str>) =
        names.iter().partition(|name| api["overall"]["missed"].as_array().unwrap().contains(&json!(name)));
    assert!(!broken.is_empty() && !kept.is_empty(), "{api}");
    let place = |name: &str| list.find(&format!("href=\"/slos/{name}\"")).unwrap_or_else(|| panic!("{name} in {list}"));
    assert!(broken.iter().all(|broken| kept.iter().all(|kept| place(broken) < place(kept))), "{list}");
    for slo in api["slos"].as_array().unwrap() {
        let path = format!("/slos/{}", slo["name"].as_str().unwrap());
        let text = check(&path, &naze.get(&path));
        let told = &slo["objectives"][0];
        assert!(text.contains(&format!("{} of {} good", told["good"], told["total"])), "{told} in {text}");
        let fires = told["burn"].as_array().unwrap().iter().filter(|burn| burn["isFiring"] == true).count();
        assert_eq!(text.matches(">firing</span>").count(), fires, "{told}");
    }
}

#[test]
fn advice_stands_in_its_order_with_receipts_and_a_runbook_that_is_there() {
    let naze = Naze::in_world("bad_deploy");
    let api = naze.get("/v1/recommendations").json();
    let recommended = api["recommendations"].as_array().unwrap();
    assert!(!recommended.is_empty(), "{api}");
    let text = check("/recommendations", &naze.get("/recommendations"));
    let mut rest = text.as_str();
    for one in recommended {
        let action = one["action"].as_str().unwrap();
        let place = rest
            .find(&format!("<strong>{}", &super::maud_escaped(action)))
            .unwrap_or_else(|| panic!("{one} in {rest}"));
        rest = &rest[place..];
        for id in one["because"].as_array().unwrap().iter().take(8) {
            assert!(rest.contains(&format!("href=\"/receipts/{}\"", id.as_str().unwrap())), "{one}");
        }
    }
    let runbooks = check("/runbooks", &naze.get("/runbooks"));
    let ids: Vec<String> = elements("/runbooks", &runbooks)
        .into_iter()
        .filter_map(|(_, mut attributes)| attributes.remove("id"))
        .collect();
    let cited: Vec<String> = links("/recommendations", &text);
    let cited: Vec<&str> = cited.iter().filter_map(|link| link.strip_prefix("/runbooks#")).collect();
    assert!(!cited.is_empty());
    for section in cited {
        assert!(ids.iter().any(|id| id == section), "{section} is not in {ids:?}");
    }
    let one = check("one", &naze.get("/recommendations?component=nobody"));
    assert!(one.contains("Nothing stood out"), "{one}");
}
