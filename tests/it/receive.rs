//! Documents in, receipts out. Each body in `tests/receive/<source>/` has its outcome, written by hand, beside it in
//! `<case>.expected.json`; `payloads/` holds outcomes of what real senders sent, which lies under `../shared`.

mod alertmanager;
mod argocd;
mod cloudevents;
mod flagger;
mod openslo;
mod remote_write;
mod volume;
mod webhooks;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use naze::clock::Timestamp;
use naze::config;
use naze::error::{Error, Kind, Result};
use naze::receipt::{Receipt, write_json, write_json_ld};
use naze::receive::{ComponentMapping, Format, Item, RECEIPTS_MAX, Received, alertmanager, github, receive, signature};
use naze::validate::Shapes;
use naze::vocab::{LABEL_PREFIX, Vocabulary, shapes_documents};
use oxrdf::Graph;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

pub(crate) const RECEIVED_AT: &str = "2026-11-21T01:00:00Z";

#[test]
fn native_json_gives_the_expected_receipts() {
    check_folder("native", read_native);
}

#[test]
fn rdf_gives_the_expected_receipts() {
    check_folder("rdf", read_native);
}

#[test]
fn alertmanager_notifications_give_the_expected_receipts() {
    check_folder("alertmanager", |_, body| read_alertmanager(body));
}

#[test]
fn github_events_give_the_expected_receipts() {
    check_folder("github", read_github);
}

#[test]
fn alertmanager_payloads_give_the_expected_receipts() {
    check_payloads("alertmanager", 22, |_, body| read_alertmanager(body));
}

#[test]
fn github_payloads_give_the_expected_receipts() {
    check_payloads("github", 6, |path, body| {
        let folder = path.parent().and_then(Path::file_name).unwrap().to_str().unwrap();
        let event = if folder == "enterprise-server" { "deployment_status" } else { folder };
        github(event, body, "application/json", received_at(), &mapping(), &Vocabulary::builtin())
    });
}

#[test]
fn every_alert_of_every_payload_is_a_receipt_that_keeps_the_rules() {
    let Some(folder) = payloads("alertmanager") else { return };
    let mut alerts = 0;
    for path in files(&folder).into_iter().filter(|path| has_extension(path, "json")) {
        let body = fs::read(&path).unwrap();
        let told = serde_json::from_slice::<Json>(&body).unwrap()["alerts"].as_array().unwrap().len();
        let receipts = receipts(&read_alertmanager(&body).unwrap());
        assert_eq!(receipts.len(), told, "{}", path.display());
        assert_valid(&receipts);
        alerts += told;
    }
    assert!(alerts >= 76, "{alerts} alerts in all payloads");
}

#[test]
fn fingerprints_are_computed_as_alertmanager_does() {
    let Some(folder) = payloads("alertmanager/captured") else { return };
    let mut compared = 0;
    for path in files(&folder).into_iter().filter(|path| has_extension(path, "json")) {
        let mut notification: Json = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        for alert in notification["alerts"].as_array_mut().unwrap() {
            let sent = alert.as_object_mut().unwrap().remove("fingerprint").unwrap();
            let body = json!({"alerts": [alert]}).to_string();
            let receipts = receipts(&read_alertmanager(body.as_bytes()).unwrap());
            assert_eq!(receipts[0].text("fingerprint"), sent.as_str(), "{}", path.display());
            compared += 1;
        }
    }
    assert!(compared >= 13, "{compared} fingerprints compared");
}

#[test]
fn a_repeated_notification_is_the_same_fact_and_a_resolution_another() {
    let Some(folder) = payloads("alertmanager/captured") else { return };
    let sequence = fs::read_to_string(folder.join("retry-and-repeat-sequence.ndjson")).unwrap();
    let deliveries: Vec<Json> = sequence.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(deliveries.len(), 25);
    let repeats: BTreeSet<String> = deliveries.iter().flat_map(|delivery| keys(&delivery["body"])).collect();
    assert_eq!(repeats.len(), 1, "{repeats:?}");

    let read = |name: &str| serde_json::from_slice::<Json>(&fs::read(folder.join(name)).unwrap()).unwrap();
    let firing = keys(&read("single-firing.json"));
    let resolved = keys(&read("single-resolved.json"));
    assert_ne!(firing, resolved);
    assert!(firing[0].starts_with("alertmanager:17ed80dcf03695b9:"), "{firing:?}");
}

