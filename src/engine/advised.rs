//! What to do: every recommendation of the catalogue over a window.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Engine;
use crate::analyse::advise::{Advised, Failed, rank, recommendations};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::query::CannedQuery;
use crate::record::Window;
use crate::vocab::nearest;

/// Rows of one query that are recommended upon.
const ROWS_MAX: usize = 100;
/// Recommendations of one answer.
const RECOMMENDATIONS_MAX: usize = 1_000;
/// Queries that are not begun after this long are told as failed.
const TIME_MAX: Duration = Duration::from_secs(30);

impl Engine {
    /// What to do about what happened in `window`; `given` are parameters of the queries, such as `component`.
    ///
    /// # Errors
    /// `Invalid` for a parameter that no recommendation takes, or that cannot be read.
    pub fn advise(&self, window: Window, given: &BTreeMap<String, String>) -> Result<Advised> {
        let mut queries: Vec<&CannedQuery> = self.catalogue.iter().filter(|query| query.advice.is_some()).collect();
        refuse_unknown(&queries, given)?;
        let asked = |query: &CannedQuery| asked(query, window, given);
        // What is about the whole system is not about one component.
        queries.retain(|query| !given.contains_key("component") || takes(query, "component"));
        // A parameter that nobody can read is the asker's fault; a query that fails later costs only its own answer.
        for query in &queries {
            query.check(&asked(query).into_iter().collect(), self.clock.now(), &self.vocabulary)?;
        }
        let started = Instant::now();
        // Evaluated once for all queries, if one asks: they all look at the end of the same window.
        let objectives = OnceCell::new();
        let objectives = |at: Timestamp| match objectives.get_or_init(|| self.objectives_kept(at)) {
            Ok(kept) => Ok(kept.clone()),
            Err(error) => Err(Error::new(error.kind(), error.to_string())),
        };
        let mut advised = Advised { window, recommendations: Vec::new(), failed: Vec::new(), truncated: false };
        for query in queries {
            if started.elapsed() > TIME_MAX {
                let problem = format!("not asked: the others took more than {} s", TIME_MAX.as_secs());
                advised.failed.push(Failed { query: query.id.clone(), problem });
                continue;
            }
            let asked = asked(query);
            let mut bounded: BTreeMap<String, String> = asked.iter().cloned().collect();
            bounded.insert("limit".to_owned(), ROWS_MAX.to_string());
            match self.run_with(query, &bounded, &objectives) {
                Ok(answered) => {
                    advised.truncated |= answered.rows.truncated;
                    advised.recommendations.extend(recommendations(query, &answered, &asked, &self.vocabulary));
                }
                Err(error) => advised.failed.push(Failed { query: query.id.clone(), problem: error.to_string() }),
            }
        }
        rank(&mut advised.recommendations);
        advised.truncated |= advised.recommendations.len() > RECOMMENDATIONS_MAX;
        advised.recommendations.truncate(RECOMMENDATIONS_MAX);
        Ok(advised)
    }
}

/// The parameters of a query that are known: the window under the names it gives it, and what was given.
fn asked(query: &CannedQuery, window: Window, given: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let value = |name: &str| match name {
        "from" | "since" => Some(window.from.to_string()),
        "to" | "at" => Some(window.to.to_string()),
        name => given.get(name).cloned(),
    };
    let names = query.parameters.iter().map(|parameter| &parameter.name);
    names.filter_map(|name| Some((name.clone(), value(name)?))).collect()
}

fn takes(query: &CannedQuery, name: &str) -> bool {
    query.parameters.iter().any(|parameter| parameter.name == name)
}

fn refuse_unknown(queries: &[&CannedQuery], given: &BTreeMap<String, String>) -> Result<()> {
    let known: Vec<&String> =
        queries.iter().flat_map(|query| query.parameters.iter().map(|parameter| &parameter.name)).collect();
    let Some(unknown) = given.keys().find(|name| !known.contains(name)) else { return Ok(()) };
    let hint = match nearest(unknown, known.into_iter()) {
        Some(near) => format!("did you mean {near}?"),
        None => "use from, to, component, or a parameter of one of the queries".to_owned(),
    };
    Err(Error::invalid(format!("no recommendation has a parameter {unknown}")).hint(hint))
}
