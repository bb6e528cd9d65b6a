//! Single receipts, and those that have something in common.

use std::collections::{BTreeMap, BTreeSet};

use oxrdf::vocab::rdf;
use oxrdf::{GraphName, Literal, NamedNode, NamedNodeRef, NamedOrBlankNode, Term};
use sha2::{Digest as _, Sha256};

use super::{Index, TOPOLOGY_GRAPH};
use crate::clock::Timestamp;
use crate::error::{Context as _, Error, Result};
use crate::receipt::{ReceiptId, Value, label_iri};
use crate::record::slot::Slot;
use crate::record::{Recorded, Window};
use crate::vocab;

/// Receipts that one label may lead to.
const LABELLED_MAX: usize = 8;
const FAILED: &str = "cannot read the index";

impl Index {
    /// The recorded receipt with this id, if the index has it.
    pub fn get(&self, id: ReceiptId) -> Result<Option<Recorded>> {
        let subject = id.iri();
        let quad =
            self.store.quads_for_pattern(Some(subject.as_ref().into()), Some(vocab::RECORDED_AT), None, None).next();
        match quad.transpose().internal(FAILED)? {
            Some(quad) => self.read_star(id, quad.graph_name.as_ref()).map(Some),
            None => Ok(None),
        }
    }

    /// The receipt that already tells this fact: one with this id, or one a sender gave the same key.
    pub(in crate::record) fn known(&self, id: ReceiptId, key: Option<&str>) -> Result<Option<ReceiptId>> {
        let subject = id.iri();
        let mut same =
            self.store.quads_for_pattern(Some(subject.as_ref().into()), Some(vocab::RECORDED_AT), None, None);
        if same.next().transpose().internal(FAILED)?.is_some() {
            return Ok(Some(id));
        }
        let Some(key) = key else { return Ok(None) };
        let key = key_iri(key);
        let mut keyed = self.store.quads_for_pattern(Some(key.as_ref().into()), Some(vocab::KEY_OF), None, None);
        match keyed.next().transpose().internal(FAILED)?.map(|quad| quad.object) {
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
            if let NamedOrBlankNode::NamedNode(subject) = quad.internal(FAILED)?.subject {
                ids.extend(ReceiptId::from_iri(subject.as_ref()));
            }
        }
        Ok(ids)
    }

    /// Receipts with this value in this field, by time and then id.
    pub fn with(&self, field: &str, value: &Value) -> Result<Vec<Recorded>> {
        let mut found = Vec::new();
        for (slot, id) in self.holders(field, value)? {
            found.push(self.read_star(id, slot.graph().as_ref().into())?);
        }
        found.sort_by_key(|recorded| (recorded.occurred_at(), recorded.id));
        Ok(found)
    }

    /// The same, of those that occurred in `window`; costs what the window holds of them.
    pub fn with_in(&self, field: &str, value: &Value, window: Window) -> Result<Vec<Recorded>> {
        let graphs: BTreeSet<NamedNode> = self.graphs_in(window).into_iter().collect();
        let mut found = Vec::new();
        for (slot, id) in self.holders(field, value)? {
            let graph = slot.graph();
            if graphs.contains(&graph) {
                found.push(self.read_star(id, graph.as_ref().into())?);
            }
        }
        found.retain(|recorded| window.contains(recorded.occurred_at()));
        found.sort_by_key(|recorded| (recorded.occurred_at(), recorded.id));
        Ok(found)
    }

    /// The latest receipt with this text in this field. Of those before its slot only the number counts.
    pub fn latest_with(&self, field: &str, text: &str) -> Result<Option<Recorded>> {
        let holders = self.holders(field, &Value::text(text))?;
        let Some(newest) = holders.iter().map(|(slot, _)| *slot).max() else { return Ok(None) };
        let graph = newest.graph();
        let mut latest = None;
        for (_, id) in holders.into_iter().filter(|(slot, _)| *slot == newest) {
            latest = latest.max(Some((self.place_in_time(id, &graph)?, id)));
        }
        latest.map(|(_, id)| self.read_star(id, graph.as_ref().into())).transpose()
    }

    /// When a receipt occurred, and its place in the ledger.
    fn place_in_time(&self, id: ReceiptId, graph: &NamedNode) -> Result<(Timestamp, u64)> {
        let (occurred_at, position) =
            (self.one(id, vocab::OCCURRED_AT, graph)?, self.one(id, vocab::LEDGER_POSITION, graph)?);
        let (Some(Ok(occurred_at)), Some(Ok(position))) =
            (occurred_at.map(|text| text.parse()), position.map(|text| text.parse()))
        else {
            return Err(Error::internal(format!(
                "receipt {id} in the index lacks its time or its place in the ledger"
            ))
            .hint("`naze rebuild` makes the index anew"));
        };
        Ok((occurred_at, position))
    }

