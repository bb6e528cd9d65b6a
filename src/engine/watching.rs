//! What naze watches for: thresholds, objectives and metrics that it ships, that the configuration has, and that were declared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLockWriteGuard};

use super::declared::{Declared, Subject};
use super::{Engine, SELF, defined};
use crate::analyse::limits::{self, Doubt};
use crate::config::{Config, Metrics};
use crate::error::{Error, Result};
use crate::measure::crossing::{Learned, Palette, Threshold};
use crate::measure::definition::Definition;
use crate::receipt::{Receipt, Value};
use crate::receive::{Draft, Item, Received};
use crate::record::ledger::Source;
use crate::slo::Book;

/// Where something that is watched for is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It was declared over HTTP, under this name.
    Declared(String),
    /// In the configuration.
    Configured,
    /// It is part of the metric registered under this name.
    Metric(String),
    /// naze ships it.
    Shipped,
}

/// All that is watched for.
#[derive(Debug, Clone)]
pub struct Watching {
    thresholds: Vec<(Origin, Threshold)>,
    /// Where values change colour.
    pub palette: Palette,
    /// How the past of series is held against them.
    pub learned: Learned,
    /// Objectives.
    pub slos: Book,
    /// Metrics of a user's own, by name.
    pub metrics: BTreeMap<String, (Origin, Definition)>,
}

/// What is watched for, and the two places that it is made from.
pub(super) struct Sources {
    config: Config,
    declared: Declared,
    /// Metrics that were declared to an earlier naze and cannot be any more, by name: they stay on disk, unheeded.
    left_out: BTreeMap<String, Doubt>,
    watching: Arc<Watching>,
}

impl Watching {
    /// Limits of series, those first that go before the others.
    pub fn thresholds(&self) -> impl Iterator<Item = &Threshold> + Clone {
        self.thresholds.iter().map(|(_, threshold)| threshold)
    }

    /// The same, each with where it is written.
    pub fn origins(&self) -> impl Iterator<Item = (&Origin, &Threshold)> {
        self.thresholds.iter().map(|(origin, threshold)| (origin, threshold))
    }

    fn of(config: &Config, declared: &Declared) -> Result<Self> {
        let mut thresholds = Vec::new();
        for (name, document) in declared.of(Subject::Threshold) {
            thresholds.push((Origin::Declared(name.to_owned()), threshold(name, document)?));
        }
        let metrics = metrics(config, declared)?;
        let of_metric = |(_, definition): &(Origin, Definition)| {
            Some((Origin::Metric(definition.name.clone()), definition.threshold.clone()?))
        };
        thresholds.extend(metrics.values().filter_map(of_metric));
        let configured = config.thresholds.iter().map(|threshold| (Origin::Configured, threshold));
        let shipped = if config.default_thresholds { Threshold::shipped() } else { &[] };
        let shipped = shipped.iter().map(|threshold| (Origin::Shipped, threshold));
        thresholds.extend(configured.chain(shipped).map(|(origin, threshold)| (origin, threshold.clone())));
        let mut slos = Book::load(config.slos.as_deref())?;
        for (name, document) in declared.of(Subject::Slo) {
            slos.declare(name, document)?;
        }
        let palette = Palette::of(thresholds.iter().map(|(_, threshold)| threshold).chain(Threshold::shipped()));
        Ok(Self { thresholds, palette, learned: config.learned.clone(), slos, metrics })
    }
}

impl Sources {
    pub(super) fn open(config: &Config) -> Result<Self> {
        let mut declared = Declared::open(config.data.as_deref())?;
        let mut left_out = BTreeMap::new();
        for (name, document) in declared.clone().of(Subject::Metric) {
            let Err(error) = definition(name, document) else { continue };
            let problem = format!("it was declared, and is left out: {}", error.message());
            tracing::warn!(metric = name, problem, "a metric of your own is not heeded");
            let fix = format!("DELETE /v1/metrics/{name}; declare it under another name if it is another metric");
            left_out.insert(name.to_owned(), Doubt { rule: name.to_owned(), problem, fix });
            declared = declared.without(Subject::Metric, name);
        }
        let watching = Arc::new(Watching::of(config, &declared)?);
        Ok(Self { config: config.clone(), declared, left_out, watching })
    }
}

impl Engine {
    /// What is watched for now.
    pub fn watching(&self) -> Arc<Watching> {
        Arc::clone(&self.sources.read().unwrap_or_else(PoisonError::into_inner).watching)
    }

