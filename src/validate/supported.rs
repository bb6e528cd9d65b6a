//! What the engine can run. It skips in silence what it does not know, so everything else is refused when shapes load.

use oxigraph::sparql::SparqlEvaluator;
use oxrdf::vocab::rdf;
use oxrdf::{Graph, NamedNodeRef, NamedOrBlankNodeRef, TermRef, TripleRef};

use super::shapes::Document;
use super::{SHACL, as_subject};
use crate::error::Error;

const OWL_IMPORTS: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("http://www.w3.org/2002/07/owl#imports");

/// Properties that take part in validation, plus those that only describe.
const PROPERTIES: &[&str] = &[
    "class",
    "datatype",
    "nodeKind",
    "minCount",
    "maxCount",
    "minExclusive",
    "minInclusive",
    "maxExclusive",
    "maxInclusive",
    "minLength",
    "maxLength",
    "pattern",
    "flags",
    "languageIn",
    "uniqueLang",
    "equals",
    "disjoint",
    "lessThan",
    "lessThanOrEquals",
    "not",
    "and",
    "or",
    "xone",
    "node",
    "property",
    "qualifiedValueShape",
    "qualifiedValueShapesDisjoint",
    "qualifiedMinCount",
    "qualifiedMaxCount",
    "closed",
    "ignoredProperties",
    "hasValue",
    "in",
    "deactivated",
    "severity",
    "message",
    "path",
    "inversePath",
    "alternativePath",
    "zeroOrMorePath",
    "oneOrMorePath",
    "zeroOrOnePath",
    "targetClass",
    "targetNode",
    "targetSubjectsOf",
    "targetObjectsOf",
    "sparql",
    "select",
    "prefixes",
    "declare",
    "prefix",
    "namespace",
    "name",
    "description",
    "order",
    "group",
    "defaultValue",
    "shapesGraph",
    "suggestedShapesGraph",
    "conforms",
    "result",
    "detail",
    "focusNode",
    "resultPath",
    "resultSeverity",
    "resultMessage",
    "value",
    "sourceConstraint",
    "sourceConstraintComponent",
    "sourceShape",
    "shapesGraphWellFormed",
];

const CLASSES: &[&str] = &[
    "NodeShape",
    "PropertyShape",
    "Shape",
    "SPARQLConstraint",
    "PropertyGroup",
    "PrefixDeclaration",
    "NodeKind",
    "Severity",
    "ValidationReport",
    "ValidationResult",
];

/// Words that make a query's answer depend on where `$this` gets its value, which the engine does by text.
const QUERY_WORDS: &[&str] = &["MINUS", "VALUES", "SERVICE", "UNION", "GRAPH", "shapesGraph", "currentShape"];

/// Refuses a document that uses what the engine cannot run.
///
/// # Errors
/// `Invalid`, naming document, shape and construct.
pub(super) fn check(document: &Document<'_>, all: &Graph) -> Result<(), Error> {
    let mut found: Vec<(String, String, Problem)> = document
        .graph
        .iter()
        .filter_map(|triple| {
            let (construct, problem) = problem(triple, document, all)?;
            Some((named(&document.graph, triple.subject), construct, problem))
        })
        .collect();
    // A graph has no order of its own, and the same document must be refused with the same words.
    found.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    let Some((shape, construct, problem)) = found.into_iter().next() else { return Ok(()) };
    Err(Error::invalid(format!(
        "shapes document {}: {shape} uses {construct}, which naze cannot run: {}",
        document.name, problem.why
    ))
    .hint(problem.fix))
}

struct Problem {
    why: String,
    fix: String,
}

fn problem(triple: TripleRef<'_>, document: &Document<'_>, all: &Graph) -> Option<(String, Problem)> {
    if triple.predicate == rdf::TYPE {
        let TermRef::NamedNode(class) = triple.object else { return None };
        return unknown(class, CLASSES);
    }
    if triple.predicate == OWL_IMPORTS {
        return imports(triple.object, all);
    }
    if let Some(found) = unknown(triple.predicate, PROPERTIES) {
        return (!is_plain_data(triple.subject, all)).then_some(found);
    }
    if triple.predicate == sh!("targetNode") && matches!(triple.object, TermRef::BlankNode(_)) {
        let why = "its target is computed, not named".to_owned();
        let fix = "name the nodes, or use sh:targetClass".to_owned();
        return Some(("sh:targetNode".to_owned(), Problem { why, fix }));
    }
    if triple.predicate == sh!("sparql") {
        let why = query(as_subject(triple.object)?, &document.graph, all).err()?;
        let fix =
            "say it with SHACL Core, or with one plain group of triple patterns and FILTERs over $this".to_owned();
        return Some(("sh:sparql".to_owned(), Problem { why, fix }));
    }
    None
}

fn unknown(term: NamedNodeRef<'_>, known: &[&str]) -> Option<(String, Problem)> {
    let name = term.as_str().strip_prefix(SHACL)?;
    if known.contains(&name) {
        return None;
    }
    let known: Vec<String> = known.iter().map(|&name| name.to_owned()).collect();
    let fix = match crate::vocab::nearest(name, known.iter()) {
        Some(near) => format!("did you mean sh:{near}?"),
        None => "say it with SHACL Core".to_owned(),
    };
    let why = "it is not part of SHACL Core, and skipping it would let bad data in".to_owned();
    Some((format!("sh:{name}"), Problem { why, fix }))
}

