//! Metrics: points of gauges, sums, histograms and summaries, as series.
//!
//! A histogram that counts since its start becomes counters with the upper bounds of its buckets in the label `le`, as in
//! Prometheus. One that counts since its last report is a distribution: each bucket stands for its middle,
//! and where there is but one, their mean.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, ExponentialHistogramDataPoint, HistogramDataPoint, Metric, NumberDataPoint,
    SummaryDataPoint,
};

use super::SOURCE;
use super::attributes::{Attributes, Origin, time};
use crate::clock::Timestamp;
use crate::measure::{Kind, Point, Samples, Series};
use crate::receive::{Given, Item, Received, body};

/// Flag of a point that says that there is no value any more.
const NO_RECORDED_VALUE: u32 = 1;
/// The label of a bucket's upper bound, and of a quantile.
const LE: &str = "le";
const QUANTILE: &str = "quantile";

pub(super) fn read(request: &ExportMetricsServiceRequest, given: &Given<'_>) -> Received {
    let mut received = Received::default();
    for resource in &request.resource_metrics {
        let origin = Origin::of(resource.resource.as_ref(), given.mapping);
        for metric in resource.scope_metrics.iter().flat_map(|scope| &scope.metrics) {
            let mut reading = Reading { metric, origin: &origin, given, samples: &mut received.samples };
            if reading.read().is_none() {
                // An enum given by its name loses the data of a metric while it is parsed.
                let message = format!("the metric {} has no data that can be read", metric.name);
                let fix = "send its aggregation temporality as a number";
                received.items.push(Item::Refused(vec![body::violation(SOURCE, "data", None, message, fix)]));
            }
        }
    }
    received
}

struct Reading<'a> {
    metric: &'a Metric,
    origin: &'a Origin,
    given: &'a Given<'a>,
    samples: &'a mut Vec<Samples>,
}

