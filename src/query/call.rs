//! What a query asks of series, which are no triples: one figure of one window.

use std::ops::Range;
use std::sync::Arc;

use oxrdf::{Literal, Term, vocab::xsd};
use serde::{Deserialize, Serialize};

use crate::clock::{Timestamp, ago};
use crate::error::Result;
use crate::measure::selector::Selector;
use crate::receipt::component_name;

/// Times that one call may tell; the others are not looked at.
const TIMES_MAX: usize = 20_000;

/// Answers a call; `None` when there are too few values for it. An error ends the query.
pub type Meter = Arc<dyn Fn(&Call) -> Result<Option<Literal>> + Send + Sync>;

/// One call of a function over series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// What is asked.
    pub figure: Figure,
    /// Which series.
    pub selector: Selector,
    /// Of one component only.
    pub component: Option<String>,
    /// Start of the window.
    pub from: Timestamp,
    /// End of the window, which is not in it.
    pub to: Timestamp,
}

/// What is asked of the values in a window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Figure {
    /// How many there are.
    Samples,
    /// Their mean; of counters and deltas, their rate.
    Mean,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The value that this share of them do not exceed.
    Quantile(f64),
    /// By how much counters rose, or what deltas added, for each second.
    Rate,
    /// How fast the mean grows.
    Slope,
    /// By how much the mean differs from the one in the window before, as a share of that.
    Change,
    /// When they left what was usual in the window before.
    MovedAt,
    /// How likely they would differ so much before and after this moment if nothing had changed.
    MannWhitney(Timestamp),
    /// How they go along with the number of these events.
    Pearson(Vec<Timestamp>),
    /// The same, by rank.
    Spearman(Vec<Timestamp>),
    /// By how much they follow these events.
    Lag(Vec<Timestamp>),
}

impl Figure {
    /// Does it look at the window before as well?
    fn compares(&self) -> bool {
        matches!(self, Self::Change | Self::MovedAt)
    }
}

impl Call {
    /// The call that arguments make; `None` when one of them is of the wrong type.
    pub(super) fn read(name: &str, arguments: &[Term]) -> Option<Self> {
        let [metric, component, from, to, more @ ..] = arguments else { return None };
        let (from, to) = (time(from)?, time(to)?);
        if from >= to {
            return None;
        }
        let component = match component {
            Term::NamedNode(iri) => Some(component_name(iri.as_ref())?),
            name => Some(text(name)?.to_owned()).filter(|name| !name.is_empty()),
        };
        let figure = figure(name, more.first(), &(from..to))?;
        Some(Self { figure, selector: text(metric)?.parse().ok()?, component, from, to })
    }

    /// The times whose values it needs.
    pub fn reach(&self) -> Range<Timestamp> {
        let from = if self.figure.compares() { ago(self.from, self.to.since(self.from)) } else { self.from };
        from..self.to
    }
}

fn figure(name: &str, more: Option<&Term>, window: &Range<Timestamp>) -> Option<Figure> {
    let times = || {
        let told = text(more?)?.split_ascii_whitespace().map(str::parse).take(TIMES_MAX);
        let told: Vec<Timestamp> = told.collect::<Result<_, _>>().ok()?;
        Some(told.into_iter().filter(|time| window.contains(time)).collect())
    };
    Some(match name {
        "samples" => Figure::Samples,
        "mean" => Figure::Mean,
        "min" => Figure::Min,
        "max" => Figure::Max,
        "quantile" => Figure::Quantile(number(more?).filter(|share| (0.0..=1.0).contains(share))?),
        "rate" => Figure::Rate,
        "slope" => Figure::Slope,
        "change" => Figure::Change,
        "movedAt" => Figure::MovedAt,
        "mannWhitney" => Figure::MannWhitney(time(more?).filter(|at| window.contains(at))?),
        "pearson" => Figure::Pearson(times()?),
        "spearman" => Figure::Spearman(times()?),
        "lag" => Figure::Lag(times()?),
        _ => return None,
    })
}

fn text(term: &Term) -> Option<&str> {
    match term {
        Term::Literal(literal) if literal.datatype() == xsd::STRING => Some(literal.value()),
        _ => None,
    }
}

fn time(term: &Term) -> Option<Timestamp> {
    match term {
        Term::Literal(literal) if literal.datatype() == xsd::DATE_TIME => literal.value().parse().ok(),
        _ => None,
    }
}

fn number(term: &Term) -> Option<f64> {
    match term {
        Term::Literal(literal)
            if [xsd::DECIMAL, xsd::DOUBLE, xsd::FLOAT, xsd::INTEGER].contains(&literal.datatype()) =>
        {
            literal.value().parse().ok()
        }
        _ => None,
    }
}
