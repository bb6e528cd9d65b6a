//! Grafana Cloud and everything else that takes Prometheus remote write 1.0.

use prost::Message as _;

use super::destination::{By, Destination, Export, Metrics, Packing, Route, WriteMetrics, authorization};
use super::reading::{Point, Reading};
use super::told::Pick;
use crate::receive::remote_write::wire::{Label, Sample, TimeSeries, WriteRequest};

/// Grafana Cloud: the instance's number is the user, an access policy token the password.
pub(super) const DESTINATION: Destination =
    Destination { name: "grafana_cloud", needs: &["url", "user", "token"], ..REMOTE_WRITE };

/// Prometheus, Mimir, Thanos, `VictoriaMetrics`.
pub(super) const REMOTE_WRITE: Destination = Destination {
    name: "remote_write",
    by: By::Http,
    needs: &["url"],
    credentials: authorization,
    metrics: Some(Route {
        url: |export| export.url.clone().unwrap_or_default(),
        headers: &[("content-type", "application/x-protobuf"), ("x-prometheus-remote-write-version", "0.1.0")],
        packing: Packing::Snappy,
        write: WRITE,
        items_max: 2_000,
        body_bytes_max: 4 << 20,
        packed_bytes_max: 1 << 20,
        age_max: None,
    }),
    receipts: None,
    pick: Pick::All,
    severities: &[],
    traces: None,
    wants_growth: false,
    is_passing: |status| matches!(status, 429 | 500..=599),
    rejected: |_| None,
};

const WRITE: WriteMetrics = |metrics, export| {
    let points = metrics.readings.iter().flat_map(Reading::points);
    let timeseries = points.map(|point| series(point, metrics, export)).collect();
    WriteRequest { timeseries }.encode_to_vec()
};

/// Labels are sorted by name, as the protocol wants them.
fn series(point: Point, metrics: &Metrics<'_>, export: &Export) -> TimeSeries {
    let label = |name: &str, value: String| Label { name: name.to_owned(), value };
    let mut labels: Vec<Label> = point.labels.into_iter().map(|(name, value)| Label { name, value }).collect();
    labels.retain(|label| !label.value.is_empty());
    labels.push(label("__name__", point.name));
    labels.push(label("environment", export.environment.clone()));
    labels.push(label("job", export.service_name.clone()));
    labels.sort_by(|a, b| a.name.cmp(&b.name));
    let sample = Sample { value: point.value, timestamp: metrics.at.micros() / 1_000 };
    TimeSeries { labels, samples: vec![sample] }
}
