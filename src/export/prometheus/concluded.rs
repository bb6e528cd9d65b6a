//! What naze concludes from series, on the page: how promises are kept, and where metrics are heading.

use super::page::Page;

/// What naze concludes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Concluded {
    /// How promises are kept.
    pub promises: Vec<Promise>,
    /// Where metrics are heading.
    pub headings: Vec<Heading>,
}

/// How an objective is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Promise {
    /// Its name.
    pub slo: String,
    /// Share that was good in its window.
    pub attainment: Option<f64>,
    /// The same in this week, and in the week before.
    pub weekly: [Option<f64>; 2],
    /// Share of its budget that is left; negative when it is overspent.
    pub budget_remaining: Option<f64>,
}

/// Where a metric is heading in a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Heading {
    /// Its name.
    pub metric: &'static str,
    /// Name of the window.
    pub window: &'static str,
    /// Distance of the last value from the mean, as a share of the mean.
    pub relative_deviation: Option<f64>,
    /// By least squares, in the metric's unit.
    pub slope_per_day: Option<f64>,
}

impl Concluded {
    /// Tells all of it; what receipts or series of others tell of an objective stays as it is.
    pub(super) fn tell(&self, page: &mut Page) {
        for Promise { slo, attainment, weekly, budget_remaining } in &self.promises {
            let mut tell = |metric: &str, labels: &[&str], value: Option<f64>| {
                if !page.labelled(metric).any(|(told, _)| told[0] == *slo) {
                    page.gauge_if(metric, labels, value);
                }
            };
            tell("tps_kaizen_slo_attainment", &[slo], *attainment);
            tell("tps_kaizen_error_budget_remaining_ratio", &[slo], *budget_remaining);
            if !page.labelled(WEEKLY).any(|(told, _)| told[0] == *slo) {
                for (week, attained) in ["current", "previous"].into_iter().zip(weekly) {
                    page.gauge_if(WEEKLY, &[slo, week], *attained);
                }
            }
        }
        for Heading { metric, window, relative_deviation, slope_per_day } in &self.headings {
            page.gauge_if("tps_kaizen_relative_deviation", &[metric, window], *relative_deviation);
            page.gauge_if("tps_kaizen_slope_per_day", &[metric, window], *slope_per_day);
        }
    }
}

const WEEKLY: &str = "tps_kaizen_slo_attainment_weekly";
