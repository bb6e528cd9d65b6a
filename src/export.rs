//! Exporting: what naze knows, in the forms of other tools.
//!
//! Some fetch it: [`prometheus`] at `/metrics`, [`dashboard`] as files, [`dump`] as a download. To the others in
//! [`DESTINATIONS`] naze [`push`]es it: the metrics of [`prometheus::METRICS`] as [`reading`]s, and receipts as
//! entries of a log; people hear of what cannot wait by a pager, a chat, a webhook, e-mail or a file.

mod cooldown;
pub mod dashboard;
mod datadog;
pub mod destination;
pub mod dump;
mod email;
mod entry;
mod file;
mod grafana_cloud;
mod newrelic;
mod notice;
mod otlp;
mod pagerduty;
pub mod prometheus;
pub mod push;
pub mod reading;
mod slack;
pub mod told;
mod webhook;

pub use self::destination::{DESTINATIONS, Destination, Export};
