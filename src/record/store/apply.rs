//! What the writer does: receipts into their slots.

use std::collections::{BTreeSet, HashSet};

use oxrdf::{GraphName, Quad};

use super::find::key_iri;
use super::star::{integer, star_of};
use super::{Index, META_GRAPH, TOPOLOGY_GRAPH};
use crate::error::{Context as _, Result};
use crate::receipt::component_iri;
use crate::record::Recorded;
use crate::record::slot::Slot;
use crate::vocab;

/// Only a replay goes through the bulk loader: each of its commits leaves files behind that slow every later look-up.
const BULK_RECEIPTS_MIN: usize = 5_000;

impl Index {
    /// Adds receipts, which the ledger holds at `..applied`, and notes `applied` in the same commit.
    pub(in crate::record) fn apply(&self, receipts: &[Recorded], applied: u64) -> Result<()> {
        let mut quads = Vec::with_capacity(receipts.len() * 12);
        let mut slots = BTreeSet::new();
        let mut edges = HashSet::new();
        let (mut newest, mut newest_receipts) = (Vec::new(), 0);
        for recorded in receipts {
            let slot = Slot::of(recorded.occurred_at(), self.width);
            slots.insert(slot);
            let before = quads.len();
            self.add_star(recorded, &GraphName::from(slot.graph()), &mut quads);
            if self.newest.wants(slot) {
                newest.extend_from_slice(&quads[before..]);
                newest_receipts += 1;
            }
            if let Some(key) = &recorded.key {
                quads.push(Quad::new(key_iri(key), vocab::KEY_OF, recorded.id.iri(), META_GRAPH));
            }
            self.add_topology(recorded, &mut edges, &mut quads)?;
        }
        if receipts.len() >= BULK_RECEIPTS_MIN {
            self.load(quads, applied)?;
        } else {
            self.commit(quads, applied)?;
        }
        self.newest.add(newest, newest_receipts);
        self.slots.write().expect("no writer panics while it holds the slots").extend(slots);
        Ok(())
    }

    /// One write batch, so receipts and position arrive together. It only adds, as the bulk loader does: older positions
    /// stay until the next flush, and the highest one counts. A transaction that could remove them costs a third more.
    fn commit(&self, quads: Vec<Quad>, applied: u64) -> Result<()> {
        self.store.extend(quads.into_iter().chain([applied_quad(applied)])).internal("cannot write to the index")
    }

    fn load(&self, quads: Vec<Quad>, applied: u64) -> Result<()> {
        let mut loader = self.store.bulk_loader().with_num_threads(1).with_max_memory_size_in_megabytes(64);
        loader.load_quads(quads.into_iter().chain([applied_quad(applied)])).internal("cannot load into the index")?;
        loader.commit().internal("cannot write to the index")
    }

    pub(super) fn add_star(&self, recorded: &Recorded, graph: &GraphName, quads: &mut Vec<Quad>) {
        let star = star_of(recorded, &self.vocabulary);
        quads.extend(star.into_iter().map(|triple| triple.in_graph(graph.clone())));
    }

    /// The topology graph points to the first receipt of each edge.
    fn add_topology(&self, recorded: &Recorded, edges: &mut HashSet<Quad>, quads: &mut Vec<Quad>) -> Result<()> {
        let receipt = &recorded.receipt;
        let (Some(caller), Some(callee)) = (receipt.component(), receipt.component_field("target")) else {
            return Ok(());
        };
        if receipt.kind() != "dependency" {
            return Ok(());
        }
        let edge = Quad::new(component_iri(caller), vocab::DEPENDS_ON, component_iri(callee), TOPOLOGY_GRAPH);
        if !edges.contains(&edge) && !self.store.contains(&edge).internal("cannot read the topology")? {
            quads.push(Quad::new(recorded.id.iri(), vocab::SHOWS, component_iri(callee), TOPOLOGY_GRAPH));
            quads.push(edge.clone());
            edges.insert(edge);
        }
        Ok(())
    }

    /// Puts everything committed so far on disk, so that a power cut needs no replay of it.
    pub(in crate::record) fn flush(&self) -> Result<()> {
        let failed = "cannot flush the index";
        let applied = self.applied()?;
        let mut transaction = self.store.start_transaction().internal(failed)?;
        let positions: Vec<Quad> = transaction
            .quads_for_pattern(Some(META_GRAPH.into()), Some(vocab::APPLIED_POSITION), None, None)
            .collect::<std::result::Result<_, _>>()
            .internal(failed)?;
        let latest = applied_quad(applied);
        positions.iter().filter(|quad| **quad != latest).for_each(|quad| transaction.remove(quad));
        transaction.commit().internal(failed)?;
        self.store.flush().internal(failed)
    }
}

fn applied_quad(applied: u64) -> Quad {
    Quad::new(META_GRAPH, vocab::APPLIED_POSITION, integer(applied), META_GRAPH)
}
