//! The one room behind both doors: HTTP and CLI say what they want, the engine has it done.

mod advised;
mod crossings;
mod episode;
mod incident;
mod lines;
mod measured;
mod objective;
mod observed;
mod readings;

pub use incident::Incident;
pub use lines::Line;
pub use objective::{ObjectiveStatus, SloStatus, SlosStatus};

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use oxrdf::{Graph, NamedNode};

use self::crossings::Following;
use self::incident::is_critical_alert;
use self::observed::Observations;
use crate::analyse::cause::{self, Answer, Question};
use crate::asked::prometheus::Prometheus;
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::error::{Context as _, Error, Kind, Result};
use crate::export::prometheus::Exporter;
use crate::measure::recorder::Recorder;
use crate::measure::store::SeriesStore;
use crate::query::workers::Workers;
use crate::query::{self, Answered, CannedQuery, Catalogue};
use crate::receipt::{Receipt, ReceiptId, Value, write_json};
use crate::receive::episode::Episodes;
use crate::receive::{Cause, ComponentMapping, Draft, EVENT_LABEL, Item, Received};
use crate::record::ledger::{Ledger, Source, Verified};
use crate::record::store::Index;
use crate::record::writer::{Accepted, Writer, Written};
use crate::record::{Recorded, Window};
use crate::slo::Book;
use crate::telemetry::Telemetry;
use crate::validate::{Report, Shapes, Violation};
use crate::vocab::{self, LABEL_PREFIX, Vocabulary};

/// How far back a question looks for causes.
pub const LOOKBACK_DEFAULT: TimeDelta = TimeDelta::hours(24);
/// The source of receipts that naze itself issues.
const SELF: &str = "naze";

/// What became of one receipt of a request, in the order it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// New, and on disk.
    Recorded(ReceiptId),
    /// It was there already, under this id.
    Duplicate(ReceiptId),
    /// Not recorded, with every rule it breaks.
    Refused(Vec<Violation>),
}

