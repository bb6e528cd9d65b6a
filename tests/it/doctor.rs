//! `naze doctor`: real servers, broken one thing at a time.

mod around;
mod rehearsal;

use serde_json::Value as Json;

/// Findings of a check with a status, as `detail; fix`.
fn told(findings: &[Json], check: &str, status: &str) -> Vec<String> {
    let found = findings.iter().filter(|one| one["check"] == check && one["status"] == status);
    let text = |one: &Json, member: &str| one[member].as_str().unwrap_or_default().to_owned();
    found.map(|one| format!("{}; {}", text(one, "detail"), text(one, "fix"))).collect()
}