    /// What is doubtful about the thresholds that are `wanted`, of those that naze ships only where they are what an
    /// objective promises.
    pub fn doubts(&self, wanted: impl Fn(&Origin, &Threshold) -> bool) -> Vec<Doubt> {
        let watching = self.watching();
        let known: BTreeSet<String> =
            self.series(|_| true).into_iter().map(|(_, known)| known.series.metric.clone()).collect();
        let promises: Vec<_> = watching.slos.iter().map(|entry| &entry.definition).collect();
        let wanted = || watching.origins().filter(|(origin, one)| wanted(origin, one));
        let own = wanted().filter(|(origin, _)| **origin != Origin::Shipped);
        let mut doubts = limits::of_unknown_metrics(own.map(|(_, one)| one), &known);
        doubts.extend(limits::of_promises(wanted().map(|(_, one)| one), &promises, &known));
        doubts
    }

    /// Metrics that were declared to an earlier naze, and cannot be any more.
    pub fn left_out(&self) -> Vec<Doubt> {
        self.sources.read().unwrap_or_else(PoisonError::into_inner).left_out.values().cloned().collect()
    }

    /// What is doubtful about what was declared under a name.
    pub fn doubts_of(&self, subject: Subject, name: &str) -> Vec<Doubt> {
        let is_it = |origin: &Origin| matches!(origin, Origin::Declared(declared) if declared == name);
        match subject {
            Subject::Threshold => self.doubts(|origin, _| is_it(origin)),
            Subject::Metric => self.doubts_of_metrics(|origin, _| is_it(origin)),
            Subject::Slo => {
                let watching = self.watching();
                let promises: Vec<_> =
                    watching.slos.get(name).ok().map(|entry| &entry.definition).into_iter().collect();
                let known = watching.thresholds().flat_map(|threshold| threshold.metric.clone()).collect();
                limits::of_promises(watching.thresholds(), &promises, &known)
            }
        }
    }

    /// Reads the file of the configuration again, and takes over the thresholds, what is learned, the metrics of
    /// one's own, and the SLOs of its folder. All else is taken over at the next start.
    ///
    /// # Errors
    /// `Invalid` naming what is wrong; then all stays as it was.
    pub fn reload(&self) -> Result<()> {
        let mut sources = self.sources.write().unwrap_or_else(PoisonError::into_inner);
        let mut config = sources.config.clone();
        if let Some(file) = &sources.config.file {
            let Config { thresholds, default_thresholds, learned, slos, metrics, .. } =
                Config::load(Some(file), config.overrides.clone())?;
            let metrics = Metrics { own: metrics.own, ..config.metrics };
            config = Config { slos, thresholds, default_thresholds, learned, metrics, ..config };
        }
        sources.watching = Arc::new(Watching::of(&config, &sources.declared)?);
        sources.config = config;
        self.taken_over(sources);
        Ok(())
    }

    /// Declares a threshold, an SLO or a metric, or another in its place, and records that it was. Returns whether it is new.
    ///
    /// # Errors
    /// `Invalid` naming field and fix; `Conflict` when the configuration has an SLO of that name.
    pub fn declare(&self, subject: Subject, name: &str, document: &[u8], actor: Option<&str>) -> Result<bool> {
        let mut sources = self.sources.write().unwrap_or_else(PoisonError::into_inner);
        let declared = sources.declared.with(subject, name, document)?;
        let watching = Watching::of(&sources.config, &declared)?;
        let [before, after] = [told(&sources.watching, subject, name), told(&watching, subject, name)];
        let is_new = sources.declared.get(subject, name).is_none();
        if sources.declared.get(subject, name) == Some(document) {
            return Ok(false);
        }
        declared.save(subject, name)?;
        (sources.declared, sources.watching) = (declared, Arc::new(watching));
        if subject == Subject::Metric {
            sources.left_out.remove(name);
        }
        self.taken_over(sources);
        self.changed(subject, name, [before, after], actor, document)?;
        Ok(is_new)
    }

