//! What people have to hear of: at a receiver of Alertmanager's webhooks, at Slack and at PagerDuty, as each documents it.

use chrono::DateTime;
use serde_json::{Value as Json, json};

use super::tool::{Mood, Seen, Tool, must};
use super::{Pusher, ago, eventually};
use crate::common::Naze;

/// As `docs/exports.md` says of it.
pub(super) const ENQUEUE: &str = "/v2/enqueue";
pub(super) const KEY: &str = "0123456789abcdef0123456789abcdef";
pub(super) const SLACK: &str = "T000/B000/secretsecret";

fn body(seen: &Seen) -> Result<Json, String> {
    must(seen.header("content-type") == "application/json", "content-type")?;
    must(seen.header("content-encoding").is_empty(), "content-encoding")?;
    serde_json::from_slice(&seen.body).map_err(|error| error.to_string())
}

fn time(json: &Json) -> Result<(), String> {
    let text = json.as_str().ok_or("a time is no text")?;
    DateTime::parse_from_rfc3339(text).map(drop).map_err(|error| format!("{text}: {error}"))
}

/// <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>
pub(super) fn webhook(seen: &Seen) -> Result<(u16, Vec<u8>), String> {
    let told = body(seen)?;
    must(told["version"] == "4", "version")?;
    must(told["truncatedAlerts"].is_u64(), "truncatedAlerts")?;
    for text in ["groupKey", "receiver", "externalURL"] {
        must(told[text].as_str().is_some_and(|text| !text.is_empty()), text)?;
    }
    for object in ["groupLabels", "commonLabels", "commonAnnotations"] {
        let members = told[object].as_object().ok_or(object)?;
        must(members.values().all(Json::is_string), object)?;
    }
    let alerts = told["alerts"].as_array().ok_or("alerts")?;
    must(!alerts.is_empty(), "alerts")?;
    for alert in alerts {
        must(alert["status"] == "firing" || alert["status"] == "resolved", "status of an alert")?;
        must(alert["status"] == told["status"], "status")?;
        must(alert["labels"]["alertname"].is_string() && alert["annotations"].is_object(), "labels")?;
        must(alert["generatorURL"].is_string(), "generatorURL")?;
        must(alert["fingerprint"].as_str().is_some_and(|text| text.len() == 16), "fingerprint")?;
        time(&alert["startsAt"])?;
        time(&alert["endsAt"])?;
    }
    Ok((200, Vec::new()))
}

/// <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>
pub(super) fn slack(seen: &Seen) -> Result<(u16, Vec<u8>), String> {
    must(seen.path == format!("/services/{SLACK}"), "path")?;
    let told = body(seen)?;
    must(told["text"].as_str().is_some_and(|text| !text.is_empty()), "text")?;
    let blocks = told["blocks"].as_array().ok_or("blocks")?;
    must((1..=50).contains(&blocks.len()), "blocks")?;
    for block in blocks {
        let length = |text: &Json| text["text"].as_str().map_or(0, |text| text.chars().count());
        match block["type"].as_str() {
            Some("header") => {
                must(block["text"]["type"] == "plain_text" && (1..=150).contains(&length(&block["text"])), "header")?;
            }
            Some("section") => {
                let fields = block["fields"].as_array().cloned().unwrap_or_default();
                must(fields.len() <= 10 && fields.iter().all(|field| (1..=2_000).contains(&length(field))), "fields")?;
                let has_text = (1..=3_000).contains(&length(&block["text"]));
                must(has_text || !fields.is_empty(), "section")?;
            }
            other => return Err(format!("block {other:?}")),
        }
    }
    Ok((200, b"ok".to_vec()))
}

