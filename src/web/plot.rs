//! A series as a line: limits, holes, what happened meanwhile, and where it may lead.

mod mark;
mod scale;

use maud::{Markup, PreEscaped, html};

pub use mark::Mark;
use scale::Values;

use super::{brief, cut};
use crate::analyse::health::Colour;
use crate::clock::Timestamp;
use crate::report::{figure, moment};

const WIDTH: f64 = 1200.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 42.0;
const BOTTOM: f64 = 26.0;
/// Marks of one plot.
const MARKS_MAX: usize = 40;
/// A distance between two points this many times the usual one is a hole, not a line.
const HOLE: f64 = 3.0;
/// Holes that are drawn.
const HOLES_MAX: usize = 40;
/// Characters of the title.
const TITLE_CHARACTERS_MAX: usize = 110;
/// A limit this many times beyond the values would flatten them, so it is only told.
const NEAR: f64 = 1.6;
/// Size of a small line.
const SPARK: (f64, f64) = (160.0, 36.0);

/// The look of a drawing that stands alone.
pub const STYLE: &str = concat!(include_str!("plot/colours.css"), include_str!("plot/drawing.css"));

/// What is drawn.
#[derive(Debug, Clone)]
pub struct Plot {
    /// What the line is of.
    pub title: String,
    /// Its unit.
    pub unit: Option<String>,
    /// Left edge.
    pub from: Timestamp,
    /// Right edge of what is known.
    pub to: Timestamp,
    /// By time.
    pub points: Vec<(Timestamp, f64)>,
    /// What happened meanwhile.
    pub marks: Vec<Mark>,
    /// Values it must not go beyond.
    pub limits: Vec<Limit>,
    /// Where it may lead.
    pub forecast: Option<Forecast>,
    /// Since when it has told no values though it told them all the time before.
    pub stalled_since: Option<Timestamp>,
}

/// A value the series must not go beyond.
#[derive(Debug, Clone)]
pub struct Limit {
    /// The value.
    pub value: f64,
    /// As it is written, such as `>= 500`.
    pub text: String,
    /// How bad it is to be beyond it.
    pub colour: Colour,
}

/// Where the line may be later.
#[derive(Debug, Clone, Copy)]
pub struct Forecast {
    /// When.
    pub time: Timestamp,
    /// The middle.
    pub expected: f64,
    /// The edges, within which it is most likely.
    pub between: Option<(f64, f64)>,
}

impl Plot {
    /// The drawing, with its marks as a list below.
    pub fn render(&self) -> Markup {
        let Some(values) = self.values() else {
            return html! { p.soft { (brief(&self.title)) ": no data in this time." } };
        };
        let marks = self.marks_shown();
        html! {
            figure.stalled[self.stalled_since.is_some()] {
                (self.stalled())
                div.plot tabindex="0" role="region" aria-label={ "Plot of " (cut(&brief(&self.title), TITLE_CHARACTERS_MAX)) } { (self.svg(values, None)) }
                @if !marks.is_empty() {
                    details {
                        summary { (marks.len()) @if marks.len() == 1 { " event" } @else { " events" } " in this time" }
                        ul.plain { @for mark in &marks { (mark.line()) } }
                    }
                }
            }
        }
    }

    /// The drawing as a file of its own.
    pub fn file(&self) -> String {
        let empty = || Values::around([0.0, 1.0].into_iter()).expect("two values have edges");
        self.svg(self.values().unwrap_or_else(empty), Some(STYLE)).into_string()
    }

    /// A small line without axes, for a glance.
    pub fn spark(&self) -> Markup {
        let Some(values) = Values::around(self.points.iter().map(|point| point.1)) else { return html! {} };
        let (width, height) = SPARK;
        let x = |time: Timestamp| 2.0 + scale::share(time, self.from, self.to) * (width - 4.0);
        let y = |value: f64| height - 3.0 - values.share(value) * (height - 6.0);
        let limits = self.limits.iter().filter(|limit| (values.low..=values.high).contains(&limit.value));
        html! {
            (self.stalled())
            svg.spark width=(width) height=(height) viewBox={ "0 0 " (width) " " (height) } aria-hidden="true" {
                @for limit in limits { line class={ "limit " (super::class(limit.colour)) } x1="0" x2=(width) y1=(px(y(limit.value))) y2=(px(y(limit.value))) {} }
                path.line d=(stroke(&self.points, &x, &y)) {}
            }
        }
    }

    fn stalled(&self) -> Markup {
        html! {
            @if let Some(since) = self.stalled_since {
                p.soft { (super::chip(Colour::Grey, "stalled")) " no value since " (super::time(since)) }
            }
        }
    }

