//! The index: an Oxigraph store that can be rebuilt from the ledger at any time.
//!
//! Only this file opens or changes it; readers get a handle whose queries see one consistent snapshot.

mod scan;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::sync::{Arc, RwLock};

use chrono::TimeDelta;
use oxigraph::store::Store;
use oxrdf::vocab::rdf;
use oxrdf::{
    Graph, GraphName, GraphNameRef, Literal, NamedNode, NamedNodeRef, NamedOrBlankNode, Quad, Term, TermRef, Triple,
};
use oxttl::TurtleParser;
use sha2::{Digest as _, Sha256};

use super::slot::{Slot, Width};
use super::{Recorded, Window};
use crate::clock::Timestamp;
use crate::error::{Context as _, Error, Result};
use crate::receipt::{Receipt, ReceiptId, Value, component_iri, label_iri, read_rdf};
use crate::vocab::{self, Vocabulary};

/// Facts about the store itself.
const META_GRAPH: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("urn:naze:store");
/// Every dependency, and the first receipt that showed it, whatever its slot: topology outlives windows.
pub const TOPOLOGY_GRAPH: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("urn:naze:topology");

/// Only a replay goes through the bulk loader: each of its commits leaves files behind that slow every later look-up.
const BULK_RECEIPTS_MIN: usize = 5_000;

/// Receipts looked at to find the latest of those with something in common.
const FOLLOWED_MAX: usize = 1_000;
/// Receipts that one label may lead to.
const LABELLED_MAX: usize = 8;

/// The triple store with its slots.
#[derive(Clone)]
pub struct Index {
    store: Store,
    slots: Arc<RwLock<BTreeSet<Slot>>>,
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
        Ok(Self { store, slots: Arc::new(RwLock::new(slots)), width, vocabulary })
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

