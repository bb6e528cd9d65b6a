//! The one room behind both doors: HTTP and CLI say what they want, the engine has it done.

mod advised;
mod component;
mod crossings;
mod declared;
mod episode;
mod examined;
mod experiment;
mod failures;
mod figures;
mod health;
mod held;
mod incident;
mod intake;
mod kaizen;
mod kept;
mod kinds;
mod lines;
mod live;
mod measured;
mod objective;
mod observed;
mod pooled;
mod readings;
mod review;
mod runbooks;
mod silence;
mod watching;
mod workflow;

pub use component::ComponentHealth;
pub use declared::Subject;
pub use health::SystemHealth;
pub use incident::Incident;
use intake::SELF;
pub use intake::{Outcome, refusal};
pub use kaizen::{EFFECT_DEFAULT, KaizenAsked};
pub use lines::Line;
pub use live::{Live, News};
pub use objective::{ObjectiveStatus, SloStatus, SlosStatus};
pub use runbooks::OpenAlert;
pub use watching::{Origin, Watching};

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use chrono::TimeDelta;

use self::crossings::Following;
use self::failures::Failures;
use self::kept::Kept;
use self::observed::Observations;
use self::silence::Heard;
use self::watching::Sources;
use crate::analyse::cause::{self, Answer, Question};
use crate::asked::prometheus::Prometheus;
use crate::clock::{Clock, Timestamp, ago};
use crate::config::Config;
use crate::error::{Context as _, Error, Kind, Result};
use crate::export::prometheus::Exporter;
use crate::export::push::{self, Board};
use crate::measure::recorder::Recorder;
use crate::measure::store::SeriesStore;
use crate::query::workers::Workers;
use crate::query::{self, Answered, CannedQuery, Catalogue};
use crate::receipt::ReceiptId;
use crate::receive::ComponentMapping;
use crate::receive::episode::Episodes;
use crate::record::ledger::{Ledger, Source, Verified};
use crate::record::store::Index;
use crate::record::writer::Writer;
use crate::record::{Recorded, Window};
use crate::runbook;
use crate::telemetry::Telemetry;
use crate::validate::Shapes;
use crate::vocab::Vocabulary;