    /// A literal of a receipt.
    fn one(&self, id: ReceiptId, property: NamedNodeRef<'_>, graph: &NamedNode) -> Result<Option<String>> {
        let (subject, graph) = (id.iri(), graph.as_ref().into());
        let found =
            self.store.quads_for_pattern(Some(subject.as_ref().into()), Some(property), None, Some(graph)).next();
        Ok(match found.transpose().internal(FAILED)?.map(|quad| quad.object) {
            Some(Term::Literal(literal)) => Some(literal.destruct().0),
            _ => None,
        })
    }

    /// The receipts with this value in this field and the slots they lie in, in no order that means anything.
    fn holders(&self, field: &str, value: &Value) -> Result<Vec<(Slot, ReceiptId)>> {
        let Some(field) = self.vocabulary.field(field) else { return Ok(Vec::new()) };
        self.receipts_with(field.iri.as_ref(), &value.to_term())
    }

    fn receipts_with(&self, property: NamedNodeRef<'_>, object: &Term) -> Result<Vec<(Slot, ReceiptId)>> {
        let mut found = Vec::new();
        for quad in self.store.quads_for_pattern(None, Some(property), Some(object.as_ref()), None) {
            let quad = quad.internal(FAILED)?;
            if let (NamedOrBlankNode::NamedNode(subject), GraphName::NamedNode(graph)) =
                (&quad.subject, &quad.graph_name)
                && let (Some(slot), Some(id)) = (Slot::of_graph(graph.as_ref()), ReceiptId::from_iri(subject.as_ref()))
            {
                found.push((slot, id));
            }
        }
        Ok(found)
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
        let Some(kind) = self.vocabulary.kind(kind) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for (slot, id) in self.receipts_with(rdf::TYPE, &kind.class.clone().into())? {
            if slot.overlaps(window) {
                found.push(self.read_star(id, slot.graph().as_ref().into())?);
            }
        }
        found.retain(|recorded| window.contains(recorded.occurred_at()));
        found.sort_by_key(|recorded| (recorded.occurred_at(), recorded.id));
        Ok(found)
    }

    /// The texts of a field in the newest receipts of `kind` from the slots that begin before `end`: at most `texts_max`,
    /// and whether there are more.
    pub fn newest_texts(
        &self,
        kind: &str,
        field: &str,
        end: Timestamp,
        texts_max: usize,
    ) -> Result<(BTreeSet<String>, bool)> {
        let (Some(kind), Some(field)) = (self.vocabulary.kind(kind), self.vocabulary.field(field)) else {
            return Ok((BTreeSet::new(), false));
        };
        let mut receipts = self.receipts_with(rdf::TYPE, &kind.class.clone().into())?;
        receipts.retain(|(slot, _)| slot.overlaps(Window { from: Timestamp::MIN, to: end }));
        receipts.sort_unstable_by(|a, b| b.cmp(a));
        let mut texts = BTreeSet::new();
        for (slot, id) in receipts {
            let Some(text) = self.one(id, field.iri.as_ref(), &slot.graph())? else { continue };
            if texts.len() == texts_max && !texts.contains(&text) {
                return Ok((texts, true));
            }
            texts.insert(text);
        }
        Ok((texts, false))
    }

    /// The last `receipts_max` receipts of `kinds` that occurred in `window`, by time and then id, and whether there are
    /// more. Costs what the window holds, whatever the history.
    pub fn of_kinds(&self, kinds: &[&str], window: Window, receipts_max: usize) -> Result<(Vec<Recorded>, bool)> {
        let classes: Vec<NamedNode> =
            kinds.iter().filter_map(|kind| Some(self.vocabulary.kind(kind)?.class.clone())).collect();
        let mut found = BTreeMap::new();
        for graph in self.graphs_in(window).into_iter().rev() {
            for class in &classes {
                let (class, graph) = (class.as_ref().into(), graph.as_ref().into());
                for quad in self.store.quads_for_pattern(None, Some(rdf::TYPE), Some(class), Some(graph)) {
                    let NamedOrBlankNode::NamedNode(subject) = quad.internal(FAILED)?.subject else {
                        continue;
                    };
                    let Some(id) = ReceiptId::from_iri(subject.as_ref()) else { continue };
                    let recorded = self.read_star(id, graph)?;
                    if window.contains(recorded.occurred_at()) {
                        found.insert((recorded.occurred_at(), id), recorded);
                    }
                    if found.len() > receipts_max + 1 {
                        found.pop_first();
                    }
                }
            }
            if found.len() > receipts_max {
                break;
            }
        }
        let more = found.len().saturating_sub(receipts_max);
        Ok((found.into_values().skip(more).collect(), more > 0))
    }
}

pub(super) fn key_iri(key: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("urn:naze:key:{}", hex::encode(Sha256::digest(key))))
}
