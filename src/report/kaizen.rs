//! The Kaizen log, for people.

use super::document::{Block, Document, Section, line, link};
use super::{figure, moment, written};
use crate::analyse::kaizen::{Chain, Entry, Log};
use crate::analyse::trend::Direction;
use crate::error::Result;

/// The log as `application/json`, `text/plain`, `text/markdown` or `text/html`.
///
/// # Errors
/// `Invalid` for any other media type.
pub fn render(log: &Log, media_type: &str) -> Result<String> {
    written(log, || document(log), media_type)
}

/// What it says, before it has a form.
pub(crate) fn document(log: &Log) -> Document {
    let why: Vec<_> = log.entries.iter().filter_map(reasons).collect();
    let mut entries = vec![super::review::kaizen(&log.entries), Block::Paragraph(vec![link(&log.show)])];
    if log.truncated {
        entries.push(Block::Paragraph(line("Older ones are left out.")));
    }
    Document {
        title: format!("Kaizen log from {} to {}", moment(log.from), moment(log.to)),
        sections: vec![
            Section::new("Improvements", entries),
            Section::new("Why", vec![Block::List(why)]),
            Section::new("Together", vec![chains(&log.chains)]),
        ],
    }
}

/// What was supposed, changed and learnt.
fn reasons(entry: &Entry) -> Option<Vec<super::document::Inline>> {
    let parts = [("supposed", &entry.hypothesis), ("changed", &entry.change), ("why", &entry.why)];
    let parts: Vec<String> =
        parts.into_iter().filter_map(|(name, text)| Some(format!("{name}: {}", text.as_ref()?))).collect();
    (!parts.is_empty()).then(|| line(format!("{} - {}", entry.title, parts.join("; "))))
}

/// What the series say of an improvement, and a path that shows it.
pub(super) fn effect(entry: &Entry) -> (String, Option<&str>) {
    let Some(measured) = &entry.measured else {
        let why = entry.not_measured.as_deref().unwrap_or("it was not looked for");
        return (format!("not enough data: {why}"), None);
    };
    let compared = &measured.compared;
    let direction = match measured.direction {
        Direction::Improving => "better",
        Direction::Degrading => "worse",
        Direction::Rising => "more",
        Direction::Falling => "less",
        Direction::Stable | Direction::NotEnoughData => "may be chance",
    };
    let change = compared.change_percent.map_or_else(String::new, |change| format!("{:+.1} %, ", change.value));
    let others = match measured.confounders.len() {
        0 => String::new(),
        count => format!("; {count} other changes in that time"),
    };
    let early = if measured.is_complete { "" } else { "; its time is not over" };
    let (before, after) = (figure(compared.control.summary.mean), figure(compared.canary.summary.mean));
    let text = format!("{before} to {after} ({change}{direction}, p = {:.3}){others}{early}", compared.p_value);
    (text, measured.show.first().map(String::as_str))
}

fn chains(chains: &[Chain]) -> Block {
    let row = |chain: &Chain| {
        let steps: Vec<String> = chain.steps.iter().map(|step| format!("{:+.1} %", step.change_percent)).collect();
        let outlook: Vec<String> =
            chain.outlook.iter().map(|after| format!("{} steps {:+.1} %", after.steps, after.percent)).collect();
        vec![
            line(&*chain.metric),
            line(&*chain.component),
            line(steps.join(", ")),
            line(format!("{:+.1} %", chain.total_percent)),
            line(format!("{:+.1} %", chain.percent_per_step)),
            line(outlook.join(", ")),
        ]
    };
    let head = ["Metric", "Component", "Steps", "Together", "Each", "At that pace"].map(str::to_owned).to_vec();
    Block::Table { head, rows: chains.iter().map(row).collect() }
}
