//! Is a receipt what the shapes say it is? Bad data gives a [`Report`], never an error.
//!
//! The rules are SHACL, in `shapes/` and in a user's own folder. The `shacl` crate runs them; this module refuses at load
//! what that engine would skip in silence, and says in plain words what a broken rule means to the sender.
//!
//! ```
//! use naze::validate::Shapes;
//! use oxrdf::{Graph, NamedNodeRef};
//! use oxttl::TurtleParser;
//!
//! let shapes = Shapes::load([("team.ttl", r#"
//!     @prefix sh: <http://www.w3.org/ns/shacl#> .
//!     @prefix naze: <https://w3id.org/naze#> .
//!     <urn:shape> a sh:NodeShape ; sh:targetClass naze:Circuit ;
//!         sh:property [ sh:path naze:state ; sh:minCount 1 ; sh:in ("closed" "open" "half_open") ] .
//! "#)])?;
//! let mut data = Graph::new();
//! for triple in TurtleParser::new().for_slice(r#"<urn:r> a <https://w3id.org/naze#Circuit> ;
//!     <https://w3id.org/naze#state> "opne" ."#) {
//!     data.insert(&triple?);
//! }
//! let report = shapes.validate(&data)?;
//! let violation = report.violations_of(NamedNodeRef::new("urn:r")?.into()).next().expect("one rule is broken");
//! assert_eq!(violation.message, r#"state must be one of closed, open, half_open, got "opne""#);
//! assert_eq!(violation.fix, r#"did you mean "open"? Send one of closed, open, half_open"#);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

/// A SHACL term.
macro_rules! sh {
    ($name:literal) => {
        oxrdf::NamedNodeRef::new_unchecked(concat!("http://www.w3.org/ns/shacl#", $name))
    };
}

mod amend;
mod expected;
mod names;
mod plain;
mod report;
mod shapes;
mod supported;
mod words;

pub use report::{Report, Violation};
pub use shapes::Shapes;

/// Namespace of SHACL terms.
const SHACL: &str = "http://www.w3.org/ns/shacl#";

/// The members of an RDF list, empty when `head` is no list. A list that runs in a circle is cut.
fn list<'a>(graph: &'a oxrdf::Graph, head: Option<oxrdf::TermRef<'a>>) -> Vec<oxrdf::TermRef<'a>> {
    use oxrdf::vocab::rdf;
    let mut members = Vec::new();
    let mut next = head.and_then(as_subject);
    while let Some(node) = next {
        let Some(first) = graph.object_for_subject_predicate(node, rdf::FIRST) else { break };
        if members.len() > graph.len() {
            break;
        }
        members.push(first);
        next = graph.object_for_subject_predicate(node, rdf::REST).and_then(as_subject);
    }
    members
}

fn as_subject(term: oxrdf::TermRef<'_>) -> Option<oxrdf::NamedOrBlankNodeRef<'_>> {
    match term {
        oxrdf::TermRef::NamedNode(node) => Some(node.into()),
        oxrdf::TermRef::BlankNode(node) => Some(node.into()),
        _ => None,
    }
}
