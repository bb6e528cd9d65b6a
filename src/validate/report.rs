//! What came out of a validation: for people as [`Violation`]s, for machines as a `sh:ValidationReport`.

use std::collections::HashMap;

use oxrdf::vocab::rdf;
use oxrdf::{
    BlankNode, Graph, Literal, NamedNode, NamedNodeRef, NamedOrBlankNode, NamedOrBlankNodeRef, Term, TripleRef,
};
use rudof_rdf::rdf_core::SHACLPath;
use rudof_rdf::rdf_core::term::Object;
use shacl::types::Severity;
use shacl::validator::report::{ValidationReport, ValidationResult};

use super::amend;
use super::words::Words;

/// One broken rule, in plain words. Also built by `receive` for what cannot even be read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Violation {
    /// The JSON field at fault; the path as SPARQL writes it when it is longer than one step; none for the receipt itself.
    pub field: Option<String>,
    /// The offending value as the sender wrote it, at most 200 characters of it.
    pub value: Option<String>,
    /// The rule, such as `sh:minInclusive 1`, `sh:closed` or `json`.
    pub rule: String,
    /// What is wrong: `count must be a whole number of at least 1, got "-3"`.
    pub message: String,
    /// What to do: `send a whole number of at least 1, or leave count out`.
    pub fix: String,
}

impl Violation {
    /// The violation for a receipt that does not say what it is.
    pub(crate) fn missing_kind() -> Self {
        Self {
            field: Some("kind".to_owned()),
            value: None,
            rule: "known kind".to_owned(),
            message: "kind is missing".to_owned(),
            fix: "add kind: what the receipt is, such as failure, deployment or alert".to_owned(),
        }
    }
}

/// Outcome of validating one or many receipts: never an error for bad data.
#[derive(Debug)]
pub struct Report {
    conforms: bool,
    findings: Vec<Finding>,
    violations: HashMap<Term, Vec<Violation>>,
}

/// One `sh:ValidationResult`.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) focus: Term,
    pub(super) path: Option<SHACLPath>,
    pub(super) value: Option<Term>,
    pub(super) component: NamedNode,
    pub(super) source: Option<Term>,
    severity: NamedNode,
    /// What a SPARQL rule says about this very case.
    pub(super) said: Option<String>,
    /// `sh:message` of the shape, else our own words.
    messages: Vec<Literal>,
    /// Why a node does not fit the shape it was referred to.
    pub(super) details: Vec<Finding>,
}

impl Report {
    pub(super) fn new(outcome: &ValidationReport, data: &Graph, shapes: &Graph) -> Self {
        let words = Words::new(data, shapes);
        let mut findings: Vec<Finding> = outcome.results().iter().map(|result| Finding::new(result, data)).collect();
        findings.retain(|finding| !amend::is_mistaken(finding, shapes));
        findings.sort_by_cached_key(Finding::order);
        let mut violations: HashMap<Term, Vec<Violation>> = HashMap::new();
        for finding in &mut findings {
            let found = words.violations(finding);
            finding.messages = words.messages(finding, &found);
            violations.entry(finding.focus.clone()).or_default().extend(found);
        }
        for found in violations.values_mut() {
            merge(found);
        }
        Self { conforms: findings.is_empty(), findings, violations }
    }

    /// The report on data that keeps every rule.
    pub(super) fn conforming() -> Self {
        Self { conforms: true, findings: Vec::new(), violations: HashMap::new() }
    }

    /// Is every rule kept?
    #[must_use]
    pub fn conforms(&self) -> bool {
        self.conforms
    }

    /// The rules one receipt breaks, by field; several rules with one and the same remedy come as one.
    pub fn violations_of(&self, focus: NamedOrBlankNodeRef<'_>) -> impl Iterator<Item = &Violation> {
        let focus = Term::from(NamedOrBlankNode::from(focus));
        self.violations.get(&focus).into_iter().flatten()
    }

    /// The report as a `sh:ValidationReport`, every rule by itself.
    #[must_use]
    pub fn to_graph(&self) -> Graph {
        let mut writer = Writer { graph: Graph::new(), nodes: 0 };
        let report = writer.node();
        writer.add(&report, rdf::TYPE, sh!("ValidationReport").into_owned());
        writer.add(&report, sh!("conforms"), Literal::from(self.conforms));
        for finding in &self.findings {
            let result = writer.finding(finding);
            writer.add(&report, sh!("result"), result);
        }
        writer.graph
    }
}

/// A wrong type usually breaks the range too. Once is enough, under the first rule by the order of [`Finding::order`].
fn merge(found: &mut Vec<Violation>) {
    let mut kept: Vec<Violation> = Vec::new();
    for violation in found.drain(..) {
        let told = kept.iter().any(|earlier| {
            earlier.field == violation.field
                && earlier.value == violation.value
                && (earlier.message == violation.message || earlier.fix == violation.fix)
        });
        if !told {
            kept.push(violation);
        }
    }
    *found = kept;
}

