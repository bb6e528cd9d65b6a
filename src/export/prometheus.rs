//! `tps_*` at `/metrics`: what receipts and series tell of the system under observation.
//!
//! Everything that receipts tell is a fold over the ledger: a scrape reads the entries it has not seen, and a file in the
//! data directory remembers how far it came, so that totals neither begin anew with the process nor count anything twice.

mod andon;
mod bounded;
mod concluded;
mod episodes;
mod heijunka;
mod jidoka;
mod kaizen;
mod lives;
mod metric;
mod observed;
mod own;
mod page;
mod production;
mod quality;
mod recent;
mod score;
mod sent;
mod series;
mod spread;
mod state;
mod table;
pub mod text;
mod totals;
mod upkeep;
mod view;
mod work;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use prometheus::proto::MetricFamily;

pub use self::bounded::Bounded;
pub use self::concluded::{Concluded, Heading, Promise};
pub use self::observed::Observation;
pub use self::table::{METRICS, Metric, Type, named};
pub use self::totals::OTHER;
pub use self::view::{Standing, View};

use self::page::Page;
use self::recent::{Minutes, Sum};
use self::series::Lately;
use self::state::State;
use crate::analyse::health::{Readings, health};
use crate::clock::Timestamp;
use crate::error::{Context as _, Error, Result};
use crate::measure::crossing::Palette;
use crate::measure::definition::Definition;
use crate::measure::store::SeriesStore;
use crate::receipt::Receipt;
use crate::record::Recorded;
use crate::record::ledger::Ledger;

/// Entries read from the ledger at a time.
const ENTRIES: usize = 5_000;
/// Longest time that a scrape reads the ledger, and as long series from their beginning; the next one goes on.
const READING_MAX: Duration = Duration::from_secs(3);
/// The state is saved when it is so many entries ahead of the file, and at the end.
const SAVE_ENTRIES: u64 = 10_000;

/// Makes the metrics of one data directory.
pub struct Exporter {
    ledger: Ledger,
    series: SeriesStore,
    file: Option<PathBuf>,
    cache: Duration,
    target_throughput_per_minute: f64,
    desk: Mutex<Desk>,
    refused: Mutex<Refused>,
}

/// Receipts that were refused.
#[derive(Default)]
struct Refused {
    /// By kind, those that the state does not have yet.
    by_kind: BTreeMap<String, u64>,
    /// Those of the last day, since the start of the process.
    lately: Minutes,
}

#[derive(Default)]
struct Desk {
    state: Option<State>,
    saved: u64,
    /// What was told last, and when.
    told: Option<(Instant, Vec<MetricFamily>)>,
    /// What it had no room for.
    bounded: Bounded,
}

/// A receipt as it is counted.
struct Event<'a> {
    receipt: &'a Receipt,
    component: &'a str,
    at: Timestamp,
    told_at: Timestamp,
    /// Its place in the ledger.
    position: u64,
    /// Is it a fact of its own? A receipt that supersedes another tells the same fact again.
    is_new: bool,
}

impl<'a> Event<'a> {
    fn of(recorded: &'a Recorded) -> Self {
        let receipt = &recorded.receipt;
        Self {
            receipt,
            component: receipt.component().unwrap_or(totals::OTHER),
            at: recorded.occurred_at(),
            told_at: recorded.recorded_at,
            position: recorded.position,
            is_new: receipt.first("supersedes").is_none(),
        }
    }
}

impl Exporter {
    /// An exporter that has read nothing yet. `file` is where it remembers how far it came.
    pub fn new(
        ledger: Ledger,
        series: SeriesStore,
        file: Option<PathBuf>,
        cache: Duration,
        target_throughput_per_minute: f64,
    ) -> Self {
        let (desk, refused) = (Mutex::default(), Mutex::default());
        Self { ledger, series, file, cache, target_throughput_per_minute, desk, refused }
    }

