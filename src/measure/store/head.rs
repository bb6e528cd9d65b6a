//! Roll-ups in memory, on their way into chunks.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Batch;
use super::catalogue::Catalogue;
use super::chunk::{Slot, Tier};
use crate::clock::Timestamp;
use crate::measure::Point;
use crate::measure::rollup::Rollup;

#[derive(Default)]
pub(super) struct Head(BTreeMap<(u32, Tier, u32), Rollup>);

impl Head {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Rolls up a batch: young points by the minute, old ones by the hour.
    pub(super) fn take(&mut self, batch: &Batch, catalogue: &Catalogue, minutes_from: Timestamp) {
        for (number, points) in &batch.0 {
            let kind = catalogue.known(*number).series.kind;
            for (micros, value, count) in points {
                let Some(at) = Timestamp::from_micros(*micros) else { continue };
                let tier = if at < minutes_from { Tier::Hour } else { Tier::Minute };
                let slot = tier.slot_of(at);
                let offset = at.since(tier.start_of(slot)).num_milliseconds();
                let point = Point { at, value: *value, count: *count };
                let rollup = Rollup::of(kind, &point, u32::try_from(offset).unwrap_or_default());
                match self.0.entry((*number, tier, slot)) {
                    std::collections::btree_map::Entry::Occupied(mut known) => known.get_mut().merge(&rollup, 0),
                    std::collections::btree_map::Entry::Vacant(place) => drop(place.insert(rollup)),
                }
            }
        }
    }

    pub(super) fn slots(&self, number: u32, tier: Tier, window: &Range<Timestamp>) -> Vec<Slot> {
        let slots = (number, tier, tier.slot_of(window.start))..=(number, tier, tier.slot_of(window.end));
        let slot = |((_, _, slot), rollup): (&(u32, Tier, u32), &Rollup)| Slot {
            start: tier.start_of(*slot),
            tier,
            rollup: rollup.clone(),
        };
        self.0.range(slots).map(slot).collect()
    }

    /// Everything, by the chunk it belongs to.
    pub(super) fn chunks(&self) -> BTreeMap<(u32, Tier, u32), Vec<(u8, Rollup)>> {
        let mut chunks: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for ((number, tier, slot), rollup) in &self.0 {
            let (chunk, place) = (slot / tier.slots_per_chunk(), slot % tier.slots_per_chunk());
            let place = u8::try_from(place).unwrap_or_default();
            chunks.entry((*number, *tier, chunk)).or_default().push((place, rollup.clone()));
        }
        chunks
    }
}
