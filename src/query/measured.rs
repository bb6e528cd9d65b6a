//! Tables that are no triples, for canned queries: which series there are, and how components are related. They take the
//! place of `VALUES` with a variable `?series` or `?relation`.

use oxrdf::{Literal, Variable};
use regex::Regex;
use serde::{Serialize, Serializer};
use spargebra::algebra::GraphPattern;
use spargebra::term::GroundTerm;

use super::Meter;
use super::table::{KeptObjective, LimitAction};
use crate::measure::selector::Selector;
use crate::receipt::component_iri;

/// Series that a query may go through.
const LISTED_MAX: usize = 5_000;

/// Which series a query goes through.
#[derive(Debug, Clone, Serialize)]
pub struct Listing {
    /// So many at most: those nearest to `component` first, if it has that parameter.
    pub most: usize,
    /// Only metrics whose names this pattern finds.
    #[serde(serialize_with = "pattern", skip_serializing_if = "Option::is_none")]
    pub named: Option<Regex>,
}

#[expect(clippy::ref_option, reason = "serde passes references")]
fn pattern<S: Serializer>(named: &Option<Regex>, serializer: S) -> Result<S::Ok, S::Error> {
    named.as_ref().map(Regex::as_str).serialize(serializer)
}

impl Listing {
    /// `number` or `number pattern`.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let (most, named) = text.split_once(' ').map_or((text, None), |(most, named)| (most, Some(named)));
        let most = most.parse().ok().filter(|most| (1..=LISTED_MAX).contains(most));
        Ok(Self {
            most: most.ok_or_else(|| format!("write #+ series: a number from 1 to {LISTED_MAX}"))?,
            named: named.map(Regex::new).transpose().map_err(|error| format!("the pattern is none: {error}"))?,
        })
    }

    /// Does the query go through the series of this metric?
    pub fn wants(&self, metric: &str) -> bool {
        self.named.as_ref().is_none_or(|named| named.is_match(metric))
    }
}

/// The series that a query may ask for.
pub struct Measured {
    /// Answers calls of functions.
    pub meter: Meter,
    /// Those that the query goes through, if it does.
    pub listed: Vec<Listed>,
    /// How many it does not get to see.
    pub left_out: usize,
    /// Components that are related to the one in question.
    pub relatives: Vec<Relative>,
    /// How objectives are kept.
    pub objectives: Vec<KeptObjective>,
    /// What to do about limits.
    pub actions: Vec<LimitAction>,
}

/// A series that a query goes through: `VALUES (?component ?metric ?series) { (UNDEF UNDEF UNDEF) }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What was measured.
    pub component: String,
    /// Name of the metric.
    pub metric: String,
    /// The metric with all labels.
    pub series: Selector,
}

/// A component and the one in question: `VALUES (?component ?relation ?steps) { (UNDEF UNDEF UNDEF) }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relative {
    /// The component.
    pub component: String,
    /// What it is to the one in question.
    pub relation: Relation,
    /// How many calls lie between them.
    pub steps: u32,
}

/// What a component is to the one in question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The same.
    Itself,
    /// The one in question depends on it.
    Dependency,
    /// It depends on the one in question.
    Dependent,
}

impl Relation {
    /// Its name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Itself => "itself",
            Self::Dependency => "dependency",
            Self::Dependent => "dependent",
        }
    }
}

impl Measured {
    /// Functions, and empty tables.
    pub fn new(meter: Meter) -> Self {
        Self {
            meter,
            listed: Vec::new(),
            left_out: 0,
            relatives: Vec::new(),
            objectives: Vec::new(),
            actions: Vec::new(),
        }
    }

    /// The table for a place with these variables, if it is one for a table.
    pub(super) fn table(&self, variables: &[Variable]) -> Option<GraphPattern> {
        let rows: Vec<Vec<Option<GroundTerm>>> = if has(variables, "series") {
            self.listed.iter().map(|listed| row(variables, |name| listed.told(name))).collect()
        } else if has(variables, "relation") {
            self.relatives.iter().map(|relative| row(variables, |name| relative.told(name))).collect()
        } else if has(variables, "objective") {
            self.objectives.iter().map(|kept| row(variables, |name| kept.told(name))).collect()
        } else if has(variables, "level") {
            self.actions.iter().map(|action| row(variables, |name| action.told(name))).collect()
        } else {
            return None;
        };
        Some(GraphPattern::Values { variables: variables.to_vec(), bindings: rows })
    }
}

fn has(variables: &[Variable], name: &str) -> bool {
    variables.iter().any(|variable| variable.as_str() == name)
}

fn row(variables: &[Variable], told: impl Fn(&str) -> Option<GroundTerm>) -> Vec<Option<GroundTerm>> {
    variables.iter().map(|variable| told(variable.as_str())).collect()
}

impl Listed {
    fn told(&self, name: &str) -> Option<GroundTerm> {
        match name {
            "component" => Some(component_iri(&self.component).into()),
            "metric" => Some(Literal::from(self.metric.as_str()).into()),
            "series" => Some(Literal::from(self.series.to_string()).into()),
            _ => None,
        }
    }
}

impl Relative {
    fn told(&self, name: &str) -> Option<GroundTerm> {
        match name {
            "component" => Some(component_iri(&self.component).into()),
            "relation" => Some(Literal::from(self.relation.name()).into()),
            "steps" => Some(Literal::from(i64::from(self.steps)).into()),
            _ => None,
        }
    }
}