    /// Adds receipts, which the ledger holds at `..applied`, and notes `applied` in the same commit.
    pub(super) fn apply(&self, receipts: &[Recorded], applied: u64) -> Result<()> {
        let mut quads = Vec::with_capacity(receipts.len() * 12);
        let mut slots = BTreeSet::new();
        let mut edges = HashSet::new();
        for recorded in receipts {
            let slot = Slot::of(recorded.occurred_at(), self.width);
            slots.insert(slot);
            self.add_star(recorded, &GraphName::from(slot.graph()), &mut quads);
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

    fn add_star(&self, recorded: &Recorded, graph: &GraphName, quads: &mut Vec<Quad>) {
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

    /// The receipt that already tells this fact: one with this id, or one a sender gave the same key.
    pub(super) fn known(&self, id: ReceiptId, key: Option<&str>) -> Result<Option<ReceiptId>> {
        let subject = id.iri();
        let mut same =
            self.store.quads_for_pattern(Some(subject.as_ref().into()), Some(vocab::RECORDED_AT), None, None);
        if same.next().transpose().internal("cannot read the index")?.is_some() {
            return Ok(Some(id));
        }
        let Some(key) = key else { return Ok(None) };
        let key = key_iri(key);
        let mut keyed = self.store.quads_for_pattern(Some(key.as_ref().into()), Some(vocab::KEY_OF), None, None);
        match keyed.next().transpose().internal("cannot read the index")?.map(|quad| quad.object) {
            Some(Term::NamedNode(receipt)) => Ok(ReceiptId::from_iri(receipt.as_ref())),
            _ => Ok(None),
        }
    }

    /// Receipts with this label, in no order that means anything.
    pub fn labelled(&self, key: &str, text: &str) -> Result<Vec<ReceiptId>> {
        let (label, object) = (label_iri(key), Literal::from(text));
        let with = self.store.quads_for_pattern(None, Some(label.as_ref()), Some(object.as_ref().into()), None);
        let mut ids = Vec::new();
        for quad in with.take(LABELLED_MAX) {
            if let NamedOrBlankNode::NamedNode(subject) = quad.internal("cannot read the index")?.subject {
                ids.extend(ReceiptId::from_iri(subject.as_ref()));
            }
        }
        Ok(ids)
    }

    /// Receipts whose field names the receipt `id`, by time.
    pub fn pointing_at(&self, field: &str, id: ReceiptId) -> Result<Vec<Recorded>> {
        let Some(field) = self.vocabulary.field(field) else { return Ok(Vec::new()) };
        let object = id.iri();
        let pointing = self.store.quads_for_pattern(None, Some(field.iri.as_ref()), Some(object.as_ref().into()), None);
        let mut found = Vec::new();
        for quad in pointing.take(FOLLOWED_MAX) {
            if let NamedOrBlankNode::NamedNode(subject) = quad.internal("cannot read the index")?.subject
                && let Some(pointing) = ReceiptId::from_iri(subject.as_ref())
            {
                found.extend(self.get(pointing)?);
            }
        }
        found.sort_by_key(|recorded| (recorded.occurred_at(), recorded.id));
        Ok(found)
    }

    /// The latest receipt with this text in this field.
    pub fn latest_with(&self, field: &str, text: &str) -> Result<Option<Recorded>> {
        let Some(field) = self.vocabulary.field(field) else { return Ok(None) };
        let object = Literal::from(text);
        let with = self.store.quads_for_pattern(None, Some(field.iri.as_ref()), Some(object.as_ref().into()), None);
        let mut latest: Option<Recorded> = None;
        for quad in with.take(FOLLOWED_MAX) {
            let NamedOrBlankNode::NamedNode(subject) = quad.internal("cannot read the index")?.subject else {
                continue;
            };
            let Some(id) = ReceiptId::from_iri(subject.as_ref()) else { continue };
            let order = |recorded: &Recorded| (recorded.occurred_at(), recorded.position);
            if let Some(found) =
                self.get(id)?.filter(|found| latest.as_ref().is_none_or(|best| order(found) > order(best)))
            {
                latest = Some(found);
            }
        }
        Ok(latest)
    }

    /// Puts everything committed so far on disk, so that a power cut needs no replay of it.
    pub(super) fn flush(&self) -> Result<()> {
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

    /// The recorded receipt with this id, if the index has it.
    pub fn get(&self, id: ReceiptId) -> Result<Option<Recorded>> {
        let subject = id.iri();
        let quad =
            self.store.quads_for_pattern(Some(subject.as_ref().into()), Some(vocab::RECORDED_AT), None, None).next();
        match quad.transpose().internal("cannot read the index")? {
            Some(quad) => self.read_star(id, quad.graph_name.as_ref()).map(Some),
            None => Ok(None),
        }
    }

    fn read_star(&self, id: ReceiptId, graph: GraphNameRef<'_>) -> Result<Recorded> {
        let subject = id.iri();
        let mut star = Graph::new();
        for quad in self.store.quads_for_pattern(Some(subject.as_ref().into()), None, None, Some(graph)) {
            star.insert(Triple::from(quad.internal("cannot read the index")?).as_ref());
        }
        recorded_of(id, &star, &self.vocabulary)
    }

    /// The receipts that first showed each known dependency, as far as they occurred before `end`.
    pub fn topology_before(&self, end: Timestamp) -> Result<Vec<Recorded>> {
        let mut found = Vec::new();
        for edge in self.store.quads_for_pattern(None, Some(vocab::SHOWS), None, Some(TOPOLOGY_GRAPH.into())) {
            let NamedOrBlankNode::NamedNode(receipt) = edge.internal("cannot read the topology")?.subject else {
                continue;
            };
            let Some(id) = ReceiptId::from_iri(receipt.as_ref()) else { continue };
            found.extend(self.get(id)?.filter(|recorded| recorded.occurred_at() < end));
        }
        Ok(found)
    }

    /// All receipts of `kind` that occurred in `window`, by time and then id.
    pub fn of_kind(&self, kind: &str, window: Window) -> Result<Vec<Recorded>> {
        let Some(class) = self.vocabulary.kind(kind).map(|kind| kind.class.as_ref()) else { return Ok(Vec::new()) };
        let mut found = BTreeMap::new();
        for quad in self.store.quads_for_pattern(None, Some(rdf::TYPE), Some(class.into()), None) {
            let quad = quad.internal("cannot read the index")?;
            let (GraphName::NamedNode(graph), NamedOrBlankNode::NamedNode(subject)) = (&quad.graph_name, &quad.subject)
            else {
                continue;
            };
            let in_window = Slot::of_graph(graph.as_ref()).is_some_and(|slot| slot.overlaps(window));
            if let (true, Some(id)) = (in_window, ReceiptId::from_iri(subject.as_ref())) {
                let recorded = self.read_star(id, graph.as_ref().into())?;
                if window.contains(recorded.occurred_at()) {
                    found.insert((recorded.occurred_at(), id), recorded);
                }
            }
        }
        Ok(found.into_values().collect())
    }

    /// The first `receipts_max` receipts of `kinds` that occurred in `window`, by time and then id, and whether there are
    /// more. Costs what the window holds, whatever the history.
    pub fn of_kinds(&self, kinds: &[&str], window: Window, receipts_max: usize) -> Result<(Vec<Recorded>, bool)> {
        let classes: Vec<NamedNode> =
            kinds.iter().filter_map(|kind| Some(self.vocabulary.kind(kind)?.class.clone())).collect();
        let mut found = BTreeMap::new();
        for graph in self.graphs_in(window) {
            for class in &classes {
                let (class, graph) = (class.as_ref().into(), graph.as_ref().into());
                for quad in self.store.quads_for_pattern(None, Some(rdf::TYPE), Some(class), Some(graph)) {
                    let NamedOrBlankNode::NamedNode(subject) = quad.internal("cannot read the index")?.subject else {
                        continue;
                    };
                    let Some(id) = ReceiptId::from_iri(subject.as_ref()) else { continue };
                    let recorded = self.read_star(id, graph)?;
                    if window.contains(recorded.occurred_at()) {
                        found.insert((recorded.occurred_at(), id), recorded);
                    }
                }
            }
            if found.len() > receipts_max {
                break;
            }
        }
        let truncated = found.len() > receipts_max;
        Ok((found.into_values().take(receipts_max).collect(), truncated))
    }
}

/// All triples of a recorded receipt: what was sent, and what naze added.
pub fn star_of(recorded: &Recorded, vocabulary: &Vocabulary) -> Vec<Triple> {
    let subject = recorded.id.iri();
    let mut star = recorded.receipt.triples(&subject, vocabulary);
    let own = [
        (vocab::RECORDED_AT, Value::Time(recorded.recorded_at).to_term()),
        (vocab::LEDGER_POSITION, integer(recorded.position)),
        (vocab::SOURCE_DOCUMENT, source_iri(&recorded.source).into()),
    ];
    star.extend(own.into_iter().map(|(predicate, object)| Triple::new(subject.clone(), predicate, object)));
    star
}

/// `urn:naze:source:<sha256>`
pub fn source_iri(hash: &[u8; 32]) -> NamedNode {
    NamedNode::new_unchecked(format!("{}{}", vocab::SOURCE_PREFIX, hex::encode(hash)))
}

fn key_iri(key: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("urn:naze:key:{}", hex::encode(Sha256::digest(key))))
}

fn applied_quad(applied: u64) -> Quad {
    Quad::new(META_GRAPH, vocab::APPLIED_POSITION, integer(applied), META_GRAPH)
}

fn integer(number: u64) -> Term {
    Literal::from(i64::try_from(number).unwrap_or(i64::MAX)).into()
}

fn recorded_of(id: ReceiptId, star: &Graph, vocabulary: &Vocabulary) -> Result<Recorded> {
    let subject = id.iri();
    let value = |predicate| star.object_for_subject_predicate(subject.as_ref(), predicate).map(TermRef::into_owned);
    let receipt: Receipt = read_rdf(star, subject.as_ref().into(), vocabulary).map_err(|violations| {
        let first = violations.into_iter().next().map_or_else(String::new, |v| v.message);
        Error::internal(format!("receipt {id} in the index cannot be read: {first}"))
            .hint("`naze rebuild` makes the index anew")
    })?;
    let damaged = || Error::internal(format!("receipt {id} in the index lacks what naze recorded with it"));
    let (Some(Term::Literal(recorded_at)), Some(Term::Literal(position)), Some(Term::NamedNode(source))) =
        (value(vocab::RECORDED_AT), value(vocab::LEDGER_POSITION), value(vocab::SOURCE_DOCUMENT))
    else {
        return Err(damaged());
    };
    let mut hash = [0; 32];
    let digits = source.as_str().strip_prefix(vocab::SOURCE_PREFIX).ok_or_else(damaged)?;
    hex::decode_to_slice(digits, &mut hash).map_err(|_| damaged())?;
    Ok(Recorded {
        id,
        receipt,
        recorded_at: recorded_at.value().parse::<Timestamp>().map_err(|_| damaged())?,
        position: position.value().parse().map_err(|_| damaged())?,
        source: hash,
        key: None,
    })
}
