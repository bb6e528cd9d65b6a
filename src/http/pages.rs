//! Pages for people. Each handler gathers what stands on its page; how it looks is the matter of [`crate::web`].

mod overview;
mod trends;
mod verdict;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use chrono::TimeDelta;
use oxigraph::sparql::results::{QueryResultsFormat, QueryResultsParser, SliceQueryResultsParserOutput};

use super::incidents::story_window;
use super::problem::{Problem, Reply};
use super::why::GAP_MIN;
use super::work::blocking;
use crate::analyse::cause::Question;
use crate::clock::{Timestamp, ago};
use crate::engine::{Engine, LOOKBACK_DEFAULT};
use crate::error::{Context as _, Error, Result};
use crate::query::{AdhocFormat, ProtocolDataset, Rows, parse_time};
use crate::receipt::ReceiptId;
use crate::record::{Recorded, Window};
use crate::report::timeline::{Filter, timeline};
use crate::web;
use crate::web::explore::Found;

pub(super) use overview::overview;
pub(super) use trends::trends;
pub(super) use verdict::verdict;

/// Parameters of an address.
type Given = BTreeMap<String, String>;

/// What a browser may do with a page: load our stylesheet, script and icon, send our forms, nothing else.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
const HEADERS: [(HeaderName, &str); 4] = [
    (CONTENT_TYPE, "text/html; charset=utf-8"),
    (HeaderName::from_static("content-security-policy"), POLICY),
    (HeaderName::from_static("referrer-policy"), "same-origin"),
    (CACHE_CONTROL, "no-cache"),
];
/// How much of a component's past its page shows when nobody says.
const HISTORY_DEFAULT: TimeDelta = TimeDelta::hours(24);
/// Neighbours of a component.
const NEIGHBOURS_MAX: &str = "100";

/// The page that `work` makes, or the page that says why there is none.
async fn page(work: impl FnOnce() -> Result<String> + Send + 'static) -> Response {
    match blocking(work).await {
        Ok(html) => (HEADERS, html).into_response(),
        Err(problem) => no_page(&problem),
    }
}

fn no_page(problem: &Problem) -> Response {
    let status = problem.status();
    let (detail, hints) = (problem.detail(), problem.error().hints());
    let html = web::problem::render(status.as_u16(), status.canonical_reason().unwrap_or("Error"), &detail, hints);
    (status, HEADERS, html).into_response()
}

/// The stylesheet, the script, the icon.
pub(super) async fn asset(Path(name): Path<String>) -> Reply {
    let asset = web::asset::named(&name).ok_or_else(|| Error::not_found("this version of naze has no such file"))?;
    let headers = [(CONTENT_TYPE, asset.media_type), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, asset.text).into_response())
}

/// All incidents.
pub(super) async fn incidents(State(engine): State<Arc<Engine>>) -> Response {
    page(move || Ok(web::incident::list(&engine.incidents()?))).await
}

/// One incident: cause, reasons, timeline.
pub(super) async fn incident(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    Query(given): Query<Given>,
) -> Response {
    page(move || {
        let incident = engine.incident(&id)?;
        let (answer, evidence) = engine.investigate(&incident.question(), LOOKBACK_DEFAULT)?;
        let window = story_window(&incident, engine.clock().now());
        let story = engine.evidence(window)?;
        let timeline = timeline(&story, window, &filter(&given)?, GAP_MIN);
        let symptom = trends::symptom(&engine, &incident, window, &story)?;
        let similar =
            engine.query("similar_incidents", [("incident", incident.reference.clone()), ("limit", "5".into())])?;
        Ok(web::incident::render(&web::incident::Page {
            incident: &incident,
            answer: &answer,
            evidence: &evidence,
            timeline: &timeline,
            given: &given,
            symptom,
            similar: &similar.rows,
            vocabulary: engine.vocabulary(),
        }))
    })
    .await
}

/// The filter of a timeline; a form sends what is not filled in as empty text.
fn filter(given: &Given) -> Result<Filter> {
    let filled = |name: &str| given.get(name).filter(|text| !text.is_empty());
    Filter::parse(filled("kind"), filled("component"), filled("severity"))
}

/// Why is a component in trouble?
pub(super) async fn why(State(engine): State<Arc<Engine>>, Query(given): Query<Given>) -> Response {
    page(move || {
        let question = Question {
            component: required(&given, "component")?,
            metric: None,
            summary: None,
            onset: None,
            at: moment(&given, "at", engine.clock().now())?,
            incident: None,
        };
        let (answer, evidence) = engine.investigate(&question, LOOKBACK_DEFAULT)?;
        Ok(web::why::render(&answer, &evidence))
    })
    .await
}

