//! Shapes: read, checked for what cannot be run, compiled once.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use oxrdf::Graph;
use oxrdfio::{RdfFormat, RdfParser};
use rudof_rdf::rdf_core::BuildRDF as _;
use rudof_rdf::rdf_impl::OxigraphInMemory;
use shacl::error::ValidationError;
use shacl::ir::IRSchema;
use shacl::rdf::ShaclParser;
use shacl::validator::engine::{Engine, NativeEngine};
use shacl::validator::processor::ShaclProcessor;
use shacl::validator::{ShaclConfig, ShaclValidationMode};

use super::plain::Plain;
use super::report::Report;
use super::supported;
use crate::error::{Context as _, Error};

/// Shapes compiled once, to validate any number of graphs from any thread.
pub struct Shapes {
    compiled: IRSchema,
    /// The same shapes as triples: reports look up there what a rule allows.
    graph: Graph,
    /// Does any rule need SPARQL, and so a store built for each validation?
    queries: bool,
    plain: Option<Plain>,
    config: ShaclConfig,
}

/// One shapes file.
pub(super) struct Document<'a> {
    pub(super) name: &'a str,
    pub(super) graph: Graph,
}

impl Shapes {
    /// Reads shapes documents, given as (name, Turtle). They may refer to each other.
    ///
    /// # Errors
    /// `Invalid`, naming the document: it is no Turtle, it uses something the engine cannot run (then shape and construct are
    /// named too), or its shapes are malformed.
    pub fn load<'a>(documents: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Shapes, Error> {
        let documents =
            documents.into_iter().map(|(name, turtle)| Document::read(name, turtle)).collect::<Result<Vec<_>, _>>()?;
        let graph = union(&documents);
        for document in &documents {
            supported::check(document, &graph)?;
        }
        let compiled = compile(&graph).map_err(|problem| blame(&documents, &problem))?;
        let queries = graph.triples_for_predicate(sh!("sparql")).next().is_some();
        Ok(Shapes { compiled, plain: Plain::new(&graph), graph, queries, config: ShaclConfig::default() })
    }

    /// Validates every receipt in `data` at once. Those that plainly keep every rule are told from the rest first; for the
    /// rest, shapes run in parallel on rayon's threads, so call it from a thread that may block.
    ///
    /// # Errors
    /// Not for bad data. `Internal` when the engine itself fails.
    pub fn validate(&self, data: &Graph) -> Result<Report, Error> {
        let left_over = match &self.plain {
            Some(plain) => plain.left_over(data),
            None => Some(Cow::Borrowed(data)),
        };
        let Some(left_over) = left_over else { return Ok(Report::conforming()) };
        let mut run = Run { data: copy(&left_over), queries: self.queries };
        // The engine meets what strangers send; a defect in it must not take the caller's thread along.
        let result =
            catch_unwind(AssertUnwindSafe(|| run.validate(&self.compiled, &ShaclValidationMode::Native, &self.config)));
        let outcome = result
            .map_err(|_| Error::internal("the SHACL engine broke down on this data"))?
            .internal("the SHACL engine cannot validate this data")?;
        Ok(Report::new(&outcome, data, &self.graph))
    }
}

impl<'a> Document<'a> {
    fn read(name: &'a str, turtle: &str) -> Result<Self, Error> {
        // Blank node labels are local to a document, and relative IRIs need something to be relative to.
        let parser = RdfParser::from_format(RdfFormat::Turtle)
            .with_base_iri("urn:naze:shapes")
            .invalid("the base of shapes documents is an IRI")?
            .rename_blank_nodes();
        let mut graph = Graph::new();
        for quad in parser.for_slice(turtle) {
            let quad = quad.invalid(format!("shapes document {name} is no Turtle"))?;
            graph.insert(oxrdf::TripleRef::from(quad.as_ref()));
        }
        Ok(Self { name, graph })
    }
}

fn union(documents: &[Document<'_>]) -> Graph {
    let mut graph = Graph::new();
    for triple in documents.iter().flat_map(|document| &document.graph) {
        graph.insert(triple);
    }
    graph
}

fn copy(graph: &Graph) -> OxigraphInMemory {
    let mut copy = OxigraphInMemory::empty();
    for triple in graph {
        copy.add_triple_ref(triple.subject, triple.predicate, triple.object).expect("adding to memory cannot fail");
    }
    copy
}

fn compile(graph: &Graph) -> Result<IRSchema, String> {
    let syntax = ShaclParser::new(copy(graph)).parse().map_err(|e| e.to_string())?;
    IRSchema::compile(&syntax).map_err(|e| e.to_string())
}

/// Which document is at fault? The engine does not know documents: it is the one without which the others compile.
fn blame(documents: &[Document<'_>], problem: &str) -> Error {
    let names = || documents.iter().map(|document| document.name);
    let culprit = (0..documents.len()).find(|&left_out| {
        let mut rest = Graph::new();
        for (index, document) in documents.iter().enumerate() {
            if index != left_out {
                rest.extend(&document.graph);
            }
        }
        compile(&rest).is_ok()
    });
    let name = match culprit {
        Some(index) => documents[index].name.to_owned(),
        None => names().collect::<Vec<_>>().join(", "),
    };
    Error::invalid(format!("the shapes in {name} are malformed: {problem}"))
        .hint("check them against https://www.w3.org/TR/shacl/")
}

/// One validation. Unlike the crate's own processors it builds a SPARQL store only when a rule asks for it.
struct Run {
    data: OxigraphInMemory,
    queries: bool,
}

impl ShaclProcessor<OxigraphInMemory> for Run {
    fn store(&self) -> &OxigraphInMemory {
        &self.data
    }

    fn runner(_: &ShaclValidationMode, config: &ShaclConfig) -> Box<dyn Engine<OxigraphInMemory>> {
        Box::new(NativeEngine::new(config.recursion_semantics()))
    }

    fn prepare_store(&mut self) -> Result<(), ValidationError> {
        if self.queries {
            self.data.ensure_store()?;
        }
        Ok(())
    }
}
