//! Ontology, shapes, code and JSON-LD context say the same.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use naze::vocab::{self, Vocabulary, ontology_documents, shapes_documents};
use oxrdf::{Graph, NamedOrBlankNodeRef, TermRef};
use oxttl::TurtleParser;

fn graph<'a>(documents: impl Iterator<Item = (&'a str, &'a str)>) -> Graph {
    documents
        .flat_map(|(_, turtle)| TurtleParser::new().for_slice(turtle).map(Result::unwrap).collect::<Vec<_>>())
        .collect()
}

fn ours(graph: &Graph) -> BTreeSet<String> {
    graph
        .iter()
        .filter_map(|triple| match triple.subject {
            NamedOrBlankNodeRef::NamedNode(iri) => iri.as_str().strip_prefix(vocab::NAMESPACE).map(str::to_owned),
            NamedOrBlankNodeRef::BlankNode(_) => None,
        })
        .collect()
}

#[test]
fn every_term_has_a_label_and_a_comment() {
    let ontology = graph(ontology_documents());
    for term in ours(&ontology).into_iter().filter(|term| !term.is_empty()) {
        for needed in [oxrdf::vocab::rdfs::LABEL, oxrdf::vocab::rdfs::COMMENT] {
            let iri = oxrdf::NamedNode::new(format!("{}{term}", vocab::NAMESPACE)).unwrap();
            assert!(ontology.object_for_subject_predicate(&iri, needed).is_some(), "{term} has no {needed}");
        }
    }
}

#[test]
fn every_kind_has_a_shape_and_every_path_of_a_shape_is_a_field() {
    let vocabulary = Vocabulary::builtin();
    let shapes = graph(shapes_documents());
    let sh = |name: &str| oxrdf::NamedNode::new(format!("http://www.w3.org/ns/shacl#{name}")).unwrap();
    let targets: BTreeSet<String> =
        shapes.triples_for_predicate(&sh("targetClass")).map(|triple| triple.object.to_string()).collect();
    for (name, kind) in vocabulary.kinds() {
        assert!(targets.contains(&kind.class.to_string()), "kind {name} has no shape");
    }
    assert_eq!(targets.len(), vocabulary.kinds().count());
    let mut paths = BTreeSet::new();
    for triple in shapes.triples_for_predicate(&sh("path")) {
        if let TermRef::NamedNode(path) = triple.object
            && path.as_str().starts_with(vocab::NAMESPACE)
        {
            let (name, _) = vocabulary.field_of_iri(path).unwrap_or_else(|| panic!("{path} is no field"));
            paths.insert(name.to_owned());
        }
    }
    let fields: BTreeSet<String> = vocabulary.fields().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(paths, fields, "fields without a shape, or shapes without a field");
}

#[test]
fn constants_in_code_are_terms_of_the_ontology() {
    let terms = ours(&graph(ontology_documents()));
    let mut named = BTreeSet::new();
    for source in rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = std::fs::read_to_string(source).unwrap();
        named.extend(
            text.split(vocab::NAMESPACE)
                .skip(1)
                .map(|rest| rest.chars().take_while(char::is_ascii_alphanumeric).collect::<String>()),
        );
    }
    let unknown: Vec<&String> = named.iter().filter(|name| !name.is_empty() && !terms.contains(*name)).collect();
    assert!(unknown.is_empty(), "not in the ontology: {unknown:?}");
    assert!(named.contains("dependsOn"), "{named:?}");
    let vocabulary = Vocabulary::builtin();
    for iri in [vocab::RECORDED_AT, vocab::LEDGER_POSITION, vocab::SOURCE_DOCUMENT] {
        let (_, field) = vocabulary.field_of_iri(iri).unwrap();
        assert!(field.set_by_naze, "{iri}");
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

#[test]
fn the_json_ld_context_maps_every_kind_and_field_and_none_share_a_name() {
    let vocabulary = Vocabulary::builtin();
    let context = vocabulary.json_ld_context();
    let terms = context["@context"].as_object().unwrap();
    for (name, kind) in vocabulary.kinds() {
        assert_eq!(terms[name], kind.class.as_str(), "{name}");
        assert!(vocabulary.field(name).is_none(), "{name} is a kind and a field");
    }
    for (name, field) in vocabulary.fields() {
        assert_eq!(terms[name]["@id"], field.iri.as_str(), "{name}");
    }
    assert_eq!(vocabulary.kind("workorder").unwrap().class.as_str(), "https://w3id.org/naze#WorkOrder");
}

#[test]
fn a_users_own_kind_is_recorded_checked_and_queried() {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in [
        (
            "ontology/freeze.ttl",
            r#"@prefix naze: <https://w3id.org/naze#> . @prefix my: <https://example.org/ops#> .
            @prefix skos: <http://www.w3.org/2004/02/skos/core#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
            my:Freeze rdfs:subClassOf naze:Receipt ; skos:notation "freeze" ; rdfs:label "change freeze" ; rdfs:comment "No changes." .
            my:scope rdfs:range <http://www.w3.org/2001/XMLSchema#string> ; rdfs:label "scope" ; rdfs:comment "What is frozen." ."#,
        ),
        (
            "shapes/freeze.ttl",
            r#"@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix my: <https://example.org/ops#> .
            my:FreezeShape a sh:NodeShape ; sh:targetClass my:Freeze ; sh:property [ sh:path my:scope ; sh:minCount 1 ; sh:in ( "all" "database" ) ] ."#,
        ),
    ] {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let config = naze::config::Config { kinds: Some(folder.path().to_owned()), ..naze::config::Config::in_memory() };
    let naze = crate::common::Naze::with(config);
    let freeze = |scope: &str| serde_json::json!({"kind": "freeze", "occurredAt": "2026-03-10T10:00:00Z", "component": "shop", "scope": scope});
    let id = naze.record(&freeze("all"))["receipts"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(naze.get(&format!("/v1/receipts/{id}")).json()["scope"], "all");
    let refused = naze.post("/v1/receipts", "application/json", freeze("databse").to_string());
    assert_eq!(refused.status, 422);
    assert_eq!(refused.json()["receipts"][0]["problem"]["violations"][0]["field"], "scope");
}
