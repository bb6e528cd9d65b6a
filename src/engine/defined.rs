//! Metrics of a user's own: what is said of them is heeded wherever their series are read.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Engine, Origin, Watching};
use crate::analyse::limits::Doubt;
use crate::error::{Error, Result};
use crate::export::prometheus::{METRICS, Type};
use crate::measure::definition::{Definition, exposed};
use crate::measure::store::Known;
use crate::measure::{Kind, Samples};
use crate::receive::COMPONENT_UNKNOWN;

impl Watching {
    /// What is said of a metric.
    pub fn definition(&self, metric: &str) -> Option<&Definition> {
        self.metrics.get(metric).map(|(_, definition)| definition)
    }
}

/// Refuses a name that says something already, there or as it is shown at `/metrics`.
pub(super) fn check(definition: &Definition) -> Result<()> {
    let name = &definition.name;
    let own = definition.exposed();
    let known = METRICS.iter().flat_map(|metric| {
        let is_histogram = matches!(metric.holds, Type::Histogram(_));
        metric.names().flat_map(move |name| exposed(name.to_owned(), is_histogram))
    });
    match known.into_iter().find(|known| own.contains(known)) {
        Some(known) if known == *name => Err(format!("name = \"{name}\" is a metric that naze knows already")),
        Some(known) => Err(format!("name = \"{name}\" is a metric that naze knows already, as {known} at /metrics")),
        None => Ok(()),
    }
    .map_err(|problem| Error::invalid(problem).hint("docs/metrics.md tells its unit; choose another name for yours"))
}

/// Refuses two of which one would be shown as the other.
pub(super) fn check_apart<'a>(definitions: impl Iterator<Item = &'a Definition>) -> Result<()> {
    let mut shown: BTreeMap<String, &str> = BTreeMap::new();
    for definition in definitions {
        let name = &definition.name;
        for exposed in definition.exposed() {
            if let Some(other) = shown.get(&exposed) {
                let told = format!("name = \"{name}\" and name = \"{other}\" would both be {exposed} at /metrics");
                return Err(Error::invalid(told).hint("choose another name for one of them"));
            }
            shown.insert(exposed, name);
        }
    }
    Ok(())
}

impl Engine {
    /// A series with the unit that was said of its metric, where its samples say none.
    pub fn with_unit(&self, known: Arc<Known>) -> Arc<Known> {
        with_unit(&self.watching(), known)
    }

    /// Samples as what was said of their metrics makes them: whose they are and how they are read, where they do not say.
    pub(super) fn as_defined(&self, mut samples: Samples) -> Samples {
        let watching = self.watching();
        let Some(definition) = watching.definition(&samples.series.metric) else { return samples };
        let series = &mut samples.series;
        if let Some(component) = definition.component.as_ref().filter(|_| series.component == COMPONENT_UNKNOWN) {
            series.component.clone_from(component);
        }
        if let (Kind::Gauge | Kind::Counter, Kind::Gauge | Kind::Counter) = (series.kind, definition.kind) {
            series.kind = definition.kind;
        }
        samples.unit = samples.unit.or_else(|| Some(definition.unit.clone()));
        samples
    }

    /// What is doubtful about definitions that are `wanted`.
    pub fn doubts_of_metrics(&self, wanted: impl Fn(&Origin, &Definition) -> bool) -> Vec<Doubt> {
        let watching = self.watching();
        let wanted = watching.metrics.values().filter(|(origin, definition)| wanted(origin, definition));
        wanted.filter_map(|(_, definition)| self.doubt_of(definition)).collect()
    }

    fn doubt_of(&self, definition: &Definition) -> Option<Doubt> {
        let name = &definition.name;
        let doubt = |problem: String, fix: &str| Some(Doubt { rule: name.clone(), problem, fix: fix.to_owned() });
        let series = self.series(|series| series.metric == *name && !series.is_own());
        if series.is_empty() {
            return doubt(
                format!("no series is named {name}"),
                "mend the name, or send the metric; GET /v1/series lists those there are",
            );
        }
        let mut units = series.iter().filter_map(|(_, known)| known.unit.as_deref());
        if let Some(unit) = units.find(|unit| *unit != definition.unit) {
            let problem = format!("its series say that they are in {unit}, not in {}", definition.unit);
            return doubt(problem, "say the unit that is sent, or send the one that is said");
        }
        let other =
            series.iter().map(|(_, known)| known.series.kind).find(|kind| !is_readable(definition.kind, *kind))?;
        let problem = format!("it is sent as {}, which is not {}", word(other), word(definition.kind));
        doubt(problem, "say the kind that is sent")
    }
}

/// Can a metric of this kind be read from series of another?
fn is_readable(kind: Kind, sent: Kind) -> bool {
    kind == sent || (kind, sent) == (Kind::Gauge, Kind::Distribution)
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Gauge => "gauge",
        Kind::Counter => "counter",
        Kind::Delta => "delta",
        Kind::Distribution => "histogram",
    }
}

pub(super) fn with_unit(watching: &Watching, known: Arc<Known>) -> Arc<Known> {
    match watching.definition(&known.series.metric) {
        Some(definition) if known.unit.is_none() => {
            Arc::new(Known { series: known.series.clone(), unit: Some(definition.unit.clone()) })
        }
        _ => known,
    }
}
