//! PagerDuty: the Events API, for whoever sends there now, and its webhooks, for what people did about it.

pub(super) mod events;
pub(super) mod webhook;

const SOURCE: &str = "pagerduty";
