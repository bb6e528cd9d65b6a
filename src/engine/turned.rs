//! Trends that turned: a few series in each round, the next ones in the next, and a receipt of what got worse after it had
//! improved, or the other way round.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use chrono::TimeDelta;

use super::{Engine, Line, Outcome, SELF};
use crate::analyse::trend::{Direction, LOOKBACK, Point, Question, Reversal, Trend, trend};
use crate::clock::{Timestamp, ago};
use crate::error::Result;
use crate::measure::read::Statistic;
use crate::measure::store::Known;
use crate::measure::{Kind, Series, own};
use crate::receipt::{Receipt, Value};
use crate::receive::Draft;

/// What the rule of such a crossing begins with.
const RULE: &str = "trend reversal";
const HOUR_SECONDS: u32 = 3_600;
/// Bounds on a round.
const ROUND_SERIES_MAX: usize = 50;
const ROUND_TIME_MAX: Duration = Duration::from_secs(1);

/// Where the next round begins.
#[derive(Default)]
pub(super) struct Turning(Mutex<u32>);

impl Engine {
    /// Looks at the next series of metrics of which it is known which way is good, by the hour, and records which trends
    /// turned: what improved over a longer window and degrades over a shorter one as a `crossing`, the opposite as a
    /// `note`. Each is recorded once a day while it lasts. Tells how many are new.
    ///
    /// # Errors
    /// As [`Engine::record`]; then a later round finds them again.
    pub fn note_reversals(&self, now: Timestamp) -> Result<usize> {
        let started = Instant::now();
        let mut next = self.turning.0.lock().expect("nobody panics in a round");
        // What naze concludes of other series is told where it turned there.
        let is_concluded = |series: &Series| own::is_own(&series.metric) || own::is_again(series);
        let mut judged =
            self.all_lines(|series| !is_concluded(series) && self.polarity(&series.metric).is_some(), now)?;
        judged.sort_by_key(Line::number);
        let split = judged.partition_point(|line| line.number() < *next);
        let round = judged[split..].iter().chain(&judged[..split]).take(ROUND_SERIES_MAX);
        let mut found = Vec::new();
        for line in round {
            *next = line.number().saturating_add(1);
            // A series that cannot be read costs the others nothing.
            match self.turned(line, now) {
                Ok(draft) => found.extend(draft),
                Err(error) => tracing::error!(%error, series = line.number(), "cannot tell whether a trend turned"),
            }
            if started.elapsed() > ROUND_TIME_MAX {
                break;
            }
        }
        drop(next);
        if found.is_empty() {
            return Ok(0);
        }
        let outcomes = self.record_drafts(SELF, found)?;
        Ok(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Recorded(_))).count())
    }

    fn turned(&self, line: &Line, now: Timestamp) -> Result<Option<Draft>> {
        let known = &line.known;
        let statistic = match known.series.kind {
            Kind::Distribution => Statistic::Quantile(0.99),
            kind => Statistic::of(kind),
        };
        let window = ago(now, LOOKBACK)..now;
        let hours = self.values(line, &window, HOUR_SECONDS, Some(statistic))?;
        let points: Vec<Point> = hours.into_iter().map(Point::from).collect();
        let interval = TimeDelta::seconds(i64::from(HOUR_SECONDS));
        let polarity = self.polarity(&known.series.metric);
        let trend = trend(&Question { at: now, interval, polarity, threshold: None, horizon: None }, &points);
        Ok(trend.reversal.as_ref().and_then(|reversal| draft(known, &trend, reversal, now)))
    }
}

fn draft(known: &Known, trend: &Trend, reversal: &Reversal, now: Timestamp) -> Option<Draft> {
    let series = &known.series;
    let short = trend.windows.iter().find(|window| window.window == reversal.short)?;
    let (was, is) = (reversal.was.words(), reversal.is.words());
    let rule = format!("{RULE}: {} {was}, {} {is}", reversal.long, reversal.short);
    let mut receipt = if reversal.is == Direction::Degrading {
        let direction = if short.verdict.slope_per_day? > 0.0 { "up" } else { "down" };
        Receipt::new("crossing", now, &series.component)
            .with("metric", Value::text(&series.metric))
            .with("value", Value::Number(short.summary?.mean))
            .with("direction", Value::text(direction))
            .with("severity", Value::text("warning"))
            .with("rule", Value::text(&rule))
            .with_text("unit", known.unit.as_deref())
    } else {
        let message = format!("{} improves after it had degraded ({rule})", series.metric);
        Receipt::new("note", now, &series.component).with("message", Value::text(message))
    };
    receipt.push("source", Value::text(SELF));
    for (name, value) in &series.labels {
        receipt.label(name, value);
    }
    let labels: String = series.labels.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    let day = now.utc().date_naive();
    let key = format!("{rule} {} {}{labels} {day}", series.component, series.metric);
    Some(Draft::new(receipt).with_key(Some(key)))
}