/// A thing of its own type that merely mentions an unknown SHACL term, and nothing the engine would run, is no shape.
fn is_plain_data(node: NamedOrBlankNodeRef<'_>, all: &Graph) -> bool {
    let is_shacl = |iri: NamedNodeRef<'_>| iri.as_str().starts_with(SHACL);
    let types: Vec<TermRef<'_>> = all.objects_for_subject_predicate(node, rdf::TYPE).collect();
    let mut known = all.triples_for_subject(node).filter(|triple| is_shacl(triple.predicate));
    let as_shape = [sh!("property"), sh!("node"), sh!("not"), sh!("qualifiedValueShape"), rdf::FIRST];
    let mut referred = all.triples_for_object(node).filter(|triple| as_shape.contains(&triple.predicate));
    !types.is_empty()
        && !types.iter().any(|class| matches!(class, TermRef::NamedNode(class) if is_shacl(*class)))
        && known.all(|triple| unknown(triple.predicate, PROPERTIES).is_some())
        && referred.next().is_none()
}

fn imports(imported: TermRef<'_>, all: &Graph) -> Option<(String, Problem)> {
    let known = as_subject(imported).is_some_and(|ontology| all.triples_for_subject(ontology).next().is_some());
    let TermRef::NamedNode(iri) = imported else { return None };
    let vocabulary = [SHACL, crate::vocab::NAMESPACE].iter().any(|namespace| namespace.starts_with(iri.as_str()));
    if known || vocabulary {
        return None;
    }
    let why = format!("{iri} is not among the documents loaded, and naze fetches nothing");
    let fix = "put that document into the shapes folder too".to_owned();
    Some(("owl:imports".to_owned(), Problem { why, fix }))
}

/// The nearest named thing a blank node hangs on, as people know it.
fn named(graph: &Graph, node: NamedOrBlankNodeRef<'_>) -> String {
    let mut current = node;
    for _ in 0..graph.len() {
        let NamedOrBlankNodeRef::BlankNode(blank) = current else { return current.to_string() };
        match graph.triples_for_object(blank).next() {
            Some(triple) => current = triple.subject,
            None => break,
        }
    }
    match current {
        NamedOrBlankNodeRef::NamedNode(name) => name.to_string(),
        NamedOrBlankNodeRef::BlankNode(_) => "a shape without a name".to_owned(),
    }
}

/// Can the engine run this SPARQL constraint and mean what SHACL means?
fn query(constraint: NamedOrBlankNodeRef<'_>, graph: &Graph, all: &Graph) -> Result<(), String> {
    let Some(TermRef::Literal(select)) = graph.object_for_subject_predicate(constraint, sh!("select")) else {
        return Err("it has no sh:select".to_owned());
    };
    let select = select.value();
    let words: Vec<&str> = select.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
    let is = |index: usize, word: &str| words.get(index).is_some_and(|w| w.eq_ignore_ascii_case(word));
    for (index, word) in words.iter().enumerate() {
        if let Some(refused) = QUERY_WORDS.iter().find(|refused| refused.eq_ignore_ascii_case(word)) {
            return Err(format!("{refused} does not see the value of $this"));
        }
        if is(index, "AS") && is(index + 1, "this") {
            return Err("it gives $this another value".to_owned());
        }
    }
    if words.iter().filter(|word| word.eq_ignore_ascii_case("SELECT")).count() != 1 {
        return Err("it needs exactly one SELECT".to_owned());
    }
    one_group(select)?;
    let header = prefixes(constraint, all);
    let query = select.replace("$PATH", "<urn:naze:path>");
    match SparqlEvaluator::new().parse_query(&(header + &query)) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("its query is no SPARQL: {error}")),
    }
}

/// `$this` is put after the first `WHERE {`; a group nested in that one, or a BIND inside it, would not see it.
fn one_group(select: &str) -> Result<(), String> {
    let head = select.find('{').map(|brace| &select[..brace]).unwrap_or_default();
    let ends_in_where = head.trim_end().to_ascii_uppercase().ends_with("WHERE");
    if !ends_in_where || head.to_ascii_uppercase().matches("WHERE").count() != 1 || !head.is_ascii() {
        return Err("it needs the word WHERE, once, before its group".to_owned());
    }
    let mut depth = 0_usize;
    for (index, character) in select.char_indices() {
        match character {
            '{' if !select[..index].trim_end().ends_with(|c: char| c.is_ascii_alphabetic()) => {
                return Err("it has a group inside a group".to_owned());
            }
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            'B' | 'b' if depth > 1 && select[index..].get(..4).is_some_and(|w| w.eq_ignore_ascii_case("BIND")) => {
                return Err("it has a BIND inside an inner group".to_owned());
            }
            _ => {}
        }
    }
    Ok(())
}

fn prefixes(constraint: NamedOrBlankNodeRef<'_>, all: &Graph) -> String {
    let mut header = String::new();
    let mut pending: Vec<TermRef<'_>> = all.objects_for_subject_predicate(constraint, sh!("prefixes")).collect();
    let mut seen = Vec::new();
    while let Some(ontology) = pending.pop().and_then(as_subject) {
        if seen.contains(&ontology) {
            continue;
        }
        seen.push(ontology);
        pending.extend(all.objects_for_subject_predicate(ontology, OWL_IMPORTS));
        for declaration in all.objects_for_subject_predicate(ontology, sh!("declare")).filter_map(as_subject) {
            let prefix = all.object_for_subject_predicate(declaration, sh!("prefix"));
            let namespace = all.object_for_subject_predicate(declaration, sh!("namespace"));
            if let (Some(TermRef::Literal(prefix)), Some(TermRef::Literal(namespace))) = (prefix, namespace) {
                header += "PREFIX ";
                header += prefix.value();
                header += ": <";
                header += namespace.value();
                header += ">\n";
            }
        }
    }
    header
}
