//! The one room behind both doors: HTTP and CLI say what they want, the engine has it done.

mod advised;
mod asking;
mod component;
mod concluded;
mod crossed;
mod crossings;
mod declared;
mod defined;
mod episode;
mod escalation;
mod evidence;
mod examined;
mod experiment;
mod failures;
mod figures;
mod headings;
mod health;
mod held;
mod incident;
mod incidents;
mod intake;
mod kaizen;
mod kept;
mod kinds;
mod lines;
mod live;
mod measured;
mod objective;
mod observed;
mod outliers;
mod polarity;
mod pooled;
mod readings;
mod recommended;
mod rehearsed;
mod review;
mod runbooks;
mod silence;
mod told;
mod turned;
mod upkeep;
mod watching;
mod worked_out;
mod workflow;

pub use crate::measure::line::Line;
pub use component::ComponentHealth;
pub use declared::Subject;
pub use evidence::LOOKBACK_DEFAULT;
pub use health::SystemHealth;
pub use incident::Incident;
use intake::SELF;
pub use intake::{Outcome, refusal};
pub use kaizen::{EFFECT_DEFAULT, KaizenAsked};
pub use live::{Live, News};
pub use objective::{ObjectiveStatus, SloStatus, SlosStatus};
pub use rehearsed::{Rehearsal, Rehearsed};
pub use runbooks::OpenAlert;
pub use upkeep::rebuild;
pub use watching::{Origin, Watching};

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use self::crossings::Following;
use self::failures::Failures;
use self::headings::Headings;
use self::incidents::Incidents;
use self::kept::Kept;
use self::observed::Observations;
use self::recommended::Recommending;
use self::silence::Heard;
use self::turned::Turning;
use self::watching::Sources;
use self::worked_out::WorkedOut;
use crate::asked::prometheus::Prometheus;
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::error::{Context as _, Result};
use crate::export::prometheus::Exporter;
use crate::export::push::{self, Board};
use crate::measure::recorder::Recorder;
use crate::measure::store::SeriesStore;
use crate::query::Catalogue;
use crate::query::workers::Workers;
use crate::receive::ComponentMapping;
use crate::receive::episode::Episodes;
use crate::record::ledger::Ledger;
use crate::record::store::Index;
use crate::record::writer::Writer;
use crate::runbook;
use crate::telemetry::Telemetry;
use crate::validate::Shapes;
use crate::vocab::Vocabulary;

/// Everything naze does, over one data directory.
pub struct Engine {
    config: Config,
    clock: Clock,
    opened_at: Timestamp,
    vocabulary: Arc<Vocabulary>,
    shapes: Shapes,
    catalogue: Catalogue,
    runbooks: runbook::Book,
    sources: RwLock<Sources>,
    mapping: ComponentMapping,
    mappings_of_senders: BTreeMap<String, ComponentMapping>,
    telemetry: Telemetry,
    ledger: Ledger,
    index: Index,
    writer: Writer,
    episodes: Mutex<Episodes>,
    observations: Observations,
    series: SeriesStore,
    recorder: Recorder,
    following: Following,
    recommending: Recommending,
    turning: Turning,
    failures: Failures,
    incidents: Incidents,
    heard: Heard,
    exporter: Exporter,
    health: Kept<SystemHealth>,
    slos: Kept<SlosStatus>,
    worked_out: WorkedOut,
    headings: Headings,
    exports: Board,
    live: Live,
    prometheus: Option<Prometheus>,
    /// For ad-hoc queries; `None` answers them in this process.
    workers: Option<Workers>,
}

