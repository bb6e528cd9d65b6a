//! Single receipts, and those that have something in common.

use std::collections::BTreeMap;

use oxrdf::vocab::rdf;
use oxrdf::{GraphName, Literal, NamedNode, NamedOrBlankNode, Term};
use sha2::{Digest as _, Sha256};

use super::{Index, TOPOLOGY_GRAPH};
use crate::clock::Timestamp;
use crate::error::{Context as _, Result};
use crate::receipt::{ReceiptId, label_iri};
use crate::record::slot::Slot;
use crate::record::{Recorded, Window};
use crate::vocab;

/// Receipts looked at to find the latest of those with something in common.
const FOLLOWED_MAX: usize = 1_000;
/// Receipts that one label may lead to.
const LABELLED_MAX: usize = 8;

impl Index {
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

    /// The receipt that already tells this fact: one with this id, or one a sender gave the same key.
    pub(in crate::record) fn known(&self, id: ReceiptId, key: Option<&str>) -> Result<Option<ReceiptId>> {
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

pub(super) fn key_iri(key: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("urn:naze:key:{}", hex::encode(Sha256::digest(key))))
}
