//! Ad-hoc SPARQL 1.1 queries over everything that is recorded.
//!
//! Without a dataset of its own, a query sees the union of all graphs as its default graph, and every graph by name.

use std::io::{self, Write};

use oxigraph::sparql::results::{QueryResultsFormat, QueryResultsSerializer};
use oxigraph::sparql::{PreparedSparqlQuery, QueryResults};
use oxigraph::store::Store;
use oxrdf::{GraphName, NamedNode, NamedOrBlankNode};
use oxrdfio::{RdfFormat, RdfSerializer};
use spargebra::Query;
use spargebra::algebra::QueryDataset;

use super::{Limits, Meter, bind, evaluate, guard, pushdown};
use crate::error::{Context as _, Error, Result};
use crate::record::store::Index;

/// Largest answer, in bytes.
pub(super) const ANSWER_BYTES_MAX: usize = 64 << 20;

/// The dataset that came with the request; it overrides FROM.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct ProtocolDataset {
    /// `default-graph-uri`
    pub default_graphs: Vec<String>,
    /// `named-graph-uri`
    pub named_graphs: Vec<String>,
}

/// Media types wanted, by the form of query.
#[derive(Debug, Clone, Copy)]
pub struct AdhocFormat {
    /// For SELECT and ASK.
    pub solutions: &'static str,
    /// For CONSTRUCT and DESCRIBE.
    pub graph: &'static str,
}

/// An answer ready to be sent.
#[derive(Debug)]
pub struct AdhocAnswer {
    /// What `bytes` are.
    pub media_type: &'static str,
    /// The results.
    pub bytes: Vec<u8>,
    /// Was it cut at the limit of rows?
    pub truncated: bool,
}

/// Answers a query.
///
/// # Errors
/// `Invalid` when it is no query or too much; `Unavailable` when it ran out of time.
pub fn adhoc(
    index: &Index,
    text: &str,
    dataset: &ProtocolDataset,
    format: AdhocFormat,
    meter: Meter,
    limits: &Limits,
) -> Result<AdhocAnswer> {
    let (text, limits) = (text.to_owned(), limits.clone());
    let dataset = named(dataset)?;
    let index = index.clone();
    evaluate::within(limits.deadline, move |token| {
        let mut query = guard::parse(&text, &limits)?;
        if let Some(dataset) = dataset {
            set_dataset(&mut query, dataset);
        }
        let graphs = if has_dataset(&query) { None } else { slots(&index, &query) };
        let own_dataset = has_dataset(&query);
        evaluate::with_functions(cut(query, limits.rows_max), meter, token, |mut prepared| {
            match graphs {
                Some(graphs) => {
                    prepared.dataset_mut().set_default_graph(graphs.iter().cloned().map(GraphName::from).collect());
                    let named = graphs.into_iter().map(NamedOrBlankNode::from).collect();
                    prepared.dataset_mut().set_available_named_graphs(named);
                }
                None if !own_dataset => prepared.dataset_mut().set_default_graph_as_union(),
                None => {}
            }
            answer(index.reader(), prepared, format, limits.rows_max)
        })
    })
}

/// The graphs a query needs to see: slots of its windows and what lies in no slot. `None` is all.
fn slots(index: &Index, query: &Query) -> Option<Vec<NamedNode>> {
    let mut graphs: Vec<NamedNode> =
        pushdown::windows(query)?.into_iter().flat_map(|window| index.graphs_in(window)).collect();
    graphs.extend(index.timeless_graphs());
    graphs.sort_unstable();
    graphs.dedup();
    Some(graphs)
}

