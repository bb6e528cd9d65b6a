//! One of the six principles: how it stands, and the components, queues or pools behind it, worst first.

use maud::{Markup, html};

use super::plot::Plot;
use super::range::Range;
use super::trend::direction;
use super::{Frame, Place, brief, chip, class, fit, rows, time, word};
use crate::analyse::health::{Colour, Outlook, Principle, Status};
use crate::clock::Timestamp;
use crate::measure::crossing::{Colours, Direction, Limit};
use crate::query::Rows;
use crate::report::figure;
use crate::vocab::Vocabulary;

/// Bytes of one list.
const LIST_BYTES_MAX: usize = 30_000;

/// What a principle is called, asks, and is told by.
#[derive(Debug)]
pub struct About {
    /// The principle.
    pub principle: Principle,
    /// In addresses.
    pub slug: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The question it answers.
    pub question: &'static str,
    /// What its reading is.
    pub reading: &'static str,
    /// The metrics that tell it for each component, queue or pool, the first first.
    pub metrics: &'static [&'static str],
    /// Canned queries that tell what happened, with what they are shown as.
    pub queries: &'static [(&'static str, &'static str)],
}

/// All six, in the order in which they are looked at.
pub const PRINCIPLES: [About; 6] = [
    About {
        principle: Principle::Jidoka,
        slug: "jidoka",
        name: "Jidoka",
        question: "Is the line protected?",
        reading: "circuits open",
        metrics: &["tps_jidoka_circuit_state", "tps_jidoka_failure_rate", "tps_jidoka_recovery_time_seconds"],
        queries: &[("circuit_timeline", "Circuits that opened and closed"), ("failure_types", "Failures by type")],
    },
    About {
        principle: Principle::Kanban,
        slug: "kanban",
        name: "Kanban",
        question: "Are customers waiting?",
        reading: "waiting in the deepest queue",
        metrics: &["tps_kanban_queue_depth", "tps_kanban_latency_p99_seconds", "tps_kanban_workers_available"],
        queries: &[("worker_saturation", "Workers that could not keep up")],
    },
    About {
        principle: Principle::Andon,
        slug: "andon",
        name: "Andon",
        question: "Are there problems?",
        reading: "of requests fail",
        metrics: &["tps_andon_error_rate", "tps_andon_mttd_seconds"],
        queries: &[("alert_timeline", "Alerts"), ("failure_types", "Failures by type")],
    },
    About {
        principle: Principle::Kaizen,
        slug: "kaizen",
        name: "Kaizen",
        question: "Are promises kept?",
        reading: "of the promised is kept",
        metrics: &["tps_kaizen_slo_attainment", "tps_kaizen_error_budget_remaining_ratio"],
        queries: &[
            ("budget_burners", "What spends error budget"),
            ("recurring_patterns", "What comes again and again"),
        ],
    },
    About {
        principle: Principle::Heijunka,
        slug: "heijunka",
        name: "Heijunka",
        question: "Is load level?",
        reading: "of pool capacity in use",
        metrics: &[
            "tps_heijunka_pool_utilization",
            "tps_heijunka_balance_coefficient",
            "tps_heijunka_worker_utilization",
        ],
        queries: &[("scaling_vs_bursts", "Scaling beside bursts of load")],
    },
    About {
        principle: Principle::Tracing,
        slug: "tracing",
        name: "Tracing",
        question: "Is it fast?",
        reading: "slowest 1 % of requests",
        metrics: &["tps_tracing_duration_seconds", "tps_tracing_component_latency_seconds"],
        queries: &[("slowest_components", "Components that were slow")],
    },
];

impl About {
    /// What is said of a principle.
    pub fn of(principle: Principle) -> &'static Self {
        PRINCIPLES.iter().find(|about| about.principle == principle).expect("all six are told")
    }

    /// Where its page is.
    pub fn path(&self) -> String {
        format!("/principles/{}", self.slug)
    }

    /// A reading with its unit.
    pub fn figure(&self, value: f64) -> String {
        match self.principle {
            Principle::Kanban => figure(value),
            Principle::Tracing => format!("{} s", figure(value)),
            _ => format!("{} %", figure(value * 100.0)),
        }
    }

    /// Where its reading turns yellow and red.
    pub fn bands(&self, colours: Colours) -> String {
        let from = |limit: Limit| {
            let value = self.figure(limit.value());
            match (limit.direction(), limit.includes_bound()) {
                (Direction::Up, true) => format!("from {value}"),
                (Direction::Up, false) => format!("above {value}"),
                (Direction::Down, true) => format!("from {value} down"),
                (Direction::Down, false) => format!("below {value}"),
            }
        };
        let bands = [("watch", colours.yellow), ("act", colours.red)];
        let bands = bands.into_iter().filter_map(|(word, limit)| Some(format!("{word} {}", from(limit?))));
        bands.collect::<Vec<_>>().join(", ")
    }
}

