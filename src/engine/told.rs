//! Receipts for tools that take some of them, with the receipt that began what each ends.

use chrono::TimeDelta;

use super::Engine;
use crate::clock::ago;
use crate::error::Result;
use crate::export::told::{Pick, Told};
use crate::receipt::{Receipt, Value};
use crate::record::{Recorded, Window};

/// How far back a beginning is looked for that has a name of its own, and one that has none.
const NAMED_WITHIN: TimeDelta = TimeDelta::days(30);
const NAMELESS_WITHIN: TimeDelta = TimeDelta::hours(24);
const RECEIPTS_MAX: usize = 20_000;
/// Fields that two receipts about one thing have in common, where both have them.
const SAME: [&str; 4] = ["name", "fingerprint", "reference", "version"];

/// What lasts: the kind, the field that tells its steps, and the steps that begin and end it.
struct Lasting {
    kind: &'static str,
    field: &'static str,
    begins: &'static str,
    ends: &'static [&'static str],
}

const LASTING: [Lasting; 5] = [
    Lasting { kind: "alert", field: "status", begins: "firing", ends: &["resolved"] },
    Lasting { kind: "incident", field: "status", begins: "open", ends: &["resolved"] },
    Lasting { kind: "andon", field: "status", begins: "opened", ends: &["resolved"] },
    Lasting { kind: "circuit", field: "state", begins: "open", ends: &["closed"] },
    Lasting { kind: "deployment", field: "status", begins: "started", ends: &["succeeded", "failed", "rolled_back"] },
];

impl Engine {
    /// The receipt as a tool gets it that takes what `pick` says; `None` when it does not take this one.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn chosen(&self, pick: Pick, recorded: Recorded) -> Result<Option<Told>> {
        match pick {
            Pick::All => Ok(Some(Told::alone(recorded))),
            Pick::Ends => self.ended(recorded),
            Pick::Notices => self.notice(recorded),
        }
    }

    fn ended(&self, recorded: Recorded) -> Result<Option<Told>> {
        let receipt = &recorded.receipt;
        if receipt.kind() == "stage" {
            return Ok(receipt.first("durationSeconds").is_some().then(|| Told::alone(recorded)));
        }
        let lasting = LASTING.iter().find(|lasting| lasting.kind == receipt.kind());
        let Some(lasting) = lasting.filter(|lasting| lasting.is_end(receipt)) else { return Ok(None) };
        let began = self.beginning(&recorded, lasting, lasting.begins)?;
        Ok(Some(Told::since(began, recorded)))
    }

    fn notice(&self, recorded: Recorded) -> Result<Option<Told>> {
        let receipt = &recorded.receipt;
        let [alert, _, andon, ..] = &LASTING;
        let mut between = Vec::new();
        let began = match (receipt.kind(), receipt.text("status"), receipt.text("colour")) {
            ("alert", Some("escalated"), _) => match receipt.first("causedBy") {
                Some(Value::Receipt(firing)) => self.index.get(*firing)?,
                _ => None,
            },
            // Of an alert that was answered in time nobody was told.
            ("alert", Some("resolved"), _) => match self.beginning(&recorded, alert, "escalated")? {
                Some(escalated) => Some(escalated),
                None => return Ok(None),
            },
            ("andon", Some("opened"), _) | ("signal", _, Some("yellow" | "red")) => None,
            ("andon", Some(_), _) => {
                if andon.is_end(receipt) {
                    between.extend(self.beginning(&recorded, andon, "escalated")?);
                }
                self.beginning(&recorded, andon, andon.begins)?
            }
            ("crossing", ..) => return self.crossed(recorded),
            _ => return Ok(None),
        };
        Ok(Some(Told { between, ..Told::since(began, recorded) }))
    }

    /// The first receipt with `step` since the same thing last ended before `ended`.
    fn beginning(&self, ended: &Recorded, lasting: &Lasting, step: &str) -> Result<Option<Recorded>> {
        let at = ended.occurred_at();
        let window =
            |length| Window { from: ago(at, length), to: at.checked_add(TimeDelta::microseconds(1)).unwrap_or(at) };
        let named =
            ["fingerprint", "reference"].into_iter().find_map(|field| Some((field, ended.receipt.text(field)?)));
        let near = match named {
            Some((field, text)) => self.index.with_in(field, &Value::text(text), window(NAMED_WITHIN))?,
            None => self.index.of_kinds(&[lasting.kind], window(NAMELESS_WITHIN), RECEIPTS_MAX)?.0,
        };
        let mut began = None;
        for earlier in near.into_iter().filter(|earlier| earlier.id != ended.id && is_same(earlier, ended)) {
            if lasting.is_end(&earlier.receipt) {
                began = None;
            } else if earlier.receipt.text(lasting.field) == Some(step) {
                began.get_or_insert(earlier);
            }
        }
        Ok(began)
    }
}

impl Lasting {
    fn is_end(&self, receipt: &Receipt) -> bool {
        receipt.text(self.field).is_some_and(|step| self.ends.contains(&step))
    }
}

/// Are they about one thing, as far as both name it?
pub(super) fn is_same(a: &Recorded, b: &Recorded) -> bool {
    let (a, b) = (&a.receipt, &b.receipt);
    let agree = |field: &&str| a.text(field).is_none() || b.text(field).is_none() || a.text(field) == b.text(field);
    a.kind() == b.kind() && a.component() == b.component() && SAME.iter().all(agree)
}
