//! Pages for people. Each file gathers what stands on its page; how it looks is the matter of [`crate::web`].

mod component;
mod incident;
mod overview;
mod plots;
mod principle;
mod query;
mod recommendations;
mod reports;
mod slos;
mod trends;
mod verdict;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};

use super::live;
use super::problem::{Problem, Reply};
use super::work::blocking;
use crate::analyse::cause::Question;
use crate::clock::Timestamp;
use crate::engine::{Engine, LOOKBACK_DEFAULT};
use crate::error::{Context as _, Error, Result};
use crate::query::parse_time;
use crate::receipt::ReceiptId;
use crate::report::timeline::Filter;
use crate::web;
use crate::web::range::Range;

use component::component;
use incident::{incident, incidents};
use overview::overview;
pub(super) use plots::{marks_of, plot};
use principle::principle;
use query::{explore, queries, query};
use recommendations::recommendations;
use reports::{experiment, experiments, improvements, review};
use slos::{slo, slos};
pub(super) use trends::forecast;
use trends::trends;
use verdict::verdict;

/// Parameters of an address.
type Given = BTreeMap<String, String>;
/// Makes a page from what its address asks for.
type Make = fn(&Engine, &Asked) -> Result<String>;

/// What a browser may do with a page: load our stylesheet, script and icon, send our forms, nothing else.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
const HEADERS: [(HeaderName, &str); 4] = [
    (CONTENT_TYPE, "text/html; charset=utf-8"),
    (HeaderName::from_static("content-security-policy"), POLICY),
    (HeaderName::from_static("referrer-policy"), "same-origin"),
    (CACHE_CONTROL, "no-cache"),
];
/// What an address asks for.
pub(super) struct Asked {
    /// The moment it is asked.
    now: Timestamp,
    /// What stands in the path.
    id: String,
    given: Given,
}

impl Asked {
    /// A parameter; a form sends what is not filled in as empty text.
    fn filled(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    fn required(&self, name: &str) -> Result<&str> {
        self.filled(name).ok_or_else(|| {
            Error::invalid(format!("the parameter {name} is missing")).hint(format!("add ?{name}=… to the address"))
        })
    }

    fn moment(&self, name: &str) -> Result<Timestamp> {
        self.filled(name).map_or(Ok(self.now), |text| parse_time(name, text, self.now))
    }

    fn range(&self) -> Result<Range> {
        Range::of(&self.given, self.now)
    }

    /// The filter of a timeline.
    fn filter(&self) -> Result<Filter> {
        let filled = |name: &str| self.filled(name).map(str::to_owned);
        Filter::parse(filled("kind").as_ref(), filled("component").as_ref(), filled("severity").as_ref())
    }
}

/// Every page, what pages are made of, and what they send.
pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/", page(overview))
        .route("/incidents", page(incidents))
        .route("/incidents/{id}", page(incident))
        .route("/incidents/{id}/verdict", post(verdict))
        .route("/principles/{name}", page(principle))
        .route("/slos", page(slos))
        .route("/slos/{name}", page(slo))
        .route("/recommendations", page(recommendations))
        .route("/runbooks", page(runbooks))
        .route("/reviews", page(review))
        .route("/reviews/{week}", page(review))
        .route("/kaizen", page(improvements))
        .route("/experiments", page(experiments))
        .route("/experiments/{id}", page(experiment))
        .route("/component", page(component))
        .route("/why", page(why))
        .route("/receipts/{id}", page(receipt))
        .route("/queries", page(queries))
        .route("/queries/{id}", page(query))
        .route("/explore", page(explore))
        .route("/trends", page(trends))
        .route("/ledger", page(ledger))
        .route("/live", get(live::live))
        .route("/assets/{name}", get(asset))
}

/// A route to the page that `make` makes.
fn page(make: Make) -> MethodRouter<Arc<Engine>> {
    get(move |State(engine): State<Arc<Engine>>, Path(path): Path<Given>, Query(given): Query<Given>| async move {
        let asked = Asked { now: engine.clock().now(), id: path.into_values().next().unwrap_or_default(), given };
        match blocking(move || make(&engine, &asked)).await {
            Ok(html) => (HEADERS, html).into_response(),
            Err(problem) => no_page(&problem),
        }
    })
}

fn no_page(problem: &Problem) -> Response {
    let status = problem.status();
    let (detail, hints) = (problem.detail(), problem.error().hints());
    let html = web::problem::render(status.as_u16(), status.canonical_reason().unwrap_or("Error"), &detail, hints);
    (status, HEADERS, html).into_response()
}

/// The stylesheet, the script, the icon.
async fn asset(Path(name): Path<String>) -> Reply {
    let asset = web::asset::named(&name).ok_or_else(|| Error::not_found("this version of naze has no such file"))?;
    let headers = [(CONTENT_TYPE, asset.media_type), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, asset.text).into_response())
}

/// Why is a component in trouble?
fn why(engine: &Engine, asked: &Asked) -> Result<String> {
    let question = Question {
        component: asked.required("component")?.to_owned(),
        metric: None,
        summary: None,
        onset: None,
        at: asked.moment("at")?,
        incident: None,
    };
    let (answer, evidence) = engine.investigate(&question, LOOKBACK_DEFAULT)?;
    Ok(web::why::render(&answer, &evidence))
}

/// One receipt.
fn receipt(engine: &Engine, asked: &Asked) -> Result<String> {
    let id: ReceiptId = asked.id.parse().invalid("the path names no receipt")?;
    let recorded = engine.receipt(id)?;
    let source = engine.source_of(&recorded)?;
    Ok(web::receipt::render(&recorded, &source))
}

/// The ledger's checkpoint, and a check of everything under it when asked.
fn ledger(engine: &Engine, asked: &Asked) -> Result<String> {
    let (checkpoint, key) = engine.checkpoint()?;
    let verified = asked.given.contains_key("verify").then(|| engine.verify(None, |_| ())).transpose()?;
    Ok(web::ledger::render(checkpoint.as_deref(), &key, verified.as_ref()))
}

/// What recommendations point to.
#[expect(clippy::unnecessary_wraps, reason = "pages are made alike, and most can fail")]
fn runbooks(_: &Engine, _: &Asked) -> Result<String> {
    Ok(web::runbooks::render())
}

/// After a form was sent: see there.
fn see(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(axum::http::header::LOCATION, path)]).into_response()
}
