//! Episodes of alerts in the samples that Prometheus keeps, against what naze knows.

use chrono::TimeDelta;
use naze::clock::Timestamp;
use naze::receipt::{Receipt, Value};
use naze::reconcile::history::{Labels, Rule, Span, known, missed, spans};
use serde_json::json;

fn at(time: &str) -> Timestamp {
    format!("2026-03-10T{time}Z").parse().unwrap()
}

fn samples(times: &[&str]) -> Vec<Timestamp> {
    times.iter().map(|time| at(time)).collect()
}

fn rule() -> Rule {
    let annotations = Labels::from([("summary".to_owned(), "too many errors".to_owned())]);
    Rule { interval: TimeDelta::seconds(30), evaluated_at: at("10:30:00"), annotations }
}

fn span(starts_at: &str, ends_at: Option<&str>) -> Span {
    Span { starts_at: at(starts_at), ends_at: ends_at.map(at) }
}

#[test]
fn samples_give_the_times_in_which_an_alert_fired() {
    let found = |times: &[&str], restarted: Option<&str>| spans(&samples(times), &rule(), restarted.map(at));
    assert_eq!(found(&[], None), []);
    let once = ["10:00:00.256", "10:00:30.256", "10:01:00.256"];
    assert_eq!(found(&once, None), [span("10:00:00.256", Some("10:01:30.256"))]);
    assert_eq!(found(&["10:29:00", "10:29:30"], None), [span("10:29:00", None)], "it may still fire");
    let twice = ["10:00:00", "10:00:30", "10:02:00", "10:02:30"];
    let apart = [span("10:00:00", Some("10:01:00")), span("10:02:00", Some("10:03:00"))];
    assert_eq!(found(&twice, None), apart);
    assert_eq!(found(&twice, Some("10:01:30")), [span("10:00:00", Some("10:03:00"))], "a restart is no end");
    assert_eq!(found(&twice, Some("09:00:00")), apart, "a restart at another time explains nothing");
    let long = ["10:00:00", "10:04:00"];
    assert_eq!(found(&long, Some("10:02:00")).len(), 2, "Alertmanager would not have waited so long");
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn alert(status: &str, starts_at: &str, ends_at: Option<&str>) -> Receipt {
    let receipt = Receipt::new("alert", at(ends_at.unwrap_or(starts_at)), "checkout")
        .with("name", Value::text("Slow"))
        .with("status", Value::text(status))
        .with("severity", Value::text("warning"))
        .with("fingerprint", Value::text("00000000000000ff"))
        .with("summary", Value::text("as told"))
        .with("startsAt", Value::Time(at(starts_at)))
        .with_label("service", "checkout")
        .with_label("cluster", "eu-1");
    ends_at.map_or(receipt.clone(), |end| receipt.with("endsAt", Value::Time(at(end))))
}

/// Start and end of what is missed, and whether it is told as naze knows it.
fn missed_of(spans: &[Span], alerts: &[Receipt]) -> Vec<String> {
    let series = labels(&[("alertname", "Slow"), ("severity", "warning"), ("service", "checkout")]);
    let external = labels(&[("cluster", "eu-1"), ("service", "not this")]);
    missed(&series, &external, &rule(), spans, &known(alerts.iter()))
        .iter()
        .map(|alert| {
            let told =
                labels(&[("alertname", "Slow"), ("cluster", "eu-1"), ("service", "checkout"), ("severity", "warning")]);
            assert_eq!(alert["labels"], json!(told), "{alert}");
            let time = |name: &str| alert[name].as_str().map_or("", |time| &time[11..]);
            format!("{}-{} {}", time("startsAt"), time("endsAt"), alert["annotations"]["summary"].as_str().unwrap())
        })
        .collect()
}

#[test]
fn what_is_known_is_not_told_again_and_what_is_not_is_told_whole() {
    let ended = span("10:00:00.256", Some("10:01:00.256"));
    let fires = span("10:00:00.256", None);
    assert_eq!(missed_of(&[fires], &[]), ["10:00:00.256Z- too many errors"]);
    assert_eq!(
        missed_of(&[ended], &[]),
        ["10:00:00.256Z- too many errors", "10:00:00.256Z-10:01:00.256Z too many errors"]
    );
    // The webhook may tell microseconds, Prometheus keeps milliseconds.
    let firing = alert("firing", "10:00:00.256003", None);
    assert_eq!(missed_of(&[fires], std::slice::from_ref(&firing)), [""; 0]);
    assert_eq!(missed_of(&[ended], std::slice::from_ref(&firing)), ["10:00:00.256003Z-10:01:00.256Z as told"]);
    let resolved = alert("resolved", "10:00:00.256003", Some("10:01:00.256"));
    assert_eq!(missed_of(&[ended], &[firing.clone(), resolved.clone()]), [""; 0]);
    assert_eq!(missed_of(&[ended], &[resolved]), ["10:00:00.256003Z- as told"], "an end without a beginning");
    let timeout = alert("resolved", "10:00:00.256003", Some("10:00:20"));
    assert_eq!(missed_of(&[fires], &[firing.clone(), timeout.clone()]), [""; 0]);
    assert_eq!(missed_of(&[ended], &[firing.clone(), timeout]), ["10:00:00.256003Z-10:01:00.256Z as told"]);
    // Alertmanager took it for one with what its other Prometheus told.
    assert_eq!(missed_of(&[ended], &[alert("firing", "09:59:45", None)]), ["09:59:45Z-10:01:00.256Z as told"]);
    // The next episode is another.
    let next = span("10:02:00", None);
    let told = ["10:00:00.256003Z-10:01:00.256Z as told", "10:02:00Z- too many errors"];
    assert_eq!(missed_of(&[ended, next], &[firing]), told);
    let other = alert("firing", "10:00:00.256", None).with_label("service", "web");
    assert_eq!(missed_of(&[fires], &[other]).len(), 1, "another service's alert is not this one");
}
