//! What to do first.

use serde::Serialize;

use super::{Colour, Principle, Readings, Status};
use crate::measure::crossing::Palette;

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

/// Walks the principles in order; the first that is yellow or red decides.
pub(super) fn decide(statuses: &[Status], readings: &Readings, palette: &Palette) -> Decision {
    let unseen: Vec<Principle> =
        statuses.iter().filter(|status| status.colour == Colour::Grey).map(|status| status.principle).collect();
    let is_bad = |colour: Colour| !matches!(colour, Colour::Green | Colour::Grey);
    let in_trouble = |status: &&Status| {
        is_bad(status.colour)
            || match status.principle {
                // Pools may be imbalanced even though none is full, and a component slow even though requests are not.
                Principle::Heijunka => {
                    Colour::of(readings.balance, "tps_heijunka_balance_coefficient", palette) == Colour::Red
                }
                Principle::Tracing => {
                    let slowest = readings.slowest_component_seconds;
                    is_bad(Colour::of(slowest, "tps_tracing_component_latency_seconds", palette))
                }
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
