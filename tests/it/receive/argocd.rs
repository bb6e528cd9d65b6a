//! Notifications of Argo CD and Argo Rollouts, and the templates that naze ships for them.

use std::fs;

use serde_json::{Value as Json, json};

use super::{check_folder, crate_path};
use crate::common::{Naze, Reply};
use crate::sources::{all, read_http};

#[test]
fn notifications_give_the_expected_receipts() {
    check_folder("argocd", |_, request| read_http("argocd", request));
}

/// A template of `examples/argocd`, filled in as Argo would: where it is posted, and the body.
fn rendered(file: &str, template: &str, given: &Json) -> (String, String) {
    let text = fs::read_to_string(crate_path("examples/argocd").join(file)).unwrap();
    let (_, template) = text.split_once(&format!("template.{template}:")).unwrap_or_else(|| panic!("no {template}"));
    let at = template.split_once("path: ").unwrap().1.lines().next().unwrap().to_owned();
    let body = template.split_once("body: |\n").unwrap().1.lines().take_while(|line| line.starts_with("          "));
    let mut body: String = body.collect();
    while let Some((before, rest)) = body.split_once("{{") {
        let (expression, after) = rest.split_once("}}").unwrap();
        let value = match expression.strip_prefix("toJson ") {
            Some(member) => evaluated(member, given).to_string(),
            None => evaluated(expression, given).as_str().unwrap_or_else(|| panic!("no text: {expression}")).to_owned(),
        };
        body = format!("{before}{value}{after}");
    }
    (at, body)
}

/// As much of Go's templates as the examples use: members, `coalesce`, and `join` and `toJson` in parentheses.
fn evaluated(expression: &str, given: &Json) -> Json {
    if let Some(member) = expression.strip_prefix("(toJson ") {
        return evaluated(member.trim_end_matches(')'), given).to_string().into();
    }
    if let Some(rest) = expression.strip_prefix("coalesce ") {
        let (members, joined) = rest.split_once('(').unwrap_or((rest, ""));
        let values = members.split_whitespace().map(|member| evaluated(member, given));
        let mut values = values.chain([evaluated(joined.trim_end_matches(')'), given)]);
        return values.find(|value| value.as_str().is_some_and(|text| !text.is_empty())).unwrap_or(Json::Null);
    }
    if let Some(member) = expression.strip_prefix("join \"+\" ") {
        let texts = evaluated(member, given);
        let texts: Vec<&str> = texts.as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        return texts.join("+").into();
    }
    given.pointer(&expression.replace('.', "/")).cloned().unwrap_or(Json::Null)
}

fn application(phase: &str, health: &str, sync: &str) -> Json {
    json!({"app": {"metadata": {"name": "checkout", "namespace": "argocd", "uid": "u-1"},
        "spec": {"destination": {"namespace": "shop"}, "source": {"repoURL": "https://git.example/shop"}},
        "status": {"reconciledAt": "2026-03-10T10:03:00Z", "health": {"status": health, "lastTransitionTime": "2026-03-10T10:02:00Z"},
            "sync": {"status": sync, "revision": "4f2d"},
            "conditions": [{"type": "ComparisonError", "message": "git \"down\""}],
            "operationState": {"phase": phase, "message": "one or more objects failed: \"Deployment\"",
                "startedAt": "2026-03-10T10:00:30Z", "finishedAt": "2026-03-10T10:01:00Z",
                "syncResult": {"revision": "4f2d"}}}}})
}

fn send(naze: &Naze, file: &str, template: &str, given: &Json) -> Reply {
    let (path, body) = rendered(file, template, given);
    let reply = naze.post(&path, "application/json", body);
    assert!(reply.status.is_success(), "{template}: {}", reply.text());
    reply
}

#[test]
fn the_templates_for_argo_cd_tell_deployments_failures_health_and_unknown_syncs() {
    let naze = Naze::in_memory();
    let send = |template: &str, app: &Json| send(&naze, "notifications.yaml", template, app);
    let good = application("Succeeded", "Healthy", "Synced");
    assert_eq!(send("naze-sync-running", &application("Running", "Progressing", "OutOfSync")).status, 201);
    assert_eq!(send("naze-deployed", &good).status, 201);
    assert_eq!(send("naze-deployed", &good).json()["duplicate"], 1);
    assert_eq!(send("naze-sync-failed", &application("Failed", "Healthy", "OutOfSync")).status, 201);
    assert_eq!(send("naze-health-degraded", &application("Succeeded", "Degraded", "Synced")).status, 201);
    let unknown = send("naze-sync-status-unknown", &application("Succeeded", "Healthy", "Unknown"));
    let unknown = naze.get(&format!("/v1/receipts/{}", unknown.json()["receipts"][0]["id"].as_str().unwrap())).json();
    let conditions = r#"[{"type":"ComparisonError","message":"git \"down\""}]"#;
    assert_eq!(unknown["labels"]["conditions"], conditions);
    let told = ["deployment", "health", "signal"].map(|kind| all(&naze, kind)).concat();
    let told: Vec<String> =
        told.iter().map(|row| format!("{} {} {}", row["time"], row["component"], row["subject"])).collect();
    assert_eq!(
        told,
        [
            r#""2026-03-10T10:00:30Z" "checkout" "4f2d""#,
            r#""2026-03-10T10:01:00Z" "checkout" "4f2d""#,
            r#""2026-03-10T10:01:00Z" "checkout" "4f2d""#,
            r#""2026-03-10T10:02:00Z" "checkout" "degraded""#,
            r#""2026-03-10T10:03:00Z" "checkout" "yellow""#,
        ]
    );
}

#[test]
fn the_templates_for_argo_cd_do_without_what_an_application_may_lack() {
    let naze = Naze::in_memory();
    let mut app = application("Succeeded", "Degraded", "Synced");
    app["app"]["spec"] = json!({"destination": {"server": "https://kubernetes.default.svc"}, "sources": []});
    app["app"]["status"]["sync"] = json!({"status": "Synced", "revisions": ["4f2d", "91aa"]});
    app["app"]["status"]["health"] = json!({"status": "Degraded"});
    let deployed = send(&naze, "notifications.yaml", "naze-deployed", &app).json();
    let id = deployed["receipts"][0]["id"].as_str().unwrap();
    let receipt = naze.get(&format!("/v1/receipts/{id}")).json();
    assert_eq!(receipt["version"], "4f2d+91aa");
    assert_eq!(receipt["environment"], "https://kubernetes.default.svc");
    let degraded = send(&naze, "notifications.yaml", "naze-health-degraded", &app);
    assert_eq!(degraded.json()["recorded"], 1);
}

#[test]
fn the_templates_for_rollouts_name_the_event() {
    let naze = Naze::in_memory();
    let rollout = |generation: u64| {
        json!({"rollout": {"metadata": {"name": "checkout", "namespace": "shop", "generation": generation,
                "annotations": {"rollout.argoproj.io/revision": "6"}},
            "spec": {"template": {"spec": {"containers": [{"image": "registry.example:5000/shop/checkout:1.4.2"}]}}},
            "status": {"phase": "Healthy", "currentPodHash": "6f9c"}}})
    };
    let send = |template: &str, generation| send(&naze, "rollouts.yaml", template, &rollout(generation)).json();
    for template in ["naze-updated", "naze-aborted", "naze-completed"] {
        assert_eq!(send(template, 7)["recorded"], 1, "{template}");
        assert_eq!(send(template, 7)["duplicate"], 1, "{template}");
    }
    assert_eq!(send("naze-updated", 8)["recorded"], 1, "the next rollout, told with the revision before");
}
