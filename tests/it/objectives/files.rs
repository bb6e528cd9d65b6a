//! Where objectives are written, and what is told of faults.

use std::path::Path;
use std::process::{Command, Output};

use naze::error::{Error, Kind};
use naze::slo::{Book, Comparison, Measure, Quality, SloDefinition};
use serde_json::json;

use super::{ALL, measure, naze, only, ratio, slo, source, status, threshold};
use crate::common::Naze;

fn refusal(files: &[(&str, &str)]) -> (Error, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    (Book::load(Some(folder.path())).unwrap_err(), folder)
}

#[test]
fn faults_are_told_with_file_field_and_fix() {
    let good = "{op: lte, value: 50, target: 0.95}";
    let calendar =
        "{duration: 1M, isRolling: false, calendar: {startTime: 2026-01-01 00:00:00, timeZone: Europe/Bern}}";
    let faults = [
        (
            slo("a", "1d", &threshold("{component: checkout}"), good),
            "[0].spec.indicator.spec.thresholdMetric.metricSource.spec.metric is missing",
            "add \"metric: http_requests_total\"",
        ),
        (
            slo("a", "1d", &threshold("{metric: m, componet: checkout}"), good),
            "[0].spec.indicator.spec.thresholdMetric.metricSource.spec.componet is not a field of OpenSLO v1",
            "did you mean \"component\"?",
        ),
        (
            slo("a", "1d", &threshold("{metric: m, stat: median}"), good),
            "[0].spec.indicator.spec.thresholdMetric.metricSource.spec.stat \"median\" is no statistic",
            "ask for count, sum, mean, min, max, last, increase, rate, or a percentile such as p50 or p99.9",
        ),
        (
            slo("a", "1d", &threshold("{metric: m, labels: {code: {in: x}}}"), good),
            "[0].spec.indicator.spec.thresholdMetric.metricSource.spec.labels.code is neither a text nor a list of texts",
            "write it as \"500\" or [\"500\", \"503\"]",
        ),
        (
            slo("rules", "1d", &threshold("{metric: m}"), good),
            "SLO rules: metadata.name \"rules\" is a path of naze",
            "give it another name",
        ),
        (
            slo("a", "13M", &threshold("{metric: m}"), good),
            "SLO a: spec.objectives[0] over 13M: the period of a budget is 33696000 s",
            "give a period above 0 and of at most 366 days, such as 30 days",
        ),
        (
            super::document("a", calendar, "Occurrences", &threshold("{metric: m}"), good),
            "SLO a: spec.timeWindow[0].calendar.timeZone is not in the IANA time zone database",
            "write it as America/New_York or UTC",
        ),
        (
            super::document(
                "a",
                "{duration: 1w}",
                "RatioTimeslices",
                &ratio("good", ALL, ALL),
                "{target: 0.9, timeSliceWindow: 2d}",
            ),
            "SLO a: spec.objectives[0].timeSliceWindow 2d is longer than a day",
            "write at most 1d, such as 1m or 1h",
        ),
    ];
    for (text, message, fix) in faults {
        let (error, folder) =
            refusal(&[("good.yml", &slo("b", "1d", &threshold("{metric: m}"), good)), ("bad.yaml", &text)]);
        let file = folder.path().join("bad.yaml").display().to_string();
        assert_eq!(error.message(), format!("{file}: {message}"));
        assert_eq!((error.kind(), error.hints()), (Kind::Invalid, &[fix.to_owned()][..]));
    }
}

#[test]
fn a_name_is_in_one_file_only() {
    let text = slo("a", "1d", &threshold("{metric: m}"), "{op: lte, value: 50, target: 0.95}");
    let (error, folder) = refusal(&[("1.yaml", &text), ("2.yaml", &text), ("readme.md", "no SLO")]);
    assert_eq!(error.kind(), Kind::Conflict);
    let file = |name: &str| folder.path().join(name).display().to_string();
    assert_eq!(error.message(), format!("{}: there is an SLO a already, in {}", file("2.yaml"), file("1.yaml")));
}

