//! Series for queries: figures of them, and which there are.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use super::Engine;
use crate::analyse::figure::{Line, figure};
use crate::error::{Error, Result};
use crate::measure::selector::Selector;
use crate::measure::store::{Known, SeriesStore};
use crate::query::{Call, Listed, Meter};

/// Calls of one query that are not the same.
const CALLS_MAX: usize = 20_000;
/// Minutes and hours of series that one query reads.
const SLOTS_MAX: usize = 20_000_000;

/// What one query reads of series.
struct Reading {
    series: SeriesStore,
    /// All series when the query first asked for one, by component.
    by_component: OnceLock<HashMap<String, Vec<(u32, Arc<Known>)>>>,
    calls: AtomicUsize,
    slots: AtomicUsize,
}

impl Reading {
    fn lines(&self, call: &Call) -> Result<Vec<Line>> {
        if self.calls.fetch_add(1, Ordering::Relaxed) >= CALLS_MAX {
            return Err(too_much(&format!("more than {CALLS_MAX} different figures")));
        }
        let known = self.by_component.get_or_init(|| by_component(&self.series));
        let one = |component: &String| known.get(component).into_iter().collect();
        let candidates: Vec<_> = call.component.as_ref().map_or_else(|| known.values().collect(), one);
        let mut wanted: Vec<&(u32, Arc<Known>)> =
            candidates.into_iter().flatten().filter(|(_, known)| call.selector.has(&known.series)).collect();
        wanted.sort_by_key(|(number, _)| *number);
        wanted.into_iter().map(|(number, known)| self.line(*number, known, call)).collect()
    }

    fn line(&self, number: u32, known: &Known, call: &Call) -> Result<Line> {
        let slots = self.series.slots(number, call.reach())?;
        if self.slots.fetch_add(slots.len() + 1, Ordering::Relaxed) > SLOTS_MAX {
            return Err(too_much(&format!("more than {SLOTS_MAX} minutes")));
        }
        Ok(Line { kind: known.series.kind, slots })
    }
}

impl Engine {
    /// Answers the calls of one query, as many as a query may make.
    pub(super) fn meter(&self) -> Meter {
        let reading = Reading {
            series: self.series.clone(),
            by_component: OnceLock::new(),
            calls: AtomicUsize::new(0),
            slots: AtomicUsize::new(0),
        };
        Arc::new(move |call| Ok(figure(call, &reading.lines(call)?)))
    }

    /// Up to `most` series, the nearest to a component first, and how many others there are.
    pub(super) fn listed(&self, component: Option<&str>, most: usize) -> Result<(Vec<Listed>, usize)> {
        let distances = component.map(|component| self.index.distances(component)).transpose()?.unwrap_or_default();
        let mut all: Vec<_> = self.series(|_| true);
        all.sort_by_cached_key(|(number, known)| {
            let nearness = distances.get(&known.series.component).map(|distance| Reverse(*distance));
            (Reverse(nearness), known.series.component.clone(), known.series.metric.clone(), *number)
        });
        let left_out = all.len().saturating_sub(most);
        all.truncate(most);
        let listed = |(_, known): (u32, Arc<Known>)| Listed {
            component: known.series.component.clone(),
            metric: known.series.metric.clone(),
            series: Selector::from(&known.series),
        };
        Ok((all.into_iter().map(listed).collect(), left_out))
    }
}

fn by_component(series: &SeriesStore) -> HashMap<String, Vec<(u32, Arc<Known>)>> {
    let mut found: HashMap<String, Vec<_>> = HashMap::new();
    for (number, known) in series.find(|_| true) {
        found.entry(known.series.component.clone()).or_default().push((number, known));
    }
    found
}

fn too_much(what: &str) -> Error {
    Error::invalid(format!("the query asks for {what} of series"))
        .hint("narrow its window, or call functions for fewer rows: filter before BIND")
}
