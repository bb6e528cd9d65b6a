//! Which labels name the component: for all senders, and for one.

use naze::config::Config;
use serde_json::json;

use crate::common::Naze;

fn configured(text: &str) -> naze::error::Result<Config> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("naze.toml");
    std::fs::write(&path, text).unwrap();
    Config::read(&path)
}

/// The component of what is posted last.
fn component(naze: &Naze, path: &str, body: &serde_json::Value) -> String {
    let reply = naze.post(path, "application/json", body.to_string());
    assert!(reply.status.is_success(), "{}", reply.text());
    let rows = naze.post("/sparql", "application/sparql-query", "SELECT ?c { GRAPH ?g { ?r <https://w3id.org/naze#component> ?c ; <https://w3id.org/naze#ledgerPosition> ?at } } ORDER BY DESC(?at) LIMIT 1");
    let component = rows.json()["results"]["bindings"][0]["c"]["value"].as_str().unwrap().to_owned();
    component.strip_prefix("urn:naze:component:").unwrap().to_owned()
}

fn alert(labels: &serde_json::Value) -> serde_json::Value {
    json!({"version": "4", "status": "firing", "alerts": [{"status": "firing", "labels": labels, "startsAt": "2026-03-10T10:00:00Z"}]})
}

fn logs(attributes: &[(&str, &str)]) -> serde_json::Value {
    let attributes: Vec<_> =
        attributes.iter().map(|(key, value)| json!({"key": key, "value": {"stringValue": value}})).collect();
    json!({"resourceLogs": [{"resource": {"attributes": attributes}, "scopeLogs": [{"logRecords": [
        {"timeUnixNano": "1773136800000000000", "severityNumber": 17, "body": {"stringValue": "x"}}]}]}]})
}

#[test]
fn labels_for_all_senders_name_the_component_and_those_of_one_come_in_their_place() {
    let config = configured(
        "receive.component_labels = [\"namespace/app\", \"job\"]\n\
         [senders.grafana]\ncomponent_labels = [\"team/squad/app\", \"app\"]\n\
         [senders.otlp]\ncomponent_labels = [\"service_namespace/service_name\", \"service.name\"]\n",
    );
    let naze = Naze::with(config.unwrap());
    let whole = json!({"alertname": "A", "namespace": "shop", "app": "cart", "job": "node", "team": "t", "squad": "s"});
    assert_eq!(component(&naze, "/hooks/alertmanager", &alert(&whole)), "shop/cart");
    assert_eq!(component(&naze, "/hooks/grafana", &alert(&whole)), "t/s/cart");
    let part = json!({"alertname": "B", "app": "cart", "job": "node", "team": "t", "squad": ""});
    assert_eq!(component(&naze, "/hooks/alertmanager", &alert(&part)), "node", "a joined form needs all its parts");
    assert_eq!(component(&naze, "/hooks/grafana", &alert(&part)), "cart", "an empty part is none");
    let none = json!({"alertname": "C", "namespace": "shop", "job": "node"});
    assert_eq!(
        component(&naze, "/hooks/grafana", &alert(&none)),
        "unknown",
        "the labels for all senders are not asked"
    );
    assert_eq!(component(&naze, "/v1/logs", &logs(&[("service.name", "cart")])), "cart");
    let both = [("service.namespace", "shop"), ("service.name", "cart"), ("job", "node")];
    assert_eq!(component(&naze, "/v1/logs", &logs(&both)), "shop/cart");
}

#[test]
fn labels_that_name_nothing_are_refused_with_their_place() {
    for (text, message) in [
        ("[receive]\ncomponent_labels = [\"app\", \"namespace/\"]", "receive.component_labels has \"namespace/\""),
        ("[senders.otlp]\ncomponent_labels = [\"\"]", "senders.otlp.component_labels has \"\""),
        ("[senders.otlp]\ncomponent_label = [\"app\"]", "unknown field `component_label`"),
        ("[senders.graphana]\ncomponent_labels = [\"app\"]", "senders.graphana is unknown"),
    ] {
        let error = configured(text).unwrap_err();
        assert!(error.message().contains(message), "{error}");
        assert_eq!(error.hints().len(), 1, "{error}");
    }
}
