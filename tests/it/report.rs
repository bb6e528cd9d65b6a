//! Timelines and post-mortems: facts in order, evidence as data, human words kept.

use serde_json::{Value as Json, json};

use naze::analyse::cause::{Answer, Cause, Missing, Proof, Question, Step, Term, Verdict, WhyNot};
use naze::clock::Timestamp;
use naze::receipt::{Receipt, ReceiptId, Value};
use naze::record::{Recorded, Window};
use naze::report::postmortem::postmortem;
use naze::report::timeline::{Filter, timeline};
use naze::report::{Form, title_of, why};

use crate::common::Naze;

fn outage(naze: &Naze) -> Json {
    naze.record(&json!([
        {"kind": "deployment", "occurredAt": "2026-03-10T09:55:00Z", "component": "checkout", "status": "succeeded", "version": "2.8.0", "previousVersion": "2.7.9", "actor": "ci", "summary": "coupon rounding"},
        {"kind": "crossing", "occurredAt": "2026-03-10T10:00:00Z", "component": "checkout", "metric": "error_ratio", "value": 0.25, "threshold": 0.05, "direction": "up", "baseline": 0.01, "deviation": 40.0},
        {"kind": "failure", "occurredAt": "2026-03-10T10:00:30Z", "component": "checkout", "failureType": "NullPointerException", "message": "coupon <script>alert(1)</script> | [x](javascript:y)\nrounding", "count": 12, "peer": "prices", "severity": "critical"},
    ]));
    let opened = naze.post(
        "/v1/incidents",
        "application/json",
        json!({"component": "checkout", "summary": "customers cannot pay", "metric": "error_ratio",
        "detectedAt": "2026-03-10T10:02:00Z", "reference": "INC-7"})
        .to_string(),
    );
    assert_eq!(opened.status, 201, "{}", opened.text());
    assert_eq!(opened.headers["location"], "/v1/incidents/INC-7");
    opened.json()
}

fn resolve(naze: &Naze) {
    for (status, at) in [("acknowledged", "10:05"), ("mitigated", "10:20"), ("resolved", "10:50")] {
        let update =
            json!({"status": status, "occurredAt": format!("2026-03-10T{at}:00Z"), "rootCause": "coupon rounding"});
        assert_eq!(naze.post("/v1/incidents/INC-7", "application/json", update.to_string()).status, 200);
    }
}

#[test]
fn a_timeline_tells_both_times_the_proof_and_the_silence_between() {
    let naze = Naze::in_memory();
    outage(&naze);
    let path = "/v1/timeline?from=2026-03-10T09:00:00Z&to=2026-03-10T11:00:00Z&gap=5m";
    let json = naze.get(path).json();
    let told: Vec<String> = json["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| match entry["type"].as_str().unwrap() {
            "gap" => format!("gap of {} s", entry["seconds"]),
            _ => format!("{} {}", entry["occurredAt"].as_str().unwrap(), entry["title"].as_str().unwrap()),
        })
        .collect();
    assert_eq!(
        told,
        [
            "2026-03-10T09:55:00Z deployment succeeded: 2.8.0 (was 2.7.9) by ci: coupon rounding",
            "gap of 300 s",
            "2026-03-10T10:00:00Z error_ratio crossed 0.05 upward: 0.25 (baseline 0.01, 40.0 σ)",
            "2026-03-10T10:00:30Z checkout → prices: NullPointerException ×12: coupon <script>alert(1)</script> | [x](javascript:y) rounding",
            "2026-03-10T10:02:00Z incident INC-7 open: customers cannot pay",
        ]
    );
    let event = &json["entries"][0];
    assert_eq!(event["recordedAt"], "2026-03-10T12:00:00Z");
    assert_eq!(naze.get(event["proof"].as_str().unwrap()).json()["version"], "2.8.0");
    assert_eq!(naze.get(event["raw"].as_str().unwrap()).status, 200);

    let filtered = naze.get(&format!("{path}&kind=deployment,failure&severity=warning")).json();
    let types: Vec<&Json> = filtered["entries"].as_array().unwrap().iter().map(|entry| &entry["type"]).collect();
    assert_eq!(types, ["gap", "event"]);
    assert_eq!(naze.get(&format!("{path}&severity=bad")).status, 400);
    assert_eq!(naze.get(&format!("{path}&colour=red")).status, 400);
    let csv = naze.get_as(path, "text/csv").text();
    assert!(
        csv.starts_with(
            "occurredAt,recordedAt,component,kind,severity,title,source,id,proof,raw\n2026-03-10T09:55:00Z,"
        ),
        "{csv}"
    );
    assert!(csv.contains("5 min without evidence"), "{csv}");
}