/// <https://developer.pagerduty.com/docs/send-alert-event>
pub(super) fn pagerduty(seen: &Seen) -> Result<(u16, Vec<u8>), String> {
    must(seen.path == ENQUEUE, "path")?;
    let told = body(seen)?;
    must(told["routing_key"] == KEY, "routing_key")?;
    must(told["dedup_key"].as_str().is_some_and(|key| (1..=255).contains(&key.chars().count())), "dedup_key")?;
    match told["event_action"].as_str() {
        Some("resolve") => {}
        Some("trigger") => {
            let payload = &told["payload"];
            must(
                payload["summary"].as_str().is_some_and(|text| (1..=1_024).contains(&text.chars().count())),
                "summary",
            )?;
            must(payload["source"].as_str().is_some_and(|text| !text.is_empty()), "source")?;
            let severity = payload["severity"].as_str().unwrap_or_default();
            must(["critical", "error", "warning", "info"].contains(&severity), "severity")?;
            time(&payload["timestamp"])?;
        }
        other => return Err(format!("event_action {other:?}")),
    }
    Ok((202, br#"{"status": "success", "message": "Event processed", "dedup_key": "k"}"#.to_vec()))
}

pub(super) fn bodies(tool: &Tool, path: &str) -> Vec<Json> {
    tool.taken(path).iter().map(|seen| serde_json::from_slice(&seen.body).unwrap()).collect()
}

#[track_caller]
pub(super) fn wait_for(tool: &Tool, path: &str, count: usize) -> Vec<Json> {
    eventually("notices", |bodies: &Vec<Json>| bodies.len() >= count, || bodies(tool, path))
}

fn alert(seconds_ago: i64, status: &str, more: &Json) -> Json {
    let mut alert = json!({"kind": "alert", "occurredAt": ago(seconds_ago), "component": "checkout", "name": "ErrorsHigh",
        "status": status, "severity": "warning", "fingerprint": "f1", "summary": "5 % of <requests> & more fail"});
    alert.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    alert
}

#[test]
fn an_alert_that_nobody_answers_reaches_every_channel_and_so_does_its_end() {
    let (hook, chat, pager) = (Tool::start(webhook), Tool::start(slack), Tool::start(pagerduty));
    let config = format!(
        "[exports.hook]\nkind = \"webhook\"\nurl = \"{}/alerts\"\nlink = \"https://naze.example/\"\n\
         [exports.chat]\nkind = \"slack\"\nurl = \"{}/services\"\ntoken = \"{SLACK}\"\n\
         [exports.pager]\nkind = \"pagerduty\"\nurl = \"{}\"\ntoken = \"{KEY}\"\n",
        hook.url, chat.url, pager.url
    );
    let mut naze = Pusher::new(&config);
    // It fired 26 minutes ago, and nobody said anything.
    naze.record(&[
        alert(26 * 60, "firing", &json!({})),
        alert(20, "firing", &json!({"name": "Young", "fingerprint": "f2"})),
    ]);
    // Those who wait are looked for at the start, and then every minute.
    naze.stop();
    naze.start();
    let path = format!("/services/{SLACK}");
    let told = wait_for(&hook, "/alerts", 1).remove(0);
    let fired = &told["alerts"][0];
    assert_eq!(
        (&told["status"], &fired["labels"]["alertname"], &fired["labels"]["component"]),
        (&json!("firing"), &json!("ErrorsHigh"), &json!("checkout"))
    );
    assert!(fired["annotations"]["description"].as_str().unwrap().contains("nobody answered ErrorsHigh within 25 min"));
    assert!(fired["generatorURL"].as_str().unwrap().starts_with("https://naze.example/receipts/"), "{fired}");
    let message = wait_for(&chat, &path, 1).remove(0);
    assert!(message["text"].as_str().unwrap().contains("nobody answered ErrorsHigh"), "{message}");
    // A pager takes critical ones, and whatever nobody answered.
    let event = wait_for(&pager, ENQUEUE, 1).remove(0);
    assert_eq!((&event["event_action"], &event["payload"]["severity"]), (&json!("trigger"), &json!("warning")));

    naze.record(&[
        alert(0, "resolved", &json!({})),
        alert(0, "resolved", &json!({"name": "Young", "fingerprint": "f2"})),
    ]);
    let end = wait_for(&hook, "/alerts", 2).remove(1);
    assert_eq!((&end["status"], &end["alerts"][0]["fingerprint"]), (&json!("resolved"), &fired["fingerprint"]));
    let resolved = wait_for(&pager, ENQUEUE, 2).remove(1);
    assert_eq!((&resolved["event_action"], &resolved["dedup_key"]), (&json!("resolve"), &event["dedup_key"]));
    wait_for(&chat, &path, 2);
    // Of the alert that was over in time nobody heard.
    let marker = json!({"kind": "andon", "occurredAt": ago(0), "component": "line", "status": "opened", "level": "critical",
        "reference": "a1"});
    naze.record(&[marker]);
    let all = wait_for(&hook, "/alerts", 3);
    assert_eq!((all.len(), &all[2]["alerts"][0]["labels"]["alertname"]), (3, &json!("andon")));
    assert!(naze.figure("tps_self_alert_response_seconds_count") >= 9.0, "three notices at three channels");

    // What is secret is shown nowhere.
    let standings = naze.text("/v1/exports");
    assert!(!standings.contains("secretsecret") && !standings.contains(KEY), "{standings}");
    assert!(standings.contains("/services/…"), "{standings}");

    // Whoever takes Alertmanager's webhooks takes these: naze does.
    let other = Naze::in_memory();
    for payload in &all {
        let reply = other.post("/hooks/alertmanager", "application/json", payload.to_string());
        assert!(reply.status.is_success(), "{}", reply.text());
    }
    let heard = other.get("/v1/timeline?from=-1d&kind=alert").text();
    assert!(
        other.get("/metrics").text().contains("tps_andon_alerts_total{name=\"ErrorsHigh\",severity=\"warning\"} 1"),
        "{heard}"
    );
}

#[test]
fn andons_and_cords_are_told_by_severity_and_nothing_else_is() {
    let (chat, pager) = (Tool::start(slack), Tool::start(pagerduty));
    let config = format!(
        "[exports.chat]\nkind = \"slack\"\nurl = \"{}/services\"\ntoken = \"{SLACK}\"\nseverities = [\"warning\"]\n\
         [exports.pager]\nkind = \"pagerduty\"\nurl = \"{}\"\ntoken = \"{KEY}\"\n",
        chat.url, pager.url
    );
    let naze = Pusher::new(&config);
    let andon = |level: &str, status: &str| {
        json!({"kind": "andon", "occurredAt": ago(if status == "opened" { 60 } else { 1 }), "component": "line", "status": status,
            "level": level, "reference": level, "cause": "*bold* <!channel> & more"})
    };
    let cord = |colour: &str| json!({"kind": "signal", "occurredAt": ago(30), "component": "press", "colour": colour});
    naze.record(&[
        alert(30, "firing", &json!({"severity": "critical"})),
        andon("normal", "opened"),
        andon("warning", "opened"),
        cord("green"),
        andon("critical", "opened"),
        cord("yellow"),
        cord("red"),
        andon("critical", "resolved"),
    ]);
    let events = wait_for(&pager, ENQUEUE, 3);
    let told: Vec<_> = events
        .iter()
        .map(|event| (event["event_action"].as_str().unwrap(), event["payload"]["component"].as_str()))
        .collect();
    assert_eq!(told, [("trigger", Some("line")), ("trigger", Some("press")), ("resolve", None)]);
    assert_eq!(events[0]["dedup_key"], events[2]["dedup_key"]);
    let path = format!("/services/{SLACK}");
    let messages = wait_for(&chat, &path, 2);
    assert_eq!(messages.len(), 2, "{messages:?}");
    let text = messages[0].to_string();
    assert!(text.contains("WARNING: andon of line") && !text.contains("<!channel>"), "{text}");
}

/// Whoever hears of warnings alone hears that nobody resolved a critical one, and of its end.
#[test]
fn a_critical_andon_that_nobody_resolves_reaches_every_channel_and_so_does_its_end() {
    let (hook, pager) = (Tool::start(webhook), Tool::start(pagerduty));
    let mut naze = Pusher::new(&format!(
        "[exports.hook]\nkind = \"webhook\"\nurl = \"{}/alerts\"\nseverities = [\"warning\"]\n\
         [exports.pager]\nkind = \"pagerduty\"\nurl = \"{}\"\ntoken = \"{KEY}\"\n",
        hook.url, pager.url
    ));
    let andon = |seconds: i64, status: &str| {
        json!({"kind": "andon", "occurredAt": ago(seconds), "component": "press", "status": status, "level": "critical",
            "reference": "a1"})
    };
    naze.record(&[andon(61 * 60, "opened")]);
    // They are looked for at the start.
    naze.stop();
    naze.start();
    let told = wait_for(&hook, "/alerts", 1).remove(0);
    let said = told["alerts"][0]["annotations"]["description"].as_str().unwrap();
    assert_eq!(said, "nobody resolved the andon of press within 60 min");
    naze.record(&[andon(0, "resolved")]);
    let end = wait_for(&hook, "/alerts", 2).remove(1);
    assert_eq!(
        (&end["status"], &end["alerts"][0]["fingerprint"]),
        (&json!("resolved"), &told["alerts"][0]["fingerprint"])
    );
    let events = wait_for(&pager, ENQUEUE, 3);
    let actions: Vec<&str> = events.iter().map(|event| event["event_action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["trigger", "trigger", "resolve"]);
    assert!(events.iter().all(|event| event["dedup_key"] == events[0]["dedup_key"]), "{events:#?}");
}

#[test]
fn the_end_of_what_was_told_is_told_whatever_its_own_level() {
    let pager = Tool::start(pagerduty);
    let naze =
        Pusher::new(&format!("[exports.pager]\nkind = \"pagerduty\"\nurl = \"{}\"\ntoken = \"{KEY}\"\n", pager.url));
    let andon = |seconds: i64, status: &str, level: &str| {
        json!({"kind": "andon", "occurredAt": ago(seconds), "component": "press", "status": status, "level": level,
            "reference": "a1"})
    };
    naze.record(&[andon(10, "opened", "critical")]);
    wait_for(&pager, ENQUEUE, 1);
    naze.record(&[andon(0, "resolved", "normal")]);
    let events = wait_for(&pager, ENQUEUE, 2);
    let actions: Vec<&str> = events.iter().map(|event| event["event_action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["trigger", "resolve"]);
}

#[test]
fn a_channel_that_fails_gets_it_later_and_once() {
    let pager = Tool::start(pagerduty);
    pager.will([Mood::Status(500), Mood::After(429, "1".to_owned())]);
    let naze =
        Pusher::new(&format!("[exports.pager]\nkind = \"pagerduty\"\nurl = \"{}\"\ntoken = \"{KEY}\"\n", pager.url));
    let red =
        |component: &str| json!({"kind": "signal", "occurredAt": ago(1), "component": component, "colour": "red"});
    naze.record(&[red("one"), red("two")]);
    let events = wait_for(&pager, ENQUEUE, 2);
    let sources: Vec<&str> = events.iter().map(|event| event["payload"]["source"].as_str().unwrap()).collect();
    assert_eq!(sources, ["one", "two"]);
    let statuses: Vec<u16> = pager.seen().iter().map(|seen| seen.status).collect();
    assert_eq!(statuses, [500, 429, 202, 202]);
}

#[test]
fn what_a_channel_cannot_be_told_is_refused_with_its_key() {
    for (config, told) in [
        ("kind = \"slack\"", "exports.x.token is missing"),
        ("kind = \"file\"", "exports.x.path is missing"),
        ("kind = \"file\"\npath = \"n\"\nurl = \"http://127.0.0.1\"", "exports.x.url is set, but file has a path"),
        (
            "kind = \"webhook\"\nurl = \"http://127.0.0.1\"\npath = \"n\"",
            "exports.x.path is set, but webhook is no file",
        ),
        ("kind = \"file\"\npath = \"n\"\nfrom = \"a@b.c\"", "exports.x.from is set, but file is no mail"),
        ("kind = \"file\"\npath = \"n\"\nto = [\"a@b.c\"]", "exports.x.to is set, but file is no mail"),
        (
            "kind = \"webhook\"\nurl = \"http://127.0.0.1\"\npatience = \"1m\"",
            "exports.x.patience is set, but webhook is no mail",
        ),
        ("kind = \"webhook\"", "exports.x.url is missing"),
        ("kind = \"pagerduty\"\ntoken = \"t\"\nseverities = [\"high\"]", "severities has \"high\""),
        ("kind = \"otlp\"\nseverities = [\"critical\"]", "exports.x.severities is set, but otlp"),
        ("kind = \"otlp\"\ncrossings = false", "exports.x.crossings is set, but otlp takes no notices"),
        ("kind = \"slack\"\ntoken = \"t\"\ntraces = true", "slack takes no spans"),
        ("kind = \"slack\"\ntoken = \"t\"\ncooldown = \"31d\"", "exports.x.cooldown is 31 d"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("naze.toml");
        std::fs::write(&file, format!("[exports.x]\n{config}\n")).unwrap();
        let config = naze::config::Config::read(&file).unwrap();
        let error = config.exports["x"].check("x").unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
}
