//! Queries, canned and ad-hoc.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Engine;
use crate::clock::Timestamp;
use crate::error::{Kind, Result};
use crate::query::{self, Answered, CannedQuery, KeptObjective, Table};
use crate::record::Window;

impl Engine {
    /// Runs a canned query with parameters as text.
    pub fn query<'a>(&self, id: &str, given: impl IntoIterator<Item = (&'a str, String)>) -> Result<Answered> {
        let query = self.catalogue.get(id)?;
        let given: BTreeMap<String, String> = given.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.run(query, &given)
    }

    pub(super) fn run(&self, query: &CannedQuery, given: &BTreeMap<String, String>) -> Result<Answered> {
        self.run_with(query, given, &|at| self.objectives_kept(at))
    }

    /// Runs a canned query that is told by `objectives` how they are kept, should it ask.
    pub(super) fn run_with(
        &self,
        query: &CannedQuery,
        given: &BTreeMap<String, String>,
        objectives: &dyn Fn(Timestamp) -> Result<Vec<KeptObjective>>,
    ) -> Result<Answered> {
        let started = Instant::now();
        let component = given.get("component").map(String::as_str).filter(|component| !component.is_empty());
        let measured = |window: Window| {
            let mut measured = self.measured(query, component)?;
            if query.tables.contains(&Table::Slos) {
                measured.objectives = objectives(window.to)?;
            }
            Ok(measured)
        };
        let answered = query::run(&self.index, query, given, measured, self.clock.now(), &self.query_limits());
        let outcome = answered.as_ref().err().map_or("ok", |error| outcome_of(error.kind()));
        self.telemetry.queried(&query.id, outcome, started.elapsed());
        answered
    }

    /// Answers ad-hoc SPARQL.
    pub fn sparql(
        &self,
        text: &str,
        dataset: &query::ProtocolDataset,
        format: query::AdhocFormat,
    ) -> Result<query::AdhocAnswer> {
        let started = Instant::now();
        let limits = self.query_limits();
        let answer = match &self.workers {
            Some(workers) => workers.answer(&self.index, text, dataset, format, &self.meter(), &limits),
            None => query::adhoc(&self.index, text, dataset, format, self.meter(), &limits),
        };
        let outcome = answer.as_ref().err().map_or("ok", |error| outcome_of(error.kind()));
        self.telemetry.queried("adhoc", outcome, started.elapsed());
        answer
    }

    fn query_limits(&self) -> query::Limits {
        query::Limits {
            rows_max: self.config.limits.rows_max,
            deadline: Duration::from_secs(self.config.limits.query_seconds),
            memory_bytes_max: self.config.limits.query_memory_bytes,
            ..query::Limits::default()
        }
    }
}

fn outcome_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Invalid => "invalid",
        Kind::NotFound => "not_found",
        Kind::Conflict => "conflict",
        Kind::Unavailable => "unavailable",
        Kind::Forbidden => "forbidden",
        Kind::Internal => "internal",
    }
}
