//! The W3C SHACL Core test suite through naze's own entry point: shapes loaded and data validated as receipts are, our
//! `sh:ValidationReport` compared with the expected one as a graph.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use naze::validate::Shapes;
use oxrdf::graph::CanonicalizationAlgorithm;
use oxrdf::vocab::rdf;
use oxrdf::{Graph, NamedNodeRef, NamedOrBlankNode, NamedOrBlankNodeRef, Term, TermRef, Triple};
use oxrdfio::{RdfFormat, RdfParser};

macro_rules! iri {
    ($namespace:literal, $name:literal) => {
        NamedNodeRef::new_unchecked(concat!($namespace, $name))
    };
}

macro_rules! mf {
    ($name:literal) => {
        iri!("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#", $name)
    };
}

macro_rules! sh {
    ($name:literal) => {
        iri!("http://www.w3.org/ns/shacl#", $name)
    };
}

/// Tests that fail, with the reason. The test below fails when this list is wrong in either direction.
const FAILING: &[(&str, &str)] = &[];

const TESTS: usize = 98;
const BASE: &str = "https://suite.example.org/";

/// What a report says about one result, its path apart.
const COMPARED: &[NamedNodeRef<'_>] = &[
    rdf::TYPE,
    sh!("focusNode"),
    sh!("value"),
    sh!("sourceConstraintComponent"),
    sh!("sourceShape"),
    sh!("resultSeverity"),
    sh!("resultMessage"),
];

struct Suite {
    root: PathBuf,
}

struct Test {
    name: String,
    data: Graph,
    shapes: String,
    expected: Graph,
}

#[test]
fn the_w3c_shacl_core_suite_passes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/payloads/shacl-core/core");
    if !root.is_dir() {
        println!("SKIPPED: the SHACL Core suite is not at {}", root.display());
        return;
    }
    let suite = Suite { root };
    let mut tests = Vec::new();
    suite.collect("manifest.ttl", &mut tests);
    assert_eq!(tests.len(), TESTS);
    let mut failed = BTreeMap::new();
    for test in tests {
        if let Err(reason) = test.run() {
            println!("{}: {reason}", test.name);
            failed.insert(test.name, reason);
        }
    }
    let failed: Vec<&str> = failed.keys().map(String::as_str).collect();
    let known: Vec<&str> = FAILING.iter().map(|(name, _)| *name).collect();
    assert_eq!(failed, known, "{} of {TESTS} tests pass", TESTS - failed.len());
}

impl Suite {
    fn collect(&self, file: &str, tests: &mut Vec<Test>) {
        let graph = self.read(file);
        let manifest = NamedOrBlankNode::from(oxrdf::NamedNode::new(format!("{BASE}{file}")).unwrap());
        for included in objects(&graph, &manifest, mf!("include")) {
            self.collect(&file_of(&included), tests);
        }
        for list in objects(&graph, &manifest, mf!("entries")) {
            for entry in members(&graph, &list) {
                tests.push(self.test(&graph, &subject(&entry)));
            }
        }
    }

    fn test(&self, graph: &Graph, entry: &NamedOrBlankNode) -> Test {
        let action = subject(&object(graph, entry, mf!("action")));
        let data = file_of(&object(graph, &action, iri!("http://www.w3.org/ns/shacl-test#", "dataGraph")));
        let shapes = file_of(&object(graph, &action, iri!("http://www.w3.org/ns/shacl-test#", "shapesGraph")));
        let result = subject(&object(graph, entry, mf!("result")));
        let text = std::fs::read_to_string(self.root.join(&shapes)).unwrap();
        Test {
            name: entry.to_string().trim_matches(['<', '>']).strip_prefix(BASE).unwrap().to_owned(),
            data: self.read(&data),
            shapes: format!("@base <{BASE}{shapes}> .\n{text}"),
            expected: report(graph, &result),
        }
    }

