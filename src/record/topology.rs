//! How far components are from each other, along all dependencies that were ever reported.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use oxrdf::Term;

use super::store::{Index, TOPOLOGY_GRAPH};
use crate::error::{Context as _, Result};
use crate::receipt::component_name;
use crate::vocab;

impl Index {
    /// Components by their distance from `component` in calls, whoever calls whom; those without a way to it are left out.
    ///
    /// # Errors
    /// `Internal` when the index cannot be read.
    pub fn distances(&self, component: &str) -> Result<HashMap<String, u32>> {
        let mut neighbours: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let edges = self.reader().quads_for_pattern(None, Some(vocab::DEPENDS_ON), None, Some(TOPOLOGY_GRAPH.into()));
        for edge in edges {
            let edge = edge.internal("cannot read the topology")?;
            let ends = [Term::from(edge.subject), edge.object].map(|end| match end {
                Term::NamedNode(iri) => component_name(iri.as_ref()),
                _ => None,
            });
            if let [Some(caller), Some(callee)] = ends {
                neighbours.entry(caller.clone()).or_default().insert(callee.clone());
                neighbours.entry(callee).or_default().insert(caller);
            }
        }
        let mut distances = HashMap::from([(component.to_owned(), 0)]);
        let mut reached = vec![component.to_owned()];
        let mut distance = 0;
        while !reached.is_empty() {
            distance += 1;
            let next = reached.iter().filter_map(|here| neighbours.get(here)).flatten();
            let next: BTreeSet<&String> = next.filter(|there| !distances.contains_key(*there)).collect();
            reached = next.into_iter().cloned().collect();
            distances.extend(reached.iter().map(|there| (there.clone(), distance)));
        }
        Ok(distances)
    }
}
