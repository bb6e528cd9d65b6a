//! The weekly review, for people.

use super::document::{Block, Document, Inline, Section, cited, line, link};
use super::{figure, moment, written};
use crate::analyse::kaizen::Entry;
use crate::analyse::review::{Figure, NoisyRule, Pattern, Ranked, Review, SloOfWeek, TrendOfWeek, Turn};
use crate::analyse::slo::State;
use crate::analyse::trend::Direction;
use crate::error::Result;

/// The review as `application/json`, `text/plain`, `text/markdown` or `text/html`.
///
/// # Errors
/// `Invalid` for any other media type.
pub fn render(review: &Review, media_type: &str) -> Result<String> {
    written(review, || document(review), media_type)
}

/// What it says, before it has a form.
pub(crate) fn document(review: &Review) -> Document {
    let lasting = if review.is_complete { "" } else { ", which is not over" };
    Document {
        title: format!("Review of the week {}{lasting}", review.week),
        sections: vec![
            Section::new("Week", summary(review)),
            Section::new("Beside the week before", vec![figures(&review.comparison)]),
            Section::new("Trends", vec![trends(&review.trends)]),
            Section::new("Promises", vec![slos(&review.slos)]),
            Section::new("What goes wrong again", vec![patterns(&review.patterns)]),
            Section::new("What to do", vec![improvements(&review.improvements)]),
            Section::new("Alert noise", noise(review)),
            Section::new("What was improved", vec![kaizen(&review.kaizen)]),
            Section::new("What is missing", vec![missing(review)]),
        ],
    }
}

fn summary(review: &Review) -> Vec<Block> {
    let health = &review.health;
    let score = health.score.map_or_else(
        || "Health: not enough data for a score".to_owned(),
        |score| format!("Health: {} of 100, {}", figure(score), named(&health.band)),
    );
    let before = health.previous.map_or_else(String::new, |before| format!("; {} the week before", figure(before)));
    let lowest = health.lowest.zip(health.lowest_at);
    let lowest = lowest.map(|(score, at)| line(format!("Lowest: {} at {}", figure(score), moment(at))));
    let mut points = vec![
        line(format!("From {} to {}", moment(review.from), moment(review.to))),
        line(format!("{score}{before} ({} of {} moments scored)", health.scored, health.moments)),
    ];
    points.extend(lowest);
    if !health.show.is_empty() {
        let paths = health.show.iter().flat_map(|path| [Inline::Text(" ".into()), link(path)]);
        points.push(line("Ask again:").into_iter().chain(paths).collect());
    }
    vec![Block::List(points)]
}

/// As JSON spells it.
fn named(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "unknown".to_owned(), figure)
}

fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| "unknown".to_owned(), |value| format!("{value:+.1} %"))
}

fn share(value: Option<f64>) -> String {
    value.map_or_else(|| "not enough data".to_owned(), |share| format!("{} %", figure(share * 100.0)))
}

fn table(head: &[&str], rows: Vec<Vec<Vec<Inline>>>) -> Block {
    Block::Table { head: head.iter().map(|name| (*name).to_owned()).collect(), rows }
}

fn figures(figures: &[Figure]) -> Block {
    let unit = |figure: &Figure, value: Option<f64>| match (figure.unit, value) {
        ("", _) | (_, None) => number(value),
        (unit, Some(_)) => format!("{} {unit}", number(value)),
    };
    let row = |figure: &Figure| {
        vec![
            line(figure.name),
            line(unit(figure, figure.current)),
            line(unit(figure, figure.previous)),
            line(percent(figure.change_percent)),
            vec![link(&figure.show)],
        ]
    };
    table(&["What", "Week", "Before", "Change", "Ask again"], figures.iter().map(row).collect())
}

fn trends(trends: &[TrendOfWeek]) -> Block {
    let row = |trend: &TrendOfWeek| {
        let labels: Vec<String> = trend.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!(" ({})", labels.join(", ")) };
        let unit = trend.unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
        let direction = if trend.direction == Direction::NotEnoughData {
            "not enough data".to_owned()
        } else {
            named(&trend.direction)
        };
        vec![
            line(format!("{} {}{labels}", trend.statistic, trend.metric)),
            line(&*trend.component),
            line(direction),
            line(format!("{}{unit}", number(trend.mean))),
            line(percent(trend.change_percent)),
            line(&*trend.statement),
            vec![link(&trend.show)],
        ]
    };
    let head = ["Metric", "Component", "Direction", "Mean", "Since the week before", "In the week", "Ask again"];
    table(&head, trends.iter().map(row).collect())
}

