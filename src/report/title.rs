//! One plain sentence per receipt: what a timeline says of it.

use super::{figure, one_line};
use crate::receipt::{Receipt, Value};

/// A longer title is cut; the receipt has it all.
const CHARACTERS_MAX: usize = 300;
/// Fields that tell more, whatever the kind.
const DETAILS: [&str; 5] = ["message", "reason", "cause", "details", "summary"];

/// What happened, in one line. Facts only: no judgement, and no person as the cause.
pub fn title_of(receipt: &Receipt) -> String {
    let mut title = sentence(receipt);
    for detail in DETAILS.iter().filter_map(|field| receipt.text(field)) {
        if !detail.trim().is_empty() && !title.contains(detail) {
            title.push_str(": ");
            title.push_str(detail);
        }
    }
    let title = one_line(&title);
    match title.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &title[..end]),
        None => title,
    }
}

fn sentence(receipt: &Receipt) -> String {
    let text = |field: &str| receipt.text(field).unwrap_or_default();
    let component = receipt.component().unwrap_or("?");
    match receipt.kind() {
        "failure" => failure(receipt, component),
        "circuit" => format!("circuit {}", text("state").replace('_', " ")),
        "rejection" => format!("requests refused{}", number(receipt, "count", " ×")),
        "alert" => format!("alert {} {}", text("name"), text("status")),
        "signal" => format!("signal {}", text("colour")),
        "andon" => format!("andon {}{}{}", text("status"), more(receipt, "level", " "), more(receipt, "sku", " for ")),
        "deployment" => deployment(receipt),
        "change" => change(receipt),
        "crossing" => crossing(receipt),
        "scaling" => format!("pool {} scaled {}{}", text("pool"), text("direction"), moved(receipt)),
        "burst" => {
            let usual = number(receipt, "baseline", ", usually ");
            format!("burst at pool {}{}{usual}", text("pool"), number(receipt, "size", ": "))
        }
        "dependency" => format!("{component} depends on {}", receipt.component_field("target").unwrap_or("?")),
        "incident" => format!("incident {} {}", text("reference"), text("status")),
        "remediation" => {
            let alert = more(receipt, "alertName", " for alert ");
            format!("remediation {}: {}{alert}", text("action"), text("result"))
        }
        "workorder" => format!("work order {} {}", text("reference"), text("status")),
        "stage" => stage(receipt),
        "gate" => format!("gate {} {}{}", text("gateName"), passed(receipt, "pass"), more(receipt, "sku", " for ")),
        "backup" => format!("backup {}", if is_true(receipt, "ok") { "succeeded" } else { "failed" }),
        "validation" => {
            format!("validation {}{}", passed(receipt, "ok"), number(receipt, "violations", ", violations: "))
        }
        "maintenance" if is_true(receipt, "done") => "maintenance done".to_owned(),
        "maintenance" => "maintenance due".to_owned(),
        "health" => format!("health {}", text("state")),
        "slo" => {
            let met = if is_true(receipt, "met") { "met" } else { "missed" };
            format!("objective {} {met}{}", text("sloName"), number(receipt, "value", ": "))
        }
        "experiment" => format!("experiment {}{}", text("hypothesis"), more(receipt, "result", ": ")),
        "improvement" => format!("improvement {}{}", text("title"), more(receipt, "status", ": ")),
        "recommendation" => format!("recommendation {} {}: {}", text("priority"), text("title"), text("action")),
        "note" => note(receipt),
        own => format!("{own}{}{}", more(receipt, "name", " "), more(receipt, "status", " ")),
    }
}

fn failure(receipt: &Receipt, component: &str) -> String {
    let calling = receipt.component_field("peer").map_or_else(String::new, |peer| format!("{component} → {peer}: "));
    let times = receipt.number("count").filter(|count| *count > 1.0);
    let times = times.map_or_else(String::new, |count| format!(" ×{count}"));
    format!("{calling}{}{times}", receipt.text("failureType").unwrap_or_default())
}