/// Everything that stands on the page.
pub struct Page<'a> {
    /// Which principle.
    pub about: &'static About,
    /// How it stands now.
    pub status: &'a Status,
    /// When that was.
    pub at: Timestamp,
    /// The time looked at.
    pub range: &'a Range,
    /// What is behind it, worst first.
    pub behind: &'a [Behind],
    /// How many more there are.
    pub more: usize,
    /// What happened: the query, what it is shown as, and what it found.
    pub happened: &'a [(&'static str, &'static str, Rows)],
    /// Kinds and fields.
    pub vocabulary: &'a Vocabulary,
}

/// A component, queue or pool.
pub struct Behind {
    /// Its component.
    pub component: String,
    /// Labels that tell it from others, such as `queue=orders`.
    pub labels: String,
    /// What is measured.
    pub metric: String,
    /// The latest value.
    pub value: f64,
    /// How that stands to its limits.
    pub colour: Colour,
    /// Its way through the time, with its limits.
    pub plot: Plot,
}

/// The page.
pub fn render(given: &Page<'_>) -> String {
    let about = given.about;
    let main = html! {
        p.path { a href=(given.range.keep("/", [])) { "Overview" } " › " (about.name) }
        h1 { (about.name) ": " (about.question) }
        (standing(given))
        (given.range.picker(&about.path(), &[]))
        @if let Some(worst) = given.behind.first() { section aria-labelledby="worst" { h2 #worst { "The worst one" } (worst.plot.render()) } }
        section aria-labelledby="behind" { h2 #behind { "What is behind it, worst first" } (table(given)) }
        @for (query, title, found) in given.happened {
            section aria-labelledby=(query) {
                h2 id=(query) { (title) }
                (rows::table(found, &format!("{title}, {}", given.range.words()), LIST_BYTES_MAX / 2, given.vocabulary))
                p.screen { a href=(asked(given.range, query)) { "Ask more precisely" } }
            }
        }
    };
    Frame { title: about.name, here: Place::Overview, range: Some(given.range), as_of: Some(given.at) }.around(&main)
}

fn asked(range: &Range, query: &str) -> String {
    let (from, to) = (range.window.from.to_string(), range.window.to.to_string());
    super::address(&format!("/queries/{query}"), [("from", &*from), ("to", &*to)])
}

fn standing(given: &Page<'_>) -> Markup {
    let (about, status) = (given.about, given.status);
    let todo = status.outlook.as_ref().map_or(status.action, |outlook| outlook.decision);
    html! {
        p class={ "first " (class(status.colour)) } {
            (word(status.colour)) ": "
            @if let Some(value) = status.value { (about.figure(value)) " " (about.reading) } @else { "nothing is measured" }
            small {
                (todo) "; " (about.bands(status.thresholds))
                @if let Some(since) = status.since { "; so since " (time(since)) }
            }
        }
        @if let Some(outlook) = &status.outlook { (heading(outlook)) }
    }
}

/// Where the reading is heading, and why that is said.
fn heading(outlook: &Outlook) -> Markup {
    html! {
        div.table tabindex="0" role="region" aria-label="Where it is heading" {
            table {
                thead { tr { @for name in ["Over", "It is", "Why"] { th scope="col" { (name) } } } }
                tbody {
                    @for (span, verdict) in [("1h", &outlook.hour), ("24h", &outlook.day)] {
                        tr { th scope="row" { (span) } td { (direction(verdict.direction)) } td { (verdict.statement) } }
                    }
                }
            }
        }
    }
}

fn table(given: &Page<'_>) -> Markup {
    if given.behind.is_empty() {
        return html! {
            p.soft { "Nothing is measured in this time: send " @for (place, metric) in given.about.metrics.iter().enumerate() { @if place > 0 { ", " } code { (metric) } } " by remote write, OTLP or /v1/measurements." }
        };
    }
    let (lines, shown) = fit(LIST_BYTES_MAX, given.behind.iter().map(|behind| line(behind, given)));
    html! {
        div.table tabindex="0" role="region" aria-label="What is behind it" {
            table {
                thead { tr { th scope="col" { "State" } th scope="col" { "Where" } th scope="col" { "Metric" } th.number scope="col" { "Now" } th scope="col" { "Limits" } th scope="col" { (given.range.words()) } } }
                tbody { (lines) }
            }
        }
        @if given.more + given.behind.len() - shown > 0 { p.soft { (given.more + given.behind.len() - shown) " more, none of them worse." } }
    }
}

fn line(behind: &Behind, given: &Page<'_>) -> Markup {
    let history = given.range.keep("/trends", [("metric", behind.metric.as_str()), ("component", &behind.component)]);
    let component = given.range.keep("/component", [("name", behind.component.as_str())]);
    html! {
        tr {
            td { (chip(behind.colour, word(behind.colour))) }
            td { a href=(component) { (brief(&behind.component)) } @if !behind.labels.is_empty() { " " span.soft { (brief(&behind.labels)) } } }
            td { a href=(history) { (brief(&behind.metric)) } }
            td.number { (figure(behind.value)) }
            td { @for limit in &behind.plot.limits { (brief(&limit.text)) " " } }
            td { (behind.plot.spark()) }
        }
    }
}