/// Everything naze does, over one data directory.
pub struct Engine {
    config: Config,
    clock: Clock,
    opened_at: Timestamp,
    vocabulary: Arc<Vocabulary>,
    shapes: Shapes,
    catalogue: Catalogue,
    slos: Book,
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
    exporter: Exporter,
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
        let (vocabulary, shapes) = load_kinds(&config)?;
        let mut catalogue = Catalogue::builtin()?;
        if let Some(folder) = &config.queries {
            catalogue = catalogue.with_folder(folder)?;
        }
        let slos = Book::load(config.slos.as_deref())?;
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
        let prometheus = config.prometheus.as_ref().map(Prometheus::new).transpose()?;
        Ok(Arc::new(Self {
            config,
            clock,
            opened_at: clock.now(),
            vocabulary,
            shapes,
            catalogue,
            slos,
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
            exporter,
            prometheus,
            workers,
        }))
    }

    /// Validates and records what a document held. Blocks until everything accepted is on disk and can be queried.
    ///
    /// # Errors
    /// `Unavailable` when the writer is overloaded, `Internal` when the disk fails; then nothing new is recorded.
    pub fn record(&self, origin: &str, mut received: Received, source: Source) -> Result<Vec<Outcome>> {
        self.episodes().settle(&mut received);
        self.telemetry.received_bytes(origin, source.bytes.len());
        self.telemetry.received(origin, "ignored", received.ignored as u64);
        let started = Instant::now();
        let (items, unchanged) = self.only_changes(received.items);
        self.telemetry.received(origin, "ignored", unchanged);
        let (mut outcomes, accepted) = self.validate(items)?;
        self.telemetry.validated(started.elapsed());
        let waiting: Vec<usize> = (0..outcomes.len()).filter(|place| outcomes[*place].is_none()).collect();
        let alerts: Vec<Accepted> =
            accepted.iter().filter(|accepted| is_critical_alert(&accepted.receipt)).cloned().collect();
        let written = if accepted.is_empty() { Vec::new() } else { self.write(accepted, source)? };
        for (place, written) in waiting.into_iter().zip(&written) {
            outcomes[place] = Some(match written {
                Written::Recorded(id) => Outcome::Recorded(*id),
                Written::Duplicate(id) => Outcome::Duplicate(*id),
            });
        }
        let new_alerts = alerts.into_iter().filter(|alert| written.contains(&Written::Recorded(alert.id)));
        for alert in new_alerts {
            self.follow_alert(&alert)?;
        }
        let outcomes: Vec<Outcome> = outcomes.into_iter().flatten().collect();
        for (name, matches) in [
            ("recorded", (|o: &&Outcome| matches!(o, Outcome::Recorded(_))) as fn(&&Outcome) -> bool),
            ("duplicate", |o| matches!(o, Outcome::Duplicate(_))),
            ("refused", |o| matches!(o, Outcome::Refused(_))),
        ] {
            self.telemetry.received(origin, name, outcomes.iter().filter(matches).count() as u64);
        }
        Ok(outcomes)
    }

    /// Leaves out what only says how things still are, and how often it did.
    fn only_changes(&self, items: Vec<Item>) -> (Vec<Item>, u64) {
        let now = self.clock.now();
        let all = items.len();
        let is_change = |item: &mut Item| match item {
            Item::Receipt(draft) => self.observations.is_change(draft, now),
            Item::Refused(_) => true,
        };
        let changes: Vec<Item> =
            items.into_iter().filter_map(|mut item| is_change(&mut item).then_some(item)).collect();
        let unchanged = (all - changes.len()) as u64;
        (changes, unchanged)
    }

    /// Splits items into refusals, in place, and accepted receipts, in order.
    fn validate(&self, items: Vec<Item>) -> Result<(Vec<Option<Outcome>>, Vec<Accepted>)> {
        let mut graph = Graph::new();
        let items: Vec<std::result::Result<(ReceiptId, Draft), Vec<Violation>>> = items
            .into_iter()
            .map(|item| match item {
                Item::Receipt(mut draft) => {
                    self.complete(&mut draft)?;
                    let id = draft.receipt.id(&self.vocabulary);
                    self.add_for_validation(&mut graph, &draft.receipt, &id.iri());
                    Ok(Ok((id, draft)))
                }
                Item::Refused(violations) => Ok(Err(violations)),
            })
            .collect::<Result<_>>()?;
        let report = self.shapes.validate(&graph)?;
        let mut accepted = Vec::new();
        let outcomes = items
            .into_iter()
            .map(|item| match item {
                Err(violations) => {
                    self.exporter.refused("other");
                    Some(Outcome::Refused(violations))
                }
                Ok((id, draft)) => {
                    let violations: Vec<Violation> = report.violations_of(id.iri().as_ref().into()).cloned().collect();
                    if violations.is_empty() {
                        accepted.push(Accepted { id, receipt: draft.receipt, key: draft.key });
                        None
                    } else {
                        self.exporter.refused(draft.receipt.kind());
                        Some(Outcome::Refused(violations))
                    }
                }
            })
            .collect();
        Ok((outcomes, accepted))
    }

    /// Fills in what a receipt leaves to earlier ones.
    fn complete(&self, draft: &mut Draft) -> Result<()> {
        for cause in &draft.causes {
            let causes = match cause {
                Cause::Latest(with) => {
                    self.index.latest_with(with.field, &with.value)?.map(|latest| latest.id).into_iter().collect()
                }
                Cause::Event(event) => self.index.labelled(EVENT_LABEL, event)?,
            };
            causes.into_iter().for_each(|cause| draft.receipt.push("causedBy", Value::Receipt(cause)));
        }
        let Some(follows) = &draft.follows else { return Ok(()) };
        let Some(latest) = self.index.latest_with(follows.field, &follows.value)? else { return Ok(()) };
        let same_kind = latest.receipt.kind() == draft.receipt.kind();
        if same_kind && repeats(&draft.receipt, &latest.receipt, follows.unless) {
            draft.key = latest.key;
            draft.receipt = latest.receipt;
            return Ok(());
        }
        if same_kind && draft.receipt.text("status") == Some("firing") {
            // What begins an episode says itself what it is about.
            return Ok(());
        }
        for field in if same_kind { &["component", "name", "severity"][..] } else { &["component"] } {
            if let Some(value) = latest.receipt.first(field) {
                draft.receipt.set(field, value.clone());
            }
        }
        Ok(())
    }

    /// Labels are open-ended, so the closed shapes never see them.
    fn add_for_validation(&self, graph: &mut Graph, receipt: &Receipt, subject: &NamedNode) {
        for triple in receipt.triples(subject, &self.vocabulary) {
            if !triple.predicate.as_str().starts_with(LABEL_PREFIX) {
                graph.insert(&triple);
            }
        }
    }

    /// What is wrong with the receipts of a document, without recording anything.
    pub fn check(&self, received: Received) -> Result<Report> {
        let mut graph = Graph::new();
        for item in received.items {
            if let Item::Receipt(draft) = item {
                let id = draft.receipt.id(&self.vocabulary);
                self.add_for_validation(&mut graph, &draft.receipt, &id.iri());
            }
        }
        self.shapes.validate(&graph)
    }

    fn write(&self, accepted: Vec<Accepted>, source: Source) -> Result<Vec<Written>> {
        let answer = self.writer.write(accepted, source)?;
        let written = answer.blocking_recv().internal("the writer stopped before it answered")?;
        written.map_err(|error| Error::new(error.kind(), error.to_string()))
    }

    /// Records what naze itself says, with a document that tells the receipts.
    fn record_drafts(&self, origin: &str, drafts: Vec<Draft>) -> Result<Vec<Outcome>> {
        let json =
            |receipt: &Receipt| serde_json::Value::Object(write_json(receipt, receipt.id(&self.vocabulary), &[]));
        let told: serde_json::Value = drafts.iter().map(|draft| json(&draft.receipt)).collect();
        let source = Source { media_type: "application/json".into(), bytes: told.to_string().into_bytes() };
        let items = drafts.into_iter().map(Item::Receipt).collect();
        self.record(origin, Received { items, ..Received::default() }, source)
    }

    /// Records a receipt that naze itself issues.
    pub fn record_own(&self, receipt: Receipt) -> Result<ReceiptId> {
        match self.record_drafts(SELF, vec![Draft::new(receipt)])?.into_iter().next() {
            Some(Outcome::Recorded(id) | Outcome::Duplicate(id)) => Ok(id),
            Some(Outcome::Refused(violations)) => Err(refusal(&violations)),
            None => Err(Error::internal("nothing was recorded")),
        }
    }

    /// Runs a canned query with parameters as text.
    pub fn query<'a>(&self, id: &str, given: impl IntoIterator<Item = (&'a str, String)>) -> Result<Answered> {
        let query = self.catalogue.get(id)?;
        let given: BTreeMap<String, String> = given.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.run(query, &given)
    }

    fn run(&self, query: &CannedQuery, given: &BTreeMap<String, String>) -> Result<Answered> {
        let started = Instant::now();
        let answered = query::run(&self.index, query, given, self.clock.now(), &self.query_limits());
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
            Some(workers) => workers.answer(&self.index, text, dataset, format, &limits),
            None => query::adhoc(&self.index, text, dataset, format, &limits),
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
        self.index.evidence(window, self.config.limits.evidence_receipts_max)
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

/// Does `told` tell no more than `latest` did?
fn repeats(told: &Receipt, latest: &Receipt, unless: &[&str]) -> bool {
    let same_severity = told.first("severity").is_none_or(|severity| latest.first("severity") == Some(severity));
    same_severity && latest.text("status").is_some_and(|status| unless.contains(&status))
}

/// Makes the index of a data directory anew from its ledger. No other naze may have it open.
pub fn rebuild(config: Config) -> Result<u64> {
    let data =
        config.data.clone().ok_or_else(|| Error::invalid("rebuild needs a data directory").hint("add --data DIR"))?;
    let index = data.join("index");
    // Held while the index is away, so that no second process can open the directory in between.
    let ledger = Ledger::open(Some(&data), load_kinds(&config)?.0)?;
    if index.exists() {
        std::fs::remove_dir_all(&index).internal(format!("cannot remove {}", index.display()))?;
    }
    let entries = ledger.len()?;
    drop(ledger);
    drop(Engine::open(config, Clock::System)?);
    Ok(entries)
}

/// The instant `span` before `time`, as far back as time goes.
pub fn ago(time: Timestamp, span: TimeDelta) -> Timestamp {
    time.checked_add(-span).unwrap_or_else(|| Timestamp::from_micros(0).expect("1970 is in range"))
}

/// The error a refused receipt of our own or of a single-receipt request gives.
pub fn refusal(violations: &[Violation]) -> Error {
    let messages: Vec<&str> = violations.iter().map(|violation| violation.message.as_str()).collect();
    violations.iter().fold(Error::invalid(messages.join("; ")), |error, violation| error.hint(violation.fix.clone()))
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

fn load_kinds(config: &Config) -> Result<(Arc<Vocabulary>, Shapes)> {
    let Some(folder) = &config.kinds else {
        return Ok((Vocabulary::builtin(), Shapes::load(vocab::shapes_documents())?));
    };
    let ontology = read_turtle(&folder.join("ontology"))?;
    let shapes = read_turtle(&folder.join("shapes"))?;
    let with_own = |bundled: Vec<(&'static str, &'static str)>, own: &[(String, String)]| -> Vec<(String, String)> {
        let bundled = bundled.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned()));
        bundled.chain(own.iter().cloned()).collect()
    };
    let ontology = with_own(vocab::ontology_documents().collect(), &ontology);
    let shapes = with_own(vocab::shapes_documents().collect(), &shapes);
    Ok((Arc::new(Vocabulary::load(texts(&ontology))?), Shapes::load(texts(&shapes))?))
}

fn texts(documents: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    documents.iter().map(|(name, text)| (name.as_str(), text.as_str()))
}

fn read_turtle(folder: &std::path::Path) -> Result<Vec<(String, String)>> {
    let unreadable = || format!("cannot read {}", folder.display());
    let mut documents = Vec::new();
    for entry in std::fs::read_dir(folder).invalid(unreadable())? {
        let path = entry.invalid(unreadable())?.path();
        if path.extension().is_some_and(|extension| extension == "ttl") {
            let text = std::fs::read_to_string(&path).invalid(format!("cannot read {}", path.display()))?;
            documents.push((path.display().to_string(), text));
        }
    }
    documents.sort();
    Ok(documents)
}
