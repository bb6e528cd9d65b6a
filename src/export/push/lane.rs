//! One signal on its way to one tool: a portion at a time, in order, until it is taken or never will be.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};

use super::super::destination::{Export, Route};
use super::Stop;
use super::board::Meter;
use super::post::Outcome;
use super::queue::Queue;
use super::way::Way;
use crate::clock::Clock;
use crate::error::Result;

/// New items are looked for this often.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// After a failure the same is sent again after this long, then after twice as long, and so on.
const RETRY_AFTER: Duration = Duration::from_secs(1);
const RETRY_AFTER_MAX: Duration = Duration::from_mins(1);

/// Sends one signal of one export.
pub(super) struct Lane {
    export: Export,
    meter: Meter,
    stop: Arc<Stop>,
    clock: Clock,
}

/// What is to be done next.
enum Next {
    Go,
    Wait(Duration),
    End,
}

impl Lane {
    pub(super) fn new(export: &Export, meter: Meter, stop: Arc<Stop>, clock: Clock) -> Self {
        Self { export: export.clone(), meter, stop, clock }
    }

    /// Sends what waits until naze ends.
    pub(super) fn run<W>(&self, mut queue: impl Queue, route: &Route<W>) {
        let way = match Way::new(&self.export, route, self.clock) {
            Ok(way) => way,
            Err(error) => return self.meter.failed(&error.to_string()),
        };
        let mut pace = Pace::new(route.items_max);
        loop {
            let next = self.step(&mut queue, &way, route, &mut pace).unwrap_or_else(|error| {
                self.meter.failed(&error.to_string());
                Next::Wait(pace.delay(None))
            });
            queue.release();
            match next {
                Next::Go => {}
                Next::End => break,
                // At the end nobody waits for a tool to come back.
                Next::Wait(_) if self.stop.is_over() => break,
                Next::Wait(time) => self.wait(time, &queue),
            }
        }
    }

    /// Tells meanwhile what waits.
    fn wait(&self, time: Duration, queue: &impl Queue) {
        let end = Instant::now() + time;
        loop {
            match queue.waiting() {
                Ok(waiting) => self.meter.waiting(waiting),
                Err(error) => tracing::error!(export = self.meter.name(), %error, "cannot tell what waits"),
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || self.stop.wait(left.min(LOOK_EVERY)) {
                break;
            }
        }
    }

    /// Sends the first portion of what waits.
    fn step<W>(&self, queue: &mut impl Queue, way: &Way, route: &Route<W>, pace: &mut Pace) -> Result<Next> {
        let items = queue.first(pace.items)?;
        if items == 0 {
            return Ok(if self.stop.is_over() { Next::End } else { Next::Wait(LOOK_EVERY) });
        }
        let body = queue.write(items);
        let outcome = if body.len() > route.body_bytes_max {
            Outcome::TooLarge(format!("{} bytes are more than {}", body.len(), route.body_bytes_max))
        } else {
            let started = Instant::now();
            let outcome = way.send(&body);
            self.meter.asked(started.elapsed());
            outcome
        };
        match outcome {
            Outcome::Taken(rejected, why) => {
                queue.take(items, true)?;
                let rejected = rejected.min(items as u64);
                if !why.is_empty() || rejected > 0 {
                    self.meter.refused(rejected, &format!("it took the rest: {why}"));
                }
                self.meter.sent(items as u64 - rejected);
                pace.went_well(route.items_max);
            }
            Outcome::TooLarge(_) if items > 1 => pace.items = items / 2,
            Outcome::TooLarge(why) | Outcome::Refused(why) => {
                queue.take(items, false)?;
                self.meter.failed(&why);
                self.meter.refused(items as u64, &why);
            }
            Outcome::Later(after, why) => {
                self.meter.failed(&why);
                return Ok(Next::Wait(pace.delay(after)));
            }
            Outcome::Unauthorized(why) => {
                let way = format!("{why}; check token and user of the export, then restart naze");
                self.meter.failed(&way);
                return Ok(Next::Wait(RETRY_AFTER_MAX));
            }
        }
        Ok(Next::Go)
    }
}

/// How much is sent at a time, and how long a failure makes wait.
struct Pace {
    items: usize,
    backoff: ExponentialBackoff,
}

impl Pace {
    fn new(items: usize) -> Self {
        Self { items, backoff: backoff() }
    }

    fn went_well(&mut self, items_max: usize) {
        // A size that was too large is not tried again at once.
        self.items = (self.items + self.items / 8 + 1).min(items_max);
        self.backoff = backoff();
    }

    /// As long as the tool says, or longer each time.
    fn delay(&mut self, after: Option<Duration>) -> Duration {
        let own = self.backoff.next().unwrap_or(RETRY_AFTER_MAX);
        after.unwrap_or(own)
    }
}

fn backoff() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(RETRY_AFTER)
        .with_max_delay(RETRY_AFTER_MAX)
        .without_max_times()
        .with_jitter()
        .build()
}
