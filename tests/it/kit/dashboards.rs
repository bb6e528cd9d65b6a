//! The nine dashboards: what they show, in which colours, and how one gets from one to another.

use naze::export::dashboard::Dashboard;
use serde_json::Value as Json;

use super::{checked_in, items, metrics_of, series_names, text};

/// How many panels each dashboard has.
const PANELS: [(&str, usize); 9] = [
    ("andon", 5),
    ("heijunka", 5),
    ("jidoka", 6),
    ("kaizen", 5),
    ("kaizen-overview", 4),
    ("kanban", 6),
    ("tcps", 14),
    ("tps-overview", 8),
    ("tracing", 5),
];
const OVERVIEW: &str = "tps-overview";

fn panel(dashboard: &str, title: &str) -> Json {
    let dashboard = checked_in().remove(dashboard).unwrap();
    items(&dashboard["panels"])
        .iter()
        .find(|panel| panel["title"] == title)
        .unwrap_or_else(|| panic!("{title}"))
        .clone()
}

/// The colour that Grafana gives a value: that of the last step which it reaches.
fn colour(thresholds: &Json, value: f64) -> String {
    let reached = |step: &&Json| step["value"].as_f64().is_none_or(|from| value >= from);
    items(&thresholds["steps"]).iter().rfind(reached).unwrap()["color"].as_str().unwrap().to_owned()
}

#[test]
fn the_files_checked_in_are_those_that_naze_writes() {
    let written = Dashboard::builtin().unwrap();
    let names: Vec<&str> = written.iter().map(|dashboard| dashboard.name.as_str()).collect();
    assert_eq!(names, PANELS.map(|(name, _)| name));
    assert_eq!(checked_in().into_keys().collect::<Vec<_>>(), names);
    for dashboard in written {
        let file = text(&format!("grafana/dashboards/{}.json", dashboard.name));
        let is_same = file == format!("{:#}\n", dashboard.grafana());
        assert!(
            is_same,
            "{} differs: naze dashboards --out examples/tps-reference-system/grafana/dashboards",
            dashboard.name
        );
    }
}

#[test]
fn each_has_its_panels_range_and_refresh() {
    for (name, json) in checked_in() {
        let panels = PANELS.iter().find(|(known, _)| *known == name).unwrap().1;
        assert_eq!(items(&json["panels"]).len(), panels, "{name}");
        assert_eq!((&json["time"]["from"], &json["refresh"]), (&"now-24h".into(), &"30s".into()), "{name}");
        assert_eq!(json["uid"], name.as_str());
        assert_eq!(json["templating"]["list"][0]["type"], "datasource", "{name}");
    }
    assert_eq!(PANELS.iter().map(|(_, panels)| panels).sum::<usize>(), 58);
}

#[test]
fn each_panel_has_title_unit_and_queries_of_known_metrics() {
    const UNITS: [&str; 10] = ["none", "short", "s", "percentunit", "cps", "cpm", "reqps", "ops", "opm", "currencyEUR"];
    let known = series_names();
    for (name, json) in checked_in() {
        let panels = items(&json["panels"]).iter().filter(|panel| panel["type"] != "text");
        for panel in panels {
            let title = panel["title"].as_str().unwrap();
            assert!(!title.is_empty() && !panel["description"].as_str().unwrap().is_empty(), "{name}: {title}");
            let config = &panel["fieldConfig"];
            assert!(UNITS.contains(&config["defaults"]["unit"].as_str().unwrap()), "{name}: {title}");
            assert!(!items(&panel["targets"]).is_empty(), "{name}: {title}");
            for target in items(&panel["targets"]) {
                let query = target["expr"].as_str().unwrap();
                let metrics = metrics_of(&query.replace("$__rate_interval", "").replace("$__range", ""));
                assert!(!metrics.is_empty(), "{name}: {title}: {query}");
                let unknown: Vec<_> = metrics.difference(&known).collect();
                assert!(unknown.is_empty(), "{name}: {title}: {unknown:?}");
            }
        }
    }
}