/// SPEC 5, written out by hand; windows that it does not name are of 30 days.
#[test]
fn shipped_objectives_promise_what_is_required() {
    let required = [
        ("andon-resolution", "< 14400 of tps_andon_resolution_time_seconds", 0.95, "30d"),
        ("attainment", "good share of tps_kaizen_slo_attainment", 0.95, "24h"),
        ("checkout-availability", "good share of tps_tpm_uptime_ratio", 0.9999, "30d"),
        ("checkout-latency", "<= 0.2 of tps_tracing_duration_seconds", 0.99, "5m"),
        ("checkout-queue", "<= 50 of max tps_kanban_queue_depth", 0.95, "30d"),
        ("checkout-success", "bad of tps_tracing_duration_seconds", 0.999, "1h"),
        ("deployments", "good share of tps_production_deployment_success_ratio", 0.99, "30d"),
        ("lead-time", "< 7200 of tps_production_lead_time_seconds", 0.9, "30d"),
        ("quality-gates", "good share of tps_quality_gate_pass_rate", 0.95, "30d"),
        ("uptime", "good share of tps_tpm_uptime_ratio", 0.999, "30d"),
    ];
    let book = Book::load(None).unwrap();
    let told: Vec<(&str, String, f64, String)> = book
        .iter()
        .map(|entry| {
            let slo = &entry.definition;
            let [objective] = &slo.objectives[..] else { panic!("{} has several", slo.name) };
            (slo.name.as_str(), promised(slo), objective.target, slo.window().span().to_string())
        })
        .collect();
    let required = required.map(|(name, what, target, window)| (name, what.to_owned(), target, window.to_owned()));
    assert_eq!(told, required);
}

/// Which values of what are good.
fn promised(slo: &SloDefinition) -> String {
    let selector = slo.indicator.measure.whole().selector.as_ref().unwrap();
    let statistic = selector.statistic.map(|statistic| format!("{statistic} ")).unwrap_or_default();
    let metric = format!("{statistic}{}", selector.metric);
    let quality = |quality: &Quality| if *quality == Quality::Good { "good" } else { "bad" };
    match &slo.indicator.measure {
        Measure::Values(_) => {
            let threshold = slo.objectives[0].threshold.unwrap();
            let sign = match threshold.comparison {
                Comparison::Less => "<",
                Comparison::LessOrEqual => "<=",
                Comparison::Greater => ">",
                Comparison::GreaterOrEqual => ">=",
            };
            format!("{sign} {} of {metric}", threshold.value)
        }
        Measure::Ratio { quality: events, .. } => format!("{} of {metric}", quality(events)),
        Measure::Computed { quality: share, .. } => format!("{} share of {metric}", quality(share)),
    }
}

#[test]
fn shipped_objectives_show_where_their_metric_is_measured() {
    let naze = Naze::in_memory();
    assert_eq!(naze.get("/v1/slos").json()["slos"], json!([]));
    measure(&naze, &json!({"metric": "tps_quality_gate_pass_rate", "component": "ci"}), [(1, 0.97)]);
    let told = naze.get("/v1/slos").json();
    assert_eq!(told["slos"].as_array().unwrap().len(), 1, "{told}");
    let gates = &told["slos"][0];
    assert_eq!((&gates["name"], &gates["file"]), (&json!("quality-gates"), &json!("naze")));
    assert_eq!(gates["objectives"][0]["budget"]["remaining"]["raw"], 0.4);
    assert_eq!(told["overall"]["met"], json!(["quality-gates"]));
    assert_eq!(told["overall"]["remaining"], json!({"value": 0.4, "raw": 0.4}));
    let unmeasured = status(&naze, "uptime");
    assert_eq!(unmeasured["objectives"][0]["state"], "unknown");
    let missing = naze.get("/v1/slos/uptme");
    assert_eq!((missing.status.as_u16(), &missing.json()["hints"][0]), (404, &json!("did you mean uptime?")));
}