/// How far back a question looks for causes.
pub const LOOKBACK_DEFAULT: TimeDelta = TimeDelta::hours(24);
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
    failures: Failures,
    heard: Heard,
    exporter: Exporter,
    health: Kept<SystemHealth>,
    slos: Kept<SlosStatus>,
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
        let mut catalogue = Catalogue::builtin()?;
        if let Some(folder) = &config.queries {
            catalogue = catalogue.with_folder(folder)?;
        }
        let runbooks = runbook::Book::load(config.runbooks.as_deref())?;
        let sources = RwLock::new(Sources::open(&config)?);
        let index_folder = config.data.as_ref().map(|data| data.join("index"));
        if let Some(folder) = &index_folder {
            std::fs::create_dir_all(folder).internal(format!("cannot create {}", folder.display()))?;
        }
        let ledger = Ledger::open(config.data.as_deref(), Arc::clone(&vocabulary))?;
        let index = Index::open(index_folder.as_deref(), config.slot_width, Arc::clone(&vocabulary))?;
        let telemetry = Telemetry::new();
        let series = SeriesStore::open(
            config.data.as_deref(),
            config.measure.bounds(),
            config.measure.retention().minutes_from(clock.now()),
        )?;
        let recorder = Recorder::start(series.clone(), clock, config.measure.retention())?;
        let writer = Writer::start(ledger.clone(), index.clone(), clock, telemetry.clone())?;
        let exporter = Exporter::new(
            ledger.clone(),
            series.clone(),
            config.data.as_ref().map(|data| data.join("metrics.postcard")),
            Duration::from_secs(config.metrics.cache_seconds),
            config.health.target_throughput,
        );
        let mapping = ComponentMapping::new(config.receive.component_labels.clone());
        let own_labels =
            config.senders.iter().filter_map(|(name, sender)| Some((name, sender.component_labels.clone()?)));
        let mappings_of_senders =
            own_labels.map(|(name, labels)| (name.clone(), ComponentMapping::new(labels))).collect();
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
            failures: Failures::default(),
            heard: Heard::default(),
            exporter,
            health: Kept::default(),
            slos: Kept::default(),
            exports,
            prometheus,
            workers,
        }))
    }

    /// Runs a canned query with parameters as text.
    pub fn query<'a>(&self, id: &str, given: impl IntoIterator<Item = (&'a str, String)>) -> Result<Answered> {
        let query = self.catalogue.get(id)?;
        let given: BTreeMap<String, String> = given.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.run(query, &given)
    }

    fn run(&self, query: &CannedQuery, given: &BTreeMap<String, String>) -> Result<Answered> {
        let started = Instant::now();
        let component = given.get("component").map(String::as_str);
        let measured = self.measured(query, component.filter(|component| !component.is_empty()))?;
        let answered = query::run(&self.index, query, given, measured, self.clock.now(), &self.query_limits());
        let outcome = answered.as_ref().err().map_or("ok", |error| outcome_of(error.kind()));
        self.telemetry.queried(&query.id, outcome, started.elapsed());
        answered
    }

    /// Answers ad-hoc SPARQL.
    pub fn sparql(
        &self,
        text: &str,
        dataset: &query::ProtocolDataset,
        format: query::AdhocFormat,
    ) -> Result<query::AdhocAnswer> {
        let started = Instant::now();
        let limits = self.query_limits();
        let answer = match &self.workers {
            Some(workers) => workers.answer(&self.index, text, dataset, format, &self.meter(), &limits),
            None => query::adhoc(&self.index, text, dataset, format, self.meter(), &limits),
        };
        let outcome = answer.as_ref().err().map_or("ok", |error| outcome_of(error.kind()));
        self.telemetry.queried("adhoc", outcome, started.elapsed());
        answer
    }

    fn query_limits(&self) -> query::Limits {
        query::Limits {
            rows_max: self.config.limits.rows_max,
            deadline: Duration::from_secs(self.config.limits.query_seconds),
            memory_bytes_max: self.config.limits.query_memory_bytes,
            ..query::Limits::default()
        }
    }

    /// All receipts that occurred in `window`, and the topology known before its end.
    pub fn evidence(&self, window: Window) -> Result<Vec<Recorded>> {
        let mut found = self.ledger.within(window, self.config.limits.evidence_receipts_max, |_| true)?;
        // Dependencies are shown once and hold on.
        found.extend(self.index.topology_before(window.from)?);
        found.sort_by_key(|recorded| (recorded.occurred_at(), recorded.id));
        Ok(found)
    }

    /// What tells of a component in `window`, as its own or as one that is called or blamed.
    pub fn evidence_of(&self, component: &str, window: Window) -> Result<Vec<Recorded>> {
        const FIELDS: [&str; 3] = ["target", "peer", "causeComponent"];
        // Its name as it stands in an entry: most entries need not be read to see that they lack it.
        let named = serde_json::Value::from(component).to_string();
        let finder = memchr::memmem::Finder::new(named.as_bytes());
        let limit = self.config.limits.evidence_receipts_max;
        let mut found = self.ledger.within(window, limit, |entry| finder.find(entry).is_some())?;
        found.retain(|recorded| {
            let receipt = &recorded.receipt;
            let fields = FIELDS.iter().filter_map(|field| receipt.component_field(field));
            receipt.component().into_iter().chain(fields).any(|name| name == component)
        });
        Ok(found)
    }

    /// The receipts of one kind in `window`.
    ///
    /// # Errors
    /// As [`Engine::evidence`].
    pub fn evidence_of_kind(&self, kind: &str, window: Window) -> Result<Vec<Recorded>> {
        // As it stands in an entry; what only mentions it is sorted out afterwards.
        let named = serde_json::Value::from(kind).to_string();
        let finder = memchr::memmem::Finder::new(named.as_bytes());
        let limit = self.config.limits.evidence_receipts_max;
        let mut found = self.ledger.within(window, limit, |entry| finder.find(entry).is_some())?;
        found.retain(|recorded| recorded.receipt.kind() == kind);
        Ok(found)
    }

    /// Why did it break? Looks back `lookback` from the question's time.
    pub fn why(&self, question: &Question, lookback: TimeDelta) -> Result<Answer> {
        let just_after = question.at.checked_add(TimeDelta::microseconds(1)).unwrap_or(question.at);
        let window = Window { from: ago(question.at, lookback), to: just_after };
        Ok(cause::why(question, &self.evidence(window)?))
    }

    /// The answer with the evidence it was found in. What people said later of the question's incident counts.
    pub fn investigate(&self, question: &Question, lookback: TimeDelta) -> Result<(Answer, Vec<Recorded>)> {
        let just_after = question.at.checked_add(TimeDelta::microseconds(1)).unwrap_or(question.at);
        let mut evidence = self.evidence(Window { from: ago(question.at, lookback), to: just_after })?;
        if let Some(incident) = question.incident {
            let said = self.index.pointing_at("incidentReceipt", incident)?;
            evidence.extend(said.into_iter().filter(|note| note.occurred_at() >= just_after));
        }
        Ok((cause::why(question, &evidence), evidence))
    }

    /// The recorded receipt with this id.
    pub fn receipt(&self, id: ReceiptId) -> Result<Recorded> {
        self.index.get(id)?.ok_or_else(|| Error::not_found(format!("there is no receipt {id}")))
    }

    /// The raw document a receipt was read from.
    pub fn source_of(&self, recorded: &Recorded) -> Result<Source> {
        let found = self.ledger.source(&recorded.source)?;
        found.ok_or_else(|| Error::internal("the receipt's raw document is missing").hint("run `naze verify`"))
    }

    /// Checks the whole ledger against its signed checkpoints, and that the index holds every entry.
    pub fn verify(&self, verifier_key: Option<&str>, progress: impl FnMut(u64)) -> Result<Verified> {
        let own = self.ledger.verifier_key();
        let verified = self.ledger.verify(verifier_key.unwrap_or(&own), progress)?;
        let applied = self.index.applied()?;
        if applied < verified.entries {
            return Err(Error::conflict(format!("the index holds {applied} of {} entries", verified.entries))
                .hint("restart naze, or run `naze rebuild`"));
        }
        Ok(verified)
    }

    /// The newest signed checkpoint and the key to check it with.
    pub fn checkpoint(&self) -> Result<(Option<String>, String)> {
        Ok((self.ledger.checkpoint()?, self.ledger.verifier_key()))
    }

    /// When the newest entry of the ledger was recorded.
    pub fn last_recorded_at(&self) -> Result<Option<Timestamp>> {
        let last = self.ledger.len()?.saturating_sub(1);
        Ok(self.ledger.read(last.., 1)?.first().map(|recorded| recorded.recorded_at))
    }

    /// Is everything in the ledger also in the index?
    pub fn is_ready(&self) -> Result<bool> {
        Ok(self.index.applied()? >= self.ledger.len()?)
    }

    /// Notes the size of the index's write-ahead log, which is replayed when it opens.
    pub fn measure_index(&self) {
        let Some(folder) = self.config.data.as_ref().map(|data| data.join("index")) else { return };
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let logs = files.filter(|file| file.path().extension().is_some_and(|extension| extension == "log"));
        self.telemetry.index_wal(logs.filter_map(|log| log.metadata().ok()).map(|log| log.len()).sum());
    }

    /// What receipts and series tell of the system under observation.
    pub fn metrics(&self) -> Result<Vec<prometheus::proto::MetricFamily>> {
        let kinds: Vec<&str> = self.vocabulary.kinds().map(|(name, _)| name).collect();
        self.exporter.families(self.clock.now(), &kinds)
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

/// Makes the index of a data directory anew from its ledger. No other naze may have it open.
pub fn rebuild(config: Config) -> Result<u64> {
    let data =
        config.data.clone().ok_or_else(|| Error::invalid("rebuild needs a data directory").hint("add --data DIR"))?;
    let index = data.join("index");
    // Held while the index is away, so that no second process can open the directory in between.
    let ledger = Ledger::open(Some(&data), kinds::load(&config)?.0)?;
    if index.exists() {
        std::fs::remove_dir_all(&index).internal(format!("cannot remove {}", index.display()))?;
    }
    let entries = ledger.len()?;
    drop(ledger);
    drop(Engine::open(config, Clock::System)?);
    Ok(entries)
}

fn outcome_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Invalid => "invalid",
        Kind::NotFound => "not_found",
        Kind::Conflict => "conflict",
        Kind::Unavailable => "unavailable",
        Kind::Forbidden => "forbidden",
        Kind::Internal => "internal",
    }
}
