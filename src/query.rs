//! Querying: canned questions from `queries/`, and ad-hoc SPARQL, both bounded in window, rows, time and shape.
//!
//! Receipts live in one graph per slot of time. A canned query says which window it needs, and sees the slots of that
//! window only: its cost depends on the window, not on the history. `spargebra` and its algebra stay behind this door.

mod adhoc;
mod advice;
mod bind;
mod bound;
mod call;
mod catalogue;
mod evaluate;
mod functions;
mod guard;
mod header;
mod measured;
mod narrow;
mod params;
mod plus;
mod pushdown;
mod row;
mod rows;
mod table;
pub mod worker;
pub mod workers;

pub use adhoc::{AdhocAnswer, AdhocFormat, ProtocolDataset, adhoc};
pub use advice::{Advice, Effort, Priority};
pub use call::{Call, Figure, Meter};
pub use catalogue::Catalogue;
pub use functions::{FUNCTIONS, Function};
pub use header::{CannedQuery, Column};
pub use measured::{Listed, Listing, Measured, Relation, Relative};
pub use params::{Parameter, Type, parse_duration, parse_time};
pub use row::Row;
pub use rows::{ResultsForm, Rows};
pub use table::{KeptObjective, LimitAction, Table};

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::record::Window;
use crate::record::store::Index;

/// Rows of a canned query that names no limit.
const ROWS_DEFAULT: usize = 1_000;
/// A window is short when a slot is at least so many times as long.
const SLOT_SHARE_SHORT: i32 = 4;

/// What one query may cost.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Limits {
    /// Most rows of an answer.
    pub rows_max: usize,
    /// Longest time for an answer.
    pub deadline: Duration,
    /// Longest text of an ad-hoc query, in bytes.
    pub text_bytes_max: usize,
    /// Deepest nesting of brackets in an ad-hoc query.
    pub nesting_max: usize,
    /// Most operators in an ad-hoc query.
    pub operators_max: usize,
    /// Most memory of an ad-hoc query that has a process of its own, in bytes.
    pub memory_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rows_max: 10_000,
            deadline: Duration::from_secs(10),
            text_bytes_max: 64 << 10,
            nesting_max: 100,
            operators_max: 500,
            memory_bytes_max: 1 << 30,
        }
    }
}

/// The answer of a canned query, with the question as it was understood.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Which query it was.
    pub id: String,
    /// What was found.
    pub rows: Rows,
    /// The window that was searched.
    pub window: Window,
    /// Every parameter that had a value, given or by default.
    pub bound: BTreeMap<String, String>,
    /// Series that were not looked at, because there are more than the query goes through.
    pub series_left_out: usize,
}

/// Runs a canned query with parameters given as text; `limit` is taken by all. `measured` tells what it gets to see of
/// series in its window.
///
/// # Errors
/// `Invalid` naming parameter, value and fix; `Unavailable` when it ran out of time.
pub fn run(
    index: &Index,
    query: &CannedQuery,
    given: &BTreeMap<String, String>,
    measured: impl FnOnce(Window) -> Result<Measured>,
    now: Timestamp,
    limits: &Limits,
) -> Result<Answered> {
    let limit = match given.get("limit") {
        Some(text) => text.parse().ok().filter(|limit| *limit > 0).ok_or_else(|| {
            Error::invalid(format!("limit=\"{text}\" is not a whole number of at least 1"))
                .hint("leave it out for 1000 rows")
        })?,
        None => ROWS_DEFAULT,
    };
    let rows_max = limit.min(limits.rows_max);
    let bound = query.bind(given, now, index.vocabulary())?;
    let measured = measured(bound.window)?;
    let short = bound.window.length() <= index.slot_length() / SLOT_SHARE_SHORT;
    let algebra = bind::bind(query.algebra.clone(), &bound.terms, &measured, short, rows_max);
    let graphs = index.graphs_in(bound.window);
    let rows =
        evaluate::rows(index.reader_in(bound.window), algebra, graphs, measured.meter, rows_max, limits.deadline)?;
    let series_left_out = measured.left_out;
    Ok(Answered { id: query.id.clone(), rows, window: bound.window, bound: bound.texts, series_left_out })
}
