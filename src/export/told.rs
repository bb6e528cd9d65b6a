//! Receipts on their way to tools that take some of them.

use chrono::TimeDelta;

use crate::record::Recorded;

/// Which receipts a tool takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// All.
    All,
    /// Those that end something.
    Ends,
    /// Those that somebody should hear of now.
    Notices,
}

/// A receipt, and the one that began what it ends or takes further.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// The receipt.
    pub recorded: Recorded,
    /// What it follows, if that is known and asked for.
    pub began: Option<Recorded>,
    /// Steps between the two: it became worse.
    pub between: Vec<Recorded>,
    /// What to do, where naze knows.
    pub action: Option<String>,
    /// The same is not told again within this time, whatever the tool says.
    pub cooldown: TimeDelta,
}

impl Told {
    /// A receipt by itself.
    pub fn alone(recorded: Recorded) -> Self {
        Self::since(None, recorded)
    }

    /// A receipt with what began it.
    pub fn since(began: Option<Recorded>, recorded: Recorded) -> Self {
        Self { recorded, began, between: Vec::new(), action: None, cooldown: TimeDelta::zero() }
    }
}
