//! Experiments: the tests against published figures, the decisions of the specification, and too little said aloud.

use chrono::TimeDelta;
use naze::analyse::compare::{Sample, Test, compare};
use naze::clock::{Clock, Timestamp};
use naze::config::Config;
use naze::engine::Engine;
use serde_json::{Value as Json, json};

use crate::common::{NOW, Naze};
use crate::lines::Histogram;

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1e-12), "{found} is not {expected}");
}

/// Student's sleep data, extra hours by drug, as R ships them. Expected by scipy 1.17 (`ttest_ind(equal_var=False)` and
/// `mannwhitneyu(method="asymptotic")`); R's `t.test(extra ~ group)` prints t = -1.8608, df = 17.776, p = 0.07939.
#[test]
fn tests_agree_with_scipy_on_students_sleep() {
    let control = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
    let canary = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
    let compared = compare(&Sample::independent(control), &Sample::independent(canary)).unwrap();
    let welch = compared.welch.unwrap();
    close(welch.t, 1.860_813_467_486_852_6);
    close(welch.degrees_of_freedom, 17.776_473_516_178_488);
    close(welch.p_value, 0.079_394_140_187_358_3);
    close(compared.difference.low.unwrap(), -0.205_483_230_711_711_37);
    close(compared.difference.high.unwrap(), 3.365_483_230_711_710_4);
    close(compared.mann_whitney.u, 74.5);
    close(compared.mann_whitney.p_value, 0.069_327_575_433_626_58);
    close(compared.cohens_d.unwrap(), 0.832_181_081_339_549_5);
    assert!(!compared.is_significant);
}

/// Ozone in New York, May and August 1973, R's `airquality`. Expected by scipy as above;
/// R's `wilcox.test(Ozone ~ Month)` prints W = 127.5, p = 0.0001208.
#[test]
fn tests_agree_with_scipy_on_ozone_with_ties() {
    let may = "41 36 12 18 28 23 19 8 7 16 11 14 18 14 34 6 30 11 1 11 4 32 23 45 115 37";
    let august = "39 9 16 78 35 66 122 89 110 44 28 65 22 59 23 31 44 21 9 45 168 73 76 118 84 85";
    let sample = |text: &str| Sample::independent(text.split(' ').map(|word| word.parse().unwrap()));
    let compared = compare(&sample(may), &sample(august)).unwrap();
    close(compared.mann_whitney.u, 26.0 * 26.0 - 127.5);
    close(compared.mann_whitney.p_value, 0.000_120_807_830_768_774_34);
    close(compared.welch.unwrap().p_value, 0.000_216_856_559_192_423_32);
    let change = compared.change_percent.unwrap();
    close(change.value, 153.908_794_788_273_58);
    close(change.low.unwrap(), 38.056_789_801_612_58);
    close(change.high.unwrap(), 269.760_799_774_934_6);
    assert!(compared.is_significant);
}

/// Minutes that follow each other are worth less than their number. Expected by numpy and scipy with n(1-r)/(1+r) in
/// the place of n; taken as independent, t would be -31.5.
#[test]
fn minutes_of_a_series_count_for_what_they_are_worth() {
    let saw = |level: u32| (0..60).map(move |minute| f64::from(level + minute % 12));
    let compared = compare(&Sample::series(saw(200)), &Sample::series(saw(180))).unwrap();
    close(compared.control.n_effective, 15.912_408_759_124_084);
    let welch = compared.welch.unwrap();
    close(welch.t, -16.205_257_860_287_55);
    close(welch.degrees_of_freedom, 29.824_817_518_248_167);
}

#[test]
fn values_that_do_not_vary_are_told_apart_by_rank() {
    let flat = |value: f64| Sample::series(std::iter::repeat_n(value, 20));
    let compared = compare(&flat(5.0), &flat(4.0)).unwrap();
    assert_eq!((compared.welch, compared.test, compared.is_significant), (None, Test::MannWhitney, true));
    let same = compare(&flat(5.0), &flat(5.0)).unwrap();
    assert!(!same.is_significant && same.p_value > 0.99, "{same:?}");
}

