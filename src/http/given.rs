//! Parameters of a request: each is taken out, and what is left over nobody knows.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::clock::{Timestamp, ago};
use crate::error::{Error, Result};
use crate::query::parse_time;
use crate::record::Window;

/// Takes the moment out of `given`: now, unless it says otherwise.
pub(super) fn moment(given: &mut BTreeMap<String, String>, now: Timestamp) -> Result<Timestamp> {
    given.remove("at").map_or(Ok(now), |text| parse_time("at", &text, now))
}

/// Takes the window out of `given`: up to now, and `length` long, unless it says otherwise.
pub(super) fn window(given: &mut BTreeMap<String, String>, now: Timestamp, length: TimeDelta) -> Result<Window> {
    let (from, to) = ends(given, now)?;
    let to = to.unwrap_or(now);
    in_order(from.unwrap_or_else(|| ago(to, length)), to)
}

/// Takes the window out of `given`: all of time, unless it says otherwise.
pub(super) fn window_of_all(given: &mut BTreeMap<String, String>, now: Timestamp) -> Result<Window> {
    let (from, to) = ends(given, now)?;
    in_order(from.unwrap_or(Window::ALL.from), to.unwrap_or(Window::ALL.to))
}

fn in_order(from: Timestamp, to: Timestamp) -> Result<Window> {
    if from >= to {
        return Err(Error::invalid(format!("from ({from}) is not before to ({to})")).hint("swap them"));
    }
    Ok(Window { from, to })
}

/// What is said of either end of a window.
type Ends = (Option<Timestamp>, Option<Timestamp>);

fn ends(given: &mut BTreeMap<String, String>, now: Timestamp) -> Result<Ends> {
    let mut time = |name: &str| given.remove(name).map(|text| parse_time(name, &text, now)).transpose();
    Ok((time("from")?, time("to")?))
}

/// Takes the number of entries wanted of each list out of `given`.
pub(super) fn limit(given: &mut BTreeMap<String, String>, default: usize, max: usize) -> Result<usize> {
    let Some(text) = given.remove("limit") else { return Ok(default) };
    text.parse().ok().filter(|limit| (1..=max).contains(limit)).ok_or_else(|| {
        Error::invalid(format!("limit=\"{text}\" is no number of entries"))
            .hint(format!("give a number from 1 to {max}"))
    })
}

/// Nothing may be left over: a parameter that is misspelt would be one that is not heeded.
pub(super) fn refuse_others(given: &BTreeMap<String, String>, known: &str) -> Result<()> {
    match given.keys().next() {
        None => Ok(()),
        Some(name) => Err(Error::invalid(format!("there is no parameter {name}")).hint(format!("known are {known}"))),
    }
}
