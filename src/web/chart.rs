//! The answer of a query as a drawing, when it has one: a line over time, or bars of one number for each name.

use maud::{Markup, html};
use oxrdf::vocab::xsd;
use oxrdf::{Literal, Term};

use super::plot::Plot;
use super::{brief, component_link, cut};
use crate::clock::Timestamp;
use crate::query::Rows;
use crate::receipt::component_name;
use crate::report::figure;

/// Bars of one drawing.
const BARS_MAX: usize = 20;
/// Characters of a bar's name.
const NAME_CHARACTERS_MAX: usize = 60;
/// Length of the longest bar.
const BAR: f64 = 320.0;
/// Fewest points of a line.
const POINTS_MIN: usize = 3;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Time,
    Number,
    Name,
    Other,
}

/// A drawing of rows with exactly one number, or nothing.
pub fn section(found: &Rows, title: &str) -> Markup {
    let holds: Vec<Holds> = (0..found.columns.len()).map(|place| column(found, place)).collect();
    let place = |wanted: Holds| holds.iter().position(|holds| *holds == wanted);
    let numbers = holds.iter().filter(|holds| **holds == Holds::Number).count();
    let Some(number) = place(Holds::Number).filter(|_| numbers == 1 && found.rows.len() > 1) else { return html! {} };
    let names: Vec<usize> = (0..holds.len()).filter(|place| holds[*place] == Holds::Name).collect();
    match (place(Holds::Time), names.first()) {
        (Some(time), None) => line(found, title, time, number),
        (_, Some(name)) => bars(found, *name, number),
        _ => html! {},
    }
}

fn column(found: &Rows, place: usize) -> Holds {
    let mut terms = found.rows.iter().filter_map(|row| row[place].as_ref());
    let of = |term: &Term| match term {
        Term::NamedNode(iri) if component_name(iri.as_ref()).is_some() => Holds::Name,
        Term::Literal(literal) => match literal.datatype() {
            xsd::INTEGER | xsd::DECIMAL | xsd::DOUBLE | xsd::FLOAT => Holds::Number,
            xsd::DATE_TIME => Holds::Time,
            xsd::STRING => Holds::Name,
            _ => Holds::Other,
        },
        _ => Holds::Other,
    };
    let Some(first) = terms.next().map(of) else { return Holds::Other };
    if terms.all(|term| of(term) == first) { first } else { Holds::Other }
}

fn line(found: &Rows, title: &str, time: usize, number: usize) -> Markup {
    let point = |row: &Vec<Option<Term>>| Some((instant(row[time].as_ref()?)?, value(row[number].as_ref()?)?));
    let mut points: Vec<(Timestamp, f64)> = found.rows.iter().filter_map(point).collect();
    points.sort_by_key(|point| point.0);
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return html! {} };
    let (from, to) = (first.0, last.0);
    if points.len() < POINTS_MIN || from == to {
        return html! {};
    }
    let title = format!("{} of {title}", found.columns[number]);
    Plot {
        title,
        unit: None,
        from,
        to,
        points,
        marks: Vec::new(),
        limits: Vec::new(),
        forecast: None,
        stalled_since: None,
    }
    .render()
}

fn bars(found: &Rows, name: usize, number: usize) -> Markup {
    let bar = |row: &Vec<Option<Term>>| Some((row[name].clone()?, value(row[number].as_ref()?)?));
    let bars: Vec<(Term, f64)> = found.rows.iter().filter_map(bar).filter(|(_, value)| *value >= 0.0).collect();
    let largest = bars.iter().map(|bar| bar.1).fold(0.0, f64::max);
    if largest <= 0.0 {
        return html! {};
    }
    html! {
        figure {
            figcaption { (super::rows::spaced(&found.columns[number])) " by " (super::rows::spaced(&found.columns[name])) }
            table.bars {
                tbody {
                    @for (name, value) in bars.iter().take(BARS_MAX) {
                        tr {
                            th scope="row" { (self::name(name)) }
                            td { svg width=(BAR) height="14" viewBox={ "0 0 " (BAR) " 14" } aria-hidden="true" {
                                rect.bar x="0" y="1" width=(format!("{:.1}", (value / largest * BAR).max(1.0))) height="12" rx="2" {}
                            } }
                            td.number { (figure(*value)) }
                        }
                    }
                }
            }
            @if bars.len() > BARS_MAX { p.soft { "The first " (BARS_MAX) " of " (bars.len()) " rows are drawn." } }
        }
    }
}

fn name(term: &Term) -> Markup {
    match term {
        Term::NamedNode(iri) => component_name(iri.as_ref())
            .map_or_else(|| html! { (cut(iri.as_str(), NAME_CHARACTERS_MAX)) }, |name| component_link(&name)),
        Term::Literal(literal) => html! { (cut(&brief(literal.value()), NAME_CHARACTERS_MAX)) },
        other => html! { (cut(&other.to_string(), NAME_CHARACTERS_MAX)) },
    }
}

fn value(term: &Term) -> Option<f64> {
    literal(term)?.value().parse::<f64>().ok().filter(|value| value.is_finite())
}

fn instant(term: &Term) -> Option<Timestamp> {
    literal(term)?.value().parse().ok()
}

fn literal(term: &Term) -> Option<&Literal> {
    match term {
        Term::Literal(literal) => Some(literal),
        _ => None,
    }
}