#[test]
fn the_key_of_an_alert_is_its_labels_start_and_status() {
    let alert = json!({"status": "firing", "labels": {"alertname": "Down", "service": "a"}, "startsAt": "2026-11-21T00:30:00Z",
        "fingerprint": "f", "annotations": {"value": "1"}});
    let key_with = |member: &str, value: Json| {
        let mut alert = alert.clone();
        alert[member] = value;
        keys(&json!({"alerts": [alert]}))
    };
    // SHA-256 over each name and value, in name order, with its length as 8 bytes before it; the first 16 bytes of it.
    let key = "alertmanager:f:252aed1b454909b264f5d1a81e2120db:firing:2026-11-21T00:30:00Z:";
    assert_eq!(key_with("annotations", json!({"value": "2"})), [key]);
    assert_eq!(
        key_with("endsAt", json!("2026-11-21T01:30:00Z")),
        [key],
        "the end of a firing alert is a guess that moves"
    );
    assert_eq!(key_with("startsAt", json!("2026-11-21T01:30:00+01:00")).len(), 1);
    assert_ne!(key_with("startsAt", json!("2026-11-21T00:30:01Z")), [key], "a new episode");
    assert_ne!(
        key_with("labels", json!({"alertname": "Down", "service": "b"})),
        [key],
        "one fingerprint, other labels"
    );
    assert_ne!(
        key_with("labels", json!({"alertname": "Downs", "ervice": "a"})),
        [key],
        "texts do not run into each other"
    );
    assert_ne!(key_with("status", json!("resolved")), [key]);
    assert_eq!(key_with("startsAt", Json::Null), Vec::<String>::new(), "without a time no episode is known");
}

#[test]
fn labels_in_the_order_of_the_mapping_name_the_component() {
    let labels = json!({"alertname": "Down", "job": "j", "namespace": "n", "app": "a"});
    let body = json!({"alerts": [{"labels": labels}]}).to_string();
    let component = |names: &[&str]| {
        let mapping = ComponentMapping::new(names.iter().map(|name| (*name).to_owned()).collect());
        let received = alertmanager(body.as_bytes(), received_at(), &mapping, &Vocabulary::builtin()).unwrap();
        receipts(&received)[0].component().unwrap().to_owned()
    };
    assert_eq!(component(&["service", "app", "job"]), "a");
    assert_eq!(component(&["job", "app"]), "j");
    assert_eq!(component(&["namespace/app", "job"]), "n/a");
    assert_eq!(component(&["namespace/service", "job"]), "j", "a join needs both");
    assert_eq!(component(&[]), "unknown");
}

#[test]
fn a_wrong_signature_is_forbidden_and_says_why() {
    let hello = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let verify = |secret: &[u8], header: Option<&str>| {
        signature::verify("github", "X-Hub-Signature-256", "sha256=", secret, b"Hello, World!", header)
    };
    verify(b"It's a Secret to Everybody", Some(hello)).unwrap();
    let refuse = |secret: &str, header: Option<&str>| {
        let error = verify(secret.as_bytes(), header).unwrap_err();
        assert_eq!(error.kind(), Kind::Forbidden);
        assert_eq!(error.hints().len(), 1);
        error.message().to_owned()
    };
    assert_eq!(refuse("x", None), "the header X-Hub-Signature-256 is missing");
    assert_eq!(refuse("x", Some(hello)), "the signature in X-Hub-Signature-256 does not fit the body");
    let malformed = "the header X-Hub-Signature-256 is not \"sha256=\" and 64 hexadecimal digits";
    assert_eq!(refuse("x", Some(&hello[7..])), malformed);
    assert_eq!(refuse("x", Some("sha256=zz")), malformed);
    assert_eq!(refuse("x", Some("sha256=7571")), malformed);
    assert_eq!(refuse("", Some(hello)), "the secret of github is empty, so anybody could sign with it");
}

