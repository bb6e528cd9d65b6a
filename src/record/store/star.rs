//! The triples of a recorded receipt, written and read.

use oxrdf::{Graph, GraphNameRef, Literal, NamedNode, Term, TermRef, Triple};
use serde_json::{Value as Json, json};

use super::Index;
use crate::clock::Timestamp;
use crate::error::{Context as _, Error, Result};
use crate::receipt::{Receipt, ReceiptId, Value, read_rdf};
use crate::record::Recorded;
use crate::vocab::{self, Vocabulary};

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

/// What naze added, as members of JSON.
pub fn added(recorded: &Recorded) -> [(&'static str, Json); 3] {
    [
        ("recordedAt", json!(recorded.recorded_at)),
        ("ledgerPosition", json!(recorded.position)),
        ("sourceDocument", json!(source_iri(&recorded.source).as_str())),
    ]
}

/// `urn:naze:source:<sha256>`
pub fn source_iri(hash: &[u8; 32]) -> NamedNode {
    NamedNode::new_unchecked(format!("{}{}", vocab::SOURCE_PREFIX, hex::encode(hash)))
}

pub(super) fn integer(number: u64) -> Term {
    Literal::from(i64::try_from(number).unwrap_or(i64::MAX)).into()
}

impl Index {
    pub(super) fn read_star(&self, id: ReceiptId, graph: GraphNameRef<'_>) -> Result<Recorded> {
        let subject = id.iri();
        let mut star = Graph::new();
        for quad in self.store.quads_for_pattern(Some(subject.as_ref().into()), None, None, Some(graph)) {
            star.insert(Triple::from(quad.internal("cannot read the index")?).as_ref());
        }
        recorded_of(id, &star, &self.vocabulary)
    }
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
