//! The two texts that Prometheus reads: its own, and `OpenMetrics` 1.0.

use std::fmt::Write as _;

use prometheus::TextEncoder;
use prometheus::proto::{LabelPair, Metric, MetricFamily, MetricType};

use crate::error::{Context as _, Result};

/// Media type of Prometheus' own text.
pub const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";
/// Media type of `OpenMetrics`.
pub const OPEN: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Prometheus' own text.
///
/// # Errors
/// `Internal` when a family has no metric.
pub fn plain(families: &[MetricFamily]) -> Result<String> {
    TextEncoder::new().encode_to_string(families).internal("cannot write the metrics")
}

/// `OpenMetrics`. Names of samples and bounds of buckets are those of the other text, so that the series stay the same.
pub fn open(families: &[MetricFamily]) -> String {
    let mut text = String::new();
    for family in families {
        let (name, kind) = described(family);
        line(&mut text, format_args!("# TYPE {name} {kind}"));
        line(&mut text, format_args!("# HELP {name} {}", escaped(family.help())));
        family.get_metric().iter().for_each(|metric| samples(&mut text, family, metric));
    }
    text.push_str("# EOF\n");
    text
}

/// A counter's family is named without the `_total` of its samples.
fn described(family: &MetricFamily) -> (&str, &'static str) {
    let name = family.name();
    match (family.get_field_type(), name.strip_suffix("_total")) {
        (MetricType::COUNTER, Some(name)) => (name, "counter"),
        (MetricType::GAUGE, _) => (name, "gauge"),
        (MetricType::HISTOGRAM, _) => (name, "histogram"),
        _ => (name, "unknown"),
    }
}

fn samples(text: &mut String, family: &MetricFamily, metric: &Metric) {
    let name = family.name();
    let labels = labels(metric.get_label());
    let braced = |labels: &str| if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
    match family.get_field_type() {
        MetricType::COUNTER => {
            line(text, format_args!("{name}{} {}", braced(&labels), number(metric.get_counter().get_value())));
        }
        MetricType::HISTOGRAM => {
            let told = metric.get_histogram();
            let comma = if labels.is_empty() { "" } else { "," };
            let buckets = told.get_bucket().iter().map(|bucket| (bucket.upper_bound(), bucket.cumulative_count()));
            let finite = buckets.filter(|(bound, _)| bound.is_finite());
            for (bound, count) in finite.chain([(f64::INFINITY, told.get_sample_count())]) {
                line(text, format_args!("{name}_bucket{{{labels}{comma}le=\"{}\"}} {count}", number(bound)));
            }
            line(text, format_args!("{name}_sum{} {}", braced(&labels), number(told.get_sample_sum())));
            line(text, format_args!("{name}_count{} {}", braced(&labels), told.get_sample_count()));
        }
        _ => line(text, format_args!("{name}{} {}", braced(&labels), number(metric.get_gauge().get_value()))),
    }
}

fn labels(pairs: &[LabelPair]) -> String {
    let pairs: Vec<String> =
        pairs.iter().map(|pair| format!("{}=\"{}\"", pair.name(), escaped(pair.value()))).collect();
    pairs.join(",")
}

fn number(number: f64) -> String {
    if number == f64::INFINITY { "+Inf".to_owned() } else { number.to_string() }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"")
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(text, "{line}").expect("writing to a String cannot fail");
}
