//! Alertmanager's event recorder (0.33 and newer): what it does, told as it does it.
//!
//! It is the one source that tells which alerts were silenced, and which were inhibited by which other alert. Alerts are
//! named as the webhook names them, so an alert told both ways is one fact. Events come at least once and in any order.

use serde_json::{Map, Value as Json, json};

use super::SOURCE;
use super::alert::{self, Alert, FAMILY, Muted, RULE, Reading, Status};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::receipt::{Receipt, Value};
use crate::receive::body::{self, filled};
use crate::receive::{Draft, Given, Item, RECEIPTS_MAX, Received, Receiver, VALUES_MAX};
use crate::validate::Violation;

/// Alertmanager's event recorder.
pub(in crate::receive) const RECEIVER: Receiver = Receiver {
    name: "alertmanager_events",
    paths: &["/hooks/alertmanager-events"],
    read: |delivery, given| events(delivery.body, given),
    ..Receiver::PLAIN
};

/// The component that Alertmanager's own starts and stops, and silences that name no other, belong to.
const ALERTMANAGER: &str = "alertmanager";

/// Reads one event, or a batch of them.
///
/// # Errors
/// `Invalid` when the body is neither a JSON object nor an array.
fn events(body: &[u8], given: &Given<'_>) -> Result<Received> {
    let events = match serde_json::from_str(body::text(body)?).map_err(|error| body::not_json(&error))? {
        Json::Array(events) => events,
        event @ Json::Object(_) => vec![event],
        other => {
            return Err(Error::invalid(format!("the body is {}, not an event", body::type_of(&other)))
                .hint("point the webhook output of Alertmanager's event recorder here"));
        }
    };
    let mut received = Received::default();
    for (place, event) in events.iter().enumerate() {
        let told = Event::read(event, given).map_or_else(|violation| vec![Err(violation)], |event| event.told());
        received.ignored += usize::from(told.is_empty());
        received.items.extend(told.into_iter().map(|draft| {
            let at_place = |violation| Item::Refused(vec![body::at(&format!("[{place}]"), violation)]);
            draft.map_or_else(at_place, Item::Receipt)
        }));
        if received.items.len() > RECEIPTS_MAX {
            return Err(body::too_many_receipts());
        }
    }
    Ok(received)
}

/// One event: its kind is the name of the one member of `data`.
struct Event<'a> {
    kind: &'a str,
    data: &'a Json,
    at: Timestamp,
    instance: Option<&'a str>,
    given: &'a Given<'a>,
}

impl<'a> Event<'a> {
    fn read(json: &'a Json, given: &'a Given<'a>) -> Result<Self, Violation> {
        let members = json.get("data").and_then(Json::as_object).filter(|data| data.len() == 1);
        let Some((kind, data)) = members.and_then(|data| data.iter().next()) else {
            return Err(fault(".data", None, "data must be an object with one member, named by the kind of event"));
        };
        let at = match json.get("@timestamp") {
            None | Some(Json::Null) => given.received_at,
            Some(told) => time(told).ok_or_else(|| fault(".@timestamp", Some(told), "@timestamp must be a time"))?,
        };
        Ok(Self { kind, data, at, instance: filled(json.get("instance")), given })
    }

    /// What the event tells; nothing of kinds that record nothing.
    fn told(&self) -> Vec<Result<Draft, Violation>> {
        let data = self.data;
        match self.kind {
            "alertCreated" => vec![self.alert(&data["alert"], "alert")],
            "alertResolved" | "alertGrouped" => self.grouped(std::slice::from_ref(&data["alert"]), "alert"),
            "notification" => self.grouped(list(data, "alerts"), "alerts"),
            "silenceMutedAlert" => vec![self.silenced()],
            "inhibitionMutedAlert" => vec![self.inhibited()],
            "silenceCreated" | "silenceUpdated" => vec![self.silence()],
            "alertmanagerStartupEvent" => vec![Ok(self.process("started"))],
            "alertmanagerShutdownEvent" => vec![Ok(self.process("stopped"))],
            _ => Vec::new(),
        }
    }

