//! The same notice again, so soon after the last one, is not told.

use chrono::TimeDelta;

use super::Export;
use super::notice::is_wanted;
use super::told::{Pick, Told};
use crate::clock::ago;
use crate::engine::Engine;
use crate::error::Result;
use crate::record::{Recorded, Window};

/// How far back the beginning of a row of notices is looked for.
const ROW_MAX: TimeDelta = TimeDelta::hours(24);
const RECEIPTS_MAX: usize = 20_000;

/// Was the same told less than the export's `cooldown` before? The end of what was not told is not told either. Nothing is
/// remembered for this: what was told follows from the ledger, also after a restart.
pub(super) fn is_cooling(engine: &Engine, told: &Told, export: &Export) -> Result<bool> {
    let Some(cooldown) = export.cooldown else { return Ok(false) };
    let is_over = |recorded: &Recorded| recorded.receipt.text("status") == Some("resolved");
    let this = if is_over(&told.recorded) { told.began.as_ref() } else { Some(&told.recorded) };
    let Some(this) = this else { return Ok(false) };
    let at = this.occurred_at();
    let window = Window { from: ago(at, ROW_MAX), to: at };
    let (earlier, _) = engine.index().of_kinds(&[this.receipt.kind()], window, RECEIPTS_MAX)?;
    let mut last = None;
    for one in earlier.into_iter().filter(|one| is_same(one, this)) {
        let one_at = one.occurred_at();
        let Some(one) = engine.chosen(Pick::Notices, one)?.filter(|one| is_wanted(one, export)) else { continue };
        if !is_over(&one.recorded) && last.is_none_or(|last| one_at.since(last) >= cooldown) {
            last = Some(one_at);
        }
    }
    Ok(last.is_some_and(|last| at.since(last) < cooldown))
}

/// The same step of the same alert. An andon has another reference each time.
fn is_same(a: &Recorded, b: &Recorded) -> bool {
    let (a, b) = (&a.receipt, &b.receipt);
    let fields = ["name", "fingerprint", "status", "colour", "level"];
    a.component() == b.component() && fields.iter().all(|field| a.text(field) == b.text(field))
}
