//! Evaluation: on a thread with a big stack, with a deadline, and never more than a few at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use oxigraph::sparql::{
    CancellationToken, PreparedSparqlQuery, QueryEvaluationError, QueryResults, QuerySolutionIter, SparqlEvaluator,
};
use oxigraph::store::Store;
use oxrdf::{NamedNode, Variable};
use spargebra::Query;

use super::call::Meter;
use super::functions::{self, Functions};
use super::plus::commutative;
use super::rows::Rows;
use crate::error::{Context as _, Error, Result};

/// Queries evaluated at the same moment; more are asked to come again.
const QUERIES_MAX: usize = 16;
/// Address space for one query's stack: deep algebra recurses, and only what is used takes memory.
const STACK_BYTES: usize = 256 << 20;
/// How long a cancelled query may take to notice.
const GRACE: Duration = Duration::from_millis(250);

static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// A place among the queries under way, free again when the thread ends.
struct Place;

impl Place {
    fn take() -> Result<Self> {
        let place = Self;
        if RUNNING.fetch_add(1, Ordering::SeqCst) >= QUERIES_MAX {
            return Err(
                Error::unavailable(format!("{QUERIES_MAX} queries are running already")).hint("ask again in a second")
            );
        }
        Ok(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Runs `work` on a thread of its own and waits for it until `deadline` has passed.
pub(super) fn within<T: Send + 'static>(
    deadline: Duration,
    work: impl FnOnce(&CancellationToken) -> Result<T> + Send + 'static,
) -> Result<T> {
    let place = Place::take()?;
    let token = CancellationToken::new();
    let (send, receive) = sync_channel(1);
    let for_thread = token.clone();
    std::thread::Builder::new()
        .name("naze-query".into())
        .stack_size(STACK_BYTES)
        .spawn(move || {
            let _place = place;
            // Nobody listens any more when the deadline has passed.
            drop(send.send(work(&for_thread)));
        })
        .internal("cannot start a thread for the query")?;
    match receive.recv_timeout(deadline) {
        Ok(result) => result,
        Err(RecvTimeoutError::Disconnected) => Err(Error::internal("the query met a defect")),
        Err(RecvTimeoutError::Timeout) => {
            token.cancel();
            match receive.recv_timeout(GRACE) {
                Ok(Ok(result)) => Ok(result),
                _ => Err(too_late(deadline)),
            }
        }
    }
}

pub(super) fn too_late(deadline: Duration) -> Error {
    Error::unavailable(format!("the query ran out of time after {:.1} s", deadline.as_secs_f64()))
        .hint("narrow its window, or ask for fewer joins")
}

/// Evaluates a SELECT over the named graphs `graphs`, and nothing else.
pub(super) fn rows(
    store: Store,
    query: Query,
    graphs: Vec<NamedNode>,
    meter: Meter,
    rows_max: usize,
    deadline: Duration,
) -> Result<Rows> {
    within(deadline, move |token| {
        with_functions(query, meter, token, |mut prepared| {
            prepared.dataset_mut().set_default_graph(Vec::new());
            prepared.dataset_mut().set_available_named_graphs(graphs.into_iter().map(Into::into).collect());
            match prepared.on_store(&store).execute().map_err(failed)? {
                QueryResults::Solutions(solutions) => collect(solutions, rows_max),
                QueryResults::Boolean(_) | QueryResults::Graph(_) => Err(Error::invalid("a canned query is a SELECT")),
            }
        })
    })
}

fn collect(solutions: QuerySolutionIter<'_>, rows_max: usize) -> Result<Rows> {
    let variables: Vec<Variable> = solutions.variables().to_vec();
    let mut rows = Vec::new();
    let mut truncated = false;
    for solution in solutions {
        if rows.len() == rows_max {
            truncated = true;
            break;
        }
        let solution = solution.map_err(failed)?;
        rows.push(variables.iter().map(|variable| solution.get(variable).cloned()).collect());
    }
    Ok(Rows { columns: variables.into_iter().map(Variable::into_string).collect(), rows, truncated })
}

/// Has `answer` evaluate a query that may call functions over series. What they may not answer is why it failed.
pub(super) fn with_functions<T>(
    query: Query,
    meter: Meter,
    token: &CancellationToken,
    answer: impl FnOnce(PreparedSparqlQuery) -> Result<T>,
) -> Result<T> {
    let functions = Functions::new(meter, token);
    let evaluator = SparqlEvaluator::new().with_cancellation_token(token.clone());
    let answered = answer(functions.offer(evaluator).for_query(commutative(query)));
    functions.failure().map_or(answered, Err)
}

pub(super) fn failed(error: QueryEvaluationError) -> Error {
    match error {
        QueryEvaluationError::Cancelled => Error::unavailable("the query ran out of time"),
        QueryEvaluationError::Service(_) | QueryEvaluationError::UnsupportedService(_) => {
            Error::invalid("SERVICE is not available: naze asks nobody else")
        }
        QueryEvaluationError::UnsupportedCustomFunction(function) => functions::unknown(&function),
        error @ QueryEvaluationError::UnsupportedCustomFunctionArity { .. } => {
            Error::invalid(error.to_string()).hint("a cast such as xsd:integer takes one argument")
        }
        error => Error::internal("the query failed").because(error),
    }
}
