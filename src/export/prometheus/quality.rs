//! Quality: products at their gates.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Event;
use super::page::Page;
use super::recent::{Minutes, Sum};
use crate::clock::Timestamp;
use crate::receipt::Value;

/// Products remembered, the latest ones.
const PRODUCTS_MAX: usize = 10_000;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Quality {
    tries: Minutes,
    first_tries: Minutes,
    /// Defective products of all.
    products: Minutes,
    known: BTreeMap<String, Product>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Product {
    first_at: Timestamp,
    is_defective: bool,
    gates: Vec<String>,
}

impl Quality {
    pub(super) fn count(&mut self, event: &Event<'_>) {
        if event.receipt.kind() != "gate" || !event.is_new {
            return;
        }
        let passed = event.receipt.first("pass") == Some(&Value::Boolean(true));
        let add = |recent: &mut Minutes, sum| recent.add(event.at, event.told_at, sum);
        add(&mut self.tries, Sum::outcome(passed));
        let Some(sku) = event.receipt.text("sku") else {
            // Nothing tells it from other products.
            add(&mut self.first_tries, Sum::outcome(passed));
            add(&mut self.products, Sum::outcome(!passed));
            return;
        };
        self.make_room(sku);
        let product = self.known.entry(sku.to_owned()).or_insert_with(|| {
            add(&mut self.products, Sum::outcome(false));
            Product { first_at: event.at, is_defective: false, gates: Vec::new() }
        });
        if !passed && !product.is_defective {
            product.is_defective = true;
            self.products.add(product.first_at, event.told_at, Sum { value: 1.0, count: 0.0 });
        }
        let gate = event.receipt.text("gateName").unwrap_or_default();
        if !product.gates.iter().any(|known| known == gate) {
            product.gates.push(gate.to_owned());
            add(&mut self.first_tries, Sum::outcome(passed));
        }
    }

    fn make_room(&mut self, sku: &str) {
        if self.known.len() < PRODUCTS_MAX || self.known.contains_key(sku) {
            return;
        }
        let oldest = self.known.iter().min_by_key(|(_, product)| product.first_at).map(|(sku, _)| sku.clone());
        if let Some(oldest) = oldest {
            self.known.remove(&oldest);
        }
    }

    pub(super) fn tell(&self, page: &mut Page, now: Timestamp) {
        page.gauge_if("tps_quality_gate_pass_rate", &[], self.tries.all(now).mean());
        page.gauge_if("tps_quality_first_pass_yield", &[], self.first_tries.all(now).mean());
        page.gauge_if("tps_quality_defect_rate", &[], self.products.all(now).mean());
    }
}
