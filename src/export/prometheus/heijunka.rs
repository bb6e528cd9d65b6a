//! Heijunka: bursts of load, and the scaling that answers them.

use serde::{Deserialize, Serialize};

use super::Event;
use super::page::Page;
use super::totals::{OTHER, Totals};

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Heijunka {
    scalings: Totals,
    bursts: Totals,
    cost: Totals,
}

impl Heijunka {
    pub(super) fn begin(&mut self) {
        self.know(OTHER);
    }

    fn know(&mut self, pool: &str) {
        self.scalings.begin(&[pool, "up"]);
        self.scalings.begin(&[pool, "down"]);
        self.bursts.begin(&[pool]);
        self.cost.begin(&[pool]);
    }

    pub(super) fn count(&mut self, event: &Event<'_>) {
        let pool = event.receipt.text("pool").unwrap_or(OTHER);
        match event.receipt.kind() {
            "scaling" if event.is_new => {
                self.know(pool);
                self.scalings.add(&[pool, event.receipt.text("direction").unwrap_or(OTHER)], 1.0);
                self.cost.add(&[pool], event.receipt.number("cost").unwrap_or_default().max(0.0));
            }
            "burst" if event.is_new => {
                self.know(pool);
                self.bursts.add(&[pool], 1.0);
            }
            _ => {}
        }
    }

    pub(super) fn tell(&self, page: &mut Page) {
        self.scalings.tell(page, "tps_heijunka_scaling_events_total");
        self.bursts.tell(page, "tps_heijunka_burst_detected_total");
        self.cost.tell(page, "tps_heijunka_scaling_cost_total");
    }
}