#[test]
fn media_types_and_extensions_name_the_format() {
    let formats = [
        ("application/json", "json", Format::Json),
        ("application/x-ndjson", "ndjson", Format::NdJson),
        ("application/ndjson", "jsonl", Format::NdJson),
        ("application/jsonl", "JSONL", Format::NdJson),
        ("application/ld+json", "jsonld", Format::JsonLd),
        ("text/turtle", "ttl", Format::Turtle),
        ("application/trig", "trig", Format::TriG),
        ("application/n-triples", "nt", Format::NTriples),
        ("application/n-quads", "nq", Format::NQuads),
    ];
    for (media_type, extension, format) in formats {
        assert_eq!(Format::from_media_type(media_type), Some(format));
        assert_eq!(
            Format::from_media_type(&format!(" {} ; charset=\"UTF-8\"", media_type.to_uppercase())),
            Some(format)
        );
        assert_eq!(Format::from_extension(extension), Some(format));
        assert_eq!(Format::from_path(&Path::new("a.b").with_extension(extension)), Some(format));
        assert_eq!(Format::from_media_type(format.media_type()), Some(format));
    }
    assert_eq!(Format::from_media_type("application/xml"), None);
    assert_eq!(Format::from_media_type(""), None);
    assert_eq!(Format::from_extension("rdf"), None);
}

#[test]
fn a_receipt_written_as_json_or_json_ld_reads_back_the_same() {
    let vocabulary = Vocabulary::builtin();
    let body = fs::read(crate_path("tests/receive/rdf/references.ttl")).unwrap();
    let sent = receipts(&receive(Format::Turtle, &body, &vocabulary).unwrap());
    assert_eq!(sent.len(), 3);
    let recorded = [("recordedAt", json!("2026-11-21T01:00:00Z")), ("ledgerPosition", json!(7))];
    let labelled = |receipt: &Receipt| receipt.clone().with_label("a b/ü%", "x");
    let as_json: Vec<Json> =
        sent.iter().map(labelled).map(|r| Json::Object(write_json(&r, r.id(&vocabulary), &recorded))).collect();
    let as_json_ld: Vec<Json> =
        sent.iter().map(labelled).map(|r| write_json_ld(&r, r.id(&vocabulary), &recorded)).collect();
    let expected: Vec<Receipt> = sent.iter().map(labelled).collect();
    for (format, document) in [(Format::Json, &as_json), (Format::JsonLd, &as_json), (Format::JsonLd, &as_json_ld)] {
        // Without the receipts it refers to, each keeps the references as they are.
        for (document, expected) in document.iter().zip(&expected) {
            let read = receive(format, document.to_string().as_bytes(), &vocabulary).unwrap();
            assert_eq!(receipts(&read), std::slice::from_ref(expected), "{format:?}");
        }
    }
}

