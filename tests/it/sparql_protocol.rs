//! The W3C SPARQL 1.1 Protocol tests against `/sparql`.

use std::path::Path;

use axum::body::Body;
use axum::http::Request;
use oxrdf::vocab::rdf;
use oxrdf::{Graph, NamedNode, NamedOrBlankNodeRef, Term, TermRef};
use oxttl::TurtleParser;

use crate::common::{Naze, Reply};

/// What cannot be as the suite wants it, and why.
const OTHERWISE: [(&str, &str); 3] = [
    ("query_multiple_dataset", "as query_dataset"),
    ("query_dataset", "asks graphs of the suite's own, and naze keeps no graphs but those of its receipts"),
    ("update_", "evidence is append-only: every update is refused"),
];

const HT: &str = "http://www.w3.org/2011/http#";
const MF: &str = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#";
const CNT: &str = "http://www.w3.org/2011/content#";

struct Manifest(Graph);

impl Manifest {
    fn object<'a>(&'a self, subject: TermRef<'_>, namespace: &str, name: &str) -> Option<TermRef<'a>> {
        let subject = subject_of(subject)?;
        self.0.object_for_subject_predicate(subject, &NamedNode::new_unchecked(format!("{namespace}{name}")))
    }

    fn text(&self, subject: TermRef<'_>, namespace: &str, name: &str) -> Option<String> {
        match self.object(subject, namespace, name)? {
            TermRef::Literal(literal) => Some(literal.value().to_owned()),
            TermRef::NamedNode(iri) => Some(iri.as_str().to_owned()),
            _ => None,
        }
    }

    fn list(&self, head: Option<TermRef<'_>>) -> Vec<Term> {
        let mut items = Vec::new();
        let mut next = head.map(TermRef::into_owned);
        while let Some(node) = next {
            let Some(subject) = subject_of(node.as_ref()) else { break };
            let Some(first) = self.0.object_for_subject_predicate(subject, rdf::FIRST) else { break };
            items.push(first.into_owned());
            next = self.0.object_for_subject_predicate(subject, rdf::REST).map(TermRef::into_owned);
        }
        items
    }

    /// Sends one request of the suite as it is written.
    fn send(&self, naze: &Naze, request: TermRef<'_>) -> Reply {
        let path = self.text(request, HT, "absolutePath").unwrap().replace("/sparql/", "/sparql");
        let mut sent = Request::builder().method(&*self.text(request, HT, "methodName").unwrap()).uri(path);
        for header in self.list(self.object(request, HT, "headers")) {
            let part = |name| self.text(header.as_ref(), HT, name).unwrap();
            sent = sent.header(part("fieldName"), part("fieldValue"));
        }
        let body = self.object(request, HT, "body").map(|body| {
            let text = self.text(body, CNT, "chars").unwrap();
            if self.text(body, CNT, "characterEncoding").as_deref() == Some("UTF-16") {
                text.encode_utf16().flat_map(u16::to_be_bytes).collect()
            } else {
                text.into_bytes()
            }
        });
        naze.send(sent.body(body.map_or_else(Body::empty, Body::from)).unwrap())
    }
}

fn subject_of(term: TermRef<'_>) -> Option<NamedOrBlankNodeRef<'_>> {
    match term {
        TermRef::NamedNode(node) => Some(node.into()),
        TermRef::BlankNode(node) => Some(node.into()),
        _ => None,
    }
}

#[test]
fn the_protocol_suite_is_kept() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/payloads/sparql11/protocol/manifest.ttl");
    let Ok(turtle) = std::fs::read(path) else {
        eprintln!("SKIPPED: ../shared is not there, so the SPARQL Protocol suite is not run");
        return;
    };
    let parser = TurtleParser::new().with_base_iri("http://example.org/").unwrap();
    let manifest = Manifest(parser.for_slice(&turtle).map(Result::unwrap).collect());
    let naze = Naze::in_world("bad_deploy");
    let root = NamedNode::new_unchecked("http://example.org/");
    let tests = manifest.list(manifest.object(root.as_ref().into(), MF, "entries"));
    let (mut passed, mut otherwise) = (0, 0);
    for test in &tests {
        let Term::NamedNode(iri) = test else { panic!("{test}") };
        let name = iri.as_str().rsplit('#').next().unwrap();
        let action = manifest.object(test.as_ref(), MF, "action").unwrap();
        for request in manifest.list(manifest.object(action, HT, "requests")) {
            let reply = manifest.send(&naze, request.as_ref());
            let response = manifest.object(request.as_ref(), HT, "resp").unwrap();
            if OTHERWISE.iter().any(|(prefix, _)| name.starts_with(prefix)) {
                // Updates are followed by queries that look at what they did.
                let refused = reply.status.is_client_error() && reply.text().contains("append-only");
                let answered = reply.status.is_success() && reply.json()["boolean"].is_boolean();
                assert!(refused || answered, "{name}: {} {}", reply.status, reply.text());
                otherwise += 1;
                continue;
            }
            check(&manifest, response, name, &reply);
            passed += 1;
        }
    }
    assert_eq!(tests.len(), 34);
    assert!(passed >= 20, "{passed} requests answered as the suite wants, {otherwise} otherwise");
}

fn check(manifest: &Manifest, response: TermRef<'_>, name: &str, reply: &Reply) {
    let subject = subject_of(response).unwrap();
    let wanted = NamedNode::new_unchecked(format!("{MF}expectedStatus"));
    let statuses: Vec<String> =
        manifest.0.objects_for_subject_predicate(subject, &wanted).map(|status| status.to_string()).collect();
    let class = format!("StatusCode{}xx", reply.status.as_u16() / 100);
    let exact = format!("StatusCode{}", reply.status.as_u16());
    let fits = |status: &String| status.contains(&class) || status.contains(&exact);
    assert!(statuses.iter().any(fits), "{name}: {} is none of {statuses:?}: {}", reply.status, reply.text());
    let media_type = reply.headers.get("content-type").map(|value| value.to_str().unwrap()).unwrap_or_default();
    match manifest.text(response, MF, "expectedFormat").as_deref() {
        Some("boolean") => assert!(reply.json()["boolean"].is_boolean(), "{name}: {}", reply.text()),
        Some("tabular") => assert!(media_type.contains("sparql-results"), "{name}: {media_type}"),
        Some("RDF") => assert!(media_type.contains("turtle"), "{name}: {media_type}"),
        _ => {}
    }
    if let Some(truth) = manifest.text(response, MF, "expectedBoolean") {
        assert_eq!(reply.json()["boolean"].to_string(), truth, "{name}");
    }
}
