//! The index: an Oxigraph store that can be rebuilt from the ledger at any time.
//!
//! Only this room opens or changes it; readers get a handle whose queries see one consistent snapshot.

mod apply;
mod find;
mod newest;
mod scan;
mod star;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, RwLock};

use chrono::TimeDelta;
use oxigraph::store::Store;
use oxrdf::{Literal, NamedNode, NamedNodeRef, NamedOrBlankNode, Quad, Term};
use oxttl::TurtleParser;

use self::newest::Newest;
use super::Window;
use super::slot::{Slot, Width};
use crate::error::{Context as _, Error, Result};
use crate::vocab::{self, Vocabulary};

pub use self::star::{added, source_iri, star_of};

/// Facts about the store itself.
const META_GRAPH: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("urn:naze:store");
/// Every dependency, and the first receipt that showed it, whatever its slot: topology outlives windows.
pub const TOPOLOGY_GRAPH: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("urn:naze:topology");

/// The triple store with its slots.
#[derive(Clone)]
pub struct Index {
    store: Store,
    slots: Arc<RwLock<BTreeSet<Slot>>>,
    newest: Arc<Newest>,
    width: Width,
    vocabulary: Arc<Vocabulary>,
}

impl Index {
    /// Opens or creates the index in `folder`; `None` keeps it in memory.
    ///
    /// # Errors
    /// `Unavailable` when another process has it open, `Internal` when the disk fails.
    pub fn open(folder: Option<&Path>, width: Width, vocabulary: Arc<Vocabulary>) -> Result<Self> {
        let store = match folder {
            Some(folder) => Store::open(folder).map_err(|error| {
                Error::unavailable(format!("cannot open the index in {}", folder.display()))
                    .because(error)
                    .hint("is another naze using this data directory? One process at a time")
                    .hint("if the index is damaged, `naze rebuild` makes it anew from the ledger")
            })?,
            None => Store::new().internal("cannot make an index in memory")?,
        };
        let mut index = Self::over(store, width, vocabulary)?;
        index.width = index.keep_width(width)?;
        index.load_ontology()?;
        Ok(index)
    }

    /// Opens a copy of an index, of which it knows nothing but where its receipts lie, to be queried and nothing else.
    ///
    /// # Errors
    /// `Internal` when it cannot be read.
    pub fn open_snapshot(folder: &Path) -> Result<Self> {
        let store = Store::open_read_only(folder).internal("cannot open the copy of the index")?;
        Self::over(store, Width::default(), Vocabulary::builtin())
    }

    fn over(store: Store, width: Width, vocabulary: Arc<Vocabulary>) -> Result<Self> {
        let slots = store
            .named_graphs()
            .filter_map(|graph| match graph {
                Ok(NamedOrBlankNode::NamedNode(graph)) => Slot::of_graph(graph.as_ref()).map(Ok),
                Ok(NamedOrBlankNode::BlankNode(_)) => None,
                Err(error) => Some(Err(error)),
            })
            .collect::<std::result::Result<_, _>>()
            .internal("cannot list the slots of the index")?;
        Ok(Self { store, slots: Arc::new(RwLock::new(slots)), newest: Arc::default(), width, vocabulary })
    }

    /// Puts the vocabulary beside the evidence, so that queries can join labels.
    fn load_ontology(&self) -> Result<()> {
        let failed = "cannot put the ontology into the index";
        let mut quads = Vec::new();
        for (_, turtle) in vocab::ontology_documents() {
            for triple in TurtleParser::new().for_slice(turtle) {
                quads.push(triple.internal(failed)?.in_graph(vocab::ONTOLOGY_GRAPH));
            }
        }
        self.store.extend(quads).internal(failed)
    }

    /// A store keeps the slot width it was made with.
    fn keep_width(&self, wanted: Width) -> Result<Width> {
        let found = self.store.quads_for_pattern(Some(META_GRAPH.into()), Some(vocab::SLOT_WIDTH), None, None).next();
        if let Some(quad) = found {
            match quad.internal("cannot read the slot width")?.object {
                Term::Literal(width) if width.value() == "hour" => Ok(Width::Hour),
                _ => Ok(Width::Day),
            }
        } else {
            let name = if wanted == Width::Hour { "hour" } else { "day" };
            let quad = Quad::new(META_GRAPH, vocab::SLOT_WIDTH, Literal::from(name), META_GRAPH);
            self.store.insert(&quad).internal("cannot write the slot width")?;
            Ok(wanted)
        }
    }

    /// How long a slot is.
    pub fn slot_length(&self) -> TimeDelta {
        self.width.length()
    }

    /// A handle for queries; evaluation never blocks the writer.
    pub(crate) fn reader(&self) -> &Store {
        &self.store
    }

    /// The vocabulary that receipts are written in.
    pub fn vocabulary(&self) -> &Arc<Vocabulary> {
        &self.vocabulary
    }

    /// The graphs of the slots that share an instant with `window`, oldest first.
    pub fn graphs_in(&self, window: Window) -> Vec<NamedNode> {
        self.slots().iter().filter(|slot| slot.overlaps(window)).map(|slot| slot.graph()).collect()
    }

    /// The graphs that hold what has no time: topology, ontology, and facts about the store.
    pub fn timeless_graphs(&self) -> [NamedNode; 3] {
        [TOPOLOGY_GRAPH, vocab::ONTOLOGY_GRAPH, META_GRAPH].map(NamedNode::from)
    }

    fn slots(&self) -> std::sync::RwLockReadGuard<'_, BTreeSet<Slot>> {
        self.slots.read().expect("no writer panics while it holds the slots")
    }

    /// How many ledger entries, from position 0, are in the index.
    pub fn applied(&self) -> Result<u64> {
        let mut applied = 0;
        for quad in self.store.quads_for_pattern(Some(META_GRAPH.into()), Some(vocab::APPLIED_POSITION), None, None) {
            if let Term::Literal(count) = quad.internal("cannot read the index's position")?.object {
                applied = applied.max(count.value().parse().unwrap_or(0));
            }
        }
        Ok(applied)
    }
}
