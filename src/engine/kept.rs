//! Answers that cost too much to be worked out for everyone who asks: one is kept and told again for a while.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Result;

/// An answer is kept so many times as long as it took to make, at least: then making it anew never takes more than this
/// part of the time.
const COST_SHARE: u32 = 20;
/// What took less is made anew as soon as its share of the time allows.
const CHEAP: Duration = Duration::from_millis(25);

/// An answer with its age.
pub(super) struct Kept<T> {
    told: Mutex<Option<Told<T>>>,
    /// Held while an answer is made, so that those who ask meanwhile wait for the same one.
    making: Mutex<()>,
}

struct Told<T> {
    answer: Arc<T>,
    made: Instant,
    cost: Duration,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { told: Mutex::default(), making: Mutex::default() }
    }
}

impl<T> Kept<T> {
    /// The answer that is kept, or a new one when that is older than `age_max`, or was cheap; with an `age_max` of zero
    /// always a new one.
    pub(super) fn get(&self, age_max: Duration, make: impl FnOnce() -> Result<T>) -> Result<Arc<T>> {
        if let Some(answer) = self.young(age_max) {
            return Ok(answer);
        }
        let _making = lock(&self.making);
        if let Some(answer) = self.young(age_max) {
            return Ok(answer);
        }
        let started = Instant::now();
        let answer = Arc::new(make()?);
        let (made, cost) = (Instant::now(), started.elapsed());
        *lock(&self.told) = Some(Told { answer: Arc::clone(&answer), made, cost });
        Ok(answer)
    }

    /// The next who asks gets a new answer: what the one that is kept, or is being made, rests on has changed.
    pub(super) fn forget(&self) {
        let _making = lock(&self.making);
        *lock(&self.told) = None;
    }

    fn young(&self, age_max: Duration) -> Option<Arc<T>> {
        let told = lock(&self.told);
        let told = told.as_ref().filter(|_| !age_max.is_zero())?;
        let share = told.cost * COST_SHARE;
        let life = if told.cost < CHEAP { share.min(age_max) } else { share.max(age_max) };
        (told.made.elapsed() < life).then(|| Arc::clone(&told.answer))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
