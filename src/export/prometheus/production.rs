//! Production: work orders from their creation until they are done, stages, deployments.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::Event;
use super::observed::Observed;
use super::page::Page;
use super::recent::{Minutes, Seconds, Sum};
use super::table;
use super::totals::{ByName, Histogram, Labelled, OTHER, Totals};
use crate::clock::Timestamp;
use crate::receipt::Value;

const BUCKETS: [&str; 4] = ["reliability", "security", "cost", "compliance"];
const RATE_SECONDS: i64 = 60;
/// Work orders remembered; finished ones make room first.
const ORDERS_MAX: usize = 10_000;
/// Lead times that percentiles rest on.
const LEADS_MAX: usize = 1_000;

const LEAD: &str = "tps_production_lead_time_seconds";
const PULL: &str = "tps_kanban_pull_signal_latency_seconds";
const STAGE: &str = "tps_production_stage_duration_seconds";

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Production {
    orders: BTreeMap<String, Order>,
    pull: Labelled<Histogram>,
    lead: Labelled<Histogram>,
    leads: ByName<VecDeque<f64>>,
    done: ByName<Seconds>,
    completed: Totals,
    stages: Labelled<Histogram>,
    cycles: ByName<Minutes>,
    deployments: Minutes,
    /// Durations that nobody has kept yet.
    observed: Observed,
    /// The latest of each component: when, and of which version.
    deployed: ByName<Option<(Timestamp, String)>>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Order {
    bucket: String,
    stage: Option<String>,
    created_at: Option<Timestamp>,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
}

impl Order {
    fn bucket(&self) -> &str {
        if self.bucket.is_empty() { OTHER } else { &self.bucket }
    }
}

impl Production {
    pub(super) fn begin(&mut self) {
        for bucket in BUCKETS {
            self.pull.at(&[bucket]);
            self.lead.at(&[bucket]);
            self.completed.begin(&[bucket, OTHER]);
            self.done.at(bucket);
        }
        self.stages.at(&[OTHER]);
    }

    pub(super) fn count(&mut self, event: &Event<'_>) {
        match event.receipt.kind() {
            "workorder" => self.order(event),
            "stage" if event.is_new => self.stage(event),
            "deployment" if event.is_new => {
                if let Some(status) = event.receipt.text("status").filter(|status| *status != "started") {
                    self.deployments.add(event.at, event.told_at, Sum::outcome(status == "succeeded"));
                }
                let version = event.receipt.text("version").unwrap_or(OTHER).to_owned();
                let latest = self.deployed.at(event.component);
                *latest = latest.take().max(Some((event.at, version)));
            }
            _ => {}
        }
    }

    fn order(&mut self, event: &Event<'_>) {
        let Some(reference) = event.receipt.text("reference") else { return };
        self.make_room(reference);
        let order = self.orders.entry(reference.to_owned()).or_default();
        if let Some(bucket) = event.receipt.text("bucket") {
            bucket.clone_into(&mut order.bucket);
        }
        let bucket = &order.bucket().to_owned();
        let bounds = |metric: &str| table::metric(metric).bounds();
        match event.receipt.text("status") {
            Some("created") => order.created_at = Some(event.at),
            Some("started") => {
                let is_first = order.started_at.replace(event.at).is_none();
                if let Some(created_at) = order.created_at.filter(|created| is_first && *created <= event.at) {
                    let seconds = event.at.seconds() - created_at.seconds();
                    self.pull.at(&[bucket]).observe(bounds(PULL), seconds);
                    self.observed.add(event.position, PULL, bucket, event.at, seconds);
                }
            }
            Some("done") if order.ended_at.is_none() => {
                order.ended_at = Some(event.at);
                self.completed.add(&[bucket, order.stage.as_deref().unwrap_or(OTHER)], 1.0);
                self.done.at(bucket).add(event.at, event.told_at, Sum::one(1.0));
                let begun_at = order.created_at.or(order.started_at).filter(|begun| *begun <= event.at);
                if let Some(begun_at) = begun_at {
                    let seconds = event.at.seconds() - begun_at.seconds();
                    self.lead.at(&[bucket]).observe(bounds(LEAD), seconds);
                    self.observed.add(event.position, LEAD, bucket, event.at, seconds);
                    let leads = self.leads.at(bucket);
                    leads.push_back(seconds);
                    leads.drain(..leads.len().saturating_sub(LEADS_MAX));
                }
            }
            Some("cancelled") => order.ended_at = Some(event.at),
            _ => {}
        }
    }

    fn make_room(&mut self, reference: &str) {
        if self.orders.len() < ORDERS_MAX || self.orders.contains_key(reference) {
            return;
        }
        let age = |order: &Order| (order.ended_at.is_none(), order.created_at.or(order.started_at));
        let oldest = self.orders.iter().min_by_key(|(_, order)| age(order)).map(|(reference, _)| reference.clone());
        if let Some(oldest) = oldest {
            self.orders.remove(&oldest);
        }
    }

    fn stage(&mut self, event: &Event<'_>) {
        let stage = event.receipt.text("stageName").unwrap_or(OTHER);
        if let Some(seconds) = event.receipt.first("durationSeconds").and_then(Value::as_number) {
            self.stages.at(&[stage]).observe(table::metric(STAGE).bounds(), seconds);
            self.observed.add(event.position, STAGE, stage, event.at, seconds);
            self.cycles.at(stage).add(event.at, event.told_at, Sum::one(seconds));
        }
        if let Some(order) = event.receipt.text("reference").and_then(|order| self.orders.get_mut(order)) {
            order.stage = Some(stage.to_owned());
        }
    }

    pub(super) fn observed(&self) -> &Observed {
        &self.observed
    }

    pub(super) fn forget_observed(&mut self, position: u64) {
        self.observed.forget(position);
    }

    pub(super) fn tell(&self, page: &mut Page, now: Timestamp) {
        for (component, latest) in self.deployed.iter() {
            if let Some((at, version)) = latest {
                page.gauge("tps_production_deployment_timestamp_seconds", &[component, version], at.seconds());
            }
        }
        for (metric, told) in [(PULL, &self.pull), (LEAD, &self.lead), (STAGE, &self.stages)] {
            told.iter().for_each(|(labels, told)| page.histogram(metric, &labels, told));
        }
        self.completed.tell(page, "tps_production_work_orders_completed_total");
        let mut in_progress: BTreeMap<&str, f64> = BUCKETS.into_iter().map(|bucket| (bucket, 0.0)).collect();
        for order in self.orders.values().filter(|order| order.started_at.is_some() && order.ended_at.is_none()) {
            *in_progress.entry(order.bucket()).or_default() += 1.0;
        }
        for (bucket, orders) in in_progress {
            page.add("tps_kanban_wip_current", &[bucket], orders);
        }
        for (bucket, done) in self.done.iter() {
            page.add("tps_production_throughput_per_minute", &[bucket], done.last(RATE_SECONDS, now).count);
        }
        for (bucket, leads) in self.leads.iter() {
            let mut leads: Vec<f64> = leads.iter().copied().collect();
            leads.sort_by(f64::total_cmp);
            for (metric, percent) in [
                ("tps_production_lead_time_p50_seconds", 50),
                ("tps_production_lead_time_p90_seconds", 90),
                ("tps_production_lead_time_p99_seconds", 99),
            ] {
                let rank = (leads.len() * percent).div_ceil(100);
                page.gauge_if(metric, &[bucket], rank.checked_sub(1).map(|place| leads[place]));
            }
        }
        for (stage, cycles) in self.cycles.iter() {
            page.gauge_if("tps_production_cycle_time_seconds", &[stage], cycles.all(now).mean());
        }
        page.gauge_if("tps_production_deployment_success_ratio", &[], self.deployments.all(now).mean());
    }
}
