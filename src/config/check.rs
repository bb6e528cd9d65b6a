//! What a file can say that makes no sense.

use super::{Config, Sender};
use crate::error::{Error, Result};
use crate::receive::RECEIVERS;

/// Refuses a configuration that nothing can run with.
pub(super) fn check(config: &Config) -> Result<()> {
    senders(config)?;
    bounds(config)?;
    retention(config)?;
    numbers(config)?;
    labels(config)
}

fn senders(config: &Config) -> Result<()> {
    let known: Vec<&str> = RECEIVERS.iter().map(|receiver| receiver.name).collect();
    match config.senders.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Error::invalid(format!("senders.{name} is unknown"))
            .hint(format!("known senders are {}", known.join(", ")))),
        None => Ok(()),
    }
}

/// Under a bound of nothing, every request fails, and none says why.
fn bounds(config: &Config) -> Result<()> {
    let limits = &config.limits;
    let bounds = [
        ("limits.body_bytes_max", limits.body_bytes_max == 0),
        ("limits.request_seconds", limits.request_seconds == 0),
        ("limits.query_seconds", limits.query_seconds == 0),
        ("limits.query_memory_bytes", limits.query_memory_bytes == 0),
        ("limits.rows_max", limits.rows_max == 0),
        ("limits.evidence_receipts_max", limits.evidence_receipts_max == 0),
        ("limits.requests_max", limits.requests_max == 0),
        ("prometheus.timeout_seconds", config.prometheus.as_ref().is_some_and(|one| one.timeout_seconds == 0)),
    ];
    match bounds.into_iter().find(|(_, is_zero)| *is_zero) {
        Some((key, _)) => Err(Error::invalid(format!("{key} is 0, under which nothing can be answered"))
            .hint("leave it out for the default, which docs/configuration.md tells")),
        None => Ok(()),
    }
}

/// The longest window that objectives, trends and limits are told by the minute.
const MINUTES_DAYS_MIN: u32 = 30;

fn retention(config: &Config) -> Result<()> {
    let (minutes, hours) = (config.measure.minutes_days, config.measure.hours_days);
    if minutes < MINUTES_DAYS_MIN {
        let message =
            format!("measure.minutes_days is {minutes}, which is shorter than the windows of objectives and trends");
        return Err(Error::invalid(message).hint(format!(
            "give {MINUTES_DAYS_MIN} days or more; measure.relabel and measure.series_max save more room"
        )));
    }
    if hours < minutes {
        let message =
            format!("measure.hours_days is {hours}, but minutes become hours after measure.minutes_days = {minutes}");
        return Err(Error::invalid(message).hint(format!("give {minutes} days or more, such as 400")));
    }
    Ok(())
}

fn numbers(config: &Config) -> Result<()> {
    let escalation = &config.escalation;
    for (key, minutes) in
        [("after_minutes", escalation.after_minutes), ("andon_after_minutes", escalation.andon_after_minutes)]
    {
        if !(1..=1_440).contains(&minutes) {
            return Err(Error::invalid(format!("escalation.{key} = {minutes}"))
                .hint("write 1 to 1440 minutes, or enabled = false"));
        }
    }
    let target = config.health.target_throughput;
    if !(target.is_finite() && target > 0.0) {
        let message = format!("health.target_throughput is {target}, which no throughput can be held to");
        return Err(
            Error::invalid(message).hint("give the tasks per minute that busy queues should finish, such as 10")
        );
    }
    let cost = config.advice.scaling_cost_per_day;
    if !(cost.is_finite() && cost >= 0.0) {
        return Err(Error::invalid(format!("advice.scaling_cost_per_day is {cost}, which nothing can be held to"))
            .hint("give what scaling of a pool may cost in a day, such as 100"));
    }
    Ok(())
}

/// Can these labels name a component?
fn labels(config: &Config) -> Result<()> {
    let own = |(name, sender): (&String, &Sender)| Some((format!("senders.{name}"), sender.component_labels.clone()?));
    let all = ("receive".to_owned(), config.receive.component_labels.clone());
    for (table, labels) in std::iter::once(all).chain(config.senders.iter().filter_map(own)) {
        if let Some(label) = labels.iter().find(|label| label.split('/').any(|part| part.trim().is_empty())) {
            return Err(Error::invalid(format!("{table}.component_labels has \"{label}\", which names no label"))
                .hint("write a label, or several joined by \"/\", such as \"namespace/app\""));
        }
    }
    Ok(())
}
