//! A reading with its past: now, the last hour, the last day, and what to make of the three.

use chrono::TimeDelta;
use serde::Serialize;

use super::{Colour, Principle, Status};
use crate::analyse::trend::{Direction, Point, Polarity, Verdict, verdict_over};
use crate::clock::Timestamp;
use crate::measure::crossing::Colours;

/// How far back a past has to reach.
pub const LOOKBACK: TimeDelta = TimeDelta::hours(24);
const HOUR: TimeDelta = TimeDelta::hours(1);
/// A colour is taken to have lasted through a silence of this length.
const SILENCE_MAX: TimeDelta = TimeDelta::minutes(5);

/// Where a reading is heading.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outlook {
    /// Over the last hour.
    pub hour: Verdict,
    /// Over the last day.
    pub day: Verdict,
    /// What to do about colour and directions together.
    pub decision: &'static str,
}

impl Status {
    /// Adds what the past of the reading tells; `past` is in order of time and ends no later than `at`.
    pub fn look_back(&mut self, past: &[Point], at: Timestamp) {
        let Some(value) = self.value.filter(|_| !past.is_empty()) else { return };
        let polarity = match self.principle {
            Principle::Kaizen => Polarity::HigherIsBetter,
            _ => Polarity::LowerIsBetter,
        };
        let over = |length| verdict_over(past, at, length, Some(polarity));
        let (hour, day) = (over(HOUR), over(LOOKBACK));
        // The hour comes first; what it cannot tell, the day may.
        let heading = match hour.direction {
            Direction::Improving | Direction::Degrading => hour.direction,
            _ => day.direction,
        };
        // A red pool lifts the colour of the mean, which the past does not show.
        if Colour::by(Some(value), self.thresholds) == self.colour {
            self.since = since(self.thresholds, self.colour, past, at);
        }
        self.outlook = Some(Outlook { hour, day, decision: decision(self.colour, heading) });
    }
}

/// When the colour began that the reading still has.
fn since(colours: Colours, colour: Colour, past: &[Point], at: Timestamp) -> Option<Timestamp> {
    let mut began = at;
    for point in past.iter().rev() {
        if Colour::by(Some(point.value), colours) != colour || began.since(point.time) > SILENCE_MAX {
            break;
        }
        began = point.time;
    }
    (began < at).then_some(began)
}

fn decision(colour: Colour, heading: Direction) -> &'static str {
    match (colour, heading) {
        (Colour::Green, Direction::Degrading) => "look at it before it turns yellow",
        (Colour::Yellow, Direction::Degrading) => "act before it turns red",
        (Colour::Yellow, Direction::Improving) => "it recovers: see that it goes on",
        (Colour::Red, Direction::Improving) => "it recovers: stay with it until it is green",
        _ => colour.action(),
    }
}
