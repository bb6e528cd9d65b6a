//! The stretch of time that a page tells of. Links carry it from page to page, so that drilling down keeps it.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use maud::{Markup, html};

use super::{address, moment};
use crate::analyse::trend::WINDOWS;
use crate::clock::{Timestamp, ago};
use crate::error::{Error, Result};
use crate::query::parse_time;
use crate::record::Window;

/// The window when an address names none.
const DEFAULT: &str = "24h";

/// A window, and how the address says it: as `range=24h`, which moves on, or as `from` and `to`, which stay.
#[derive(Debug, Clone)]
pub struct Range {
    /// What it reaches over.
    pub window: Window,
    /// Its name, if it has one.
    pub name: Option<&'static str>,
    given: Vec<(&'static str, String)>,
    /// It ends now.
    is_present: bool,
}

impl Range {
    /// What an address says with `range`, `from` and `to`; without them the last day up to `now`.
    ///
    /// # Errors
    /// `Invalid` naming the parameter, its value and the fix.
    pub fn of(parameters: &BTreeMap<String, String>, now: Timestamp) -> Result<Self> {
        let filled = |name: &str| parameters.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
        let time = |name: &'static str| filled(name).map(|text| parse_time(name, text, now)).transpose();
        let named = filled("range").unwrap_or(DEFAULT);
        let (name, seconds) = WINDOWS.into_iter().find(|(known, _)| *known == named).ok_or_else(|| {
            let hint = "use 1h, 24h, 7d or 30d, or give from and to";
            Error::invalid(format!("range=\"{named}\" is not known")).hint(hint)
        })?;
        let (from, to) = (time("from")?, time("to")?);
        let end = to.unwrap_or(now);
        let start = from.unwrap_or_else(|| ago(end, TimeDelta::seconds(seconds)));
        if start >= end {
            return Err(Error::invalid(format!("from ({start}) is not before to ({end})")).hint("swap them"));
        }
        // The present belongs to what is told.
        let end = if to.is_none() { end.just_after() } else { end };
        let is_named = from.is_none() && to.is_none();
        let given = ["range", "from", "to"].into_iter().filter(|name| is_named == (*name == "range"));
        Ok(Self {
            is_present: to.is_none(),
            window: Window { from: start, to: end },
            name: is_named.then_some(name),
            given: given.filter_map(|name| Some((name, filled(name)?.to_owned()))).collect(),
        })
    }

    /// Parameters that say the same in another address.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.given.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// The address of another page over the same time.
    pub fn keep<'a>(&'a self, path: &str, others: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
        address(path, others.into_iter().chain(self.parameters()))
    }

    /// The time in words.
    pub fn words(&self) -> String {
        match self.name {
            Some("1h") => "last hour".to_owned(),
            Some("24h") => "last 24 hours".to_owned(),
            Some("7d") => "last 7 days".to_owned(),
            Some("30d") => "last 30 days".to_owned(),
            _ => format!("{} to {}", moment(self.window.from), moment(self.window.to)),
        }
    }

    /// Links and a form that choose another time for the page at `path`, which `others` name.
    pub fn picker(&self, path: &str, others: &[(&str, &str)]) -> Markup {
        let with = |own: &[(&str, &str)]| address(path, others.iter().chain(own).copied());
        let moved = |by: TimeDelta| {
            let edge = |time: Timestamp| seconds(time.checked_add(by).unwrap_or(time));
            with(&[("from", &edge(self.window.from)), ("to", &edge(self.window.to))])
        };
        let length = TimeDelta::seconds(self.window.length().num_seconds());
        html! {
            nav.range aria-label="Time range" {
                @for (name, _) in WINDOWS {
                    a href=(with(&[("range", name)])) aria-current=[(self.name == Some(name)).then_some("true")] { (name) }
                }
                a href=(moved(-length)) { span aria-hidden="true" { "‹ " } "earlier" }
                @if !self.is_present { a href=(moved(length)) { "later" span aria-hidden="true" { " ›" } } }
                details {
                    summary { (self.words()) }
                    form method="get" action=(path) {
                        @for (name, value) in others { input type="hidden" name=(name) value=(value); }
                        label { "From" input name="from" value=(seconds(self.window.from)) autocomplete="off"; }
                        label { "To" input name="to" value=(seconds(self.window.to)) autocomplete="off"; }
                        button { "Show" }
                        p.soft { "UTC such as 2026-03-10T10:05:00Z, or relative such as -2h" }
                    }
                }
            }
        }
    }
}

/// To the second, as it stands in addresses and forms.
fn seconds(time: Timestamp) -> String {
    Timestamp::from_micros(time.micros().div_euclid(1_000_000) * 1_000_000).unwrap_or(time).to_string()
}
