//! Every receipt of a window, one after the other.

use oxrdf::{GraphName, NamedNode, NamedOrBlankNode, Term};

use super::Index;
use crate::clock::Timestamp;
use crate::error::{Context as _, Error, Result};
use crate::receipt::ReceiptId;
use crate::record::{Recorded, Window};
use crate::vocab;

impl Index {
    /// Visits the receipts that occurred in `window` with the graph each lies in, by time and then id. One receipt is held
    /// at a time; of the others of its slot, time and id.
    ///
    /// # Errors
    /// `Internal` when the index cannot be read, and whatever `visit` gives up with.
    pub fn scan(&self, window: Window, mut visit: impl FnMut(&Recorded, &NamedNode) -> Result<()>) -> Result<()> {
        for graph in self.graphs_in(window) {
            for (_, id) in self.ids_in(&graph, window)? {
                visit(&self.read_star(id, graph.as_ref().into())?, &graph)?;
            }
        }
        Ok(())
    }

    fn ids_in(&self, graph: &NamedNode, window: Window) -> Result<Vec<(Timestamp, ReceiptId)>> {
        let slot = GraphName::from(graph.clone());
        let times = self.store.quads_for_pattern(None, Some(vocab::OCCURRED_AT), None, Some(slot.as_ref()));
        let mut ids = Vec::new();
        for quad in times {
            let quad = quad.internal("cannot read the index")?;
            let (NamedOrBlankNode::NamedNode(subject), Term::Literal(time)) = (&quad.subject, &quad.object) else {
                continue;
            };
            let Some(id) = ReceiptId::from_iri(subject.as_ref()) else { continue };
            let time: Timestamp = time
                .value()
                .parse()
                .map_err(|error| Error::internal(format!("receipt {id} in the index has no time")).because(error))?;
            if window.contains(time) {
                ids.push((time, id));
            }
        }
        ids.sort_unstable();
        Ok(ids)
    }
}
