//! All that is known of the ledger up to some entry.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Event;
use super::andon::Andon;
use super::heijunka::Heijunka;
use super::jidoka::Jidoka;
use super::kaizen::Kaizen;
use super::observed::Observed;
use super::page::Page;
use super::production::Production;
use super::quality::Quality;
use super::recent::Sum;
use super::totals::{OTHER, Totals};
use super::upkeep::Upkeep;
use super::view::Standing;
use crate::clock::Timestamp;
use crate::error::{Context as _, Result};
use crate::record::Recorded;

/// Changes with what is saved: a file of another version is read anew from the ledger.
const VERSION: u32 = 4;
/// Components whose counters begin at zero; labels have no room for more.
const COMPONENTS_MAX: usize = 100;

/// Shows the zeros that [`State::begin`] begins for the components of receipts, for one that only series know.
pub(super) fn begin_on(page: &mut Page, component: &str) {
    for metric in ["tps_jidoka_circuit_opens_total", "tps_jidoka_failures_total", "tps_jidoka_requests_rejected_total"]
    {
        page.add(metric, &[component], 0.0);
    }
    page.add("tps_andon_errors_total", &[component, OTHER], 0.0);
}

/// The fold.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct State {
    version: u32,
    position: u64,
    last: String,
    components: BTreeSet<String>,
    receipts: Totals,
    invalid: Totals,
    jidoka: Jidoka,
    andon: Andon,
    kaizen: Kaizen,
    heijunka: Heijunka,
    production: Production,
    quality: Quality,
    upkeep: Upkeep,
}

impl State {
    /// A state as it was saved, unless another version of naze saved it.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok().filter(|state: &Self| state.version == VERSION)
    }

    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        postcard::to_allocvec(self).internal("the state of the metrics cannot be written")
    }

    /// Begins every count that may stay zero.
    pub(super) fn begin(&mut self, kinds: &[&str]) {
        self.version = VERSION;
        for kind in kinds.iter().chain(&[OTHER]) {
            self.receipts.begin(&[kind]);
            self.invalid.begin(&[kind]);
        }
        self.jidoka.begin();
        self.andon.begin();
        self.kaizen.begin();
        self.heijunka.begin();
        self.production.begin();
        self.upkeep.begin();
    }

    /// How many entries it has read.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Is this the entry it read last?
    pub(super) fn is_last(&self, recorded: &Recorded) -> bool {
        self.last == recorded.id.to_string()
    }

    pub(super) fn refused(&mut self, refused: BTreeMap<String, u64>) {
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        refused.into_iter().for_each(|(kind, count)| self.invalid.add(&[&kind], count as f64));
    }

    pub(super) fn count(&mut self, recorded: &Recorded) {
        let event = Event::of(recorded);
        if self.components.len() < COMPONENTS_MAX && !self.components.contains(event.component) {
            self.components.insert(event.component.to_owned());
            self.jidoka.know(event.component);
            self.andon.know(event.component);
        }
        self.receipts.add(&[event.receipt.kind()], 1.0);
        self.jidoka.count(&event);
        self.andon.count(&event);
        self.kaizen.count(&event);
        self.heijunka.count(&event);
        self.production.count(&event);
        self.quality.count(&event);
        self.upkeep.count(&event);
        self.position = recorded.position + 1;
        self.last = recorded.id.to_string();
    }

    /// Durations that nobody has kept yet.
    pub(super) fn observed(&self) -> &Observed {
        self.production.observed()
    }

    pub(super) fn forget_observed(&mut self, position: u64) {
        self.production.forget_observed(position);
    }

    pub(super) fn tell(&self, page: &mut Page, now: Timestamp) {
        self.receipts.tell(page, "tps_receipts_total");
        self.invalid.tell(page, "tps_receipts_invalid_total");
        self.jidoka.tell(page, now);
        self.andon.tell(page, now);
        self.kaizen.tell(page, now);
        self.heijunka.tell(page);
        self.production.tell(page, now);
        self.quality.tell(page, now);
        self.upkeep.tell(page, now);
    }

    /// Was a receipt of this kind ever recorded?
    pub(super) fn has_told(&self, kind: &str) -> bool {
        self.receipts.iter().any(|(labels, count)| labels == [kind] && *count > 0.0)
    }

    /// How each component stands.
    pub(super) fn standings(&self, now: Timestamp) -> BTreeMap<String, Standing> {
        let mut standings: BTreeMap<String, Standing> = BTreeMap::new();
        self.jidoka.stand(&mut standings, now);
        self.upkeep.stand(&mut standings);
        standings
    }

    /// Violations that the last validations found; `None` when nothing was ever validated.
    pub(super) fn violations(&self) -> Option<f64> {
        self.upkeep.violations()
    }

    /// Failures of each component in the last five minutes; their value is how many of them no trace tells of.
    pub(super) fn failures(&self, now: Timestamp) -> BTreeMap<&str, Sum> {
        self.jidoka.recent(now)
    }
}
