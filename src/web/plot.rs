//! A series as a line with marks where something happened.
#![expect(clippy::cast_precision_loss, reason = "microseconds of a window fit 53 bits")]

use maud::{Markup, html};

use super::{brief, receipt_link};
use crate::clock::Timestamp;
use crate::receipt::ReceiptId;
use crate::record::Recorded;
use crate::report::{figure, moment, title_of};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 22.0;
const BOTTOM: f64 = 26.0;
/// Marks of one plot.
const MARKS_MAX: usize = 40;
/// A distance between two points this many times the usual one is a hole, not a line.
const HOLE: f64 = 3.0;

/// What is drawn.
#[derive(Debug, Clone)]
pub struct Plot {
    /// What the line is of.
    pub title: String,
    /// Its unit.
    pub unit: Option<String>,
    /// Left edge.
    pub from: Timestamp,
    /// Right edge.
    pub to: Timestamp,
    /// By time.
    pub points: Vec<(Timestamp, f64)>,
    /// What happened meanwhile.
    pub marks: Vec<Mark>,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Mark {
    time: Timestamp,
    text: String,
    id: ReceiptId,
}

impl Mark {
    /// Deployments, changes, scalings and alerts that fire are worth a mark.
    pub fn of(recorded: &Recorded) -> Option<Self> {
        let receipt = &recorded.receipt;
        let is_worth = match receipt.kind() {
            "deployment" | "change" | "scaling" | "incident" => true,
            "alert" => receipt.text("status") == Some("firing"),
            _ => false,
        };
        let text = format!("{} {}", receipt.component().unwrap_or_default(), title_of(receipt));
        is_worth.then(|| Self { time: recorded.occurred_at(), text: brief(&text), id: recorded.id })
    }
}

impl Plot {
    /// The drawing, with its marks as a list below.
    pub fn render(&self) -> Markup {
        let Some((low, high)) = self.range() else { return html! { p.soft { (self.title) ": no data." } } };
        let y = |value: f64| TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM);
        let marks: Vec<&Mark> = self.marks.iter().filter(|mark| self.contains(mark.time)).take(MARKS_MAX).collect();
        let last = self.points.last().map_or(f64::NAN, |point| point.1);
        let unit = self.unit.as_deref().unwrap_or_default();
        let said = format!(
            "{}: {} to {}, last {} {unit}, {} to {}",
            self.title,
            figure(low),
            figure(high),
            figure(last),
            moment(self.from),
            moment(self.to)
        );
        html! {
            figure {
                svg width=(WIDTH) height=(HEIGHT) viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(brief(&said)) {
                    text x=(LEFT) y="14" { (super::cut(&brief(&self.title), 90)) @if !unit.is_empty() { " (" (brief(unit)) ")" } }
                    @for value in [low, f64::midpoint(low, high), high] {
                        line.axis x1=(LEFT) x2=(WIDTH - RIGHT) y1=(px(y(value))) y2=(px(y(value))) {}
                        text.soft x=(LEFT - 6.0) y=(px(y(value) + 4.0)) text-anchor="end" { (figure(value)) }
                    }
                    text.soft x=(LEFT) y=(HEIGHT - 8.0) { (moment(self.from)) }
                    text.soft x=(WIDTH - RIGHT) y=(HEIGHT - 8.0) text-anchor="end" { (moment(self.to)) }
                    @for mark in &marks {
                        line.mark x1=(px(self.x(mark.time))) x2=(px(self.x(mark.time))) y1=(TOP) y2=(HEIGHT - BOTTOM) {}
                        circle.mark-head cx=(px(self.x(mark.time))) cy=(TOP) r="4" { title { (mark.text) } }
                    }
                    path.line d=(self.path(y)) {}
                }
                @if !marks.is_empty() {
                    details {
                        summary { (marks.len()) " marks" }
                        ul { @for mark in &marks { li { (super::time(mark.time)) " " (mark.text) " " (receipt_link(mark.id)) } } }
                    }
                }
            }
        }
    }

    /// A small line without axes, for a glance.
    pub fn spark(&self) -> Markup {
        let Some((low, high)) = self.range() else { return html! {} };
        let scale = |value: f64| 2.0 + (high - value) / (high - low) * 28.0;
        let span = self.to.since(self.from).num_microseconds().unwrap_or(1).max(1) as f64;
        let x = |time: Timestamp| time.since(self.from).num_microseconds().unwrap_or(0) as f64 / span * 160.0;
        let path = stroke(self.points.iter().map(|(time, value)| (x(*time), scale(*value))), usual(&self.points, x));
        html! { svg width="160" height="32" viewBox="0 0 160 32" aria-hidden="true" { path.line d=(path) {} } }
    }

    fn contains(&self, time: Timestamp) -> bool {
        time >= self.from && time <= self.to
    }

    /// Smallest and largest value, apart from each other.
    fn range(&self) -> Option<(f64, f64)> {
        let values = || self.points.iter().map(|point| point.1).filter(|value| value.is_finite());
        let (low, high) = (values().reduce(f64::min)?, values().reduce(f64::max)?);
        if high > low { Some((low, high)) } else { Some((low - 0.5 - low.abs() * 0.1, high + 0.5 + high.abs() * 0.1)) }
    }

    fn x(&self, time: Timestamp) -> f64 {
        let span = self.to.since(self.from).num_microseconds().unwrap_or(1).max(1) as f64;
        let since = time.since(self.from).num_microseconds().unwrap_or(0) as f64;
        LEFT + since / span * (WIDTH - LEFT - RIGHT)
    }

    fn path(&self, y: impl Fn(f64) -> f64) -> String {
        let x = |time: Timestamp| self.x(time);
        stroke(self.points.iter().map(|(time, value)| (x(*time), y(*value))), usual(&self.points, x))
    }
}

/// The usual distance of two points in the drawing.
fn usual(points: &[(Timestamp, f64)], x: impl Fn(Timestamp) -> f64) -> f64 {
    let mut distances: Vec<f64> = points.windows(2).map(|pair| x(pair[1].0) - x(pair[0].0)).collect();
    distances.sort_by(f64::total_cmp);
    distances.get(distances.len() / 2).copied().unwrap_or(WIDTH)
}

/// The line through places; it pauses over holes.
fn stroke(places: impl Iterator<Item = (f64, f64)>, usual: f64) -> String {
    let mut path = String::new();
    let mut last = f64::NEG_INFINITY;
    for (x, y) in places.filter(|(_, y)| y.is_finite()) {
        let pen = if x - last > usual * HOLE { 'M' } else { 'L' };
        // A point alone is a dot: a line of no length with round ends.
        path.push_str(&format!("{pen}{x:.1} {y:.1}"));
        if pen == 'M' {
            path.push_str("h.1");
        }
        last = x;
    }
    path
}

/// A place in the drawing, to a tenth.
fn px(place: f64) -> String {
    format!("{place:.1}")
}