impl Engine {
    /// Opens the data directory of `config`, replaying what the index lacks.
    ///
    /// # Errors
    /// `Invalid` for wrong ontology, shapes or queries of the user, `Unavailable` when another process has the data.
    pub fn open(config: Config, clock: Clock) -> Result<Arc<Self>> {
        let (vocabulary, shapes) = kinds::load(&config)?;
        let budget = config.advice.scaling_cost_per_day.to_string();
        let mut catalogue = Catalogue::builtin()?.with_default("scaling_cost_high", "budget", &budget);
        if let Some(folder) = &config.queries {
            catalogue = catalogue.with_folder(folder)?;
        }
        let runbooks = runbook::Book::load(config.runbooks.as_deref())?;
        let sources = RwLock::new(Sources::open(&config)?);
        let ledger = Ledger::open(config.data.as_deref(), Arc::clone(&vocabulary))?;
        let index = open_index(&config, &vocabulary)?;
        let telemetry = Telemetry::new();
        let series = SeriesStore::open(
            config.data.as_deref(),
            config.measure.bounds(),
            config.measure.retention().minutes_from(clock.now()),
        )?;
        let recorder = Recorder::start(series.clone(), clock, config.measure.retention(), config.archive())?;
        let writer = Writer::start(ledger.clone(), index.clone(), clock, telemetry.clone())?;
        let exporter = Exporter::new(
            ledger.clone(),
            series.clone(),
            config.data.as_ref().map(|data| data.join("metrics.postcard")),
            Duration::from_secs(config.metrics.cache_seconds),
            config.health.target_throughput,
        );
        let (mapping, mappings_of_senders) = mappings(&config);
        let workers = match (&config.worker, &config.data) {
            (Some(program), Some(data)) => Some(Workers::new(program.clone(), data.join("snapshots"))?),
            _ => None,
        };
        let exports = push::board(&config.exports);
        let prometheus = config.prometheus.as_ref().map(Prometheus::new).transpose()?;
        Ok(Arc::new(Self {
            live: Live::new(ledger.len()?),
            config,
            clock,
            opened_at: clock.now(),
            vocabulary,
            shapes,
            catalogue,
            runbooks,
            sources,
            mapping,
            mappings_of_senders,
            telemetry,
            ledger,
            index,
            writer,
            episodes: Mutex::default(),
            observations: Observations::default(),
            series,
            recorder,
            following: Following::default(),
            recommending: Recommending::default(),
            turning: Turning::default(),
            failures: Failures::default(),
            incidents: Incidents::default(),
            heard: Heard::default(),
            exporter,
            health: Kept::default(),
            slos: Kept::default(),
            worked_out: WorkedOut::default(),
            headings: Headings::default(),
            exports,
            prometheus,
            workers,
        }))
    }

    /// What receipts and series tell of the system under observation.
    pub fn metrics(&self) -> Result<Vec<prometheus::proto::MetricFamily>> {
        let kinds: Vec<&str> = self.vocabulary.kinds().map(|(name, _)| name).collect();
        let now = self.clock.now();
        let mut families = self.exporter.families(now, &kinds, || self.concluded())?;
        self.telemetry.bounded(&self.exporter.bounded());
        if !families.is_empty() {
            let watching = self.watching();
            families.extend(self.exporter.own(watching.metrics.values().map(|(_, definition)| definition), now)?);
        }
        Ok(families)
    }

    /// How the exports stand.
    pub fn exports(&self) -> &Board {
        &self.exports
    }

    /// The ledger, for reading.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The configuration it runs with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The only source of "now".
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Since when it is open.
    pub fn opened_at(&self) -> Timestamp {
        self.opened_at
    }

    /// Kinds and fields.
    pub fn vocabulary(&self) -> &Arc<Vocabulary> {
        &self.vocabulary
    }

    /// The canned queries.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// Which labels of a sender name the component.
    pub fn mapping(&self, sender: &str) -> &ComponentMapping {
        self.mappings_of_senders.get(sender).unwrap_or(&self.mapping)
    }

    /// The Prometheus that is asked for series that are not kept here.
    pub fn prometheus(&self) -> Option<&Prometheus> {
        self.prometheus.as_ref()
    }

    /// The index, for reading.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// naze's own figures.
    pub fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }
}

fn open_index(config: &Config, vocabulary: &Arc<Vocabulary>) -> Result<Index> {
    let folder = config.data.as_ref().map(|data| data.join("index"));
    if let Some(folder) = &folder {
        std::fs::create_dir_all(folder).internal(format!("cannot create {}", folder.display()))?;
    }
    Index::open(folder.as_deref(), config.slot_width, Arc::clone(vocabulary))
}

/// Which labels name the component: for all senders, and of those that have their own.
fn mappings(config: &Config) -> (ComponentMapping, BTreeMap<String, ComponentMapping>) {
    let own = config.senders.iter().filter_map(|(name, sender)| {
        let labels = sender.component_labels.clone()?;
        Some((name.clone(), ComponentMapping::new(labels)))
    });
    (ComponentMapping::new(config.receive.component_labels.clone()), own.collect())
}