    fn read(&self, file: &str) -> Graph {
        let text = std::fs::read_to_string(self.root.join(file)).unwrap();
        let parser = RdfParser::from_format(RdfFormat::Turtle).with_base_iri(format!("{BASE}{file}")).unwrap();
        parser.for_slice(&text).map(|quad| Triple::from(quad.unwrap())).collect()
    }
}

impl Test {
    fn run(&self) -> Result<(), String> {
        let shapes = Shapes::load([(self.name.as_str(), self.shapes.as_str())]).map_err(|error| error.to_string())?;
        let outcome = shapes.validate(&self.data).map_err(|error| error.to_string())?;
        let graph = outcome.to_graph();
        let class = TermRef::NamedNode(sh!("ValidationReport"));
        let node = graph.subject_for_predicate_object(rdf::TYPE, class).ok_or("no report")?;
        let mut actual = report(&graph, &node.into_owned());
        let mut expected = self.expected.clone();
        if expected.triples_for_predicate(sh!("resultMessage")).next().is_none() {
            let messages: Vec<Triple> =
                actual.triples_for_predicate(sh!("resultMessage")).map(oxrdf::TripleRef::into_owned).collect();
            for message in &messages {
                actual.remove(message);
            }
        }
        actual.canonicalize(CanonicalizationAlgorithm::Unstable);
        expected.canonicalize(CanonicalizationAlgorithm::Unstable);
        if actual == expected {
            return Ok(());
        }
        Err(format!("expected:\n{expected}\ngot:\n{actual}"))
    }
}

/// The triples of a report that the suite compares.
fn report(graph: &Graph, node: &NamedOrBlankNode) -> Graph {
    let mut out = Graph::new();
    for property in [rdf::TYPE, sh!("conforms"), sh!("result")] {
        for value in objects(graph, node, property) {
            out.insert(&Triple::new(node.clone(), property.into_owned(), value));
        }
    }
    for result in objects(graph, node, sh!("result")) {
        let result = subject(&result);
        for triple in graph.triples_for_subject(&result) {
            if COMPARED.contains(&triple.predicate) {
                out.insert(triple);
            }
        }
        for path in objects(graph, &result, sh!("resultPath")) {
            out.insert(&Triple::new(result.clone(), sh!("resultPath").into_owned(), path.clone()));
            structure(graph, &path, &mut out);
        }
    }
    out
}

/// Copies what hangs on a blank node.
fn structure(graph: &Graph, node: &Term, out: &mut Graph) {
    let Term::BlankNode(blank) = node else { return };
    for triple in graph.triples_for_subject(blank) {
        if out.insert(triple) {
            structure(graph, &triple.object.into_owned(), out);
        }
    }
}

fn objects(graph: &Graph, node: &NamedOrBlankNode, predicate: NamedNodeRef<'_>) -> Vec<Term> {
    graph.objects_for_subject_predicate(node, predicate).map(TermRef::into_owned).collect()
}

fn object(graph: &Graph, node: &NamedOrBlankNode, predicate: NamedNodeRef<'_>) -> Term {
    objects(graph, node, predicate).pop().unwrap_or_else(|| panic!("{node} has no {predicate}"))
}

fn members(graph: &Graph, head: &Term) -> Vec<Term> {
    let mut members = Vec::new();
    let mut node = subject(head);
    while NamedOrBlankNodeRef::from(&node) != NamedOrBlankNodeRef::from(rdf::NIL) {
        members.push(object(graph, &node, rdf::FIRST));
        node = subject(&object(graph, &node, rdf::REST));
    }
    members
}

fn subject(term: &Term) -> NamedOrBlankNode {
    NamedOrBlankNode::try_from(term.clone()).unwrap()
}

fn file_of(term: &Term) -> String {
    let Term::NamedNode(iri) = term else { panic!("{term} names no file") };
    iri.as_str().strip_prefix(BASE).unwrap().to_owned()
}