/// What happened to a component.
pub(super) async fn component(State(engine): State<Arc<Engine>>, Query(given): Query<Given>) -> Response {
    page(move || {
        let name = required(&given, "name")?;
        // Up to the present, which belongs to it.
        let to = moment(&given, "to", engine.clock().now())?;
        let to = to.checked_add(TimeDelta::microseconds(1)).unwrap_or(to);
        let window = Window { from: moment(&given, "from", ago(to, HISTORY_DEFAULT))?, to };
        let mut story = engine.evidence(window)?;
        story.retain(|recorded| concerns(recorded, &name));
        let kinds: std::collections::BTreeSet<&str> = story.iter().map(|recorded| recorded.receipt.kind()).collect();
        let neighbours = |parameter: &'static str, column: &str| -> Result<Vec<String>> {
            let given = [(parameter, name.clone()), ("limit", NEIGHBOURS_MAX.to_owned())];
            let rows = engine.query("dependencies", given)?.rows;
            Ok(rows.components(column))
        };
        let incidents = engine.incidents()?;
        let own: Vec<_> = incidents.iter().filter(|one| one.opened.receipt.component() == Some(&name)).collect();
        let series: Vec<_> =
            engine.series(|series| series.component == name).into_iter().map(|(_, known)| known).collect();
        Ok(web::component::render(&web::component::Page {
            name: &name,
            needs: &neighbours("component", "target")?,
            needed_by: &neighbours("target", "component")?,
            incidents: &own,
            series: &series,
            timeline: &timeline(&story, window, &filter(&given)?, GAP_MIN),
            kinds: &kinds.into_iter().collect::<Vec<_>>(),
            given: &given,
        }))
    })
    .await
}

/// Does the receipt tell of the component, as its own or as the one called?
fn concerns(recorded: &Recorded, name: &str) -> bool {
    let receipt = &recorded.receipt;
    let fields = ["target", "peer", "causeComponent"].iter().filter_map(|field| receipt.component_field(field));
    receipt.component().into_iter().chain(fields).any(|found| found == name)
}

fn required(given: &Given, name: &str) -> Result<String> {
    given.get(name).filter(|text| !text.is_empty()).cloned().ok_or_else(|| {
        Error::invalid(format!("the parameter {name} is missing")).hint(format!("add ?{name}=… to the address"))
    })
}

fn moment(given: &Given, name: &str, default: Timestamp) -> Result<Timestamp> {
    given.get(name).filter(|text| !text.is_empty()).map_or(Ok(default), |text| parse_time(name, text, default))
}

/// One receipt.
pub(super) async fn receipt(State(engine): State<Arc<Engine>>, Path(id): Path<String>) -> Response {
    page(move || {
        let id: ReceiptId = id.parse().invalid("the path names no receipt")?;
        let recorded = engine.receipt(id)?;
        let source = engine.source_of(&recorded)?;
        Ok(web::receipt::render(&recorded, &source))
    })
    .await
}

/// All canned queries.
pub(super) async fn queries(State(engine): State<Arc<Engine>>) -> Response {
    page(move || Ok(web::queries::list(engine.catalogue()))).await
}

/// A canned query: its form, and the answer once everything it requires is there.
pub(super) async fn query(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    Query(mut given): Query<Given>,
) -> Response {
    page(move || {
        let query = engine.catalogue().get(&id)?;
        given.retain(|_, value| !value.is_empty());
        let is_complete = query.parameters.iter().all(|one| !one.required || given.contains_key(&one.name));
        let answered =
            is_complete.then(|| engine.query(&id, given.iter().map(|(name, value)| (name.as_str(), value.clone()))));
        Ok(web::queries::show(query, &given, answered.as_ref(), engine.vocabulary()))
    })
    .await
}

/// The SPARQL editor.
pub(super) async fn explore(State(engine): State<Arc<Engine>>, Query(given): Query<Given>) -> Response {
    page(move || {
        let text = given.get("query").filter(|text| !text.is_empty());
        let found = text.map(|text| ask(&engine, text));
        Ok(web::explore::render(text.map(String::as_str), found.as_ref(), engine.vocabulary()))
    })
    .await
}

fn ask(engine: &Engine, text: &str) -> Result<Found> {
    let failed = "cannot read the results";
    let format = AdhocFormat { solutions: QueryResultsFormat::Json.media_type(), graph: "text/turtle" };
    let answer = engine.sparql(text, &ProtocolDataset::default(), format)?;
    if answer.media_type == "text/turtle" {
        return Ok(Found::Graph(String::from_utf8(answer.bytes).internal(failed)?));
    }
    let parser = QueryResultsParser::from_format(QueryResultsFormat::Json);
    Ok(match parser.for_slice(&answer.bytes).internal(failed)? {
        SliceQueryResultsParserOutput::Boolean(truth) => Found::Truth(truth),
        SliceQueryResultsParserOutput::Solutions(solutions) => {
            let variables = solutions.variables().to_vec();
            let rows = solutions.map(|solution| {
                let solution = solution.internal(failed)?;
                Ok(variables.iter().map(|variable| solution.get(variable).cloned()).collect())
            });
            Found::Rows(Rows {
                rows: rows.collect::<Result<_>>()?,
                columns: variables.into_iter().map(oxrdf::Variable::into_string).collect(),
                truncated: answer.truncated,
            })
        }
    })
}

/// The ledger's checkpoint, and a check of everything under it when asked.
pub(super) async fn ledger(State(engine): State<Arc<Engine>>, Query(given): Query<Given>) -> Response {
    page(move || {
        let (checkpoint, key) = engine.checkpoint()?;
        let verified = given.contains_key("verify").then(|| engine.verify(None, |_| ())).transpose()?;
        Ok(web::ledger::render(checkpoint.as_deref(), &key, verified.as_ref()))
    })
    .await
}

/// After a form was sent: see there.
fn see(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(axum::http::header::LOCATION, path)]).into_response()
}