fn deployment(receipt: &Receipt) -> String {
    let version = receipt.text("version").or_else(|| receipt.text("commit")).unwrap_or("unknown version");
    let was = receipt.text("previousVersion").map_or_else(String::new, |previous| format!(" (was {previous})"));
    let status = receipt.text("status").unwrap_or_default().replace('_', " ");
    format!("deployment {status}: {version}{was}{}", more(receipt, "actor", " by "))
}

fn change(receipt: &Receipt) -> String {
    let text = |field: &str| receipt.text(field).unwrap_or_default();
    let what = text("changeType").replace('_', " ");
    format!("{what} {} changed{}{}", text("key"), moved(receipt), more(receipt, "actor", " by "))
}

fn crossing(receipt: &Receipt) -> String {
    let unit = more(receipt, "unit", " ");
    let direction = match receipt.text("direction") {
        Some("up") => " upward",
        Some("down") => " downward",
        _ => "",
    };
    let usual = match (receipt.number("baseline"), receipt.number("deviation")) {
        (Some(baseline), Some(deviation)) => format!(" (baseline {}, {:.1} σ)", figure(baseline), deviation.abs()),
        (Some(baseline), None) => format!(" (baseline {})", figure(baseline)),
        _ => String::new(),
    };
    let metric = receipt.text("metric").unwrap_or_default();
    let (threshold, value) = (number(receipt, "threshold", " "), number(receipt, "value", ": "));
    let conditions: Vec<&str> = receipt.texts("condition").collect();
    let conditions = if conditions.is_empty() { String::new() } else { format!(": {}", conditions.join(" and ")) };
    if let Some(status) = receipt.text("status") {
        return format!("{metric} {status}{value}{unit}{usual}{conditions}");
    }
    if !conditions.is_empty() {
        return format!("{metric} crossed{threshold}{direction}{conditions}");
    }
    format!("{metric} crossed{threshold}{direction}{value}{unit}{usual}")
}

fn stage(receipt: &Receipt) -> String {
    let took = number(receipt, "durationSeconds", " after ");
    let took = if took.is_empty() { took } else { format!("{took} s") };
    let ended = if receipt.first("ok").is_some() { format!(" {}", passed(receipt, "ok")) } else { String::new() };
    let name = receipt.text("stageName").unwrap_or_default();
    format!("stage {name}{ended}{took}{}", more(receipt, "sku", " for "))
}

fn note(receipt: &Receipt) -> String {
    let cause = more(receipt, "causeComponent", " ");
    match receipt.text("verdict") {
        Some("confirmed") => format!("cause confirmed{cause}"),
        Some("ruled_out") => format!("cause ruled out{cause}"),
        _ => "note".to_owned(),
    }
}

fn moved(receipt: &Receipt) -> String {
    format!("{}{}", more(receipt, "from", " from "), more(receipt, "to", " to "))
}

fn is_true(receipt: &Receipt, field: &str) -> bool {
    matches!(receipt.first(field), Some(Value::Boolean(true)))
}

fn passed(receipt: &Receipt, field: &str) -> &'static str {
    if is_true(receipt, field) { "passed" } else { "failed" }
}

/// A number after `lead`, or nothing.
fn number(receipt: &Receipt, field: &str, lead: &str) -> String {
    receipt.number(field).map_or_else(String::new, |number| format!("{lead}{}", figure(number)))
}

/// A field after `lead`, or nothing.
fn more(receipt: &Receipt, field: &str, lead: &str) -> String {
    let Some(value) = receipt.first(field) else { return String::new() };
    let value = match value {
        Value::Text(text) | Value::Component(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => figure(*number),
        Value::Boolean(truth) => truth.to_string(),
        Value::Time(time) => time.to_string(),
        Value::Receipt(id) => id.to_string(),
        Value::Other(term) => term.to_string(),
    };
    format!("{lead}{value}")
}