    /// A receipt of `kind` was refused at `now`.
    pub fn refused(&self, kind: &str, now: Timestamp) {
        let mut refused = lock(&self.refused);
        *refused.by_kind.entry(kind.to_owned()).or_default() += 1;
        refused.lately.add(now, now, Sum::one(1.0));
    }

    /// All metrics as of `now`, with what else was `concluded`; none while it still reads what was recorded before it began.
    ///
    /// # Errors
    /// `Internal` when ledger or series cannot be read; those of `concluded`.
    pub fn families(
        &self,
        now: Timestamp,
        kinds: &[&str],
        concluded: impl FnOnce() -> Result<Concluded>,
    ) -> Result<Vec<MetricFamily>> {
        let mut desk = lock(&self.desk);
        if let Some((at, families)) = desk.told.as_ref().filter(|(at, _)| at.elapsed() < self.cache) {
            tracing::trace!(age = ?at.elapsed(), "metrics told again");
            return Ok(families.clone());
        }
        let Some(view) = self.view_from(&mut desk, now, kinds, &concluded()?)? else { return Ok(Vec::new()) };
        let families = view.page.families();
        desk.told = Some((Instant::now(), families.clone()));
        Ok(families)
    }

    /// What series tell of metrics of a user's own.
    ///
    /// # Errors
    /// `Internal` when series cannot be read.
    pub fn own<'a>(
        &self,
        definitions: impl Iterator<Item = &'a Definition>,
        now: Timestamp,
    ) -> Result<Vec<MetricFamily>> {
        own::families(definitions, &self.series, now)
    }

    /// What is known as of `now`, never told again; `None` while it still reads what was recorded before it began.
    ///
    /// # Errors
    /// As [`Exporter::families`].
    pub fn view(&self, now: Timestamp, kinds: &[&str], concluded: &Concluded) -> Result<Option<View>> {
        self.view_from(&mut lock(&self.desk), now, kinds, concluded)
    }

    /// What the last look had no room for.
    pub fn bounded(&self) -> Bounded {
        lock(&self.desk).bounded.clone()
    }

    /// Durations that receipts from `position` on told, the first of them; only as far as the last view reached.
    pub fn observed(&self, position: u64) -> Vec<Observation> {
        let desk = lock(&self.desk);
        desk.state.as_ref().map(|state| state.observed().since(position)).unwrap_or_default()
    }

    /// Forgets the durations that receipts before `position` told: they are kept elsewhere.
    pub fn forget_observed(&self, position: u64) {
        if let Some(state) = lock(&self.desk).state.as_mut() {
            state.forget_observed(position);
        }
    }

    fn view_from(
        &self,
        desk: &mut Desk,
        now: Timestamp,
        kinds: &[&str],
        concluded: &Concluded,
    ) -> Result<Option<View>> {
        if !self.catch_up(desk, kinds)? {
            return Ok(None);
        }
        let state = desk.state.as_ref().expect("catching up makes a state");
        let mut page = Page::default();
        state.tell(&mut page, now);
        let Some(lately) = series::tell(&self.series, &mut page, now)? else { return Ok(None) };
        lately.components.iter().for_each(|component| state::begin_on(&mut page, component));
        let failures = state.failures(now);
        let of = |component: &str| failures.get(component).copied().unwrap_or_default();
        for (component, answered) in lately.answered() {
            let failed = lately.failures(component, of(component));
            page.gauge("tps_andon_error_rate", &[component], (failed / answered).min(1.0));
        }
        for (component, attempts) in lately.attempts() {
            let failed = lately.failed_attempts(component, of(component));
            page.gauge("tps_jidoka_success_rate", &[component], 1.0 - (failed / attempts).min(1.0));
        }
        let readings = self.readings(&page, state, &lately, now)?;
        let health = health(&readings, self.target_throughput_per_minute, Palette::shipped())?;
        score::tell(&mut page, &health);
        concluded.tell(&mut page);
        let view = View {
            readings,
            standings: state.standings(now),
            violations: state.violations(),
            refused_last_hour: lock(&self.refused).lately.last(3_600, now).count,
            kinds: lately.kinds,
            page,
        };
        let bounded = Bounded { folded: view.page.folded().clone(), left_out: lately.left_out };
        bounded.say(&desk.bounded);
        desk.bounded = bounded;
        Ok(Some(view))
    }

    /// What the page makes of the principles. A count of nothing is a reading only when such things reach naze at all;
    /// fresh series stand in for receipts that nobody sends.
    fn readings(&self, page: &Page, state: &State, lately: &Lately, now: Timestamp) -> Result<Readings> {
        let mut readings = Readings::of(|metric| {
            if metric == series::DURATION {
                return Ok::<_, Error>(lately.request_p99_seconds.into_iter().collect());
            }
            let told: Vec<f64> = page.values(metric).collect();
            if !told.is_empty() && table::metric(metric).tellers().any(|kind| state.has_told(kind)) {
                return Ok(told);
            }
            let stand_in = series::stand_in(&self.series, metric, now)?;
            Ok(if stand_in.is_empty() { told } else { stand_in })
        })?;
        let is_failing_told = state.has_told("failure") || state.has_told("circuit");
        readings.failures_per_minute = readings.failures_per_minute.filter(|rate| *rate > 0.0 || is_failing_told);
        let is_failing_known =
            is_failing_told || !lately.failed.is_empty() || page.has_measured("tps_andon_error_rate");
        readings.error_ratio = readings.error_ratio.filter(|share| *share > 0.0 || is_failing_known);
        readings.alerts_per_minute = readings.alerts_per_minute.filter(|rate| *rate > 0.0 || state.has_told("alert"));
        Ok(readings)
    }

    /// Reads what the ledger has in addition; returns whether that is all.
    fn catch_up(&self, desk: &mut Desk, kinds: &[&str]) -> Result<bool> {
        let started = Instant::now();
        if desk.state.is_none() {
            let state = self.restored(kinds)?;
            desk.saved = state.position();
            desk.state = Some(state);
        }
        let state = desk.state.as_mut().expect("it was put there just now");
        state.refused(std::mem::take(&mut lock(&self.refused).by_kind));
        let is_done = loop {
            let entries = self.ledger.read(state.position().., ENTRIES)?;
            entries.iter().for_each(|recorded| state.count(recorded));
            if entries.len() < ENTRIES {
                break true;
            }
            if started.elapsed() > READING_MAX {
                tracing::info!(read = state.position(), "metrics are read from the ledger");
                break false;
            }
        };
        if state.position() >= desk.saved + SAVE_ENTRIES {
            desk.saved = state.position();
            self.save(state)?;
        }
        Ok(is_done)
    }

    fn restored(&self, kinds: &[&str]) -> Result<State> {
        let bytes = self.file.as_ref().and_then(|file| std::fs::read(file).ok());
        let saved = bytes.and_then(|bytes| State::from_bytes(&bytes));
        let mut state = match saved {
            Some(saved) if self.is_of_this_ledger(&saved)? => saved,
            _ => State::default(),
        };
        state.begin(kinds);
        Ok(state)
    }

    /// Is the entry it read last still where it was?
    fn is_of_this_ledger(&self, saved: &State) -> Result<bool> {
        let Some(last) = saved.position().checked_sub(1) else { return Ok(true) };
        let entry = self.ledger.read(last.., 1)?.into_iter().next();
        Ok(entry.is_some_and(|recorded| saved.is_last(&recorded)))
    }

    fn save(&self, state: &State) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let failed = "cannot save how far the metrics came";
        let draft = file.with_extension("tmp");
        std::fs::write(&draft, state.to_bytes()?).internal(failed)?;
        std::fs::rename(&draft, file).internal(failed)
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let mut desk = lock(&self.desk);
        let refused = std::mem::take(&mut lock(&self.refused).by_kind);
        let Some(state) = desk.state.as_mut() else { return };
        state.refused(refused);
        if let Err(error) = self.save(state) {
            tracing::warn!(%error, "the next scrape reads more of the ledger");
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