/// Around 200, twelve values.
const CONTROL: [i32; 12] = [198, 202, 199, 201, 197, 203, 200, 200, 196, 204, 195, 205];

fn values(by: i32) -> String {
    CONTROL.map(|value| (value + by).to_string()).join(" ")
}

fn experiment(reference: &str, by: i32) -> Json {
    json!({"kind": "experiment", "occurredAt": "2026-03-10T09:00:00Z", "component": "checkout", "reference": reference,
        "hypothesis": "a cache lowers the latency", "action": "cache prices", "reason": "most prices repeat",
        "metric": "latency_ms", "statistic": "p99", "expectedPercent": -30, "actor": "mika",
        "controlValues": values(0), "canaryValues": values(by)})
}

/// The vector of the specification: control 200 ms, expected -30 %.
#[test]
fn the_decision_follows_change_and_significance() {
    let naze = Naze::in_memory();
    let rows = [
        ("exceeds", -70, "success", "roll out to all"),
        ("meets", -60, "success", "roll out to all"),
        ("less", -20, "marginal", "continue the canary, or revert: a person decides"),
        ("worse", 10, "negative", "roll back and investigate"),
        // By chance as likely as not, after scipy: p = 0.447.
        ("chance", -1, "marginal", "continue the canary, or revert: a person decides"),
        ("chance-worse", 1, "marginal", "continue the canary, or revert: a person decides"),
    ];
    naze.record(&rows.iter().map(|(name, by, ..)| experiment(name, *by)).collect());
    for (name, by, decision, next) in rows {
        let found = naze.get(&format!("/v1/experiments/{name}")).json();
        assert_eq!((&found["decision"], &found["next"]), (&json!(decision), &json!(next)), "{name}: {found}");
        close(found["compared"]["changePercent"]["value"].as_f64().unwrap(), f64::from(by) / 2.0);
    }
    let less = naze.get("/v1/experiments/less").json();
    close(less["compared"]["changePercent"]["low"].as_f64().unwrap(), -11.273_505_545_582_212);
    close(less["compared"]["changePercent"]["high"].as_f64().unwrap(), -8.726_494_454_417_782);
    let chance = naze.get("/v1/experiments/chance").json();
    close(chance["compared"]["pValue"].as_f64().unwrap(), 0.446_823_656_917_919_9);
    assert_eq!(less["statement"], "latency_ms changed by -10.0 %, expected -30 % (Welch's t, p < 0.001)");
    assert_eq!(naze.get("/v1/experiments").json()["experiments"].as_array().unwrap().len(), rows.len());
    let id = less["experiment"]["receipts"][0].as_str().unwrap();
    assert_eq!(naze.get(&format!("/v1/experiments/{id}")).json(), less);
}

#[test]
fn more_may_be_better() {
    let naze = Naze::in_memory();
    let mut more = experiment("more", 40);
    more["expectedPercent"] = json!(20);
    let mut fewer = more.clone();
    (fewer["reference"], fewer["canaryValues"]) = (json!("fewer"), json!(values(-10)));
    naze.record(&json!([more, fewer]));
    let decision = |name: &str| naze.get(&format!("/v1/experiments/{name}")).json()["decision"].clone();
    assert_eq!((decision("more"), decision("fewer")), (json!("success"), json!("negative")));
}

