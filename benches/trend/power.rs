//! How often a verdict is "degrading" for a metric that does not grow, and for one that grows by 15 %: seven days of
//! hourly points around 100 in four shapes of noise. Beside it, the rule "current above the mean".
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "hours, runs and threads are few"
)]

use chrono::TimeDelta;
use naze::analyse::trend::{Direction, Point, Polarity, Question, trend};
use naze::clock::Timestamp;

/// Enough for a standard error of a seventh of a percent at 5 %.
const RUNS: u64 = 24_000;
const HOURS: usize = 168;

/// What makes the values of a series.
#[derive(Debug, Clone, Copy)]
enum Noise {
    Independent,
    Autoregressive,
    DailySeason,
    Spikes,
}

/// `SplitMix64`, so that every run draws the same.
struct Draw(u64);

impl Draw {
    /// The generator of a run. Streams from neighbouring seeds overlap, hence a seed that is drawn itself.
    fn of(noise: Noise, run: u64) -> Self {
        Self(Self(run * 4 + noise as u64).bits())
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

impl Noise {
    /// Deviations from the level, as shares of it.
    fn draw(self, draw: &mut Draw) -> Vec<f64> {
        let mut memory = draw.normal() * 0.10;
        let phase = draw.uniform() * std::f64::consts::TAU;
        (0..HOURS)
            .map(|hour| match self {
                Self::Independent => 0.15 * draw.normal(),
                Self::Autoregressive => {
                    memory = 0.6 * memory + 0.08 * draw.normal();
                    memory
                }
                Self::DailySeason => {
                    0.3 * (std::f64::consts::TAU * hour as f64 / 24.0 + phase).sin() + 0.12 * draw.normal()
                }
                Self::Spikes => {
                    let spike = if draw.uniform() < 0.03 { 1.0 + 2.0 * draw.uniform() } else { 0.0 };
                    0.05 * draw.normal() + spike
                }
            })
            .collect()
    }
}

fn series(noise: Noise, growth: f64, run: u64) -> Vec<Point> {
    let mut draw = Draw::of(noise, run);
    let deviations = noise.draw(&mut draw);
    let hour = |hour: usize| Timestamp::from_micros(hour as i64 * 3_600_000_000).expect("a time after 1970");
    let level = |at: usize| 1.0 + growth * at as f64 / (HOURS - 1) as f64;
    deviations
        .iter()
        .enumerate()
        .map(|(at, deviation)| Point { time: hour(at + 1), value: 100.0 * (level(at) + deviation) })
        .collect()
}

/// What is said of one series: degrading, changed, and degrading by the rule "current above the mean".
fn said(points: &[Point]) -> [bool; 3] {
    let question = Question {
        at: points[points.len() - 1].time,
        interval: TimeDelta::hours(1),
        polarity: Some(Polarity::LowerIsBetter),
        threshold: None,
        horizon: None,
    };
    let answer = trend(&question, points);
    let week = &answer.windows[2];
    let summary = week.summary.expect("a week of points");
    [week.verdict.direction == Direction::Degrading, !week.change_points.is_empty(), summary.current > summary.mean]
}

/// Percent of the runs of which each is said.
fn percent(noise: Noise, growth: f64) -> [f64; 3] {
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let count = |thread: u64| {
        let mut counts = [0_u32; 3];
        for run in (thread..RUNS).step_by(threads as usize) {
            counts
                .iter_mut()
                .zip(said(&series(noise, growth, run)))
                .for_each(|(count, said)| *count += u32::from(said));
        }
        counts
    };
    let counts = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|thread| scope.spawn(move || count(thread))).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().expect("a worker that ends"))
            .fold([0_u32; 3], |sum, counts| std::array::from_fn(|what| sum[what] + counts[what]))
    });
    counts.map(|count| 100.0 * f64::from(count) / RUNS as f64)
}

pub(crate) fn print() {
    println!("said of {RUNS} simulated weeks, percent (goal: degrading at most 5 at 0 % growth, at least 85 at +15 %)");
    println!("{:<16}{:>20}{:>30}{:>20}", "", "degrading", "degrading if current > mean", "any change point");
    println!("{:<16}{:>10}{:>10}{:>15}{:>15}{:>10}{:>10}", "noise", "0 %", "+15 %", "0 %", "+15 %", "0 %", "+15 %");
    for noise in [Noise::Independent, Noise::Autoregressive, Noise::DailySeason, Noise::Spikes] {
        let ([flat, flat_cut, flat_mean], [grown, grown_cut, grown_mean]) = (percent(noise, 0.0), percent(noise, 0.15));
        println!(
            "{:<16}{flat:>10.1}{grown:>10.1}{flat_mean:>15.1}{grown_mean:>15.1}{flat_cut:>10.1}{grown_cut:>10.1}",
            format!("{noise:?}")
        );
    }
}
