//! Jidoka: circuits, failures, refused requests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Event;
use super::page::Page;
use super::recent::{Minutes, Seconds, Sum};
use super::totals::{ByName, OTHER, Totals};
use super::view::Standing;
use crate::analyse::health::Circuit as Circuits;
use crate::clock::Timestamp;

/// Longest time that is "now": failures are told per minute.
const RATE_SECONDS: i64 = 60;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Jidoka {
    circuits: ByName<Circuit>,
    opens: Totals,
    failures: Totals,
    types: Totals,
    rejected: Totals,
    /// Failures, and how many of them no trace tells of.
    recent: ByName<Seconds>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Circuit {
    /// The state entered last, and when.
    state: Option<(Timestamp, State)>,
    opened_at: Option<Timestamp>,
    recoveries: Minutes,
    probes: Minutes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    Closed,
    Open,
    HalfOpen,
}

impl State {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "closed" => Self::Closed,
            "open" => Self::Open,
            "half_open" => Self::HalfOpen,
            _ => return None,
        })
    }

    fn code(self) -> f64 {
        match self {
            Self::Closed => 0.0,
            Self::Open => 1.0,
            Self::HalfOpen => 2.0,
        }
    }
}

impl Jidoka {
    pub(super) fn begin(&mut self) {
        for totals in [&mut self.types, &mut self.opens, &mut self.failures, &mut self.rejected] {
            totals.begin(&[OTHER]);
        }
    }

    pub(super) fn know(&mut self, component: &str) {
        for totals in [&mut self.opens, &mut self.failures, &mut self.rejected] {
            totals.begin(&[component]);
        }
        self.recent.at(component);
    }

    pub(super) fn count(&mut self, event: &Event<'_>) {
        let number = event.receipt.number("count").unwrap_or(1.0);
        match event.receipt.kind() {
            "circuit" => self.turned(event),
            "failure" if event.is_new => {
                self.failures.add(&[event.component], number);
                self.types.add(&[event.receipt.text("failureType").unwrap_or(OTHER)], number);
                // Of a request that is traced its own span tells how it ended.
                let untraced = if event.receipt.first("traceId").is_none() { number } else { 0.0 };
                let sum = Sum { value: untraced, count: number };
                self.recent.at(event.component).add(event.at, event.told_at, sum);
            }
            "rejection" if event.is_new => self.rejected.add(&[event.component], number),
            _ => {}
        }
    }

    fn turned(&mut self, event: &Event<'_>) {
        let Some(state) = event.receipt.text("state").and_then(State::named) else { return };
        if state == State::Open && event.is_new {
            self.opens.add(&[event.component], 1.0);
        }
        let circuit = self.circuits.at(event.component);
        let before = circuit.state;
        if before.is_some_and(|(at, _)| at > event.at) {
            return;
        }
        circuit.state = Some((event.at, state));
        if before.is_some_and(|(_, state)| state == State::HalfOpen) && state != State::HalfOpen {
            circuit.probes.add(event.at, event.told_at, Sum::outcome(state == State::Closed));
        }
        match state {
            State::Open => drop(circuit.opened_at.get_or_insert(event.at)),
            State::HalfOpen => {}
            State::Closed => {
                let opened_at = circuit.opened_at.take();
                let told = event.receipt.number("recoverySeconds");
                let taken = told.or_else(|| opened_at.map(|opened| event.at.seconds() - opened.seconds()));
                if let Some(seconds) = taken {
                    circuit.recoveries.add(event.at, event.told_at, Sum::one(seconds));
                }
            }
        }
    }

    pub(super) fn tell(&self, page: &mut Page, now: Timestamp) {
        self.opens.tell(page, "tps_jidoka_circuit_opens_total");
        self.failures.tell(page, "tps_jidoka_failures_total");
        self.types.tell(page, "tps_jidoka_failure_types_total");
        self.rejected.tell(page, "tps_jidoka_requests_rejected_total");
        let (mut circuits, mut open) = (0.0, 0.0);
        for (component, circuit) in self.circuits.iter() {
            if let Some((_, state)) = circuit.state {
                circuits += 1.0;
                open += f64::from(u8::from(state == State::Open));
                page.gauge("tps_jidoka_circuit_state", &[component], state.code());
            }
            page.gauge_if("tps_jidoka_recovery_time_seconds", &[component], circuit.recoveries.all(now).mean());
            page.gauge_if("tps_jidoka_halfopen_success_rate", &[component], circuit.probes.all(now).mean());
        }
        if circuits > 0.0 {
            page.gauge("tps_jidoka_circuit_open_ratio", &[], open / circuits);
        }
        for (component, recent) in self.recent.iter() {
            page.add("tps_jidoka_failure_rate", &[component], recent.last(RATE_SECONDS, now).count);
        }
    }

    /// Circuits and failures of each component.
    pub(super) fn stand(&self, standings: &mut BTreeMap<String, Standing>, now: Timestamp) {
        for (component, recent) in self.recent.iter() {
            let standing = standings.entry(component.to_owned()).or_default();
            standing.failures_per_minute = recent.last(RATE_SECONDS, now).count;
        }
        for (component, circuit) in self.circuits.iter() {
            let state = circuit.state.map(|(_, state)| match state {
                State::Closed => (Circuits::Closed, None),
                State::Open => (Circuits::Open, circuit.opened_at),
                State::HalfOpen => (Circuits::HalfOpen, circuit.opened_at),
            });
            standings.entry(component.to_owned()).or_default().circuit = state;
        }
    }

    /// Failures of each component in the last five minutes; their value is how many of them no trace tells of.
    pub(super) fn recent(&self, now: Timestamp) -> BTreeMap<&str, Sum> {
        self.recent.iter().map(|(component, recent)| (component, recent.all(now))).collect()
    }
}