#[test]
fn what_is_unknown_is_never_green() {
    for (name, json) in checked_in() {
        for panel in items(&json["panels"]).iter().filter(|panel| panel["type"] != "text") {
            let defaults = &panel["fieldConfig"]["defaults"];
            assert_eq!(defaults["noValue"], "no data", "{name}: {}", panel["title"]);
            let unknown = items(&defaults["mappings"]).iter().find(|mapping| mapping["type"] == "special").unwrap();
            assert_eq!(unknown["options"]["match"], "null+nan");
            assert_eq!(unknown["options"]["result"]["color"], "#808080", "{name}: {}", panel["title"]);
        }
    }
}

#[test]
fn the_six_principles_have_the_colours_required_at_their_bounds() {
    let green_yellow_red: [(&str, [(f64, &str); 5]); 6] = [
        (
            "Jidoka: open circuits",
            [(0.0, "green"), (0.001, "yellow"), (0.15, "yellow"), (0.30, "yellow"), (0.301, "red")],
        ),
        (
            "Kanban: deepest queue",
            [(499.0, "green"), (500.0, "yellow"), (750.0, "yellow"), (1000.0, "yellow"), (1001.0, "red")],
        ),
        (
            "Andon: error rate",
            [(0.0049, "green"), (0.005, "yellow"), (0.007, "yellow"), (0.01, "yellow"), (0.0101, "red")],
        ),
        (
            "Kaizen: SLO attainment",
            [(0.951, "green"), (0.95, "yellow"), (0.92, "yellow"), (0.90, "yellow"), (0.899, "red")],
        ),
        (
            "Heijunka: pools in use",
            [(0.699, "green"), (0.70, "yellow"), (0.8, "yellow"), (0.85, "yellow"), (0.851, "red")],
        ),
        ("Tracing: P99 latency", [(2.99, "green"), (3.0, "yellow"), (4.0, "yellow"), (5.0, "yellow"), (5.01, "red")]),
    ];
    for (title, bounds) in green_yellow_red {
        let thresholds = &panel(OVERVIEW, title)["fieldConfig"]["defaults"]["thresholds"];
        for (value, required) in bounds {
            assert_eq!(colour(thresholds, value), required, "{title} at {value}");
        }
    }
}

#[test]
fn other_colours_are_those_required() {
    let health = &panel("tcps", "System health")["fieldConfig"]["defaults"]["thresholds"];
    let scores = [80.0, 79.9, 60.0, 59.9, 40.0, 39.9].map(|score| colour(health, score));
    assert_eq!(scores, ["green", "yellow", "yellow", "orange", "orange", "red"]);
    let goal = &panel("kaizen-overview", "Jidoka")["fieldConfig"]["defaults"]["thresholds"];
    assert_eq!([0.049, 0.05, 0.1, 0.11].map(|ratio| colour(goal, ratio)), ["green", "yellow", "yellow", "red"]);
    let andon = &panel("kaizen-overview", "Andon")["fieldConfig"]["defaults"]["thresholds"];
    assert_eq!([0.0, 1.0, 2.0].map(|alerts| colour(andon, alerts)), ["green", "red", "red"]);
    let workers = &panel("kanban", "Workers available")["fieldConfig"]["defaults"]["thresholds"];
    assert_eq!([0.0, 1.0].map(|workers_ready| colour(workers, workers_ready)), ["red", "green"]);
    let states = &panel("jidoka", "Circuit state")["fieldConfig"]["defaults"]["mappings"][0]["options"];
    let states =
        ["0", "1", "2"].map(|code| (states[code]["text"].as_str().unwrap(), states[code]["color"].as_str().unwrap()));
    assert_eq!(states, [("closed", "green"), ("open", "red"), ("half-open", "yellow")]);
}

#[test]
fn the_hottest_pool_makes_the_overview_yellow_though_the_average_is_green() {
    let pools = panel(OVERVIEW, "Heijunka: pools in use");
    let own = &pools["fieldConfig"]["overrides"][0];
    assert_eq!(own["matcher"]["options"], "B");
    assert!(pools["targets"][1]["expr"].as_str().unwrap().starts_with("max("));
    assert_eq!([0.85, 0.86].map(|used| colour(&own["properties"][0]["value"], used)), ["green", "yellow"]);
}

