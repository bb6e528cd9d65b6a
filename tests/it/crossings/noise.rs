//! Flat series in many kinds of noise: what is usual stays untold.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use naze::clock::Timestamp;
use naze::measure::crossing::{Learned, Watched};
use naze::measure::read::{Statistic, minutes};
use naze::measure::rollup::Rollup;
use naze::measure::store::{Known, Slot, Tier};
use naze::measure::{Kind, Point, Series};

use super::at;

const DAY: i64 = 1_440;

/// Uniform numbers between 0 and 1, always the same.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let (radius, turn) = (1.0 - self.uniform(), self.uniform());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * turn).cos()
    }
}

type Noise = fn(&mut Random) -> f64;

/// Minutes of a flat series, one value each.
fn days(days: i64, mut value: impl FnMut() -> f64) -> Vec<Slot> {
    (0..days * DAY)
        .map(|minute| {
            let start = at(minute);
            let rollup = Rollup::of(Kind::Gauge, &Point::once(start, value()), 0);
            Slot { start, tier: Tier::Minute, rollup }
        })
        .collect()
}

/// Events that a series gives, looked at day by day.
fn events(slots: &[Slot]) -> usize {
    let series =
        Series { metric: "level".to_owned(), component: "a".to_owned(), kind: Kind::Gauge, labels: BTreeMap::new() };
    let known = Arc::new(Known { series, unit: None });
    let learned = Learned::default();
    let mut watched = Watched::default();
    let values = minutes(slots, Statistic::Mean);
    let mut past = |window: Range<Timestamp>| {
        let place = |time| values.partition_point(|(at, _)| *at < time);
        Ok(values[place(window.start)..place(window.end)].to_vec())
    };
    slots.chunks(1_440).map(|day| watched.advance(&known, Some(&learned), &[], day, &mut past).unwrap().len()).sum()
}

#[test]
fn flat_noise_gives_at_most_one_crossing_in_a_thousand_days_of_series() {
    let mut random = Random(7);
    let mut found = BTreeMap::new();
    let noises: [(&str, Noise); 8] = [
        ("normal", |random| 100.0 + 10.0 * random.normal()),
        ("narrow", |random| 100.0 + random.normal()),
        ("around zero", |random| random.normal()),
        ("uniform", |random| random.uniform()),
        ("exponential", |random| -(1.0 - random.uniform()).ln()),
        ("log-normal", |random| random.normal().exp()),
        ("rare ones", |random| if random.uniform() < 0.02 { 1.0 } else { 0.0 }),
        ("heavy tails", |random| random.normal() / random.uniform().max(1e-6).sqrt()),
    ];
    for (name, noise) in noises {
        let found_here: usize = (0..125).map(|_| events(&days(1, || noise(&mut random)))).sum();
        found.insert(name, found_here);
    }
    assert!(found.values().sum::<usize>() <= 2, "a crossing and its end, at most, in 1,000 days: {found:?}");
}

#[test]
fn a_step_in_noise_is_seen() {
    let mut random = Random(11);
    let mut seen = 0;
    for _ in 0..20 {
        let mut minute = 0;
        let slots = days(1, || {
            minute += 1;
            let level = if (1_000..1_030).contains(&minute) { 180.0 } else { 100.0 };
            level + 10.0 * random.normal()
        });
        seen += usize::from(events(&slots) == 2);
    }
    assert_eq!(seen, 20, "eight standard deviations for half an hour, and back");
}