fn named(dataset: &ProtocolDataset) -> Result<Option<QueryDataset>> {
    if dataset.default_graphs.is_empty() && dataset.named_graphs.is_empty() {
        return Ok(None);
    }
    let iris = |texts: &[String]| texts.iter().map(NamedNode::new).collect::<std::result::Result<Vec<_>, _>>();
    let default = iris(&dataset.default_graphs).invalid("default-graph-uri is no absolute IRI")?;
    let named = iris(&dataset.named_graphs).invalid("named-graph-uri is no absolute IRI")?;
    Ok(Some(QueryDataset { default, named: Some(named) }))
}

fn set_dataset(query: &mut Query, given: QueryDataset) {
    let (Query::Select { dataset, .. }
    | Query::Construct { dataset, .. }
    | Query::Describe { dataset, .. }
    | Query::Ask { dataset, .. }) = query;
    *dataset = Some(given);
}

fn has_dataset(query: &Query) -> bool {
    let (Query::Select { dataset, .. }
    | Query::Construct { dataset, .. }
    | Query::Describe { dataset, .. }
    | Query::Ask { dataset, .. }) = query;
    dataset.is_some()
}

fn answer(store: &Store, prepared: PreparedSparqlQuery, format: AdhocFormat, rows_max: usize) -> Result<AdhocAnswer> {
    let failed = "cannot write the results";
    let mut out = Bounded::default();
    let mut truncated = false;
    let media_type = match prepared.on_store(store).execute().map_err(evaluate::failed)? {
        QueryResults::Solutions(solutions) => {
            let serializer = QueryResultsSerializer::from_format(results_format(format.solutions)?);
            let mut writer =
                serializer.serialize_solutions_to_writer(&mut out, solutions.variables().to_vec()).internal(failed)?;
            for (row, solution) in solutions.enumerate() {
                if row == rows_max {
                    truncated = true;
                    break;
                }
                let solution = solution.map_err(evaluate::failed)?;
                writer.serialize(&solution).map_err(too_large)?;
            }
            writer.finish().map_err(too_large)?;
            format.solutions
        }
        QueryResults::Boolean(truth) => {
            let format_of_booleans = results_format(format.solutions)?;
            QueryResultsSerializer::from_format(format_of_booleans)
                .serialize_boolean_to_writer(&mut out, truth)
                .internal(failed)?;
            format.solutions
        }
        QueryResults::Graph(triples) => {
            let rdf =
                RdfFormat::from_media_type(format.graph).ok_or_else(|| Error::internal("a graph format is unknown"))?;
            let mut writer = RdfSerializer::from_format(rdf).for_writer(&mut out);
            for (row, triple) in triples.enumerate() {
                if row == rows_max {
                    truncated = true;
                    break;
                }
                writer.serialize_triple(&triple.map_err(evaluate::failed)?).map_err(too_large)?;
            }
            writer.finish().map_err(too_large)?;
            format.graph
        }
    };
    Ok(AdhocAnswer { media_type, bytes: out.0, truncated })
}

/// One row more than wanted tells that there are more.
fn cut(query: Query, rows_max: usize) -> Query {
    match query {
        Query::Select { dataset, pattern, base_iri } => {
            let pattern = match pattern {
                spargebra::algebra::GraphPattern::Slice { inner, start, length } => {
                    let length = Some(length.map_or(rows_max + 1, |length| length.min(rows_max + 1)));
                    spargebra::algebra::GraphPattern::Slice { inner, start, length }
                }
                other => bind::limit(other, rows_max + 1),
            };
            Query::Select { dataset, pattern, base_iri }
        }
        other => other,
    }
}

fn results_format(media_type: &str) -> Result<QueryResultsFormat> {
    QueryResultsFormat::from_media_type(media_type).ok_or_else(|| Error::internal("a results format is unknown"))
}

fn too_large(error: io::Error) -> Error {
    Error::invalid("the answer is too large").because(error).hint("select fewer columns or rows")
}

/// A buffer that does not grow beyond its bound.
#[derive(Default)]
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > ANSWER_BYTES_MAX {
            return Err(io::Error::other(format!("more than {ANSWER_BYTES_MAX} bytes")));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