#[test]
fn documents_have_bounds() {
    let too_many = |format: Format, body: &str| {
        let error = receive(format, body.as_bytes(), &Vocabulary::builtin()).unwrap_err();
        assert_eq!(error.kind(), Kind::Invalid);
        error.message().to_owned()
    };
    let more = RECEIPTS_MAX + 1;
    assert_eq!(
        too_many(Format::Json, &format!("[{}{{}}]", "{},".repeat(RECEIPTS_MAX))),
        "the body holds more than 100000 receipts"
    );
    assert_eq!(too_many(Format::NdJson, &"{}\n".repeat(more)), "the body holds more than 100000 receipts");
    let triples = (0..more).map(|number| format!("<urn:x:{number}> <urn:p> 1 .\n")).collect::<Vec<_>>().concat();
    assert_eq!(too_many(Format::Turtle, &triples), "the body holds more than 100000 receipts");
    assert_eq!(
        too_many(Format::Turtle, &"[] <urn:p> 1 .\n".repeat(10_001)),
        "the body holds more than 10000 blank nodes"
    );
    let nested = format!("{}1{} .", "[ <urn:p> ".repeat(1_000_000), " ]".repeat(1_000_000));
    assert_eq!(too_many(Format::Turtle, &nested), "the body holds more than 10000 blank nodes");
    let contexts = format!("{}{}", r#"{"@context": {}, "urn:p": ["#, r#"{"@context": {}},"#.repeat(1_000));
    assert_eq!(
        too_many(Format::JsonLd, &format!("{contexts}{{}}]}}")),
        "the body holds more than 1000 contexts, of which each object \"labels\" is one,"
    );
    let terms = (0..1_000).map(|number| format!("\"t{number}\": \"urn:t\", ")).collect::<Vec<_>>().concat();
    let terms = format!("{{\"@context\": {{{terms} \"t\": \"urn:t\"}}}}");
    assert_eq!(too_many(Format::JsonLd, &terms), "the body holds more than 1000 terms in its contexts");
    let alerts = json!({"alerts": vec![1; more]}).to_string();
    assert_eq!(read_alertmanager(alerts.as_bytes()).unwrap_err().message(), "the body holds more than 100000 receipts");
}

#[test]
fn a_field_has_a_bound_on_its_values() {
    let ids = |count: usize| (0..count).map(move |number| format!("{number:064x}"));
    let json = |count: usize| json!({"kind": "recommendation", "evidence": ids(count).collect::<Vec<_>>()}).to_string();
    let turtle = |count: usize| {
        let evidence: Vec<String> = ids(count).map(|id| format!("<urn:naze:receipt:{id}>")).collect();
        format!(
            "<urn:a> a <https://w3id.org/naze#Recommendation> ; <https://w3id.org/naze#evidence> {} .",
            evidence.join(", ")
        )
    };
    let (few, many) = (1_000, 1_001);
    for (format, few, many) in [
        (Format::Json, json(few), json(many)),
        (Format::NdJson, json(few), json(many)),
        (Format::JsonLd, json(few), json(many)),
        (Format::Turtle, turtle(few), turtle(many)),
    ] {
        let read = |body: &str| receive(format, body.as_bytes(), &Vocabulary::builtin()).unwrap().items;
        assert!(matches!(&read(&few)[..], [Item::Receipt(_)]), "{format:?}");
        let [Item::Refused(violations)] = &read(&many)[..] else { panic!("{format:?} took {many}") };
        assert_eq!(violations[0].message, "evidence has 1001 values, and a field has at most 1000");
    }
}

#[test]
fn terms_nested_in_terms_cannot_exhaust_the_stack() {
    let nested = |depth: usize| {
        format!("<urn:a> <urn:p> {}<urn:o>{} .", "<<( <urn:a> <urn:p> ".repeat(depth), " )>>".repeat(depth))
    };
    for format in [Format::Turtle, Format::TriG, Format::NTriples, Format::NQuads] {
        let error = receive(format, nested(200_000).as_bytes(), &Vocabulary::builtin()).unwrap_err();
        assert_eq!(error.message(), "the body holds more than 1000 triple terms");
        let received = receive(format, nested(1_000).as_bytes(), &Vocabulary::builtin()).unwrap();
        assert!(
            matches!(&received.items[..], [Item::Refused(violations)] if violations[0].field.as_deref() == Some("kind"))
        );
    }
}

#[test]
fn a_long_chain_of_references_is_read_whatever_its_order() {
    let prefix = "@prefix naze: <https://w3id.org/naze#> .\n";
    let link = |number: usize| {
        format!(
            "<urn:x:{number}> a naze:Signal ; naze:occurredAt \"2026-03-10T10:00:00Z\"^^<http://www.w3.org/2001/XMLSchema#dateTime> ; \
             naze:component \"a\" ; naze:colour \"red\" ; naze:causedBy <urn:x:{}> .\n",
            number + 1
        )
    };
    let body = format!("{prefix}{}", (0..50_000).map(link).collect::<Vec<_>>().concat());
    let received = receive(Format::Turtle, body.as_bytes(), &Vocabulary::builtin()).unwrap();
    let chain = receipts(&received);
    assert_eq!(chain.len(), 50_000);
    for pair in chain.windows(2).take(100) {
        let id = pair[1].id(&Vocabulary::builtin());
        assert_eq!(pair[0].first("causedBy").and_then(naze::receipt::Value::as_receipt), Some(id));
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_receiver_panic(bytes in bytes_like_documents(), event in "deployment(_status)?|push|release|workflow_run|ping") {
        let vocabulary = Vocabulary::builtin();
        for format in [Format::Json, Format::NdJson, Format::JsonLd, Format::Turtle, Format::TriG, Format::NTriples, Format::NQuads] {
            drop(receive(format, &bytes, &vocabulary));
        }
        for source in ["alertmanager", "alertmanager_events", "alertmanager_api"] {
            drop(alertmanager::read_as(source, &bytes));
        }
        for content_type in ["application/json", "application/x-www-form-urlencoded"] {
            drop(github(&event, &bytes, content_type, received_at(), &mapping(), &vocabulary));
        }
        let header = String::from_utf8_lossy(&bytes);
        let outcome = signature::verify("github", "X-Hub-Signature-256", "sha256=", b"secret", b"body", Some(&header));
        prop_assert_eq!(outcome.unwrap_err().kind(), Kind::Forbidden);
    }

    #[test]
    fn what_is_read_from_native_json_as_json_ld_is_the_same(
        component in "[ -~é/]{1,12}", message in "\\PC{0,20}", count in 1_i64..1_000, label in "[ -~]{1,8}",
    ) {
        let vocabulary = Vocabulary::builtin();
        let body = json!({"kind": "failure", "occurredAt": "2026-03-10T10:00:00Z", "component": component, "failureType": "f",
            "message": message, "count": count, "labels": {label: "x"}}).to_string();
        let native = receive(Format::Json, body.as_bytes(), &vocabulary).unwrap();
        prop_assert_eq!(receive(Format::JsonLd, body.as_bytes(), &vocabulary).unwrap(), native);
    }
}

/// Noise, and documents with a piece of noise in them, which reach further into the parsers.
fn bytes_like_documents() -> impl Strategy<Value = Vec<u8>> {
    let documents: Vec<Vec<u8>> = [
        "native",
        "rdf",
        "alertmanager",
        "alertmanager-events",
        "alertmanager-api-v2",
        "github",
        "grafana",
        "pagerduty",
        "pagerduty_events",
    ]
    .into_iter()
    .flat_map(|source| files(&crate_path("tests/receive").join(source)))
    .filter(|path| !path.to_str().unwrap().contains("expected"))
    .map(|path| fs::read(path).unwrap())
    .filter(|body| !body.is_empty())
    .collect();
    let mutated = (
        prop::sample::select(documents),
        any::<prop::sample::Index>(),
        prop::collection::vec(any::<u8>(), 0..4),
        0_usize..4,
    )
        .prop_map(|(mut body, place, noise, cut)| {
            let start = place.index(body.len());
            let end = (start + cut).min(body.len());
            body.splice(start..end, noise);
            body
        });
    prop_oneof![prop::collection::vec(any::<u8>(), 0..200), mutated]
}

fn read_native(path: &Path, body: &[u8]) -> Result<Received> {
    let format = Format::from_extension(path.extension().unwrap().to_str().unwrap()).unwrap();
    receive(format, body, &Vocabulary::builtin())
}

fn read_alertmanager(body: &[u8]) -> Result<Received> {
    alertmanager(body, received_at(), &mapping(), &Vocabulary::builtin())
}

/// `<event>.<case>.json`, or `.form` for a form.
fn read_github(path: &Path, body: &[u8]) -> Result<Received> {
    let event = path.file_name().unwrap().to_str().unwrap().split('.').next().unwrap();
    let is_form = has_extension(path, "form");
    let content_type = if is_form { "application/x-www-form-urlencoded; charset=utf-8" } else { "application/json" };
    github(event, body, content_type, received_at(), &mapping(), &Vocabulary::builtin())
}

pub(crate) fn received_at() -> Timestamp {
    RECEIVED_AT.parse().unwrap()
}

pub(crate) fn mapping() -> ComponentMapping {
    ComponentMapping::new(config::Receive::default().component_labels)
}

fn keys(notification: &Json) -> Vec<String> {
    let received = read_alertmanager(notification.to_string().as_bytes()).unwrap();
    received
        .items
        .into_iter()
        .filter_map(|item| match item {
            Item::Receipt(draft) => draft.key,
            Item::Refused(violations) => panic!("{violations:?}"),
        })
        .collect()
}

pub(crate) fn receipts(received: &Received) -> Vec<Receipt> {
    let receipt = |item: &Item| match item {
        Item::Receipt(draft) => draft.receipt.clone(),
        Item::Refused(violations) => panic!("{violations:?}"),
    };
    received.items.iter().map(receipt).collect()
}

pub(crate) fn assert_valid(receipts: &[Receipt]) {
    let vocabulary = Vocabulary::builtin();
    let shapes = Shapes::load(shapes_documents()).unwrap();
    let mut graph = Graph::new();
    for receipt in receipts {
        for triple in receipt.triples(&receipt.id(&vocabulary).iri(), &vocabulary) {
            if !triple.predicate.as_str().starts_with(LABEL_PREFIX) {
                graph.insert(&triple);
            }
        }
    }
    let report = shapes.validate(&graph).unwrap();
    assert!(report.conforms(), "{}", report.to_graph());
}

/// Compares every body in `tests/receive/<source>` with the outcome beside it.
pub(crate) fn check_folder(source: &str, read: impl Fn(&Path, &[u8]) -> Result<Received>) {
    let folder = crate_path("tests/receive").join(source);
    let bodies: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && !path.to_str().unwrap().ends_with(".expected.json"))
        .collect();
    assert!(bodies.len() >= 10, "{} bodies in {}", bodies.len(), folder.display());
    let failures: Vec<String> =
        bodies.iter().filter_map(|path| compare(path, &path.with_extension("expected.json"), &read)).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Compares the payloads that have an outcome in `tests/receive/<source>/payloads`.
fn check_payloads(source: &str, least: usize, read: impl Fn(&Path, &[u8]) -> Result<Received>) {
    let Some(payloads) = payloads(source) else { return };
    let folder = crate_path("tests/receive").join(source).join("payloads");
    let outcomes = files(&folder);
    assert!(outcomes.len() >= least, "{} outcomes in {}", outcomes.len(), folder.display());
    let failures: Vec<String> = outcomes
        .iter()
        .filter_map(|expected| {
            let name = expected.strip_prefix(&folder).unwrap().to_str().unwrap();
            compare(&payloads.join(name.replace(".expected.json", ".json")), expected, &read)
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn compare(body: &Path, expected: &Path, read: &impl Fn(&Path, &[u8]) -> Result<Received>) -> Option<String> {
    let bytes = fs::read(body).unwrap_or_else(|error| panic!("{}: {error}", body.display()));
    let text = fs::read_to_string(expected).unwrap_or_else(|error| panic!("{}: {error}", expected.display()));
    let expected: Json = serde_json::from_str(&text).unwrap();
    let actual = told(read(body, &bytes));
    (actual != expected).then(|| format!("{}\n  got      {actual}\n  expected {expected}", body.display()))
}

/// The outcome as the files tell it. Keys of alerts hold a hash and have a test of their own.
pub(crate) fn told(outcome: Result<Received, Error>) -> Json {
    let received = match outcome {
        Ok(received) => received,
        Err(error) => {
            assert_eq!(error.kind(), Kind::Invalid);
            return json!({"error": error.to_string(), "hints": error.hints()});
        }
    };
    let vocabulary = Vocabulary::builtin();
    let items: Vec<Json> = received
        .items
        .iter()
        .map(|item| match item {
            Item::Refused(violations) => json!({"refused": violations}),
            Item::Receipt(draft) => {
                let mut object = write_json(&draft.receipt, draft.receipt.id(&vocabulary), &[]);
                object.remove("id");
                if let Some(key) = draft.key.as_deref().filter(|key| !key.starts_with("alertmanager:")) {
                    // Some kinds have a field of that name.
                    let name = if object.contains_key("key") { "draftKey" } else { "key" };
                    object.insert(name.into(), key.into());
                }
                Json::Object(object)
            }
        })
        .collect();
    let mut told = json!({"items": items});
    if received.ignored > 0 {
        told["ignored"] = received.ignored.into();
    }
    if let Some(missing) = received.missing {
        told["missing"] = missing.into();
    }
    told
}

/// The folder of sample payloads, which a checkout by itself does not have.
pub(crate) fn payloads(source: &str) -> Option<PathBuf> {
    let folder = crate_path("../shared/data/payloads").join(source);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: {} is not there", folder.display());
    None
}

pub(crate) fn crate_path(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|given| given == extension)
}

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
