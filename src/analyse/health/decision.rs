//! What to do first.

use serde::Serialize;

use super::{Colour, Principle, Readings, Status};

/// The first principle in trouble, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The principle; nothing when none is in trouble.
    pub principle: Option<Principle>,
    /// What is the matter.
    pub finding: &'static str,
    /// What to do.
    pub action: &'static str,
    /// Principles without a reading, about which nothing is said.
    pub unseen: Vec<Principle>,
}

/// Balance below which pools are imbalanced even though none is full.
const BALANCE_MIN: f64 = 0.70;
/// Mean duration above which a component is slow even though requests are not.
const COMPONENT_SECONDS_MAX: f64 = 3.0;

/// Walks the principles in order; the first that is yellow or red decides.
pub(super) fn decide(statuses: &[Status], readings: &Readings) -> Decision {
    let unseen: Vec<Principle> =
        statuses.iter().filter(|status| status.colour == Colour::Grey).map(|status| status.principle).collect();
    let in_trouble = |status: &&Status| {
        matches!(status.colour, Colour::Yellow | Colour::Red)
            || match status.principle {
                Principle::Heijunka => readings.balance.is_some_and(|balance| balance < BALANCE_MIN),
                Principle::Tracing => readings.slowest_component_seconds.is_some_and(|s| s > COMPONENT_SECONDS_MAX),
                _ => false,
            }
    };
    let principle = statuses.iter().find(in_trouble).map(|status| status.principle);
    let (finding, action) = match principle {
        Some(Principle::Jidoka) => ("a component is failing", "fix the component, then resume"),
        Some(Principle::Kanban) => ("queues are backed up", "add workers"),
        Some(Principle::Andon) => ("errors are high", "fix the cause of the errors"),
        Some(Principle::Kaizen) => ("a service level objective is missed", "optimise the bottleneck"),
        Some(Principle::Heijunka) => ("load is imbalanced", "rebalance the pools"),
        Some(Principle::Tracing) => ("a component is slow", "profile and optimise it"),
        None if unseen.len() == statuses.len() => ("unknown", Colour::Grey.action()),
        None => ("healthy", Colour::Green.action()),
    };
    Decision { principle, finding, action, unseen }
}
