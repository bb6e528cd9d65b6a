//! Where the values of a metric change colour: at its limits, unless a threshold says so elsewhere.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::{Limit, Threshold};

/// What values must not do to stay green.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Colours {
    /// Values that are yellow, unless they are worse.
    pub yellow: Option<Limit>,
    /// Values that are orange, unless they are red.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orange: Option<Limit>,
    /// Values that are red.
    pub red: Option<Limit>,
}

impl Colours {
    /// A warning is yellow and what is critical is red. States that are told by numbers have no such order.
    #[must_use]
    pub(super) fn or_of(self, warning: Option<Limit>, critical: Option<Limit>) -> Self {
        let ordered = |limit: Option<Limit>| limit.filter(Limit::is_ordered);
        Self { yellow: self.yellow.or(ordered(warning)), red: self.red.or(ordered(critical)), ..self }
    }

    /// The limits there are with the names of their colours, mild ones first.
    pub fn limits(&self) -> impl DoubleEndedIterator<Item = (&'static str, Limit)> + Clone {
        let named = [("yellow", self.yellow), ("orange", self.orange), ("red", self.red)];
        named.into_iter().filter_map(|(name, limit)| limit.map(|limit| (name, limit)))
    }

    /// Does a worse colour lie beyond a better one?
    ///
    /// # Errors
    /// Says which one does not.
    pub fn check(&self) -> Result<(), String> {
        let limits: Vec<_> = self.limits().collect();
        if let Some((name, limit)) = limits.iter().find(|(_, limit)| !limit.is_ordered()) {
            return Err(format!("{name} = \"{limit}\" starts nowhere: write >, >=, < or <="));
        }
        match limits.windows(2).find(|pair| !pair[1].1.is_farther(pair[0].1)) {
            Some(pair) => Err(format!("{} has to lie beyond {}, in the same direction", pair[1].0, pair[0].0)),
            None => Ok(()),
        }
    }
}

/// The colours of all metrics, by each of their names.
#[derive(Debug, Clone, PartialEq)]
pub struct Palette(BTreeMap<String, Colours>);

static SHIPPED: LazyLock<Palette> = LazyLock::new(|| Palette::of(Threshold::shipped()));

impl Palette {
    /// What `declared` says; of several thresholds of a metric the first that is for all its series and has colours.
    pub fn of<'a>(declared: impl IntoIterator<Item = &'a Threshold>) -> Self {
        let mut colours = BTreeMap::new();
        let is_whole = |threshold: &&Threshold| threshold.component.is_none() && threshold.labels.is_empty();
        for threshold in declared.into_iter().filter(is_whole) {
            for name in threshold.metric.iter().filter(|_| threshold.colours.limits().next().is_some()) {
                colours.entry(name.clone()).or_insert(threshold.colours);
            }
        }
        Self(colours)
    }

    /// What naze ships says.
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// The colours of a metric; without any its values are green.
    pub fn colours(&self, metric: &str) -> Option<Colours> {
        self.0.get(metric).copied()
    }

    /// Metrics that have colours.
    pub fn metrics(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }
}