    fn svg(&self, values: Values, style: Option<&str>) -> Markup {
        let y = |value: f64| HEIGHT - BOTTOM - values.share(value) * (HEIGHT - TOP - BOTTOM);
        let x = |time: Timestamp| self.x(time);
        let unit = self.unit.as_deref().filter(|unit| *unit != "1").map(|unit| format!(" ({})", brief(unit)));
        html! {
            svg xmlns=[style.map(|_| "http://www.w3.org/2000/svg")] width=(WIDTH) height=(HEIGHT) viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(brief(&self.said(values))) {
                @if let Some(style) = style { style { (PreEscaped(style)) } }
                text.title x="0" y="16" { (cut(&brief(&self.title), TITLE_CHARACTERS_MAX)) (unit.unwrap_or_default()) }
                @for hole in self.holes() {
                    rect.hole x=(px(x(hole.0))) y=(TOP) width=(px(x(hole.1) - x(hole.0))) height=(px(HEIGHT - TOP - BOTTOM)) { title { "no data" } }
                }
                @for value in values.ticks() {
                    line.axis x1=(LEFT) x2=(WIDTH - RIGHT) y1=(px(y(value))) y2=(px(y(value))) {}
                    text.soft x=(LEFT - 8.0) y=(px(y(value) + 4.0)) text-anchor="end" { (figure(value)) }
                }
                @for (time, name) in scale::times(self.from, self.end()) {
                    line.axis x1=(px(x(time))) x2=(px(x(time))) y1=(HEIGHT - BOTTOM) y2=(HEIGHT - BOTTOM + 4.0) {}
                    text.soft x=(px(x(time))) y=(HEIGHT - 8.0) text-anchor="middle" { (name) }
                }
                @for limit in self.limits.iter().filter(|limit| (values.low..=values.high).contains(&limit.value)) {
                    line class={ "limit " (super::class(limit.colour)) } x1=(LEFT) x2=(WIDTH - RIGHT) y1=(px(y(limit.value))) y2=(px(y(limit.value))) {}
                    text class={ "limit-text " (super::class(limit.colour)) } x=(LEFT + 4.0) y=(px(y(limit.value) - 4.0)) { (brief(&limit.text)) }
                }
                @for mark in self.marks_shown() { (mark.draw(x(mark.time))) }
                @if let Some(forecast) = &self.forecast { (self.ahead(forecast, &x, &y)) }
                path.line d=(stroke(&self.points, &x, &y)) {}
            }
        }
    }

    /// From the last point to where it may be.
    fn ahead(&self, forecast: &Forecast, x: &impl Fn(Timestamp) -> f64, y: &impl Fn(f64) -> f64) -> Markup {
        let Some((time, value)) = self.points.last() else { return html! {} };
        let (x1, y1, x2) = (px(x(*time)), px(y(*value)), px(x(forecast.time)));
        html! {
            @if let Some((low, high)) = forecast.between {
                path.ahead-range d={ "M" (x1) " " (y1) "L" (x2) " " (px(y(low))) "V" (px(y(high))) "z" } {}
            }
            path.ahead d={ "M" (x1) " " (y1) "L" (x2) " " (px(y(forecast.expected))) } {}
        }
    }

    /// Everything as a sentence.
    fn said(&self, values: Values) -> String {
        let last = self.points.last().map_or(f64::NAN, |point| point.1);
        let limits: Vec<&str> = self.limits.iter().map(|limit| limit.text.as_str()).collect();
        format!(
            "{}: between {} and {}, last {}, {} to {}{}{}",
            self.title,
            figure(values.low),
            figure(values.high),
            figure(last),
            moment(self.from),
            moment(self.to),
            if limits.is_empty() { "" } else { "; limits " },
            limits.join(", "),
        )
    }

    fn marks_shown(&self) -> Vec<&Mark> {
        let inside = |mark: &&Mark| mark.time >= self.from && mark.time <= self.to;
        self.marks.iter().filter(inside).take(MARKS_MAX).collect()
    }

    /// The edges: of the values, of what lies ahead, and of limits that are near.
    fn values(&self) -> Option<Values> {
        let known = self.points.iter().map(|point| point.1).filter(|value| value.is_finite());
        let (low, high) = (known.clone().reduce(f64::min)?, known.clone().reduce(f64::max)?);
        let ahead = self.forecast.iter().flat_map(|forecast| {
            let (low, high) = forecast.between.unwrap_or((forecast.expected, forecast.expected));
            [forecast.expected, low, high]
        });
        let near = |limit: &f64| *limit <= high.max(0.0) * NEAR && *limit >= low.min(0.0) * NEAR;
        Values::around(known.chain(ahead).chain(self.limits.iter().map(|limit| limit.value).filter(near)))
    }

    fn end(&self) -> Timestamp {
        self.forecast.map_or(self.to, |forecast| self.to.max(forecast.time))
    }

    fn x(&self, time: Timestamp) -> f64 {
        LEFT + scale::share(time, self.from, self.end()) * (WIDTH - LEFT - RIGHT)
    }

    /// Times without points where there should be some.
    fn holes(&self) -> Vec<(Timestamp, Timestamp)> {
        let x = |time: Timestamp| self.x(time);
        let usual = usual(&self.points, &x);
        let pairs = self.points.windows(2).map(|pair| (pair[0].0, pair[1].0));
        let silent = self.points.last().map(|last| (last.0, self.to));
        pairs.chain(silent).filter(|(from, to)| x(*to) - x(*from) > (usual * HOLE).max(3.0)).take(HOLES_MAX).collect()
    }
}

/// The usual distance of two points in the drawing.
fn usual(points: &[(Timestamp, f64)], x: &impl Fn(Timestamp) -> f64) -> f64 {
    let mut distances: Vec<f64> = points.windows(2).map(|pair| x(pair[1].0) - x(pair[0].0)).collect();
    distances.sort_by(f64::total_cmp);
    distances.get(distances.len() / 2).copied().unwrap_or(WIDTH)
}

/// The line through points; it pauses over holes.
fn stroke(points: &[(Timestamp, f64)], x: &impl Fn(Timestamp) -> f64, y: &impl Fn(f64) -> f64) -> String {
    let usual = usual(points, x);
    let mut path = String::new();
    let mut last = f64::NEG_INFINITY;
    for (time, value) in points.iter().filter(|(_, value)| value.is_finite()) {
        let (x, y) = (x(*time), y(*value));
        let pen = if x - last > usual * HOLE { 'M' } else { 'L' };
        path.push_str(&format!("{pen}{x:.1} {y:.1}"));
        if pen == 'M' {
            // A point alone is a dot: a line of no length with round ends.
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
