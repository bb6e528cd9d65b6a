//! Statistics against values from textbooks.

use naze::analyse::correlation::{best_lag, pearson, spearman};
use naze::analyse::trend::shift;

fn assert_close(found: Option<f64>, expected: f64, digits: i32) {
    let found = found.unwrap();
    assert!((found - expected).abs() < 0.5 * 10_f64.powi(-digits), "{found} is not {expected}");
}

/// Anscombe (1973): four sets of eleven pairs with the same correlation.
#[test]
fn pearson_of_anscombes_quartet() {
    let x = [10.0, 8.0, 13.0, 9.0, 11.0, 14.0, 6.0, 4.0, 12.0, 7.0, 5.0];
    let fourth = [8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 19.0, 8.0, 8.0, 8.0];
    for (x, y, expected) in [
        (x, [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68], 0.816_42),
        (x, [9.14, 8.14, 8.74, 8.77, 9.26, 8.10, 6.13, 3.10, 9.13, 7.26, 4.74], 0.816_24),
        (x, [7.46, 6.77, 12.74, 7.11, 7.81, 8.84, 6.08, 5.39, 8.15, 6.42, 5.73], 0.816_29),
        (fourth, [6.58, 5.76, 7.71, 8.84, 8.47, 7.04, 5.25, 12.50, 5.56, 7.91, 6.89], 0.816_52),
    ] {
        assert_close(pearson(&x.into_iter().zip(y).collect::<Vec<_>>()), expected, 5);
    }
}

/// The usual example of IQ and hours of television a week: -29/165.
#[test]
fn spearman_of_intelligence_and_television() {
    let iq = [106.0, 100.0, 86.0, 101.0, 99.0, 103.0, 97.0, 113.0, 112.0, 110.0];
    let hours = [7.0, 27.0, 2.0, 50.0, 28.0, 29.0, 20.0, 12.0, 6.0, 17.0];
    assert_close(spearman(&iq.into_iter().zip(hours).collect::<Vec<_>>()), -29.0 / 165.0, 12);
}

/// Ranks 1, 2.5, 2.5, 4 … against 1 … 10: Σxy = 80, Σx² = 82.5 - 0.5 × 2 ties.
#[test]
fn tied_values_share_their_rank() {
    let pairs: Vec<(f64, f64)> =
        [1.0, 2.0, 2.0, 4.0, 5.0, 6.0, 6.0, 8.0, 9.0, 10.0].into_iter().zip((1..=10).map(f64::from)).collect();
    assert_close(spearman(&pairs), 81.5 / (81.5_f64 * 82.5).sqrt(), 12);
}

#[test]
fn too_little_or_nothing_that_moves_has_no_correlation() {
    let nine: Vec<(f64, f64)> = (0..9).map(|n| (f64::from(n), f64::from(n))).collect();
    assert_eq!(pearson(&nine), None);
    let still: Vec<(f64, f64)> = (0..20).map(|n| (f64::from(n), 0.1)).collect();
    assert_eq!((pearson(&still), spearman(&still)), (None, None));
}

#[test]
fn the_lag_is_by_how_much_effects_follow() {
    let causes: Vec<f64> = (0..60).map(|n| f64::from(n * n % 17)).collect();
    let moved = |by: i64| -> Vec<Option<f64>> {
        (0..60).map(|n: i64| usize::try_from(n - by).ok().and_then(|place| causes.get(place)).copied()).collect()
    };
    for by in [-6, -1, 0, 1, 4, 6] {
        assert_eq!(best_lag(&causes, &moved(by), 6), Some(by));
    }
}

/// `wilcox.test(1:10, 11:20, exact = FALSE)` of R: W = 0, p-value = 0.0001827. In an order without memory.
#[test]
fn mann_whitney_as_others_compute_it() {
    let side = |from: i32| [0, 9, 1, 8, 2, 7, 3, 6, 4, 5].map(|n| Some(f64::from(from + n))).to_vec();
    assert_close(shift(&side(1), &side(11)), 0.000_182_7, 7);
    assert_close(shift(&side(11), &side(1)), 0.000_182_7, 7);
    assert_eq!(shift(&side(1), &side(1)), Some(1.0));
    assert_eq!(shift(&side(1)[..7], &side(1)), None, "seven values are too few");
}

/// The means of noise that remembers (AR with .6, as minutes of a metric do) vary four times as much as those of noise that
/// does not: a test that does not know takes a third of all series for changed.
#[test]
fn a_series_with_a_memory_is_not_taken_for_a_change() {
    let mut state: u64 = 42;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(state >> 32).unwrap()) / f64::from(u32::MAX) - 0.5
    };
    for memory in [0.0, 0.6] {
        let (mut alarms, mut found) = (0, 0);
        for _ in 0..500 {
            let mut level = 0.0;
            let mut noise = || {
                level = memory * level + (0..12).map(|_| uniform()).sum::<f64>();
                level
            };
            let before: Vec<Option<f64>> = (0..60).map(|_| Some(noise())).collect();
            let after: Vec<Option<f64>> = (0..60).map(|_| Some(noise())).collect();
            let higher: Vec<Option<f64>> = after.iter().map(|value| value.map(|value| value + 3.0)).collect();
            alarms += i32::from(shift(&before, &after).unwrap() < 0.05);
            found += i32::from(shift(&before, &higher).unwrap() < 0.05);
        }
        println!("memory {memory}: {alarms} false alarms and {found} true ones of 500");
        assert!(alarms <= 40, "{alarms} of 500 are more than 8 %, memory {memory}");
        assert!(found >= 475, "{found} of 500 are less than 95 %, memory {memory}");
    }
}