#[test]
fn too_little_gives_no_decision() {
    let naze = Naze::in_memory();
    let mut few = experiment("few", -70);
    few["canaryValues"] = json!("130 130 130 130 130 130 130 130 130");
    let mut aimless = experiment("aimless", -70);
    aimless.as_object_mut().unwrap().remove("expectedPercent");
    let mut nothing = experiment("nothing", 0);
    nothing["controlValues"] = json!("0 0 0 0 0 0 0 0 0 0");
    let mut nowhere = experiment("nowhere", 0);
    for field in ["controlValues", "canaryValues"] {
        nowhere.as_object_mut().unwrap().remove(field);
    }
    (nowhere["control"], nowhere["canary"]) = (json!("version=1"), json!("version=2"));
    nowhere["endsAt"] = json!("2026-03-10T10:00:00Z");
    naze.record(&json!([few, aimless, nothing, nowhere]));
    for (name, missing) in [
        ("few", "the canary has 9 values, 10 are needed"),
        ("aimless", "expectedPercent: the change that is hoped for, below 0 if less is better"),
        ("nothing", "the mean of the control is 0, of which nothing is a percentage"),
        ("nowhere", "there is no series of latency_ms for the control"),
    ] {
        let found = naze.get(&format!("/v1/experiments/{name}")).json();
        assert_eq!((&found["decision"], &found["missing"]), (&json!("not_enough_data"), &json!([missing])), "{found}");
    }
    let unknown = naze.get("/v1/experiments/other");
    assert_eq!(unknown.status, 404);
    let mut wrong = experiment("wrong", 0);
    wrong["canaryValues"] = json!("130 fast");
    let refused = naze.post("/v1/receipts", "application/json", wrong.to_string());
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("canaryValues must be numbers separated by white space"), "{}", refused.text());
}

/// Requests of both versions, four a minute from 08:00 to 11:00: 200 ms, and 120 ms of the new version from 09:00.
fn requests() -> String {
    let mut lines = String::new();
    for minute in 0..180 {
        for (version, milliseconds) in [("1", 200), ("2", if minute < 60 { 200 } else { 120 })] {
            for request in 0..4 {
                let at = format!("2026-03-10T{:02}:{:02}:{:02}Z", 8 + minute / 60, minute % 60, request * 15);
                let value = milliseconds + (minute * 7 + request * 3) % 11;
                let told = json!({"metric": "latency_ms", "component": "checkout", "kind": "distribution",
                    "labels": {"version": version}, "value": value, "occurredAt": at});
                lines.push_str(&format!("{told}\n"));
            }
        }
    }
    lines
}