impl Reading<'_> {
    fn read(&mut self) -> Option<()> {
        match self.metric.data.as_ref()? {
            Data::Gauge(gauge) => self.numbers(&gauge.data_points, Kind::Gauge),
            Data::Sum(sum) => {
                let kind = match (sum.aggregation_temporality(), sum.is_monotonic) {
                    (AggregationTemporality::Unspecified, _) => return None,
                    (AggregationTemporality::Delta, _) => Kind::Delta,
                    (AggregationTemporality::Cumulative, true) => Kind::Counter,
                    (AggregationTemporality::Cumulative, false) => Kind::Gauge,
                };
                self.numbers(&sum.data_points, kind);
            }
            Data::Histogram(histogram) => {
                let temporality = histogram.aggregation_temporality();
                histogram.data_points.iter().try_for_each(|point| self.histogram(point, temporality))?;
            }
            Data::ExponentialHistogram(histogram) => {
                let temporality = histogram.aggregation_temporality();
                histogram.data_points.iter().try_for_each(|point| self.exponential(point, temporality))?;
            }
            Data::Summary(summary) => summary.data_points.iter().for_each(|point| self.summary(point)),
        }
        Some(())
    }

    fn numbers(&mut self, points: &[NumberDataPoint], kind: Kind) {
        for point in points.iter().filter(|point| point.flags & NO_RECORDED_VALUE == 0) {
            let value = match point.value {
                Some(Number::AsDouble(value)) => value,
                #[expect(clippy::cast_precision_loss, reason = "OpenTelemetry's integers are counts")]
                Some(Number::AsInt(value)) => value as f64,
                None => continue,
            };
            let at = self.at(point.time_unix_nano);
            self.push("", kind, Attributes::of(&point.attributes).labels(), vec![Point::once(at, value)]);
        }
    }

    fn histogram(&mut self, point: &HistogramDataPoint, temporality: AggregationTemporality) -> Option<()> {
        let bounds = &point.explicit_bounds;
        // A sender may leave out the counts of its only bucket.
        let only = [point.count];
        let counts = if point.bucket_counts.is_empty() { &only[..] } else { &point.bucket_counts };
        let buckets: Vec<Bucket> = counts
            .iter()
            .enumerate()
            .map(|(place, count)| Bucket {
                lower: if place == 0 { point.min } else { bounds.get(place - 1).copied() },
                upper: bounds.get(place).copied().or(point.max),
                bound: bounds.get(place).copied().unwrap_or(f64::INFINITY),
                count: *count,
            })
            .collect();
        let attributes = Attributes::of(&point.attributes).labels();
        let total = Totals { at: self.at(point.time_unix_nano), count: point.count, sum: point.sum };
        self.buckets(&buckets, attributes, &total, temporality)
    }

    fn exponential(
        &mut self,
        point: &ExponentialHistogramDataPoint,
        temporality: AggregationTemporality,
    ) -> Option<()> {
        let growth = 2_f64.powf(2_f64.powi(-point.scale));
        let mut buckets: Vec<Bucket> =
            point.negative.as_ref().map(|told| exponential(told, growth, -1.0)).unwrap_or_default();
        buckets.reverse();
        let threshold = point.zero_threshold;
        buckets.push(Bucket {
            lower: Some(-threshold),
            upper: Some(threshold),
            bound: threshold,
            count: point.zero_count,
        });
        buckets.extend(point.positive.as_ref().map(|told| exponential(told, growth, 1.0)).unwrap_or_default());
        buckets.push(Bucket { lower: None, upper: None, bound: f64::INFINITY, count: 0 });
        let attributes = Attributes::of(&point.attributes).labels();
        let total = Totals { at: self.at(point.time_unix_nano), count: point.count, sum: point.sum };
        self.buckets(&buckets, attributes, &total, temporality)
    }

    fn buckets(
        &mut self,
        buckets: &[Bucket],
        attributes: BTreeMap<String, String>,
        total: &Totals,
        temporality: AggregationTemporality,
    ) -> Option<()> {
        match (temporality, buckets) {
            (AggregationTemporality::Unspecified, _) => return None,
            (AggregationTemporality::Delta, [all]) => self.in_one_bucket(all, attributes, total),
            (AggregationTemporality::Delta, _) => {
                let told = buckets.iter().filter(|bucket| bucket.count > 0);
                let point =
                    |bucket: &Bucket| Some(Point { at: total.at, value: bucket.middle()?, count: bucket.count });
                self.push("", Kind::Distribution, attributes, told.filter_map(point).collect());
            }
            (AggregationTemporality::Cumulative, _) => {
                self.totals(&attributes, total);
                let mut seen = 0;
                for bucket in buckets {
                    seen += bucket.count;
                    let bound = if bucket.bound.is_finite() { bucket.bound.to_string() } else { "+Inf".to_owned() };
                    let mut labels = attributes.clone();
                    labels.insert(LE.to_owned(), bound);
                    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
                    self.push("_bucket", Kind::Counter, labels, vec![Point::once(total.at, seen as f64)]);
                }
            }
        }
        Some(())
    }

    /// Values of which no bucket tells how they were spread: each is taken for their mean, and without a sum for the
    /// middle between the least and the largest. Where neither is told they are only counted.
    fn in_one_bucket(&mut self, all: &Bucket, attributes: BTreeMap<String, String>, total: &Totals) {
        if all.count == 0 {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        let count = all.count as f64;
        let value = total.sum.map(|sum| sum / count).or(all.middle());
        match value {
            Some(value) => {
                let point = Point { at: total.at, value, count: all.count };
                self.push("", Kind::Distribution, attributes, vec![point]);
            }
            None => self.push("_count", Kind::Delta, attributes, vec![Point::once(total.at, count)]),
        }
    }

    fn summary(&mut self, point: &SummaryDataPoint) {
        let attributes = Attributes::of(&point.attributes).labels();
        let at = self.at(point.time_unix_nano);
        self.totals(&attributes, &Totals { at, count: point.count, sum: Some(point.sum) });
        for quantile in &point.quantile_values {
            let mut labels = attributes.clone();
            labels.insert(QUANTILE.to_owned(), quantile.quantile.to_string());
            self.push("", Kind::Gauge, labels, vec![Point::once(at, quantile.value)]);
        }
    }

    fn totals(&mut self, attributes: &BTreeMap<String, String>, total: &Totals) {
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        self.push("_count", Kind::Counter, attributes.clone(), vec![Point::once(total.at, total.count as f64)]);
        if let Some(sum) = total.sum {
            self.push("_sum", Kind::Counter, attributes.clone(), vec![Point::once(total.at, sum)]);
        }
    }

    fn push(&mut self, suffix: &str, kind: Kind, labels: BTreeMap<String, String>, points: Vec<Point>) {
        let points: Vec<Point> = points.into_iter().filter(|point| point.value.is_finite()).collect();
        if points.is_empty() {
            return;
        }
        let metric = format!("{}{suffix}", self.metric.name);
        let unit = Some(self.metric.unit.clone()).filter(|unit| !unit.is_empty() && suffix.is_empty());
        let component = self.origin.component.clone();
        self.samples.push(Samples { series: Series { metric, component, kind, labels }, unit, points });
    }

    fn at(&self, nanoseconds: u64) -> Timestamp {
        time(nanoseconds).unwrap_or(self.given.received_at)
    }
}

/// How many values lie between two bounds; none where it is open.
struct Bucket {
    lower: Option<f64>,
    upper: Option<f64>,
    bound: f64,
    count: u64,
}

impl Bucket {
    /// What its values are taken for; nothing where it is open on both sides.
    fn middle(&self) -> Option<f64> {
        match (self.lower, self.upper) {
            (Some(lower), Some(upper)) => Some(f64::midpoint(lower, upper)),
            (one, None) | (None, one) => one,
        }
    }
}

struct Totals {
    at: Timestamp,
    count: u64,
    sum: Option<f64>,
}

fn exponential(told: &Buckets, growth: f64, sign: f64) -> Vec<Bucket> {
    let bucket = |(index, count): (i32, &u64)| {
        let (near, far) = (sign * growth.powi(index), sign * growth.powi(index.saturating_add(1)));
        let (lower, upper) = if sign > 0.0 { (near, far) } else { (far, near) };
        Bucket { lower: Some(lower), upper: Some(upper), bound: upper, count: *count }
    };
    (told.offset..).zip(&told.bucket_counts).map(bucket).collect()
}
