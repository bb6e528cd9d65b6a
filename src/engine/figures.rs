//! Series for queries: figures of them, and which there are.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use super::Engine;
use crate::analyse::figure::{Line, figure};
use crate::error::{Error, Result};
use crate::measure::crossing::Threshold;
use crate::measure::selector::Selector;
use crate::measure::store::{Known, SeriesStore};
use crate::query::{Call, CannedQuery, LimitAction, Listed, Listing, Measured, Meter, Relation, Relative, Table};
use crate::record::topology::{Distances, Topology};

/// Calls of one query that are not the same.
const CALLS_MAX: usize = 20_000;
/// Minutes and hours of series that one query reads.
const SLOTS_MAX: usize = 20_000_000;

/// Series with their numbers.
type ByComponent = HashMap<String, Vec<(u32, Arc<Known>)>>;

/// What one query reads of series.
struct Reading {
    series: SeriesStore,
    /// All series when the query first asked for one, by component.
    by_component: OnceLock<ByComponent>,
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
        // Numbers tell in which order series came, which must not matter.
        wanted.sort_by(|(_, a), (_, b)| a.series.cmp(&b.series));
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

    /// What a canned query about `component` gets to see of series.
    pub(super) fn measured(&self, query: &CannedQuery, component: Option<&str>) -> Result<Measured> {
        let mut measured = Measured::new(self.meter());
        if let Some(listing) = &query.listing {
            let topology = component.map(|_| self.index.topology()).transpose()?.unwrap_or_default();
            let neighbourhood = component.map(|component| topology.neighbourhood(component)).unwrap_or_default();
            (measured.listed, measured.left_out) = self.listed(&neighbourhood, listing);
            measured.relatives = component.map(|component| relatives(&topology, component)).unwrap_or_default();
        }
        if query.tables.contains(&Table::Actions) {
            measured.actions = actions(self.watching().thresholds());
        }
        Ok(measured)
    }

    /// Series that a query wants to see, the nearest first, and how many there are that it does not see.
    fn listed(&self, distances: &Distances, listing: &Listing) -> (Vec<Listed>, usize) {
        let mut all = self.series(|series| listing.wants(&series.metric));
        let distance = |known: &Known| distances.get(&known.series.component).copied().unwrap_or(u32::MAX);
        all.sort_by(|(_, a), (_, b)| {
            let (near, far) = (&a.series, &b.series);
            distance(a).cmp(&distance(b)).then_with(|| near.component.cmp(&far.component)).then_with(|| near.cmp(far))
        });
        let left_out = all.len().saturating_sub(listing.most);
        all.truncate(listing.most);
        let listed = |(_, known): (u32, Arc<Known>)| Listed {
            component: known.series.component.clone(),
            metric: known.series.metric.clone(),
            series: Selector::from(&known.series),
        };
        (all.into_iter().map(listed).collect(), left_out)
    }
}

/// Everything with a way to `component` or from it, and itself.
fn relatives(topology: &Topology, component: &str) -> Vec<Relative> {
    let of = |distances: Distances, relation: Relation| {
        distances.into_iter().map(move |(component, steps)| {
            let relation = if steps == 0 { Relation::Itself } else { relation };
            (component.clone(), Relative { component, relation, steps })
        })
    };
    // In a circle everything depends on everything.
    let mut all: BTreeMap<String, Relative> = of(topology.dependents(component), Relation::Dependent).collect();
    all.extend(of(topology.dependencies(component), Relation::Dependency));
    all.into_values().collect()
}

/// What to do about each metric's limits; of several thresholds of a metric the first one's.
fn actions<'a>(thresholds: impl Iterator<Item = &'a Threshold>) -> Vec<LimitAction> {
    let mut known = BTreeSet::new();
    let mut actions = Vec::new();
    for (threshold, level) in thresholds.flat_map(|threshold| ["warning", "critical"].map(|level| (threshold, level))) {
        let Some(action) = threshold.action.of(level) else { continue };
        for metric in threshold.metric.iter().filter(|metric| known.insert(((*metric).clone(), level))) {
            actions.push(LimitAction { metric: metric.clone(), level, action: action.to_owned() });
        }
    }
    actions
}

fn by_component(series: &SeriesStore) -> ByComponent {
    let mut found = ByComponent::new();
    for (number, known) in series.find(|_| true) {
        found.entry(known.series.component.clone()).or_default().push((number, known));
    }
    found
}

fn too_much(what: &str) -> Error {
    Error::invalid(format!("the query asks for {what} of series"))
        .hint("narrow its window, or call functions for fewer rows: filter before BIND")
}