    /// Alerts of a group: those told with details, as a hash alone names nothing.
    fn grouped(&self, alerts: &[Json], member: &str) -> Vec<Result<Draft, Violation>> {
        let told = alerts.iter().filter_map(|alert| match alert.get("details") {
            Some(details) => Some(self.alert(details, &format!("{member}.details"))),
            None => alert.get("labels").map(|_| self.alert(alert, member)),
        });
        told.collect()
    }

    fn alert(&self, json: &Json, member: &str) -> Result<Draft, Violation> {
        self.read_alert(json, member, |alert, reading| alert.draft(reading))
    }

    /// Reads an alert in the recorder's form, which is the webhook's with lists for maps.
    fn read_alert(
        &self,
        json: &Json,
        member: &str,
        draft: impl FnOnce(Alert<'_>, &Reading<'_>) -> Draft,
    ) -> Result<Draft, Violation> {
        let at_place = |violation| body::at(&format!(".data.{}.{member}", self.kind), violation);
        let Json::Object(members) = json else {
            return Err(at_place(fault("", Some(json), "an alert must be an object")));
        };
        let resolved = self.kind == "alertResolved" || members.get("resolved").and_then(Json::as_bool) == Some(true);
        let told = json!({
            "status": if resolved { "resolved" } else { "firing" },
            "labels": pairs(members, "labels").map_err(at_place)?,
            "annotations": pairs(members, "annotations").map_err(at_place)?,
            "startsAt": members.get("startsAt"),
            "endsAt": members.get("endsAt").filter(|_| resolved),
            "generatorURL": members.get("generatorUrl"),
            "fingerprint": members.get("fingerprint").and_then(hexadecimal),
        });
        let reading = Reading {
            source: SOURCE,
            family: FAMILY,
            received_at: self.at,
            mapping: self.given.mapping,
            status: Status::Told { group_resolved: false },
        };
        let alert = Alert::read(&told, &reading).map_err(at_place)?;
        if alert.has_labels() { Ok(draft(alert, &reading)) } else { Err(at_place(alert::no_labels())) }
    }

    fn silenced(&self) -> Result<Draft, Violation> {
        let silence = &self.data["silence"];
        let by = Muted::Silenced(self.need(silence, "id", "silence")?.to_owned());
        self.muted(&by, &format!("silenced: {}", telling(silence)))
    }

    fn inhibited(&self) -> Result<Draft, Violation> {
        let by: Vec<String> = list(self.data, "inhibitingFingerprints").iter().filter_map(hexadecimal).collect();
        if by.len() > VALUES_MAX {
            return Err(body::too_many_values("inhibitedBy", by.len()));
        }
        let names: Vec<&str> =
            list(self.data, "inhibitRules").iter().filter_map(|rule| filled(rule.get("name"))).collect();
        let by_rule = if names.is_empty() { String::new() } else { format!(" (rule {})", names.join(", ")) };
        let summary = format!("inhibited by alert {}{by_rule}", by.join(", "));
        self.muted(&Muted::Inhibited(by), &summary)
    }

    fn muted(&self, by: &Muted, summary: &str) -> Result<Draft, Violation> {
        self.read_alert(&self.data["mutedAlert"], "mutedAlert", |alert, reading| alert.muted(by, summary, reading))
    }

    /// A person said that alerts are of no use for a while, and why.
    fn silence(&self) -> Result<Draft, Violation> {
        let silence = &self.data["silence"];
        let id = self.need(silence, "id", "silence")?;
        let equal = |name: &str| {
            let mut matchers = list(silence, "matchers").iter();
            let named = matchers.find(|matcher| matcher["type"] == "TYPE_EQUAL" && matcher["name"] == name);
            filled(named?.get("pattern"))
        };
        let component = self.given.mapping.component(equal);
        let updated_at = silence.get("updatedAt").and_then(time).unwrap_or(self.at);
        let mut receipt = Receipt::new("note", updated_at, component.as_deref().unwrap_or(ALERTMANAGER))
            .with("message", Value::text(format!("silence: {}", telling(silence))))
            .with("verdict", Value::text("observation"))
            .with("source", Value::text(SOURCE))
            .with_text("actor", filled(silence.get("createdBy")))
            .with_label("silence", id);
        for (label, member) in [("silence.startsAt", "startsAt"), ("silence.endsAt", "endsAt")] {
            if let Some(text) = filled(silence.get(member)) {
                receipt.label(label, text);
            }
        }
        Ok(Draft::new(receipt).with_key(Some(format!("{FAMILY}:silence:{id}:{updated_at}"))))
    }

