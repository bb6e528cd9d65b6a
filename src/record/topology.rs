//! Who depends on whom, along all dependencies that were ever reported.

use std::collections::{BTreeMap, BTreeSet};

use oxrdf::Term;

use super::store::{Index, TOPOLOGY_GRAPH};
use crate::error::{Context as _, Result};
use crate::receipt::{component_iri, component_name};
use crate::vocab;

/// Components by how many calls away they are.
pub type Distances = BTreeMap<String, u32>;

/// All known dependencies.
#[derive(Debug, Default)]
pub struct Topology {
    callees: BTreeMap<String, BTreeSet<String>>,
    callers: BTreeMap<String, BTreeSet<String>>,
}

impl Index {
    /// All dependencies, whenever they were reported.
    ///
    /// # Errors
    /// `Internal` when the index cannot be read.
    pub fn topology(&self) -> Result<Topology> {
        let mut topology = Topology::default();
        let edges = self.reader().quads_for_pattern(None, Some(vocab::DEPENDS_ON), None, Some(TOPOLOGY_GRAPH.into()));
        for edge in edges {
            let edge = edge.internal("cannot read the topology")?;
            let ends = [Term::from(edge.subject), edge.object].map(|end| match end {
                Term::NamedNode(iri) => component_name(iri.as_ref()),
                _ => None,
            });
            if let [Some(caller), Some(callee)] = ends {
                topology.callees.entry(caller.clone()).or_default().insert(callee.clone());
                topology.callers.entry(callee).or_default().insert(caller);
            }
        }
        Ok(topology)
    }

    /// Was it ever reported that a component calls another, and that another calls it?
    ///
    /// # Errors
    /// `Internal` when the index cannot be read.
    pub fn is_known_to_call(&self, component: &str) -> Result<[bool; 2]> {
        let (store, iri, graph) = (self.reader(), component_iri(component), Some(TOPOLOGY_GRAPH.into()));
        let mut calls = store.quads_for_pattern(Some(iri.as_ref().into()), Some(vocab::DEPENDS_ON), None, graph);
        let mut called = store.quads_for_pattern(None, Some(vocab::DEPENDS_ON), Some(iri.as_ref().into()), graph);
        let failed = "cannot read the topology";
        let calls = calls.next().transpose().internal(failed)?.is_some();
        Ok([calls, called.next().transpose().internal(failed)?.is_some()])
    }
}

impl Topology {
    /// What `component` depends on, near and far, and itself.
    pub fn dependencies(&self, component: &str) -> Distances {
        reached(component, &[&self.callees])
    }

    /// Whoever depends on `component`, near and far, and itself.
    pub fn dependents(&self, component: &str) -> Distances {
        reached(component, &[&self.callers])
    }

    /// Whatever `component` is connected to, whoever calls whom.
    pub fn neighbourhood(&self, component: &str) -> Distances {
        reached(component, &[&self.callees, &self.callers])
    }
}

fn reached(component: &str, ways: &[&BTreeMap<String, BTreeSet<String>>]) -> Distances {
    let mut distances = Distances::from([(component.to_owned(), 0)]);
    let mut edge = vec![component.to_owned()];
    let mut distance = 0;
    while !edge.is_empty() {
        distance += 1;
        let next = edge.iter().flat_map(|here| ways.iter().filter_map(move |way| way.get(here))).flatten();
        let next: BTreeSet<&String> = next.filter(|there| !distances.contains_key(*there)).collect();
        edge = next.into_iter().cloned().collect();
        distances.extend(edge.iter().map(|there| (there.clone(), distance)));
    }
    distances
}
