//! Who depends on whom between symptom and cause, as a drawing with links.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use maud::{Markup, html};

use super::{ADDRESS_BYTES_MAX, address, brief, cut};
use crate::analyse::cause::Answer;
use crate::record::Recorded;

/// Components drawn: the symptom, the first suspects, and what lies between them.
const NODES_MAX: usize = 16;
/// Arrows drawn.
const EDGES_MAX: usize = 40;
const SUSPECTS_MAX: usize = 6;
const NODE_WIDTH: usize = 150;
const NODE_HEIGHT: usize = 34;
const COLUMN: usize = 210;
const ROW: usize = 54;
const NAME_CHARACTERS_MAX: usize = 19;

type Edges<'a> = BTreeSet<(&'a str, &'a str)>;

/// The drawing with its heading; nothing when no dependency is known.
pub fn section(answer: &Answer, evidence: &[Recorded]) -> Markup {
    let symptom = answer.question.component.as_str();
    let known = edges(evidence);
    let suspects: Vec<&str> = answer.ranked.iter().take(SUSPECTS_MAX).map(|cause| cause.component.as_str()).collect();
    let columns = columns(symptom, &suspects, &known);
    let edges: Edges<'_> =
        known.into_iter().filter(|(a, b)| columns.contains_key(a) && columns.contains_key(b)).take(EDGES_MAX).collect();
    if edges.is_empty() {
        return html! {};
    }
    let cause = suspects.first().copied();
    html! {
        section aria-labelledby="graph" {
            h2 #graph { "Who depends on whom" }
            (draw(symptom, cause, &places(&columns), &edges))
            details {
                summary { "The same in words" }
                ul { @for (caller, callee) in &edges { li { (brief(caller)) " depends on " (brief(callee)) } } }
            }
        }
    }
}

fn edges(evidence: &[Recorded]) -> Edges<'_> {
    evidence.iter().filter_map(edge).filter(|(caller, callee)| caller != callee).collect()
}

fn edge(recorded: &Recorded) -> Option<(&str, &str)> {
    let receipt = &recorded.receipt;
    let field = match receipt.kind() {
        "dependency" => "target",
        "failure" => "peer",
        _ => return None,
    };
    Some((receipt.component()?, receipt.component_field(field)?))
}

/// The components to draw with their column: steps along calls from the symptom, callers of it to the left.
fn columns<'a>(symptom: &'a str, suspects: &[&'a str], edges: &Edges<'a>) -> BTreeMap<&'a str, i32> {
    let down = reached(symptom, edges.iter().copied());
    let up = reached(symptom, edges.iter().map(|(caller, callee)| (*callee, *caller)));
    let mut columns = BTreeMap::from([(symptom, 0)]);
    for suspect in suspects {
        let (way, sign) = if down.contains_key(suspect) { (&down, 1) } else { (&up, -1) };
        let mut here = *suspect;
        while let Some((steps, before)) = way.get(here).filter(|_| columns.len() < NODES_MAX) {
            columns.entry(here).or_insert(steps * sign);
            let Some(before) = before else { break };
            here = before;
        }
    }
    columns
}

/// Breadth first: the steps to each component that can be reached, and the one before it.
fn reached<'a>(
    start: &'a str,
    edges: impl Iterator<Item = (&'a str, &'a str)>,
) -> BTreeMap<&'a str, (i32, Option<&'a str>)> {
    let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in edges {
        next.entry(from).or_default().push(to);
    }
    let mut reached = BTreeMap::from([(start, (0, None))]);
    let mut queue = VecDeque::from([start]);
    while let Some(here) = queue.pop_front() {
        let steps = reached[here].0 + 1;
        for there in next.get(here).into_iter().flatten() {
            if !reached.contains_key(there) {
                reached.insert(there, (steps, Some(here)));
                queue.push_back(there);
            }
        }
    }
    reached
}

/// Left upper corner of each component.
fn places<'a>(columns: &BTreeMap<&'a str, i32>) -> BTreeMap<&'a str, (usize, usize)> {
    let first = columns.values().min().copied().unwrap_or_default();
    let mut rows: BTreeMap<i32, usize> = BTreeMap::new();
    columns
        .iter()
        .map(|(name, column)| {
            let row = rows.entry(*column).or_default();
            let place = (10 + usize::try_from(column - first).unwrap_or(0) * COLUMN, 10 + *row * ROW);
            *row += 1;
            (*name, place)
        })
        .collect()
}

fn draw(symptom: &str, cause: Option<&str>, places: &BTreeMap<&str, (usize, usize)>, edges: &Edges<'_>) -> Markup {
    let width = places.values().map(|place| place.0).max().unwrap_or(0) + NODE_WIDTH + 10;
    let height = places.values().map(|place| place.1).max().unwrap_or(0) + NODE_HEIGHT + 10;
    html! {
        svg width=(width) height=(height) viewBox={ "0 0 " (width) " " (height) } role="group"
            aria-label="Components between symptom and cause; arrows lead from a caller to what it calls" {
            defs {
                marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto" {
                    path.edge-head d="M0 0 8 4 0 8z" {}
                }
            }
            @for (caller, callee) in edges { (arrow(places[caller], places[callee])) }
            @for (name, (x, y)) in places {
                a href=[Some(address("/component", [("name", *name)])).filter(|address| address.len() <= ADDRESS_BYTES_MAX)] {
                    title { (brief(name)) (role(name, symptom, cause)) }
                    rect.node.cause[cause == Some(name)].symptom[symptom == *name]
                        x=(x) y=(y) width=(NODE_WIDTH) height=(NODE_HEIGHT) rx="6" {}
                    text x=(x + NODE_WIDTH / 2) y=(y + 21) text-anchor="middle" { (cut(&brief(name), NAME_CHARACTERS_MAX)) }
                }
            }
        }
    }
}

fn role(name: &str, symptom: &str, cause: Option<&str>) -> &'static str {
    match (name == symptom, cause == Some(name)) {
        (true, true) => ": symptom and first suspect",
        (true, false) => ": symptom",
        (false, true) => ": first suspect",
        (false, false) => "",
    }
}

/// From the right side of the caller to the left side of the callee, or around when they stand otherwise.
fn arrow(from: (usize, usize), to: (usize, usize)) -> Markup {
    let middle = NODE_HEIGHT / 2;
    let path = if to.0 > from.0 {
        let (x1, y1, x2, y2) = (from.0 + NODE_WIDTH, from.1 + middle, to.0, to.1 + middle);
        let bend = usize::midpoint(x1, x2);
        format!("M{x1} {y1}C{bend} {y1} {bend} {y2} {x2} {y2}")
    } else {
        let (x1, x2) = (from.0 + NODE_WIDTH / 2, to.0 + NODE_WIDTH / 2);
        let (y1, y2) = if to.1 > from.1 { (from.1 + NODE_HEIGHT, to.1) } else { (from.1, to.1 + NODE_HEIGHT) };
        format!("M{x1} {y1}L{x2} {y2}")
    };
    html! { path.edge d=(path) marker-end="url(#head)" {} }
}