    /// Takes back what was declared, and records that it was.
    ///
    /// # Errors
    /// `NotFound` when nothing of that name was declared.
    pub fn withdraw(&self, subject: Subject, name: &str, actor: Option<&str>) -> Result<()> {
        let mut sources = self.sources.write().unwrap_or_else(PoisonError::into_inner);
        let is_left_out = subject == Subject::Metric && sources.left_out.contains_key(name);
        if sources.declared.get(subject, name).is_none() && !is_left_out {
            let told = format!("none of the {} was declared as \"{name}\"", subject.plural());
            return Err(Error::not_found(told).hint("what the configuration has is changed there"));
        }
        let declared = sources.declared.without(subject, name);
        let watching = Watching::of(&sources.config, &declared)?;
        let [before, after] = [told(&sources.watching, subject, name), told(&watching, subject, name)];
        declared.save(subject, name)?;
        (sources.declared, sources.watching) = (declared, Arc::new(watching));
        if is_left_out {
            sources.left_out.remove(name);
        }
        self.taken_over(sources);
        self.changed(subject, name, [before, after], actor, b"")
    }

    /// What was told of the objectives before holds no longer. The lock goes first: who makes an answer reads the sources.
    fn taken_over(&self, sources: RwLockWriteGuard<'_, Sources>) {
        drop(sources);
        self.slos.forget();
        self.health.forget();
    }

    /// The receipt says who changed what naze watches for, and keeps what was sent.
    fn changed(
        &self,
        subject: Subject,
        name: &str,
        [before, after]: [Option<String>; 2],
        actor: Option<&str>,
        document: &[u8],
    ) -> Result<()> {
        let receipt = Receipt::new("change", self.clock.now(), SELF)
            .with("changeType", Value::text("config"))
            .with("key", Value::text(format!("{}/{name}", subject.plural())))
            .with("source", Value::text(SELF))
            .with_text("from", before.as_deref())
            .with_text("to", after.as_deref())
            .with_text("actor", actor);
        let source = Source { media_type: subject.media_type().to_owned(), bytes: document.to_vec() };
        let items = vec![Item::Receipt(Draft::new(receipt))];
        self.record(SELF, Received { items, ..Received::default() }, source).map(drop)
    }
}

/// Those that were declared go before those of the configuration.
fn metrics(config: &Config, declared: &Declared) -> Result<BTreeMap<String, (Origin, Definition)>> {
    let mut metrics = BTreeMap::new();
    for definition in &config.metrics.own {
        defined::check(definition)?;
        if metrics.insert(definition.name.clone(), (Origin::Configured, definition.clone())).is_some() {
            let told = format!("configuration: metrics.own has {} twice", definition.name);
            return Err(Error::invalid(told).hint("keep one of them"));
        }
    }
    for (name, document) in declared.of(Subject::Metric) {
        let definition = definition(name, document)?;
        metrics.insert(name.to_owned(), (Origin::Declared(name.to_owned()), definition));
    }
    defined::check_apart(metrics.values().map(|(_, definition)| definition))?;
    Ok(metrics)
}

/// Its name may be left out: it is declared under it.
fn definition(name: &str, document: &[u8]) -> Result<Definition> {
    let wrong = |error: serde_json::Error| {
        Error::invalid(format!("metric {name}: {error}"))
            .hint("the keys are those of [[metrics.own]] in the configuration, such as \"unit\" and \"polarity\"")
    };
    let mut written: serde_json::Value = serde_json::from_slice(document).map_err(wrong)?;
    if let Some(members) = written.as_object_mut() {
        members.entry("name").or_insert_with(|| name.into());
    }
    let definition: Definition = serde_json::from_value(written).map_err(wrong)?;
    if definition.name != name {
        return Err(Error::invalid(format!(
            "metric {name}: its name has to be \"{name}\", not \"{}\"",
            definition.name
        ))
        .hint("declare it under its own name, or leave the name out"));
    }
    defined::check(&definition)?;
    Ok(definition)
}

fn threshold(name: &str, document: &[u8]) -> Result<Threshold> {
    serde_json::from_slice(document).map_err(|error| {
        Error::invalid(format!("threshold {name}: {error}"))
            .hint("the keys are those of [[thresholds]] in the configuration, such as \"metric\" and \"warning\"")
    })
}

/// What is watched for under a name, in a line.
fn told(watching: &Watching, subject: Subject, name: &str) -> Option<String> {
    match subject {
        Subject::Threshold => {
            let is_it = |origin: &Origin| matches!(origin, Origin::Declared(declared) if declared == name);
            watching.origins().find(|(origin, _)| is_it(origin)).map(|(_, threshold)| threshold.to_string())
        }
        Subject::Metric => watching.definition(name).map(ToString::to_string),
        Subject::Slo => watching.slos.get(name).ok().map(|entry| entry.definition.to_string()),
    }
}