#[test]
fn the_overview_fits_one_screen_and_nothing_overlaps() {
    let place = |panel: &Json, side: &str| panel["gridPos"][side].as_u64().unwrap();
    for (name, json) in checked_in() {
        let panels = items(&json["panels"]);
        for (index, a) in panels.iter().enumerate() {
            assert!(place(a, "x") + place(a, "w") <= 24, "{name}: {}", a["title"]);
            for b in &panels[index + 1..] {
                let is_beside =
                    place(a, "x") + place(a, "w") <= place(b, "x") || place(b, "x") + place(b, "w") <= place(a, "x");
                let is_above =
                    place(a, "y") + place(a, "h") <= place(b, "y") || place(b, "y") + place(b, "h") <= place(a, "y");
                assert!(is_beside || is_above, "{name}: {} and {}", a["title"], b["title"]);
            }
        }
    }
    // A row has 30 pixels and a gap of 8; a full HD screen shows about 24 of them below Grafana's own bars.
    let overview = checked_in().remove(OVERVIEW).unwrap();
    let bottom = items(&overview["panels"]).iter().map(|panel| place(panel, "y") + place(panel, "h")).max();
    assert!(bottom.unwrap() <= 24, "{bottom:?}");
}

#[test]
fn links_lead_both_ways_and_keep_the_time_range() {
    let dashboards = checked_in();
    for (name, json) in &dashboards {
        for link in items(&json["links"]) {
            assert_eq!(link["keepTime"], true, "{name}: {}", link["title"]);
        }
        let is_back = |link: &Json| link["url"] == format!("/d/{OVERVIEW}");
        assert_eq!(items(&json["links"]).iter().any(is_back), name != OVERVIEW, "{name}");
        let mut urls: Vec<String> = Vec::new();
        for panel in items(&json["panels"]) {
            let links = items(&panel["links"]).iter().chain(items(&panel["fieldConfig"]["defaults"]["links"]));
            urls.extend(links.map(|link| link["url"].as_str().unwrap().to_owned()));
            let content = panel["options"]["content"].as_str().unwrap_or_default();
            urls.extend(content.split("](").skip(1).map(|rest| rest.split(')').next().unwrap().to_owned()));
        }
        for url in urls {
            let keeps = url.contains("${__url_time_range}")
                || (url.contains("${__from:date:iso}") && url.contains("${__to:date:iso}"));
            assert!(keeps, "{name}: {url}");
            if let Some(path) = url.strip_prefix("/d/") {
                assert!(dashboards.contains_key(path.split('?').next().unwrap()), "{name}: {url}");
            }
        }
    }
    let content = panel(OVERVIEW, "Navigation")["options"]["content"].as_str().unwrap().to_owned();
    for principle in ["jidoka", "kanban", "andon", "kaizen", "heijunka", "tracing"] {
        assert!(content.contains(&format!("(/d/{principle}?${{__url_time_range}})")), "{content}");
    }
}

#[test]
fn a_click_on_a_series_shows_it_alone_and_its_history() {
    let links = panel("kanban", "Queue depth by queue")["fieldConfig"]["defaults"]["links"].clone();
    let urls: Vec<&str> = items(&links).iter().map(|link| link["url"].as_str().unwrap()).collect();
    assert_eq!(
        urls,
        [
            "/d/kanban?var-queue=${__field.labels.queue}&${__url_time_range}",
            "${naze}/v1/timeline?component=${__field.labels.queue}&from=${__from:date:iso}&to=${__to:date:iso}",
        ]
    );
}

#[test]
fn trends_are_shares_of_the_red_limits() {
    let trend = panel(OVERVIEW, "System trends");
    let queries: Vec<&str> = items(&trend["targets"]).iter().map(|target| target["expr"].as_str().unwrap()).collect();
    let limits: Vec<f64> = queries.iter().map(|query| query.rsplit_once("/ ").unwrap().1.parse().unwrap()).collect();
    // The mock-up: 0 % open, 450 waiting, 0.3 % errors, 96.2 % attained, 62 % in use, P99 of 234 ms.
    let values = [0.0, 450.0, 0.003, 1.0 - 0.962, 0.62, 0.234];
    let shares: Vec<String> = values.iter().zip(limits).map(|(value, limit)| format!("{:.3}", value / limit)).collect();
    assert_eq!(shares, ["0.000", "0.450", "0.300", "0.380", "0.729", "0.047"]);
    assert!(queries[3].starts_with("(1 - min(tps_kaizen_slo_attainment))"));
    let thresholds = &trend["fieldConfig"]["defaults"]["thresholds"];
    assert_eq!([1.0, 1.001].map(|share| colour(thresholds, share)), ["green", "red"]);
}
