//! Slots, and the chunks they are kept in.

use crate::clock::Timestamp;
use crate::error::{Context as _, Result};
use crate::measure::rollup::Rollup;

/// How long a slot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// A minute; an hour of them is a chunk.
    Minute,
    /// An hour; a day of them is a chunk.
    Hour,
}

/// A minute or an hour of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot {
    /// When it begins.
    pub start: Timestamp,
    /// Which it is.
    pub tier: Tier,
    /// What is kept of it.
    pub rollup: Rollup,
}

impl Slot {
    /// When its last value was taken.
    pub fn last_at(&self) -> Timestamp {
        let offset = match &self.rollup {
            Rollup::Values(values) => values.last_at,
            Rollup::Total(total) => total.last_at,
        };
        Timestamp::from_micros(self.start.micros() + i64::from(offset) * 1_000).unwrap_or(self.start)
    }
}

/// The slots of a chunk by their place in it, in order.
pub(super) type Chunk = Vec<(u8, Rollup)>;

impl Tier {
    /// Length of a slot in milliseconds.
    pub fn milliseconds(self) -> u32 {
        match self {
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
        }
    }

    pub(super) fn slots_per_chunk(self) -> u32 {
        match self {
            Self::Minute => 60,
            Self::Hour => 24,
        }
    }

    /// Number of the slot that `at` lies in; times before 1970 lie in the first.
    pub(super) fn slot_of(self, at: Timestamp) -> u32 {
        u32::try_from(at.micros() / 1_000 / i64::from(self.milliseconds())).unwrap_or_default()
    }

    pub(super) fn chunk_of(self, at: Timestamp) -> u32 {
        self.slot_of(at) / self.slots_per_chunk()
    }

    pub(super) fn start_of(self, slot: u32) -> Timestamp {
        let micros = i64::from(slot) * i64::from(self.milliseconds()) * 1_000;
        Timestamp::from_micros(micros).unwrap_or(Timestamp::MAX)
    }

    pub(super) fn slot(self, chunk: u32, place: u8, rollup: Rollup) -> Slot {
        Slot { start: self.start_of(chunk * self.slots_per_chunk() + u32::from(place)), tier: self, rollup }
    }
}

pub(super) fn read(bytes: &[u8]) -> Result<Chunk> {
    let mut chunk = Vec::new();
    Reader::default().read(bytes, |place, rollup| chunk.push((place, rollup)))?;
    Ok(chunk)
}

/// Reads chunks, with room for one of them that all share: a trend reads thousands.
#[derive(Default)]
pub(super) struct Reader {
    plain: Vec<u8>,
}

impl Reader {
    /// Tells each slot of a chunk, in order.
    pub(super) fn read(&mut self, bytes: &[u8], mut tell: impl FnMut(u8, Rollup)) -> Result<()> {
        let damaged = "a chunk of a series is damaged";
        let length = snap::raw::decompress_len(bytes).internal(damaged)?;
        if self.plain.len() < length {
            self.plain.resize(length, 0);
        }
        let length = snap::raw::Decoder::new().decompress(bytes, &mut self.plain).internal(damaged)?;
        // As a `Chunk` is written: how many slots there are, and one after the other.
        let (slots, mut rest) = postcard::take_from_bytes::<usize>(&self.plain[..length]).internal(damaged)?;
        for _ in 0..slots {
            let ((place, rollup), more) = postcard::take_from_bytes(rest).internal(damaged)?;
            rest = more;
            tell(place, rollup);
        }
        Ok(())
    }
}

pub(super) fn write(chunk: &Chunk) -> Result<Vec<u8>> {
    let failed = "cannot write a chunk of a series";
    let plain = postcard::to_allocvec(chunk).internal(failed)?;
    snap::raw::Encoder::new().compress_vec(&plain).internal(failed)
}

pub(super) fn merge(chunk: &mut Chunk, place: u8, rollup: Rollup, shift: u32) {
    match chunk.binary_search_by_key(&place, |(place, _)| *place) {
        Ok(found) => chunk[found].1.merge(&rollup, shift),
        Err(found) => chunk.insert(found, (place, rollup)),
    }
}

/// An hour of minutes as one roll-up.
pub(super) fn hour_of(minutes: Chunk) -> Option<Rollup> {
    let mut minutes = minutes.into_iter();
    let (first, mut hour) = minutes.next()?;
    let shift = |place: u8| u32::from(place) * Tier::Minute.milliseconds();
    hour.delay(shift(first));
    minutes.for_each(|(place, minute)| hour.merge(&minute, shift(place)));
    Some(hour)
}