#[test]
fn evidence_never_becomes_markup() {
    let naze = Naze::in_memory();
    outage(&naze);
    let path = "/v1/timeline?from=2026-03-10T09:00:00Z&to=2026-03-10T11:00:00Z";
    let html = naze.get_as(path, "text/html").text();
    assert!(html.contains("&lt;script&gt;alert(1)") && !html.contains("<script"), "{html}");
    let markdown = naze.get_as(path, "text/markdown").text();
    let row = markdown.lines().find(|line| line.contains("NullPointerException")).unwrap();
    assert!(row.contains(r"coupon &lt;script&gt;alert(1)&lt;/script&gt; \| \[x\](javascript:y) rounding"), "{row}");
}

#[test]
fn a_post_mortem_is_filled_in_and_what_people_wrote_is_kept() {
    let naze = Naze::in_memory();
    outage(&naze);
    let path = "/v1/incidents/INC-7/postmortem";
    let first = naze.get(path);
    assert_eq!(first.headers["content-type"], "text/markdown; charset=utf-8");
    assert!(first.text().contains("| Resolved | unknown | TTR | unknown |"), "{}", first.text());
    assert_eq!(naze.get(path).body, first.body);

    let lesson = "<!-- human:lessons -->\nThe pager *rang*. | <b>Good</b>\n<!-- /human:lessons -->";
    let text = first.text();
    let (before, after) = text.split_once("<!-- human:lessons -->").unwrap();
    let (_, after) = after.split_once("<!-- /human:lessons -->").unwrap();
    let edited = format!("{before}{lesson}{after}\n<!-- human:ours -->own part<!-- /human:ours -->\n");
    resolve(&naze);
    let second = naze.post(path, "text/markdown", edited).text();
    assert!(second.contains(lesson), "{second}");
    assert!(
        second.contains("Kept from the previous version")
            && second.contains("<!-- human:ours -->own part<!-- /human:ours -->"),
        "{second}"
    );
    assert!(second.contains("| Resolved | 2026-03-10 10:50:00Z | TTR | 50 min |"), "{second}");
    assert!(second.contains("| Detected | 2026-03-10 10:02:00Z | TTD | 2 min |"), "{second}");
    assert!(second.contains("Stated by the responders: coupon rounding."), "{second}");
    assert!(!second.contains("by ci likely"), "no person is a cause");

    let broken = naze.post(path, "text/markdown", "<!-- human:lessons -->lost?");
    assert_eq!(broken.status, 400);
    assert!(
        broken.json()["detail"].as_str().unwrap().contains("human:lessons of the earlier version has no end"),
        "{}",
        broken.text()
    );
    let json: Json = naze.get_as(path, "application/json").json();
    assert_eq!((&json["version"], &json["title"]), (&json!(1), &json!("Post-mortem INC-7")));
}

