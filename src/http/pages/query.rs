//! What stands on the pages of queries: the list, a canned one, and the editor.

use oxigraph::sparql::results::{QueryResultsFormat, QueryResultsParser, SliceQueryResultsParserOutput};

use super::Asked;
use crate::engine::Engine;
use crate::error::{Context as _, Result};
use crate::query::{AdhocFormat, ProtocolDataset, Rows};
use crate::web;
use crate::web::explore::Found;

/// All canned queries.
pub(in crate::http) fn queries(engine: &Engine, _: &Asked) -> Result<String> {
    Ok(web::queries::list(engine.catalogue()))
}

/// A canned query: its form, and the answer once everything it requires is there.
pub(in crate::http) fn query(engine: &Engine, asked: &Asked) -> Result<String> {
    let query = engine.catalogue().get(&asked.id)?;
    let mut given = asked.given.clone();
    given.retain(|_, value| !value.is_empty());
    let is_complete = query.parameters.iter().all(|one| !one.required || given.contains_key(&one.name));
    let answered =
        is_complete.then(|| engine.query(&asked.id, given.iter().map(|(name, value)| (name.as_str(), value.clone()))));
    Ok(web::queries::show(query, &given, answered.as_ref(), engine.vocabulary()))
}

/// The SPARQL editor.
pub(in crate::http) fn explore(engine: &Engine, asked: &Asked) -> Result<String> {
    let text = asked.filled("query");
    let found = text.map(|text| ask(engine, text));
    Ok(web::explore::render(text, found.as_ref(), engine.vocabulary()))
}

fn ask(engine: &Engine, text: &str) -> Result<Found> {
    let failed = "cannot read the results";
    let format = AdhocFormat { solutions: QueryResultsFormat::Json.media_type(), graph: "text/turtle" };
    let answer = engine.sparql(text, &ProtocolDataset::default(), format)?;
    if answer.media_type == "text/turtle" {
        return Ok(Found::Graph(String::from_utf8(answer.bytes).internal(failed)?));
    }
    let parser = QueryResultsParser::from_format(QueryResultsFormat::Json);
    Ok(match parser.for_slice(&answer.bytes).internal(failed)? {
        SliceQueryResultsParserOutput::Boolean(truth) => Found::Truth(truth),
        SliceQueryResultsParserOutput::Solutions(solutions) => {
            let variables = solutions.variables().to_vec();
            let rows = solutions.map(|solution| {
                let solution = solution.internal(failed)?;
                Ok(variables.iter().map(|variable| solution.get(variable).cloned()).collect())
            });
            Found::Rows(Rows {
                rows: rows.collect::<Result<_>>()?,
                columns: variables.into_iter().map(oxrdf::Variable::into_string).collect(),
                truncated: answer.truncated,
            })
        }
    })
}
