//! Change points against human annotators: F1 with a margin of 5 and covering, as `TCPDBench` scores them.
#![expect(clippy::cast_precision_loss, reason = "series have hundreds of points")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use naze::analyse::trend::change_point::cuts;
use serde::Deserialize;

const MARGIN: usize = 5;

#[derive(Deserialize)]
struct File {
    series: Vec<Raw>,
}

#[derive(Deserialize)]
struct Raw {
    raw: Vec<f64>,
}

type Places = BTreeSet<usize>;

pub(crate) fn print(folder: &Path) {
    let read = |name: &str| std::fs::read(folder.join(name)).expect("a readable file of TCPD");
    let annotations: BTreeMap<String, BTreeMap<String, Places>> =
        serde_json::from_slice(&read("annotations.json")).expect("annotations");
    println!("\nTCPD, margin {MARGIN}");
    println!("{:<22}{:>6}{:>9}{:>9}{:>9}{:>9}", "series", "cuts", "F1", "cover", "F1 zero", "cover");
    let mut sums = [0.0; 4];
    let mut n = 0.0;
    for (name, by_annotator) in &annotations {
        if !folder.join(format!("{name}.json")).is_file() {
            continue;
        }
        let file: File = serde_json::from_slice(&read(&format!("{name}.json"))).expect("a series of TCPD");
        let [Raw { raw }] = file.series.as_slice() else { continue };
        let truth: Vec<Places> = by_annotator.values().cloned().collect();
        let found: Places = cuts(raw).into_iter().collect();
        let none = Places::new();
        let scores =
            [f1(&truth, &found), cover(&truth, &found, raw.len()), f1(&truth, &none), cover(&truth, &none, raw.len())];
        let [f, c, f0, c0] = scores;
        println!("{name:<22}{:>6}{f:>9.3}{c:>9.3}{f0:>9.3}{c0:>9.3}", found.len());
        sums.iter_mut().zip(scores).for_each(|(sum, score)| *sum += score);
        n += 1.0;
    }
    let [f, c, f0, c0] = sums.map(|sum| sum / n);
    println!("{:<22}{:>6}{f:>9.3}{c:>9.3}{f0:>9.3}{c0:>9.3}   (goal: F1 at least 0.74)", format!("mean of {n}"), "");
}

/// Truths that a prediction is near; each prediction serves one truth.
fn matched(truth: &Places, found: &Places) -> usize {
    let mut left = found.clone();
    truth
        .iter()
        .filter(|place| {
            let near = left.iter().copied().filter(|other| other.abs_diff(**place) <= MARGIN);
            let nearest = near.min_by_key(|other| (other.abs_diff(**place), *other));
            nearest.is_some_and(|other| left.remove(&other))
        })
        .count()
}

/// Precision over all annotators together, recall as their mean; place 0 is always a change.
fn f1(truth: &[Places], found: &Places) -> f64 {
    let with_start = |places: &Places| places.iter().copied().chain([0]).collect::<Places>();
    let found = with_start(found);
    let truth: Vec<Places> = truth.iter().map(with_start).collect();
    let union: Places = truth.iter().flatten().copied().collect();
    let precision = matched(&union, &found) as f64 / found.len() as f64;
    let recall =
        truth.iter().map(|own| matched(own, &found) as f64 / own.len() as f64).sum::<f64>() / truth.len() as f64;
    2.0 * precision * recall / (precision + recall)
}

/// How much of each true stretch its best found stretch covers, by length, as the mean of the annotators.
fn cover(truth: &[Places], found: &Places, n: usize) -> f64 {
    let found = stretches(found, n);
    let overlap = |a: &(usize, usize), b: &(usize, usize)| {
        let shared = a.1.min(b.1).saturating_sub(a.0.max(b.0));
        shared as f64 / (a.1 - a.0 + b.1 - b.0 - shared) as f64
    };
    let of_one = |own: &Places| {
        let best = |stretch: &(usize, usize)| found.iter().map(|other| overlap(stretch, other)).fold(0.0, f64::max);
        stretches(own, n).iter().map(|stretch| (stretch.1 - stretch.0) as f64 * best(stretch)).sum::<f64>() / n as f64
    };
    truth.iter().map(of_one).sum::<f64>() / truth.len() as f64
}

fn stretches(cuts: &Places, n: usize) -> Vec<(usize, usize)> {
    let inner = cuts.iter().copied().filter(|cut| (1..n).contains(cut));
    let edges: Vec<usize> = [0].into_iter().chain(inner).chain([n]).collect();
    edges.windows(2).map(|edge| (edge[0], edge[1])).collect()
}