#[test]
fn an_incident_tells_its_state_and_an_unknown_one_says_so() {
    let naze = Naze::in_memory();
    let opened = outage(&naze);
    assert_eq!((&opened["status"], &opened["component"]), (&json!("open"), &json!("checkout")));
    resolve(&naze);
    let incident = naze.get("/v1/incidents/INC-7").json();
    assert_eq!(
        (&incident["status"], &incident["rootCause"], &incident["detectedAt"]),
        (&json!("resolved"), &json!("coupon rounding"), &json!("2026-03-10T10:02:00Z"))
    );
    assert_eq!(naze.get(&format!("/v1/incidents/{}", incident["receipts"][0].as_str().unwrap())).json(), incident);
    assert_eq!(naze.get("/v1/incidents").json()["incidents"][0], incident);
    assert_eq!(naze.get("/v1/incidents/INC-8/why").status, 404);
    let refused = naze.post("/v1/incidents/INC-7", "application/json", r#"{"status": "dunno"}"#);
    assert_eq!(refused.status, 400);
    assert!(refused.json()["detail"].as_str().unwrap().contains("status"), "{}", refused.text());
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A receipt whose id repeats one byte.
fn told(byte: u8, kind: &str, at: &str, component: &str, fields: &[(&str, Value)]) -> Recorded {
    let at = time(&format!("2026-03-10T{at}Z"));
    let receipt = Receipt::new(kind, at, component);
    Recorded {
        id: ReceiptId::from_bytes([byte; 32]),
        receipt: fields.iter().fold(receipt, |receipt, (field, value)| receipt.with(field, value.clone())),
        recorded_at: time("2026-03-10T12:00:00Z"),
        position: byte.into(),
        source: [0; 32],
        key: None,
    }
}

fn text(text: &str) -> Value {
    Value::text(text)
}

fn named(name: &str) -> Value {
    Value::Component(name.to_owned())
}

#[track_caller]
fn check_title(kind: &str, fields: &[(&str, Value)], expected: &str) {
    assert_eq!(title_of(&told(1, kind, "10:00:00", "checkout", fields).receipt), expected);
}

#[test]
fn what_happened_to_the_running_system_has_plain_sentences() {
    let (number, whole) = (Value::Number, Value::Integer);
    let timeout = [
        ("failureType", text("TimeoutError")),
        ("peer", named("payments")),
        ("count", whole(12)),
        ("message", text("no answer")),
    ];
    check_title("failure", &timeout, "checkout → payments: TimeoutError ×12: no answer");
    check_title("failure", &[("failureType", text("OutOfMemory"))], "OutOfMemory");
    check_title(
        "circuit",
        &[("state", text("half_open")), ("reason", text("5 of 5 failed"))],
        "circuit half open: 5 of 5 failed",
    );
    check_title("rejection", &[("count", whole(7)), ("reason", text("queue full"))], "requests refused ×7: queue full");
    check_title("alert", &[("name", text("HighLatency")), ("status", text("firing"))], "alert HighLatency firing");
    let release = [
        ("status", text("succeeded")),
        ("version", text("1.4.2")),
        ("previousVersion", text("1.4.1")),
        ("actor", text("amir")),
    ];
    check_title("deployment", &release, "deployment succeeded: 1.4.2 (was 1.4.1) by amir");
    check_title(
        "deployment",
        &[("status", text("rolled_back")), ("commit", text("abc123"))],
        "deployment rolled back: abc123",
    );
    let flag = [
        ("changeType", text("feature_flag")),
        ("key", text("coupons")),
        ("from", Value::Boolean(false)),
        ("to", Value::Boolean(true)),
    ];
    check_title("change", &flag, "feature flag coupons changed from false to true");
    let p99 = [
        ("metric", text("p99")),
        ("value", number(0.92)),
        ("threshold", number(0.5)),
        ("direction", text("up")),
        ("baseline", number(0.21)),
        ("deviation", number(8.3)),
    ];
    check_title("crossing", &p99, "p99 crossed 0.5 upward: 0.92 (baseline 0.21, 8.3 σ)");
    let free =
        [("metric", text("free")), ("value", number(1_234.567)), ("direction", text("down")), ("unit", text("MiB"))];
    check_title("crossing", &free, "free crossed downward: 1235 MiB");
    let scaled = [
        ("pool", text("web")),
        ("direction", text("up")),
        ("from", whole(2)),
        ("to", whole(4)),
        ("reason", text("load")),
    ];
    check_title("scaling", &scaled, "pool web scaled up from 2 to 4: load");
    check_title(
        "burst",
        &[("pool", text("web")), ("size", number(900.0)), ("baseline", number(80.5))],
        "burst at pool web: 900, usually 80.5",
    );
    check_title("dependency", &[("target", named("payments"))], "checkout depends on payments");
    check_title("health", &[("state", text("degraded")), ("reason", text("slow disk"))], "health degraded: slow disk");
    check_title(
        "slo",
        &[("sloName", text("paid")), ("met", Value::Boolean(false)), ("value", number(0.991))],
        "objective paid missed: 0.991",
    );
}

#[test]
fn what_people_and_machines_did_about_it_has_plain_sentences() {
    let (yes, no) = (Value::Boolean(true), Value::Boolean(false));
    check_title("signal", &[("colour", text("red")), ("message", text("line stopped"))], "signal red: line stopped");
    let cord = [("status", text("opened")), ("level", text("critical")), ("sku", text("A-1")), ("cause", text("weld"))];
    check_title("andon", &cord, "andon opened critical for A-1: weld");
    let closed = [("reference", text("INC-7")), ("status", text("resolved")), ("summary", text("no sales"))];
    check_title("incident", &closed, "incident INC-7 resolved: no sales");
    let restart = [("action", text("restart")), ("result", text("succeeded")), ("alertName", text("HighLatency"))];
    check_title("remediation", &restart, "remediation restart: succeeded for alert HighLatency");
    check_title("maintenance", &[("done", yes.clone())], "maintenance done");
    check_title("backup", &[("ok", no.clone())], "backup failed");
    check_title(
        "validation",
        &[("ok", no.clone()), ("violations", Value::Integer(3))],
        "validation failed, violations: 3",
    );
    check_title("workorder", &[("reference", text("W-1")), ("status", text("started"))], "work order W-1 started");
    let paint =
        [("stageName", text("paint")), ("ok", yes), ("durationSeconds", Value::Number(12.5)), ("sku", text("A-1"))];
    check_title("stage", &paint, "stage paint passed after 12.5 s for A-1");
    check_title("gate", &[("gateName", text("weld")), ("pass", no)], "gate weld failed");
    check_title(
        "experiment",
        &[("hypothesis", text("larger pool")), ("result", text("success"))],
        "experiment larger pool: success",
    );
    check_title(
        "improvement",
        &[("title", text("cache prices")), ("status", text("done"))],
        "improvement cache prices: done",
    );
    let advice = [("priority", text("P1")), ("title", text("raise the pool")), ("action", text("set 40"))];
    check_title("recommendation", &advice, "recommendation P1 raise the pool: set 40");
    let verdict =
        [("message", text("it was the pool")), ("verdict", text("confirmed")), ("causeComponent", named("payments"))];
    check_title("note", &verdict, "cause confirmed payments: it was the pool");
    check_title("note", &[("message", text("lunch\u{202E}\n\u{1b}[31m"))], "note: lunch [31m");
    check_title("failure", &[("failureType", text(&"é".repeat(400)))], &format!("{}…", "é".repeat(300)));
}

/// A topology known for long, a deployment, a deviation, and a failure that attacks every form.
fn history() -> Vec<Recorded> {
    let attack = "<script>x</script> _a_ b_c [l](javascript:y) https://e.example www.e.example $x$\n| 2026 | forged |";
    vec![
        told(1, "dependency", "01:00:00", "checkout", &[("target", named("payments"))]),
        told(
            2,
            "deployment",
            "09:50:00",
            "payments",
            &[
                ("status", text("succeeded")),
                ("version", text("2.0")),
                ("actor", text("amir")),
                ("source", text("=ci|x")),
            ],
        ),
        told(
            3,
            "crossing",
            "10:02:00",
            "payments",
            &[("metric", text("p99")), ("value", Value::Number(0.92)), ("direction", text("up"))],
        ),
        told(
            4,
            "failure",
            "10:02:30",
            "checkout",
            &[
                ("failureType", text("=Timeout|`Error`")),
                ("message", text(attack)),
                ("count", Value::Integer(3)),
                ("severity", text("critical")),
            ],
        ),
    ]
}

fn hour() -> Window {
    Window { from: time("2026-03-10T09:00:00Z"), to: time("2026-03-10T11:00:00Z") }
}

fn minutes(minutes: i64) -> chrono::TimeDelta {
    chrono::TimeDelta::minutes(minutes)
}

const TIMELINE: &str = r"# Timeline 2026-03-10 09:00:00Z to 2026-03-10 11:00:00Z

## What happened

| Time (UTC) | Recorded | Component | Kind | Severity | What | Source | Proof |
|---|---|---|---|---|---|---|---|
| 2026-03-10 09:50:00Z | 2026-03-10 12:00:00Z | payments | deployment |  | deployment succeeded: 2.0 by amir | =ci\|x | [`020202020202`](/v1/receipts/0202020202020202020202020202020202020202020202020202020202020202) [`raw`](/v1/receipts/0202020202020202020202020202020202020202020202020202020202020202/source) |
| 2026-03-10 09:50:00Z |  |  | gap |  | 12 min without evidence |  | [`/v1/timeline?from=2026-03-10T09:50:00Z&to=2026-03-10T10:02:00Z`](/v1/timeline?from=2026-03-10T09:50:00Z&to=2026-03-10T10:02:00Z) |
| 2026-03-10 10:02:00Z | 2026-03-10 12:00:00Z | payments | crossing |  | p99 crossed upward: 0.92 |  | [`030303030303`](/v1/receipts/0303030303030303030303030303030303030303030303030303030303030303) [`raw`](/v1/receipts/0303030303030303030303030303030303030303030303030303030303030303/source) |
| 2026-03-10 10:02:30Z | 2026-03-10 12:00:00Z | checkout | failure | critical | =Timeout\|\`Error\` ×3: &lt;script&gt;x&lt;/script&gt; \_a\_ b_c \[l\](javascript:y) https\://e.example www\.e.example \$x\$ \| 2026 \| forged \| |  | [`040404040404`](/v1/receipts/0404040404040404040404040404040404040404040404040404040404040404) [`raw`](/v1/receipts/0404040404040404040404040404040404040404040404040404040404040404/source) |
";

#[test]
fn a_timeline_reads_the_same_whatever_the_order_of_the_evidence() {
    let mut evidence = history();
    for _ in 0..evidence.len() {
        evidence.rotate_left(1);
        let told = timeline(&evidence, hour(), &Filter::default(), minutes(12));
        assert_eq!(told.render(Form::Markdown).unwrap(), TIMELINE);
    }
    let told = timeline(&evidence, hour(), &Filter::default(), minutes(13));
    let csv = told.render(Form::Csv).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 4, "one line each, and no gap of 13 minutes: {csv}");
    assert!(lines[1].contains(",deployment succeeded: 2.0 by amir,'=ci|x,0202"), "{csv}");
    assert!(
        lines[3].starts_with("2026-03-10T10:02:30Z,2026-03-10T12:00:00Z,checkout,failure,critical,'=Timeout|"),
        "{csv}"
    );
    let html = told.render(Form::Html).unwrap();
    assert!(html.contains("&lt;script&gt;x&lt;/script&gt; _a_ b_c [l](javascript:y)"), "{html}");
    assert!(!html.contains("<script") && !html.contains("href=\"javascript"), "{html}");
}

#[test]
fn a_filter_hides_events_but_claims_no_silence() {
    let shown = |kind: Option<&str>, component: Option<&str>, severity: Option<&str>| {
        let [kind, component, severity] = [kind, component, severity].map(|text| text.map(str::to_owned));
        let filter = Filter::parse(kind.as_ref(), component.as_ref(), severity.as_ref()).unwrap();
        let told = timeline(&history(), hour(), &filter, minutes(12)).render(Form::Json).unwrap();
        let told: Json = serde_json::from_str(&told).unwrap();
        let name = |entry: &Json| entry["kind"].as_str().unwrap_or("gap").to_owned();
        told["entries"].as_array().unwrap().iter().map(name).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(shown(None, None, None), "deployment gap crossing failure");
    assert_eq!(shown(Some("failure, deployment"), None, None), "deployment gap failure");
    assert_eq!(shown(None, Some("checkout"), None), "gap failure");
    assert_eq!(shown(None, None, Some("info")), "deployment gap crossing failure");
    assert_eq!(shown(None, None, Some("critical")), "gap failure");
    let refused = Filter::parse(None, None, Some(&"loud".to_owned())).unwrap_err();
    assert_eq!(refused.message(), "severity=\"loud\" is not known");
    let empty = timeline(&[], hour(), &Filter::default(), minutes(12)).render(Form::Markdown).unwrap();
    assert!(empty.ends_with("## What happened\n\nNone.\n"), "{empty}");
}

fn id(byte: u8) -> ReceiptId {
    ReceiptId::from_bytes([byte; 32])
}

fn term(name: &'static str, log_odds: f64, statement: &str, receipts: Vec<ReceiptId>) -> Term {
    let params = [("component", "pay & ments"), ("from", "2026-03-10T09:00:00Z")];
    let params = params.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Term { name, log_odds, statement: statement.to_owned(), receipts, query: Proof { id: "crossings", params } }
}

fn answer(verdict: Verdict) -> Answer {
    let payments = Cause {
        component: "payments".into(),
        score: 3.25,
        receipt: Some(id(2)),
        summary: "2.0 was deployed to payments (succeeded)".into(),
        terms: vec![
            term("change", 2.0, "2.0 came 12 min before", vec![id(2)]),
            term("onset", 1.25, "p99 deviates\nBECAUSE forged | x", vec![id(3), id(4), id(5), id(6)]),
        ],
        evidence: vec![id(2), id(3)],
    };
    let checkout = Cause {
        component: "checkout".into(),
        score: -0.5,
        receipt: None,
        summary: "it fails".into(),
        terms: Vec::new(),
        evidence: Vec::new(),
    };
    Answer {
        question: Question {
            component: "checkout".into(),
            metric: None,
            summary: Some("no sales".into()),
            onset: Some(time("2026-03-10T10:02:00Z")),
            at: time("2026-03-10T10:05:00Z"),
            incident: None,
        },
        verdict,
        ranked: vec![payments, checkout],
        why_not: vec![WhyNot {
            component: "checkout".into(),
            statement: "it only passes on".into(),
            receipts: vec![id(4)],
            against: 3.75,
        }],
        missing: vec![Missing {
            what: "no logs are recorded".into(),
            next: "/v1/queries/data_gaps?from=-24h shows who fell silent".into(),
        }],
        chain: vec![Step {
            number: 1,
            question: "Why: no sales?".into(),
            because: "checkout depends on payments".into(),
            component: "payments".into(),
            receipts: vec![id(1)],
        }],
    }
}

#[test]
fn an_answer_on_a_terminal_reads_so() {
    let expected = "\
WHY   no sales as of 2026-03-10 10:05:00Z
      onset 2026-03-10 10:02:00Z

payments likely broke checkout.
  2.0 was deployed to payments (succeeded)

BECAUSE (log-odds, sum +3.2)
   +2.0  change     2.0 came 12 min before
                    receipts 020202020202  /v1/queries/crossings?component=pay+%26+ments&from=2026-03-10T09%3A00%3A00Z
   +1.2  onset      p99 deviates BECAUSE forged | x
                    receipts 030303030303 040404040404 050505050505 +1  /v1/queries/crossings?component=pay+%26+ments&from=2026-03-10T09%3A00%3A00Z

OTHER SUSPECTS
   -0.5  checkout

WHY NOT
  checkout (3.8 behind): it only passes on  receipts 040404040404

FIVE WHYS
  1. Why: no sales?
     checkout depends on payments  receipts 010101010101

MISSING
  no logs are recorded
     next: /v1/queries/data_gaps?from=-24h shows who fell silent
";
    let likely = answer(Verdict::Likely);
    assert_eq!(why::render(&likely, "text/plain").unwrap(), expected);
    let json: Json = serde_json::from_str(&why::render(&likely, "application/json").unwrap()).unwrap();
    assert_eq!(json["verdict"], "likely");
    assert_eq!(json["ranked"][0]["terms"][0]["query"]["id"], "crossings");
    let refused = why::render(&likely, "image/png").unwrap_err();
    assert_eq!(refused.message(), "an answer has no form \"image/png\"");
}

/// The post-mortem of the history, told in any order.
fn story(verdict: Verdict, rotated: usize, is_resolved: bool, previous: Option<&str>) -> naze::error::Result<String> {
    let incident = |byte: u8, at: &str, status: &str| {
        let fields = [("reference", text("INC-7")), ("status", text(status)), ("summary", text("no sales"))];
        told(byte, "incident", at, "checkout", &fields)
    };
    let mut updates = vec![incident(8, "10:06:00", "acknowledged")];
    if is_resolved {
        updates.push(incident(9, "11:07:00", "resolved"));
    }
    let mut evidence = history();
    let rotated = rotated % evidence.len();
    evidence.rotate_left(rotated);
    let rotated = rotated % updates.len();
    updates.rotate_left(rotated);
    let opened = incident(7, "10:05:00", "open");
    postmortem(&opened, &updates, &answer(verdict), &evidence, None).render(Form::Markdown, previous)
}

#[track_caller]
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let (_, section) =
        text.split_once(&format!("\n## {heading}\n\n")).unwrap_or_else(|| panic!("no {heading}: {text}"));
    section.split_once("\n## ").map_or(section, |(section, _)| section)
}

fn proof(digits: &str) -> String {
    format!("[`{}`](/v1/receipts/{})", digits.repeat(6), digits.repeat(32))
}

#[test]
fn a_post_mortem_has_its_sections_and_times_whatever_the_order() {
    let text = story(Verdict::Likely, 0, true, None).unwrap();
    for rotated in 1..4 {
        assert_eq!(story(Verdict::Likely, rotated, true, None).unwrap(), text);
    }
    let headings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let expected = "Summary, Impact, Detection, Times, Root cause, Trigger, Five whys, Why not the others, Timeline, \
        Open questions, Action items, Lessons, Supporting information";
    assert_eq!(headings.join(", "), expected);
    let times = "\
| Moment | Time (UTC) | Measure | Took |
|---|---|---|---|
| Onset (proposed) | 2026-03-10 10:02:00Z |  |  |
| Detected | 2026-03-10 10:05:00Z | TTD | 3 min |
| Acknowledged | 2026-03-10 10:06:00Z | TTA | 1 min |
| Mitigated | unknown | TTM | unknown |
| Resolved | 2026-03-10 11:07:00Z | TTR | 1 h 05 min |
";
    assert_eq!(section(&text, "Times"), times);
    let detection = format!(
        "- Onset, proposed from the first anomalous evidence: 2026-03-10 10:02:00Z\n\
         - First sign: payments p99 crossed upward: 0.92 {}\n\
         - Detected: 2026-03-10 10:05:00Z\n\
         - Time to detect (TTD): 3 min\n",
        proof("03")
    );
    assert_eq!(section(&text, "Detection"), detection);
    let impact = format!(
        "- Lasted: 1 h 05 min\n- Components that failed: checkout (×3) {}\n- Alerts that fired: none recorded\n",
        proof("04")
    );
    assert!(section(&text, "Impact").starts_with(&impact), "{text}");
    let timeline = section(&text, "Timeline");
    assert!(!timeline.contains("| dependency |") && timeline.contains("12 min without evidence"), "{timeline}");
}

#[test]
fn a_post_mortem_tells_proposals_from_what_is_confirmed_and_blames_no_person() {
    let text = story(Verdict::Likely, 0, true, None).unwrap();
    let cause = section(&text, "Root cause");
    assert!(cause.starts_with("Proposed by naze, not yet confirmed: payments likely broke checkout.\n"), "{cause}");
    let trigger = section(&text, "Trigger");
    assert_eq!(trigger, format!("Proposed: 2.0 was deployed to payments (succeeded) {}\n", proof("02")));
    assert!(!cause.contains("amir"), "{cause}");
    let confirmed = story(Verdict::Confirmed, 0, true, None).unwrap();
    let cause = section(&confirmed, "Root cause");
    assert!(cause.starts_with("Confirmed: payments broke checkout: confirmed.\n"), "{cause}");
    let questions = section(&text, "Open questions");
    let gaps = "/v1/queries/data_gaps?from=-24h";
    assert_eq!(questions, format!("- no logs are recorded. Next: [`{gaps}`]({gaps}) shows who fell silent\n"));
    let queries = section(&text, "Supporting information");
    assert!(
        queries.contains("/v1/queries/crossings?component=pay+%26+ments&from=2026-03-10T09%3A00%3A00Z"),
        "{queries}"
    );
}

#[test]
fn what_people_wrote_survives_new_evidence_byte_for_byte() {
    let first = story(Verdict::Inconclusive, 0, false, None).unwrap();
    assert_eq!(
        story(Verdict::Inconclusive, 0, false, Some(&first)).unwrap(),
        first,
        "nothing written, nothing changed"
    );
    let (before, rest) = first.split_once("<!-- human:lessons -->").unwrap();
    let (_, after) = rest.split_once("<!-- /human:lessons -->").unwrap();
    let written = "\r\n  *We* <b>learnt</b> | `that`\t\n<!-- a comment of ours -->\n\n";
    let ours = "<!-- human:ours -->\nown<!-- /human:ours -->";
    let edited = format!("{before}<!--human:lessons-->{written}<!-- /human:lessons -->{after}{ours}");
    let second = story(Verdict::Likely, 0, true, Some(&edited)).unwrap();
    assert!(second.contains(&format!("<!-- human:lessons -->{written}<!-- /human:lessons -->")), "{second}");
    assert!(second.ends_with(&format!("\n## Kept from the previous version\n\n{ours}\n")), "{second}");
    assert!(second.contains("Proposed by naze") && !first.contains("Proposed by naze"), "{second}");
    assert_eq!(story(Verdict::Likely, 0, true, Some(&second)).unwrap(), second);
}

#[test]
fn a_broken_marker_is_named_so_that_nothing_is_lost() {
    let cases = [
        ("<!-- human:lessons -->lost?", "human:lessons of the earlier version has no end"),
        (
            "<!-- human:a -->x<!-- human:b -->y<!-- /human:b --><!-- /human:a -->",
            "human:a of the earlier version has no end",
        ),
        ("text<!-- /human:a -->", "human:a of the earlier version has no beginning"),
        (
            "<!-- human:a -->x<!-- /human:a --><!-- human:a -->y<!-- /human:a -->",
            "human:a of the earlier version stands there twice",
        ),
        ("<!-- human:a\nx<!-- /human:a -->", "human:a of the earlier version is not closed with -->"),
        ("<!-- human: -->x<!-- /human: -->", "has no name"),
    ];
    for (previous, expected) in cases {
        let refused = story(Verdict::Likely, 0, true, Some(previous)).unwrap_err();
        assert_eq!(refused.kind(), naze::error::Kind::Invalid);
        assert!(refused.message().contains(expected), "{previous}: {}", refused.message());
    }
}

#[test]
fn the_story_of_an_incident_that_nobody_closes_is_how_it_began() {
    let naze = Naze::in_memory();
    let failed = |time: &str, message: &str| json!({"kind": "failure", "occurredAt": time, "component": "web", "failureType": "Timeout", "message": message});
    naze.record(&json!([failed("2026-01-11T10:00:00Z", "a day in"), failed("2026-01-30T10:00:00Z", "weeks in")]));
    let opened =
        json!({"component": "web", "summary": "slow", "reference": "INC-8", "detectedAt": "2026-01-10T10:00:00Z"});
    assert_eq!(naze.post("/v1/incidents", "application/json", opened.to_string()).status, 201);
    let update = json!({"status": "acknowledged"}).to_string();
    assert_eq!(naze.post("/v1/incidents/INC-8", "application/json", update).status, 200);
    let story = naze.get("/v1/incidents/INC-8/timeline").text();
    assert!(story.contains("a day in") && !story.contains("weeks in"), "{story}");
    assert_eq!(naze.get("/incidents/INC-8").status, 200);
}