fn slos(slos: &[SloOfWeek]) -> Block {
    let row = |slo: &SloOfWeek| {
        let state = match slo.state {
            State::Met => "met",
            State::Missed => "missed",
            State::Unknown => "not enough data",
        };
        let falling = if slo.is_degrading { ", degrading" } else { "" };
        vec![
            line(&*slo.name),
            line(format!("{state}{falling}")),
            line(share(slo.attainment)),
            line(share(Some(slo.target))),
            line(share(slo.previous)),
            vec![link(&slo.show)],
        ]
    };
    table(&["Promise", "State", "Good", "Target", "Week before", "Ask again"], slos.iter().map(row).collect())
}

fn patterns(patterns: &[Pattern]) -> Block {
    let row = |pattern: &Pattern| {
        vec![
            line(&*pattern.title),
            cited(&*pattern.statement, &pattern.receipts),
            line(pattern.last_fix.clone().unwrap_or_default()),
            vec![link(&pattern.show)],
        ]
    };
    table(&["Pattern", "What was seen", "What helped last", "Ask again"], patterns.iter().map(row).collect())
}

fn improvements(improvements: &[Ranked]) -> Block {
    let row = |told: &Ranked| {
        let turn = match told.turn {
            Turn::First => "this week",
            Turn::Second => "this week, if there is time",
            Turn::Later => "later",
        };
        vec![
            line(told.rank.to_string()),
            line(turn),
            cited(format!("{}: {}", told.title, told.action), &told.receipts),
            line(told.component.clone().unwrap_or_default()),
            line(format!("{:?}", told.effort)),
            line(format!("{} %", told.impact_percent)),
            vec![link(&told.show)],
        ]
    };
    let head = ["Rank", "When", "What", "Where", "Effort", "Impact", "Ask again"];
    table(&head, improvements.iter().map(row).collect())
}

fn noise(review: &Review) -> Vec<Block> {
    let noise = &review.noise;
    let tired = if noise.is_fatiguing { ": too many to be heard" } else { "" };
    let mut points = vec![vec![Inline::Text(format!("{} alerts fired{tired} ", noise.firings)), link(&noise.show)]];
    points.extend(
        noise
            .busiest_minute
            .map(|minute| line(format!("Busiest minute: {} alerts at {}", minute.firings, moment(minute.at)))),
    );
    let days: Vec<String> = noise.days.iter().map(|day| format!("{} {}", day.day, day.firings)).collect();
    if !days.is_empty() {
        points.push(line(format!("Each day: {}", days.join(", "))));
    }
    points
        .extend(noise.unacknowledged_share.map(|part| line(format!("Acknowledged by nobody: {}", share(Some(part))))));
    let row = |rule: &NoisyRule| {
        let causes: Vec<String> =
            rule.causes.iter().map(|cause| format!("{}; {}", cause.statement, cause.remedy)).collect();
        vec![
            line(&*rule.rule),
            line(&*rule.component),
            cited(rule.firings.to_string(), &rule.receipts),
            line(figure(rule.firings_per_day)),
            line(causes.join(". ")),
            vec![link(&rule.show)],
        ]
    };
    let head = ["Rule", "Component", "Fired", "A day", "Why, and what to do", "Ask again"];
    vec![Block::List(points), table(&head, noise.rules.iter().map(row).collect())]
}

/// Improvements with what they brought.
pub(super) fn kaizen(entries: &[Entry]) -> Block {
    let row = |entry: &Entry| {
        let told = entry
            .change_percent
            .map(|change| format!("{} to {} ({change:+.1} %)", number(entry.before), number(entry.after)));
        let (effect, path) = super::kaizen::effect(entry);
        vec![
            line(moment(entry.at)),
            line(entry.owner.clone().unwrap_or_default()),
            cited(&*entry.title, &entry.receipts),
            line(entry.metric.clone().unwrap_or_default()),
            line(told.unwrap_or_default()),
            line(effect),
            path.map(link).into_iter().collect(),
        ]
    };
    let head = ["When", "Owner", "Improvement", "Metric", "As told", "As measured", "Ask again"];
    table(&head, entries.iter().map(row).collect())
}

fn missing(review: &Review) -> Block {
    let point = |missing: &crate::analyse::review::Missing| {
        let mut point = line(format!("{} ", missing.what));
        point.extend(missing.show.as_deref().map(link));
        point
    };
    Block::List(review.missing.iter().map(point).collect())
}
