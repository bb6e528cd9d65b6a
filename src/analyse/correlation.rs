//! Do two quantities go along with each other? A correlation says so; it never says why.
#![expect(clippy::cast_precision_loss, reason = "counts of pairs fit 53 bits")]

/// Pairs that a correlation has to rest on.
const PAIRS_MIN: usize = 10;

/// Pearson's coefficient: 1 when the pairs lie on a rising line, -1 on a falling one. Nothing of fewer than ten pairs, or
/// when one of the quantities never changes.
pub fn pearson(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.len() < PAIRS_MIN {
        return None;
    }
    let n = pairs.len() as f64;
    let (x_mean, y_mean) = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
    let sum = |of: fn(f64, f64) -> f64| pairs.iter().map(|p| of(p.0 - x_mean, p.1 - y_mean)).sum::<f64>();
    let spread = (sum(|x, _| x * x) * sum(|_, y| y * y)).sqrt();
    let moves =
        |value: fn(&(f64, f64)) -> f64| pairs.iter().any(|pair| value(pair).total_cmp(&value(&pairs[0])).is_ne());
    let is_defined = moves(|pair| pair.0) && moves(|pair| pair.1) && spread > 0.0;
    is_defined.then(|| (sum(|x, y| x * y) / spread).clamp(-1.0, 1.0))
}

/// Spearman's coefficient: Pearson's of the ranks, tied values sharing theirs. It does not mind how far out a value is.
pub fn spearman(pairs: &[(f64, f64)]) -> Option<f64> {
    let (x, y): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    pearson(&ranks(&x).into_iter().zip(ranks(&y)).collect::<Vec<_>>())
}

/// By how many places `effects` follow `causes` (negative: go before them) where their correlation by rank is strongest,
/// up to `most` places. Of equally strong ones the nearest counts.
pub fn best_lag(causes: &[f64], effects: &[Option<f64>], most: usize) -> Option<i64> {
    let most = i64::try_from(most).ok()?;
    let strength = |lag: i64| {
        let shift = usize::try_from(lag.abs()).ok()?;
        let (causes, effects) = if lag < 0 { (causes.get(shift..)?, effects) } else { (causes, effects.get(shift..)?) };
        let pairs = causes.iter().zip(effects).filter_map(|(cause, effect)| Some((*cause, (*effect)?)));
        spearman(&pairs.collect::<Vec<_>>()).map(f64::abs)
    };
    // Nearest first, and after before before: a cause comes first.
    let lags = (0..=most).flat_map(|lag| if lag == 0 { vec![0] } else { vec![lag, -lag] });
    let known = lags.filter_map(|lag| Some((lag, strength(lag)?)));
    known.reduce(|best, next| if next.1 > best.1 + f64::EPSILON { next } else { best }).map(|(lag, _)| lag)
}

/// Ranks from 1, tied values sharing the middle of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut below = 0;
    for tied in order.chunk_by(|a, b| values[*a].total_cmp(&values[*b]).is_eq()) {
        let rank = below as f64 + f64::midpoint(1.0, tied.len() as f64);
        tied.iter().for_each(|place| ranks[*place] = rank);
        below += tied.len();
    }
    ranks
}
