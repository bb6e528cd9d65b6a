//! Receipts on their way to tools that take some of them.

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
}

impl Told {
    /// A receipt by itself.
    pub fn alone(recorded: Recorded) -> Self {
        Self { recorded, began: None }
    }
}
