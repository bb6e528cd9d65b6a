//! Tables of what naze watches for: how objectives are kept, and what to do about a limit that is crossed. They take the
//! place of `VALUES` with a variable `?objective` or `?level` in queries that ask for them with `#+ table:`.

use oxrdf::Literal;
use serde::Serialize;
use spargebra::term::GroundTerm;

use crate::receipt::component_iri;

/// A table that a canned query is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// How the objectives that naze evaluates are kept at the end of the query's window.
    Slos,
    /// What to do about a limit that is crossed.
    Actions,
}

impl Table {
    /// The table of this name.
    pub(super) fn read(name: &str) -> Result<Self, String> {
        match name {
            "slos" => Ok(Self::Slos),
            "actions" => Ok(Self::Actions),
            other => Err(format!("\"{other}\" is no table: use slos or actions")),
        }
    }
}

/// How an objective is kept. What is not known is left out, and its variable stays unbound.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptObjective {
    /// `?objective`: its name.
    pub name: String,
    /// `?component`: the service that makes the promise.
    pub service: String,
    /// `?target`: share that has to be good.
    pub target: f64,
    /// `?attainment`: share that was good in its window.
    pub attainment: Option<f64>,
    /// `?budgetLeft`: share of its error budget; negative when overspent.
    pub budget_left: Option<f64>,
    /// `?week` and `?weekBefore`: attainments of this week and the last one.
    pub weeks: [Option<f64>; 2],
    /// `?missedHours`, `?hours` and `?remedy`: how many hours missed it, of how many, and what can be done, if it is
    /// missed again and again.
    pub chronic: Option<(usize, usize, String)>,
}

/// What to do about a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitAction {
    /// `?metric`: what is beyond it.
    pub metric: String,
    /// `?level`: `warning` or `critical`.
    pub level: &'static str,
    /// `?action`: what to do.
    pub action: String,
}

impl KeptObjective {
    pub(super) fn told(&self, name: &str) -> Option<GroundTerm> {
        let count = |count: usize| Literal::from(i64::try_from(count).unwrap_or(i64::MAX));
        let [week, week_before] = self.weeks;
        Some(match name {
            "objective" => text(&self.name),
            "component" => component_iri(&self.service).into(),
            "target" => number(self.target),
            "attainment" => number(self.attainment?),
            "budgetLeft" => number(self.budget_left?),
            "week" => number(week?),
            "weekBefore" => number(week_before?),
            "missedHours" => count(self.chronic.as_ref()?.0).into(),
            "hours" => count(self.chronic.as_ref()?.1).into(),
            "remedy" => text(&self.chronic.as_ref()?.2),
            _ => return None,
        })
    }
}

impl LimitAction {
    pub(super) fn told(&self, name: &str) -> Option<GroundTerm> {
        Some(text(match name {
            "metric" => &self.metric,
            "level" => self.level,
            "action" => &self.action,
            _ => return None,
        }))
    }
}

fn text(text: &str) -> GroundTerm {
    Literal::from(text).into()
}

fn number(number: f64) -> GroundTerm {
    Literal::from(number).into()
}