#[test]
fn shipped_objectives_read_what_naze_makes_of_traces() {
    let naze = Naze::in_memory();
    let served = json!({"metric": "tps_tracing_duration_seconds", "component": "checkout", "kind": "distribution"});
    let failed = json!({"metric": "tps_tracing_error_traces_total", "component": "checkout", "kind": "delta"});
    measure(&naze, &served, (1..=5).flat_map(|ago| [(ago, 0.05), (ago, 0.1), (ago, 0.15), (ago, 0.3)]));
    measure(&naze, &failed, [(3, 1.0)]);
    let told = only(&naze, "checkout-latency");
    assert_eq!((&told["good"], &told["total"], &told["isComplete"]), (&json!(15), &json!(20), &json!(true)));
    let told = only(&naze, "checkout-success");
    assert_eq!((&told["good"], &told["total"]), (&json!(19), &json!(20)));
    let names: Vec<String> = naze.get("/v1/slos").json()["slos"]
        .as_array()
        .unwrap()
        .iter()
        .map(|slo| slo["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["checkout-latency", "checkout-success"]);
}

#[test]
fn an_own_objective_takes_the_place_of_a_shipped_one() {
    let naze = naze(&slo("uptime", "1h", &threshold("{metric: up}"), "{op: gte, value: 1, target: 0.5}"));
    measure(&naze, &json!({"metric": "up", "component": "web"}), (1..=60).map(|ago| (ago, f64::from(ago % 2))));
    let told = status(&naze, "uptime");
    assert_eq!((&told["service"], &told["objectives"][0]["attainment"]), (&json!("checkout"), &json!(0.5)));
    let definition = naze.get("/v1/slos/uptime").json()["definition"].clone();
    assert_eq!(definition["indicator"]["measure"]["values"]["spec"], json!({"metric": "up"}));
}

#[test]
fn what_others_measure_is_unknown_and_says_why() {
    let indicator = "{thresholdMetric: {metricSource: {type: Datadog, spec: {query: q}}}}";
    let naze = naze(&slo("theirs", "1h", indicator, "{op: lte, value: 50, target: 0.95}"));
    let told = status(&naze, "theirs");
    assert_eq!(told["objectives"][0]["state"], "unknown");
    assert_eq!(told["problems"], json!(["its metric is measured by Datadog, not by naze"]));
}

fn command(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_naze"));
    for variable in ["NAZE_DATA", "NAZE_URL", "NAZE_LISTEN", "NAZE_CONFIG", "NAZE_LOG"] {
        command.env_remove(variable);
    }
    command.args(arguments).args(["--config", "naze.toml"]).current_dir(folder).output().unwrap()
}

#[test]
fn the_command_line_tells_them_and_doctor_checks_them() {
    let folder = tempfile::tempdir().unwrap();
    let slos = folder.path().join("slos");
    std::fs::create_dir(&slos).unwrap();
    std::fs::write(folder.path().join("naze.toml"), "slos = \"slos\"\ndata = \"data\"\n").unwrap();
    let raw = source("{metric: gate_pass_rate}");
    let indicator = format!("{{ratioMetric: {{rawType: success, raw: {raw}}}}}");
    std::fs::write(slos.join("gate.yaml"), slo("gate", "1h", &indicator, "{target: 0.95}")).unwrap();
    let now = chrono::Utc::now().to_rfc3339();
    let csv = format!("time,component,metric,value\n{now},ci,gate_pass_rate,0.97\n");
    std::fs::write(folder.path().join("gate.csv"), csv).unwrap();
    let said = |arguments: &[&str]| {
        let output = command(folder.path(), arguments);
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.code(), text)
    };
    let imported = said(&["import", "gate.csv"]);
    assert_eq!(imported.0, Some(0), "{}", imported.1);
    let (code, table) = said(&["slo"]);
    assert_eq!(code, Some(0), "{table}");
    let row = table.lines().find(|line| line.contains("| gate ")).unwrap_or_else(|| panic!("{table}"));
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    assert_eq!(cells[1..8], ["gate", "checkout", "1h", "met", "97 %", "95 %", "0.97"], "{table}");
    assert_eq!(cells[9], "40 %", "{table}");
    assert_eq!(said(&["slo", "gate"]), (Some(0), table));
    assert_eq!(said(&["slo", "gat"]).0, Some(4));
    assert!(said(&["slo", "rules"]).1.contains("name: naze-slo-checkout-gate"));
    let (code, told) = said(&["doctor"]);
    assert!(told.contains("ok     SLOs: 1 in slos"), "{code:?} {told}");
    std::fs::write(slos.join("gate.yaml"), slo("gate", "1h", &indicator, "{target: 95}")).unwrap();
    let (code, told) = said(&["doctor"]);
    assert_eq!(code, Some(5), "{told}");
    let fault =
        "FAILED SLOs: slos/gate.yaml: [0].spec.objectives[0].target 95 is not from 0 up to, but not, 1; write a share";
    assert!(told.contains(fault), "{told}");
}
