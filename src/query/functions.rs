//! Functions over series, for every query: `naze:mean(?metric, ?component, ?from, ?to)` and the like.
//!
//! A call that cannot be answered, because there are no values or an argument has the wrong type, is an error of SPARQL:
//! the variable stays unbound. A call that may not be answered ends the query.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use oxigraph::sparql::{CancellationToken, SparqlEvaluator};
use oxrdf::{Literal, NamedNode, Term};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::call::{Call, Meter};
use crate::error::Error;
use crate::vocab::{NAMESPACE, nearest};

/// A function over series.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Function {
    /// Its name in the namespace of naze.
    pub name: &'static str,
    /// What it takes.
    pub arguments: &'static str,
    /// Type of its value.
    pub returns: &'static str,
    /// What it tells.
    pub description: &'static str,
}

/// Which series, and which window.
const WINDOW: &str = "metric, component, from, to";

/// All functions.
pub const FUNCTIONS: [Function; 13] = [
    Function { name: "samples", arguments: WINDOW, returns: "integer", description: "how many values there are" },
    Function {
        name: "mean",
        arguments: WINDOW,
        returns: "double",
        description: "the mean of the values; of counters and deltas, their rate",
    },
    Function { name: "min", arguments: WINDOW, returns: "double", description: "the smallest value" },
    Function { name: "max", arguments: WINDOW, returns: "double", description: "the largest value" },
    Function {
        name: "quantile",
        arguments: "metric, component, from, to, share",
        returns: "double",
        description: "the value that this share of all values do not exceed, right to 1 %",
    },
    Function {
        name: "rate",
        arguments: WINDOW,
        returns: "double",
        description: "by how much counters rose, or what deltas added, for each second",
    },
    Function {
        name: "slope",
        arguments: WINDOW,
        returns: "double",
        description: "how much the mean grows in each second, by least squares",
    },
    Function {
        name: "change",
        arguments: WINDOW,
        returns: "double",
        description: "by how much the mean differs from that of the equally long window before: 0.4 is 40 % more",
    },
    Function {
        name: "movedAt",
        arguments: WINDOW,
        returns: "dateTime",
        description: "when the values first left what was usual in the equally long window before",
    },
    Function {
        name: "mannWhitney",
        arguments: "metric, component, from, to, at",
        returns: "double",
        description: "p-value: how likely the values before and after a moment would differ so much by chance",
    },
    Function {
        name: "pearson",
        arguments: "metric, component, from, to, times",
        returns: "double",
        description: "correlation of the mean with the number of events, each ten minutes; times are words of one text",
    },
    Function {
        name: "spearman",
        arguments: "metric, component, from, to, times",
        returns: "double",
        description: "the same by rank",
    },
    Function {
        name: "lag",
        arguments: "metric, component, from, to, times",
        returns: "dayTimeDuration",
        description: "by how much the metric follows the events, up to an hour to either side, where that correlation is strongest",
    },
];

/// The functions of one query that is being answered.
pub(super) struct Functions {
    meter: Meter,
    token: CancellationToken,
    /// Answers by the hash of the question, which may be long.
    known: Mutex<HashMap<[u8; 32], Option<Literal>>>,
    failed: Mutex<Option<Error>>,
}

impl Functions {
    /// `token` stops the query when a call may not be answered.
    pub(super) fn new(meter: Meter, token: &CancellationToken) -> Arc<Self> {
        Arc::new(Self { meter, token: token.clone(), known: Mutex::default(), failed: Mutex::default() })
    }

    pub(super) fn offer(self: &Arc<Self>, mut evaluator: SparqlEvaluator) -> SparqlEvaluator {
        for function in FUNCTIONS {
            let this = Arc::clone(self);
            let call = move |arguments: &[Term]| this.call(function, arguments).map(Term::from);
            evaluator = evaluator.with_custom_function(iri(function.name), call);
        }
        evaluator
    }

    /// Why the query was stopped, if a function stopped it.
    pub(super) fn failure(&self) -> Option<Error> {
        locked(&self.failed).take()
    }

    fn call(&self, function: Function, arguments: &[Term]) -> Option<Literal> {
        if self.token.is_cancelled() {
            return None;
        }
        let wanted = function.arguments.split(", ").count();
        if arguments.len() != wanted {
            let Function { name, arguments: named, .. } = function;
            let given = arguments.len();
            self.fail(
                Error::invalid(format!("naze:{name} takes {wanted} arguments, {given} were given"))
                    .hint(format!("write naze:{name}({named})")),
            );
            return None;
        }
        let key = key(function.name, arguments);
        if let Some(known) = locked(&self.known).get(&key) {
            return known.clone();
        }
        let call = Call::read(function.name, arguments)?;
        match (self.meter)(&call) {
            Ok(told) => {
                locked(&self.known).insert(key, told.clone());
                told
            }
            Err(error) => {
                self.fail(error);
                None
            }
        }
    }

    fn fail(&self, error: Error) {
        locked(&self.failed).get_or_insert(error);
        self.token.cancel();
    }
}

/// What there is instead of an unknown function.
pub(super) fn unknown(function: &NamedNode) -> Error {
    let error = Error::invalid(format!("there is no function {function}"));
    let names = FUNCTIONS.map(|function| function.name.to_owned());
    match function.as_str().strip_prefix(NAMESPACE).map(|name| nearest(name, names.iter())) {
        Some(Some(near)) => error.hint(format!("did you mean naze:{near}?")),
        _ => error.hint("GET /v1/queries lists the functions over series; SPARQL's own are written without a prefix"),
    }
}

fn iri(name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{NAMESPACE}{name}"))
}

fn key(name: &str, arguments: &[Term]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(name);
    // Terms in N-Triples hold no line end.
    arguments.iter().for_each(|argument| hash.update(format!("\n{argument}")));
    hash.finalize().into()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