impl Finding {
    fn new(result: &ValidationResult, data: &Graph) -> Self {
        let focus = Term::from(result.focus_node().clone());
        Self {
            path: result.path().cloned(),
            value: result.value().map(|value| original(value, &focus, data)),
            component: iri(result.constraint_component()),
            source: result.source().cloned().map(Term::from),
            severity: severity(result.severity()),
            said: result.message().messages().values().min().cloned(),
            messages: Vec::new(),
            details: result.details().iter().map(|detail| Finding::new(detail, data)).collect(),
            focus,
        }
    }

    /// The engine reports in the order of its hash maps; the same evidence must give the same bytes.
    fn order(&self) -> (String, String, usize, String, String) {
        let rank = Words::rank(&self.component);
        let path = self.path.as_ref().map(SHACLPath::to_string).unwrap_or_default();
        let value = self.value.as_ref().map(Term::to_string).unwrap_or_default();
        (self.focus.to_string(), path, rank, value, self.component.as_str().to_owned())
    }
}

/// The engine turns dates and booleans into values; the report shows them as they were written.
fn original(value: &Object, focus: &Term, data: &Graph) -> Term {
    let term = Term::from(value.clone());
    let Object::Literal(_) = value else { return term };
    let subject = match focus {
        Term::NamedNode(node) => NamedOrBlankNodeRef::from(node.as_ref()),
        Term::BlankNode(node) => NamedOrBlankNodeRef::from(node.as_ref()),
        _ => return term,
    };
    let written: Vec<Term> = data.triples_for_subject(subject).map(|triple| triple.object.into_owned()).collect();
    if written.contains(&term) {
        return term;
    }
    let same = written.into_iter().find(|written| Object::try_from(written.clone()).is_ok_and(|w| w == *value));
    same.unwrap_or(term)
}

fn iri(object: &Object) -> NamedNode {
    match object {
        Object::Iri(iri) => NamedNode::new_unchecked(iri.as_str()),
        other => NamedNode::new_unchecked(other.to_string()),
    }
}

fn severity(severity: &Severity) -> NamedNode {
    let known = match severity {
        Severity::Trace => sh!("Trace"),
        Severity::Debug => sh!("Debug"),
        Severity::Info => sh!("Info"),
        Severity::Warning => sh!("Warning"),
        Severity::Violation => sh!("Violation"),
        Severity::Generic(other) => NamedNodeRef::new_unchecked(other.as_str()),
    };
    known.into_owned()
}

/// Builds the report graph with blank nodes numbered in order.
struct Writer {
    graph: Graph,
    nodes: usize,
}

impl Writer {
    fn node(&mut self) -> BlankNode {
        self.nodes += 1;
        BlankNode::new_unchecked(format!("validation{}", self.nodes))
    }

    fn add(&mut self, subject: &BlankNode, predicate: NamedNodeRef<'_>, object: impl Into<Term>) {
        self.graph.insert(TripleRef::new(subject, predicate, &object.into()));
    }

    fn finding(&mut self, finding: &Finding) -> BlankNode {
        let result = self.node();
        self.add(&result, rdf::TYPE, sh!("ValidationResult").into_owned());
        self.add(&result, sh!("focusNode"), finding.focus.clone());
        self.add(&result, sh!("resultSeverity"), finding.severity.clone());
        self.add(&result, sh!("sourceConstraintComponent"), finding.component.clone());
        if let Some(source) = &finding.source {
            self.add(&result, sh!("sourceShape"), source.clone());
        }
        if let Some(value) = &finding.value {
            self.add(&result, sh!("value"), value.clone());
        }
        if let Some(path) = &finding.path {
            let path = self.path(path);
            self.add(&result, sh!("resultPath"), path);
        }
        for message in &finding.messages {
            self.add(&result, sh!("resultMessage"), message.clone());
        }
        result
    }

    fn path(&mut self, path: &SHACLPath) -> Term {
        let (predicate, inner) = match path {
            SHACLPath::Predicate { pred } => return NamedNode::new_unchecked(pred.as_str()).into(),
            SHACLPath::Sequence { paths } => return self.list(paths),
            SHACLPath::Alternative { paths } => (sh!("alternativePath"), self.list(paths)),
            SHACLPath::Inverse { path } => (sh!("inversePath"), self.path(path)),
            SHACLPath::ZeroOrMore { path } => (sh!("zeroOrMorePath"), self.path(path)),
            SHACLPath::OneOrMore { path } => (sh!("oneOrMorePath"), self.path(path)),
            SHACLPath::ZeroOrOne { path } => (sh!("zeroOrOnePath"), self.path(path)),
        };
        let node = self.node();
        self.add(&node, predicate, inner);
        node.into()
    }

    fn list(&mut self, paths: &[SHACLPath]) -> Term {
        let mut head = Term::from(rdf::NIL.into_owned());
        for path in paths.iter().rev() {
            let node = self.node();
            let first = self.path(path);
            self.add(&node, rdf::FIRST, first);
            self.add(&node, rdf::REST, head);
            head = node.into();
        }
        head
    }
}
