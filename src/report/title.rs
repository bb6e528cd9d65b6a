//! One plain sentence per receipt: what a timeline says of it.

use crate::receipt::{Receipt, Value};

/// What happened, in one sentence. Facts only: no judgement, and no person as the cause.
pub fn title_of(receipt: &Receipt) -> String {
    let text = |field: &str| receipt.text(field).unwrap_or_default();
    let number = |field: &str| receipt.number(field);
    let component = receipt.component().unwrap_or("?");
    let state = |what: &str, field: &str| format!("{what} {}", text(field));
    let title = match receipt.kind() {
        "failure" => failure(receipt, component),
        "circuit" => state("circuit", "state"),
        "rejection" => format!("{} requests refused", shown(number("count"))),
        "alert" => format!("alert {} {}", text("name"), text("status")),
        "signal" => state("signal", "colour"),
        "andon" => format!("andon {} {}", text("status"), text("level")),
        "deployment" => deployment(receipt),
        "change" => change(receipt),
        "crossing" => crossing(receipt),
        "scaling" => format!(
            "pool {} scaled {} from {} to {}",
            text("pool"),
            text("direction"),
            any(receipt, "from"),
            any(receipt, "to")
        ),
        "burst" => format!("burst of {} at pool {}", shown(number("size")), text("pool")),
        "dependency" => format!("{component} depends on {}", receipt.component_field("target").unwrap_or("?")),
        "incident" => format!("incident {} {}", text("reference"), text("status")),
        "remediation" => format!("{}: {}", text("action"), text("result")),
        "workorder" => format!("work order {} {}", text("reference"), text("status")),
        "stage" => state("stage", "stageName"),
        "gate" => format!("gate {} {}", text("gateName"), passed(receipt, "pass")),
        "backup" => format!("backup {}", passed(receipt, "ok")),
        "validation" => format!("validation {}", passed(receipt, "ok")),
        "maintenance" => format!(
            "maintenance {}",
            if matches!(receipt.first("done"), Some(Value::Boolean(true))) { "done" } else { "due" }
        ),
        "health" => state("health", "state"),
        "slo" => format!(
            "objective {} {}",
            text("sloName"),
            if matches!(receipt.first("met"), Some(Value::Boolean(true))) { "met" } else { "missed" }
        ),
        "experiment" => format!("experiment: {}", text("hypothesis")),
        "improvement" => format!("improvement: {}", text("title")),
        "recommendation" => format!("[{}] {}", text("priority"), text("title")),
        "note" => note(receipt),
        other => other.to_owned(),
    };
    match receipt.text("summary").filter(|summary| !summary.is_empty()) {
        Some(summary) => format!("{title}: {summary}"),
        None => title,
    }
}

fn failure(receipt: &Receipt, component: &str) -> String {
    let kind = receipt.text("failureType").unwrap_or_default();
    let times =
        receipt.number("count").filter(|count| *count > 1.0).map_or_else(String::new, |count| format!(" ×{count}"));
    let message = receipt.text("message").map_or_else(String::new, |message| format!(": {message}"));
    let calling = receipt.component_field("peer").map_or_else(String::new, |peer| format!("{component} → {peer}: "));
    format!("{calling}{kind}{times}{message}")
}

fn deployment(receipt: &Receipt) -> String {
    let version = receipt.text("version").or_else(|| receipt.text("commit")).unwrap_or("unknown version");
    let was = receipt.text("previousVersion").map_or_else(String::new, |previous| format!(" (was {previous})"));
    let by = receipt.text("actor").map_or_else(String::new, |actor| format!(" by {actor}"));
    format!("deployment {}: {version}{was}{by}", receipt.text("status").unwrap_or_default())
}

fn change(receipt: &Receipt) -> String {
    let key = receipt.text("key").unwrap_or_default();
    let moved = match (receipt.first("from"), receipt.first("to")) {
        (None, None) => String::new(),
        _ => format!(" from {} to {}", any(receipt, "from"), any(receipt, "to")),
    };
    let by = receipt.text("actor").map_or_else(String::new, |actor| format!(" by {actor}"));
    format!("{} {key} changed{moved}{by}", receipt.text("changeType").unwrap_or_default())
}

fn crossing(receipt: &Receipt) -> String {
    let number = |field: &str| receipt.number(field);
    let threshold = number("threshold").map_or_else(String::new, |threshold| format!(" {threshold:.4}"));
    let baseline = match (number("baseline"), number("deviation")) {
        (Some(baseline), Some(deviation)) => format!(" (baseline {baseline:.4}, {:.1} σ)", deviation.abs()),
        _ => String::new(),
    };
    let (metric, direction) =
        (receipt.text("metric").unwrap_or_default(), receipt.text("direction").unwrap_or_default());
    format!("{metric} crossed{threshold} {direction}: {:.4}{baseline}", number("value").unwrap_or_default())
}

fn note(receipt: &Receipt) -> String {
    let message = receipt.text("message").unwrap_or_default();
    match (receipt.text("verdict"), receipt.component_field("causeComponent")) {
        (Some("confirmed"), Some(cause)) => format!("cause confirmed ({cause}): {message}"),
        (Some("ruled_out"), Some(cause)) => format!("cause ruled out ({cause}): {message}"),
        _ => format!("note: {message}"),
    }
}

fn passed(receipt: &Receipt, field: &str) -> &'static str {
    if matches!(receipt.first(field), Some(Value::Boolean(true))) { "passed" } else { "failed" }
}

fn any(receipt: &Receipt, field: &str) -> String {
    match receipt.first(field) {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Integer(number)) => number.to_string(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Boolean(truth)) => truth.to_string(),
        _ => "nothing".to_owned(),
    }
}

fn shown(number: Option<f64>) -> String {
    number.map_or_else(|| "some".to_owned(), |number| number.to_string())
}