#[test]
fn series_of_canary_and_control_are_compared_over_the_time_it_runs() {
    let naze = Naze::in_memory();
    let sent = naze.post("/v1/measurements", "application/x-ndjson", requests());
    assert_eq!(sent.json()["recorded"], 1_440, "{}", sent.text());
    naze.record(&json!({"kind": "experiment", "occurredAt": "2026-03-10T08:30:00Z", "component": "checkout",
        "reference": "EX-1", "hypothesis": "2 is faster", "metric": "latency_ms", "statistic": "mean",
        "expectedPercent": -30, "canary": "version=2", "control": "version=1", "startsAt": "2026-03-10T09:00:00Z"}));
    let running = naze.get("/v1/experiments/EX-1?at=2026-03-10T10:59:59Z").json();
    assert_eq!((&running["decision"], &running["next"]), (&json!("running"), &json!("wait until it is over")));
    let found = naze.get("/v1/experiments/EX-1").json();
    assert_eq!(found["decision"], "success", "{found}");
    assert_eq!((&found["compared"]["control"]["n"], &found["compared"]["canary"]["n"]), (&json!(120), &json!(120)));
    // Values differ by exactly 80; the control's mean is near 205.
    close(found["compared"]["difference"]["value"].as_f64().unwrap(), -80.0);
    assert!(found["compared"]["canary"]["nEffective"].as_f64().unwrap() <= 120.0);
    let baseline = &found["baseline"];
    assert_eq!(
        (&baseline["from"], &baseline["to"], &baseline["throughputPerMinute"]),
        (&json!("2026-03-10T08:00:00Z"), &json!("2026-03-10T09:00:00Z"), &json!(8.0))
    );
    let p99 = baseline["p99"].as_f64().unwrap();
    assert!((209.0..=212.0).contains(&p99), "{p99}");
    let shown: Vec<&str> = found["show"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
    assert_eq!(shown.len(), 2);
    for path in shown {
        assert_eq!(naze.get(path).json()["series"].as_array().unwrap().len(), 1, "{path}");
    }
    // What people say of it later is shown beside.
    naze.record(&json!({"kind": "experiment", "occurredAt": "2026-03-10T11:30:00Z", "component": "checkout",
        "reference": "EX-1", "hypothesis": "2 is faster", "result": "success", "actualPercent": -39,
        "summary": "the cache was warm sooner than we thought"}));
    let told = naze.get("/v1/experiments/EX-1").json();
    assert_eq!(told["experiment"]["told"]["result"], "success");
    assert_eq!(told["compared"], found["compared"]);
    let page = naze.get_as("/v1/experiments/EX-1", "text/markdown").text();
    assert!(page.contains("Success: roll out to all") && page.contains("warm sooner"), "{page}");
    assert_eq!(naze.get("/v1/experiments/EX-1?format=html").headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(naze.get("/v1/experiments/EX-1?format=pdf").status, 400);
}

/// The vector of the specification, by a P99 of buckets: 200 ms for the control, 130 ms for the canary.
#[test]
fn histograms_of_canary_and_control_are_compared() {
    let naze = Naze::in_memory();
    let arm = |labels: &str, place: &dyn Fn(i32) -> usize| {
        let end = "2026-03-10T10:59:00Z".parse().unwrap();
        let (metric, bounds, step) = ("request_seconds", &[0.1, 0.16, 0.24][..], TimeDelta::minutes(1));
        Histogram { metric, labels, bounds, step, readings: 180, end }.send(&naze, place);
    };
    arm("component=\"checkout\",version=\"1\"", &|_| 2);
    arm("component=\"checkout\",version=\"2\"", &|minute| if minute < 60 { 2 } else { 1 });
    naze.record(&json!({"kind": "experiment", "occurredAt": "2026-03-10T08:30:00Z", "component": "checkout",
        "reference": "EX-1", "hypothesis": "2 is faster", "metric": "request_seconds", "statistic": "p99",
        "expectedPercent": -30, "canary": "version=2", "control": "version=1", "startsAt": "2026-03-10T09:00:00Z"}));
    let found = naze.get("/v1/experiments/EX-1").json();
    assert_eq!((&found["decision"], &found["missing"]), (&json!("success"), &json!([])), "{found:#}");
    assert!((found["compared"]["changePercent"]["value"].as_f64().unwrap() + 35.0).abs() < 1e-6, "{found:#}");
    let baseline = &found["baseline"];
    close(baseline["p99"].as_f64().unwrap(), 0.2);
    // Five seconds of a hundred requests; two hundred in each of 59 minutes, for the first is not known to be new.
    close(baseline["mean"].as_f64().unwrap(), 0.05);
    close(baseline["throughputPerMinute"].as_f64().unwrap(), 200.0 * 59.0 / 60.0);
    let mut largest = experiment("largest", 0);
    for (field, value) in
        [("statistic", "max"), ("metric", "request_seconds"), ("canary", "version=2"), ("control", "version=1")]
    {
        largest[field] = json!(value);
    }
    for field in ["controlValues", "canaryValues"] {
        largest.as_object_mut().unwrap().remove(field);
    }
    naze.record(&largest);
    let told = naze.get("/v1/experiments/largest").json();
    let missing = told["missing"][0].as_str().unwrap();
    assert!(missing.starts_with("request_seconds is a histogram told in buckets, which has no max"), "{missing}");
}

#[test]
fn what_an_experiment_showed_is_kept_when_its_minutes_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let at = |now: &str| {
        let clock = Clock::Fixed(now.parse::<Timestamp>().unwrap());
        Naze::of(Engine::open(Config::with_data(folder.path()), clock).unwrap())
    };
    let found = {
        let naze = at(NOW);
        assert_eq!(naze.post("/v1/measurements", "application/x-ndjson", requests()).json()["recorded"], 1_440);
        let told = |reference: &str, more: Json| {
            let mut told = json!({"kind": "experiment", "occurredAt": "2026-03-10T08:30:00Z", "component": "checkout",
                "reference": reference, "hypothesis": "2 is faster", "metric": "latency_ms", "statistic": "mean",
                "expectedPercent": -30, "canary": "version=2", "control": "version=1",
                "startsAt": "2026-03-10T09:00:00Z"});
            told.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            told
        };
        // One that is over, one that runs, one of which nothing is measured, one whose values were sent.
        naze.record(&json!([
            told("EX-1", json!({})),
            told("EX-2", json!({"endsAt": "2026-03-10T13:00:00Z"})),
            told("EX-3", json!({"metric": "nothing"})),
            experiment("EX-4", -70),
        ]));
        let found = naze.get("/v1/experiments/EX-1").json();
        assert_eq!(found["decision"], "success");
        let early = "2026-03-10T11:09:59Z".parse().unwrap();
        assert_eq!(naze.engine.keep_outcomes(early).unwrap(), 0, "samples may be late");
        naze.engine.examine("2026-03-10T11:59:00Z".parse().unwrap()).unwrap();
        assert_eq!(naze.engine.keep_outcomes(NOW.parse().unwrap()).unwrap(), 0, "naze runs since a minute ago");
        let later = "2026-03-10T12:15:00Z".parse().unwrap();
        assert_eq!(naze.engine.keep_outcomes(later).unwrap(), 1);
        assert_eq!(naze.engine.keep_outcomes(later).unwrap(), 0, "once");
        found
    };
    let later = at("2026-04-20T12:00:00Z");
    // Whoever asks next waits until the recorder has done what was due at its start.
    for second in 0..2 {
        let late =
            json!({"metric": "other", "component": "shop", "value": second, "occurredAt": "2026-04-20T11:00:00Z"});
        assert_eq!(later.post("/v1/measurements", "application/json", late.to_string()).status, 201);
    }
    assert_eq!(later.engine.keep_outcomes("2026-04-20T12:00:00Z".parse().unwrap()).unwrap(), 0, "also after a start");
    let told = later.get("/v1/experiments/EX-1").json();
    assert_eq!((&told["decision"], &told["statement"]), (&found["decision"], &found["statement"]), "{told:#}");
    assert_eq!(told["compared"]["control"]["n"], 120, "minutes, not hours");
    assert_eq!(told["baseline"], found["baseline"]);
    assert_eq!(told["experiment"]["told"], Json::Null, "nobody said anything of it");
    let id = told["experiment"]["receipts"].as_array().unwrap().last().unwrap().as_str().unwrap();
    let kept = later.get(&format!("/v1/receipts/{id}")).json();
    assert_eq!(
        (&kept["source"], &kept["result"], &kept["reference"]),
        (&json!("naze"), &json!("success"), &json!("EX-1"))
    );
    let change =
        (kept["actualPercent"].as_f64().unwrap(), found["compared"]["changePercent"]["value"].as_f64().unwrap());
    close(change.0, change.1);
    assert_eq!(later.get("/v1/experiments").json()["experiments"].as_array().unwrap().len(), 4);
    let rows = later.get("/v1/queries/kaizen_effect?from=2026-03-01T00:00:00Z").json();
    assert_eq!(rows["rows"].as_array().unwrap().len(), 4, "each experiment once: {rows:#}");
    // The other half of the minutes is another question, and its answer is gone.
    later.record(&json!({"kind": "experiment", "occurredAt": "2026-04-20T11:00:00Z", "component": "checkout",
        "reference": "EX-1", "hypothesis": "2 is faster", "canary": "version=1", "control": "version=2"}));
    assert_eq!(later.get("/v1/experiments/EX-1").json()["decision"], "not_enough_data");
}
