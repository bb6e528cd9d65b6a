//! Kaizen: goals kept, what was recommended and improved.

use std::collections::BTreeMap;

use chrono::{Datelike as _, TimeDelta};
use serde::{Deserialize, Serialize};

use super::Event;
use super::episodes::Episodes;
use super::page::Page;
use super::recent::{Minutes, Sum};
use super::totals::{ByName, OTHER, Totals};
use crate::analyse::kaizen::is_made;
use crate::clock::Timestamp;
use crate::receipt::Value;

/// Weeks of which attainment is kept.
const WEEKS_MAX: usize = 3;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Kaizen {
    slos: ByName<Goal>,
    recommendations: Totals,
    improvements: Totals,
    /// Improvements that are counted.
    made: Episodes<()>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Goal {
    recent: Minutes,
    /// By ISO year and week.
    weeks: BTreeMap<(i32, u32), Sum>,
}

impl Kaizen {
    pub(super) fn begin(&mut self) {
        self.recommendations.begin(&[OTHER]);
        self.improvements.begin(&[]);
    }

    pub(super) fn count(&mut self, event: &Event<'_>) {
        if event.receipt.kind() == "improvement" {
            self.improved(event);
        }
        if !event.is_new {
            return;
        }
        let text = |field: &str| event.receipt.text(field).unwrap_or(OTHER);
        match event.receipt.kind() {
            "slo" => self.evaluated(event),
            "recommendation" => self.recommendations.add(&[text("recommendationType")], 1.0),
            _ => {}
        }
    }

    /// Receipts of one reference are one improvement, and a correction of one without is nothing new.
    fn improved(&mut self, event: &Event<'_>) {
        if !is_made(event.receipt.text("status")) {
            return;
        }
        let is_new = match event.receipt.text("reference") {
            None => event.is_new,
            Some(reference) => {
                let is_new = self.made.is_new(reference);
                self.made.close(reference, event.at);
                is_new
            }
        };
        if is_new {
            self.improvements.add(&[], 1.0);
        }
    }

    fn evaluated(&mut self, event: &Event<'_>) {
        let events = event.receipt.number("good").zip(event.receipt.number("total"));
        let met = event.receipt.first("met").map(|met| Sum::outcome(*met == Value::Boolean(true)));
        let Some(sum) = events.map(|(value, count)| Sum { value, count }).or(met) else { return };
        let goal = self.slos.at(event.receipt.text("sloName").unwrap_or(OTHER));
        goal.recent.add(event.at, event.told_at, sum);
        let week = goal.weeks.entry(week(event.at)).or_default();
        week.value += sum.value;
        week.count += sum.count;
        while goal.weeks.len() > WEEKS_MAX {
            goal.weeks.pop_first();
        }
    }

    pub(super) fn tell(&self, page: &mut Page, now: Timestamp) {
        self.recommendations.tell(page, "tps_kaizen_recommendations_total");
        self.improvements.tell(page, "tps_kaizen_improvements_total");
        let before = now.checked_add(-TimeDelta::weeks(1)).unwrap_or(now);
        for (slo, goal) in self.slos.iter() {
            page.gauge_if("tps_kaizen_slo_attainment", &[slo], goal.recent.all(now).mean());
            for (name, at) in [("current", now), ("previous", before)] {
                let attained = goal.weeks.get(&week(at)).and_then(|sum| sum.mean());
                page.gauge_if("tps_kaizen_slo_attainment_weekly", &[slo, name], attained);
            }
        }
    }
}

fn week(at: Timestamp) -> (i32, u32) {
    let week = at.utc().iso_week();
    (week.year(), week.week())
}