    /// While Alertmanager is away, alerts go unheard.
    fn process(&self, what: &str) -> Draft {
        let version = filled(self.data.get("version"));
        let name = version.map_or_else(|| "Alertmanager".to_owned(), |version| format!("Alertmanager {version}"));
        let receipt = Receipt::new("change", self.at, ALERTMANAGER)
            .with("changeType", Value::text("infrastructure"))
            .with("key", Value::text("process"))
            .with("to", Value::text(what))
            .with("summary", Value::text(format!("{name} {what}")))
            .with("source", Value::text(SOURCE))
            .with_text("instance", self.instance);
        let key = format!("{FAMILY}:process:{what}:{}:{}", self.instance.unwrap_or_default(), self.at);
        Draft::new(receipt).with_key(Some(key))
    }

    fn need<'b>(&self, json: &'b Json, member: &str, of: &str) -> Result<&'b str, Violation> {
        let place = format!(".data.{}.{of}.{member}", self.kind);
        filled(json.get(member)).ok_or_else(|| fault(&place, json.get(member), &format!("{member} must be a text")))
    }
}

fn list<'a>(json: &'a Json, member: &str) -> &'a [Json] {
    json.get(member).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// A list of `{key, value}`, which the recorder wraps once more, as the object it stands for; an object is one already.
fn pairs(alert: &Map<String, Json>, member: &str) -> Result<Json, Violation> {
    let Some(told) = alert.get(member).filter(|told| !told.is_null()) else { return Ok(json!({})) };
    let wrong =
        || fault(&format!(".{member}"), Some(told), &format!("{member} must be {{\"labels\": [{{key, value}}]}}"));
    let pairs = match told.get("labels").filter(|labels| labels.is_array()).unwrap_or(told) {
        Json::Array(pairs) => pairs,
        Json::Object(_) => return Ok(told.clone()),
        _ => return Err(wrong()),
    };
    let pair = |pair: &Json| {
        let value = pair.get("value").cloned().unwrap_or_else(|| "".into());
        Some((pair.get("key")?.as_str()?.to_owned(), value))
    };
    let object: Option<Map<String, Json>> = pairs.iter().map(pair).collect();
    object.map(Json::Object).ok_or_else(wrong)
}

/// The webhook's form of a fingerprint, which is a number here, written as text because it needs 64 bits.
fn hexadecimal(fingerprint: &Json) -> Option<String> {
    let number = fingerprint.as_u64().or_else(|| fingerprint.as_str()?.parse().ok())?;
    Some(format!("{number:016x}"))
}

/// A silence in a line: why, on what, by whom.
fn telling(silence: &Json) -> String {
    let rendered: Vec<&str> =
        list(silence, "matchers").iter().filter_map(|matcher| filled(matcher.get("rendered"))).collect();
    let comment = filled(silence.get("comment")).unwrap_or("no reason given");
    let by = filled(silence.get("createdBy")).map(|by| format!(", by {by}")).unwrap_or_default();
    if rendered.is_empty() { format!("{comment}{by}") } else { format!("{comment} ({}){by}", rendered.join(", ")) }
}

fn time(json: &Json) -> Option<Timestamp> {
    json.as_str().and_then(body::time)
}

fn fault(field: &str, value: Option<&Json>, message: &str) -> Violation {
    let value = value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    body::violation(RULE, field, value.as_deref(), message.to_owned(), "send what Alertmanager's event recorder sends")
}
