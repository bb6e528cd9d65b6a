//! What `naze serve` does without being asked: chores, one after the other, each with its rhythm.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::Engine;
use crate::error::{Error, Kind, Result};

/// Looked at this often; nothing is done more often.
const LOOK_EVERY: Duration = Duration::from_secs(5);
const ALERTS_EVERY: Duration = Duration::from_secs(10);
const EXAMINE_EVERY: Duration = Duration::from_secs(30);
const TRENDS_EVERY: Duration = Duration::from_mins(1);
const OUTCOMES_EVERY: Duration = Duration::from_mins(5);

/// All of them, in their order. The first round is at the start.
pub const CHORES: &[Chore] = &[
    Chore {
        name: "end_episodes",
        every: LOOK_EVERY,
        share: 0,
        failed: "cannot record the end of alerts; their sender has to tell it",
        work: |engine| engine.end_episodes(engine.clock().now()).map(|_| Left::Nothing),
    },
    Chore {
        name: "hold_newest",
        every: LOOK_EVERY,
        share: 20,
        failed: "cannot hold the newest receipts in memory; questions go to the disk",
        work: |engine| engine.hold_newest().map(|()| Left::Nothing),
    },
    Chore {
        name: "refresh_health",
        every: LOOK_EVERY,
        share: 0,
        failed: "cannot tell how the system is; the next round tries again",
        work: |engine| {
            // Until all receipts are read, nobody can.
            let is_early = |error: &Error| error.kind() == Kind::Unavailable;
            engine.refresh_health().or_else(|error| if is_early(&error) { Ok(()) } else { Err(error) })?;
            Ok(Left::Nothing)
        },
    },
    Chore {
        name: "examine",
        every: EXAMINE_EVERY,
        share: 0,
        failed: "cannot keep how the system is; the next round tries again",
        work: |engine| engine.examine(engine.clock().now()).map(|()| Left::Nothing),
    },
    Chore {
        name: "recommend",
        every: EXAMINE_EVERY,
        share: 20,
        failed: "cannot record what is recommended; the next round tries again",
        work: |engine| engine.recommend(engine.clock().now()).map(|_| Left::Nothing),
    },
    Chore {
        name: "escalate_alerts",
        every: ALERTS_EVERY,
        share: 5,
        failed: "cannot escalate unanswered alerts; the next round tries again",
        work: |engine| engine.escalate_alerts(engine.clock().now()).map(|_| Left::Nothing),
    },
    Chore {
        name: "escalate_andons",
        every: ALERTS_EVERY,
        share: 5,
        failed: "cannot escalate andons that nobody resolved; the next round tries again",
        work: |engine| engine.escalate_andons(engine.clock().now()).map(|_| Left::Nothing),
    },
    Chore {
        name: "watch_series",
        every: ALERTS_EVERY,
        share: 5,
        failed: "cannot look for crossings; the next round tries again",
        work: |engine| {
            let is_more = engine.watch_series(engine.clock().now())?;
            Ok(if is_more { Left::More } else { Left::Nothing })
        },
    },
    Chore {
        name: "note_reversals",
        every: TRENDS_EVERY,
        share: 0,
        failed: "cannot record which trends turned; a later round finds them again",
        work: |engine| engine.note_reversals(engine.clock().now()).map(|_| Left::Nothing),
    },
    Chore {
        name: "keep_outcomes",
        every: OUTCOMES_EVERY,
        share: 20,
        failed: "cannot record what experiments showed; a later round tries again",
        work: |engine| engine.keep_outcomes(engine.clock().now()).map(|_| Left::Nothing),
    },
];

/// Something that naze does without being asked.
pub struct Chore {
    /// What the engine calls it.
    pub name: &'static str,
    /// It is done this often,
    pub every: Duration,
    /// or less often, so that it takes at most one part in so many of the time; 0 for one that takes little.
    pub share: u32,
    failed: &'static str,
    work: fn(&Engine) -> Result<Left>,
}

/// What a chore leaves for the next look.
enum Left {
    Nothing,
    /// It stopped at one of its bounds.
    More,
}

impl Chore {
    /// `None` when it failed, which is told.
    async fn work(&self, engine: &Arc<Engine>) -> Option<Left> {
        let (engine, work) = (Arc::clone(engine), self.work);
        match tokio::task::spawn_blocking(move || work(&engine)).await {
            Ok(Ok(left)) => return Some(left),
            Ok(Err(error)) => tracing::error!(%error, "{}", self.failed),
            Err(error) => tracing::error!(%error, chore = self.name, "a chore met a defect"),
        }
        None
    }
}

/// Does what is due, until the task is dropped.
pub async fn run(engine: Arc<Engine>) {
    let mut looks = tokio::time::interval(LOOK_EVERY);
    let mut due = vec![Instant::now(); CHORES.len()];
    loop {
        looks.tick().await;
        for (chore, due) in CHORES.iter().zip(&mut due) {
            // Is this the look that is nearest to when it is due?
            if *due > Instant::now() + LOOK_EVERY / 2 {
                continue;
            }
            let began = Instant::now();
            if !matches!(chore.work(&engine).await, Some(Left::More)) {
                *due = began + chore.every.max(began.elapsed() * chore.share);
            }
        }
    }
}
