//! SPARQL of one's own: an editor, the answer below, and a link to share.

use maud::{Markup, html};

use super::{Place, address, chart, page, rows};
use crate::error::Error;
use crate::query::Rows;
use crate::vocab::Vocabulary;

/// Bytes of the answer's table.
const TABLE_BYTES_MAX: usize = 50_000;
/// Characters shown of a graph.
const GRAPH_CHARACTERS_MAX: usize = 10_000;
/// What the editor holds at first.
const EXAMPLE: &str = "PREFIX naze: <https://w3id.org/naze#>

SELECT ?time ?component ?kind ?receipt WHERE {
  GRAPH ?slot {
    ?receipt a ?kind ;
             naze:component ?component ;
             naze:occurredAt ?time .
  }
}
ORDER BY DESC(?time)
LIMIT 20
";

/// What a query found.
pub enum Found {
    /// The answer of a SELECT, and whether there is more.
    Rows(Rows),
    /// The answer of an ASK.
    Truth(bool),
    /// The answer of a CONSTRUCT or DESCRIBE, as Turtle.
    Graph(String),
}

/// The editor with `query`, and what it found.
pub fn render(query: Option<&str>, found: Option<&Result<Found, Error>>, vocabulary: &Vocabulary) -> String {
    let main = html! {
        h1 { "SPARQL" }
        p { "Receipts lie in named graphs, one for each slot of time. " a href="/ontology" { "The vocabulary" } " · "
            a href="/queries" { "canned queries" } }
        form method="get" action="/explore" {
            label.wide { "Query" textarea name="query" spellcheck="false" required { (query.unwrap_or(EXAMPLE)) } }
            button { "Run" }
            button formmethod="post" formaction="/sparql" { "Download" }
        }
        @match found {
            None => {},
            Some(Err(error)) => { div.problem role="alert" { p { (error) } @for hint in error.hints() { p.soft { (hint) } } } },
            Some(Ok(found)) => section aria-labelledby="answer" {
                h2 #answer { "Answer" }
                (answer(found, vocabulary))
                p.screen { a href=(address("/explore", [("query", query.unwrap_or_default())])) { "Link to this answer" } }
            },
        }
    };
    page("SPARQL", Place::Explore, &main)
}

fn answer(found: &Found, vocabulary: &Vocabulary) -> Markup {
    match found {
        Found::Truth(truth) => html! { p.lead { (truth) } },
        Found::Graph(turtle) => html! { pre tabindex="0" { (super::cut(turtle, GRAPH_CHARACTERS_MAX)) } },
        Found::Rows(found) => html! {
            p { (found.rows.len()) @if found.truncated { " or more" } " rows" }
            (chart::section(found, "answer"))
            (rows::table(found, "Rows of the answer", TABLE_BYTES_MAX, vocabulary))
        },
    }
}
