//! Exporting: what naze knows, in the forms of other tools.
//!
//! Some fetch it: [`prometheus`] at `/metrics`, [`dashboard`] as files, [`dump`] as a download. To the others in
//! [`DESTINATIONS`] naze [`push`]es it: the metrics of [`prometheus::METRICS`] as [`reading`]s, and receipts as
//! entries of a log.

pub mod dashboard;
mod datadog;
pub mod destination;
pub mod dump;

mod entry;
mod grafana_cloud;
mod newrelic;
mod otlp;
pub mod prometheus;
pub mod push;
pub mod reading;

pub use self::destination::{DESTINATIONS, Destination, Export};
