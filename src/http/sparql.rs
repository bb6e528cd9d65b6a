//! `/sparql`: the SPARQL 1.1 Protocol, query only.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use axum::{Router, routing};

use super::problem::{Problem, Reply};
use super::work::blocking;
use super::{body, negotiate};
use crate::engine::Engine;
use crate::error::Error;
use crate::query::{AdhocFormat, ProtocolDataset};

const SOLUTIONS: [&str; 4] =
    ["application/sparql-results+json", "application/sparql-results+xml", "text/csv", "text/tab-separated-values"];
const GRAPHS: [&str; 3] = ["text/turtle", "application/n-triples", "application/ld+json"];

/// One operation of the protocol as it was sent.
#[derive(Debug, Default)]
struct Operation {
    query: Vec<String>,
    update: bool,
    dataset: ProtocolDataset,
}

/// The route of the protocol.
pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new().route("/sparql", routing::get(get).post(post))
}

/// Query by URL; without one, a description of the service.
async fn get(State(engine): State<Arc<Engine>>, RawQuery(parameters): RawQuery, headers: HeaderMap) -> Reply {
    let operation = read(parameters.as_deref().unwrap_or_default());
    if operation.query.is_empty() && !operation.update {
        return describe(&headers);
    }
    answer(engine, operation, &headers).await
}

/// Query by form or as `application/sparql-query`.
async fn post(
    State(engine): State<Arc<Engine>>,
    RawQuery(parameters): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let bytes = body::read(&headers, body, engine.config().limits.body_bytes_max, None).await?;
    let text =
        String::from_utf8(bytes.to_vec()).map_err(|error| Error::invalid("the query is not UTF-8").because(error))?;
    let mut operation = read(parameters.as_deref().unwrap_or_default());
    match body::media_type(&headers).as_str() {
        "application/x-www-form-urlencoded" => operation = read(&text),
        "application/sparql-query" => operation.query.push(text),
        "application/sparql-update" => operation.update = true,
        other => {
            let error = Error::invalid(format!("Content-Type \"{other}\" holds no query"))
                .hint("send application/sparql-query, or application/x-www-form-urlencoded with query=…");
            return Err(Problem::with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, error));
        }
    }
    answer(engine, operation, &headers).await
}

fn read(form: &str) -> Operation {
    let mut operation = Operation::default();
    for (name, value) in form_urlencoded::parse(form.as_bytes()) {
        match &*name {
            "query" => operation.query.push(value.into_owned()),
            "update" => operation.update = true,
            "default-graph-uri" => operation.dataset.default_graphs.push(value.into_owned()),
            "named-graph-uri" => operation.dataset.named_graphs.push(value.into_owned()),
            _ => {}
        }
    }
    operation
}

async fn answer(engine: Arc<Engine>, operation: Operation, headers: &HeaderMap) -> Reply {
    if operation.update {
        let error = Error::invalid("naze takes no SPARQL Update: evidence is append-only")
            .hint("record receipts with POST /v1/receipts; a correction is a new receipt that supersedes the old one");
        return Err(error.into());
    }
    let [text] = <[String; 1]>::try_from(operation.query).map_err(|queries| {
        Error::invalid(format!("one query is expected, {} were sent", queries.len())).hint("send query= once")
    })?;
    let solutions = negotiate::best(headers, &SOLUTIONS);
    let graphs = negotiate::best(headers, &GRAPHS);
    if let (Err(problem), Err(_)) = (&solutions, &graphs) {
        let accepted = format!("{}, {}", SOLUTIONS.join(", "), GRAPHS.join(", "));
        tracing::debug!(?problem, "not acceptable");
        let error =
            Error::invalid("no form of results that you accept is offered").hint(format!("accept one of: {accepted}"));
        return Err(Problem::with_status(StatusCode::NOT_ACCEPTABLE, error));
    }
    let format = AdhocFormat { solutions: solutions.unwrap_or(SOLUTIONS[0]), graph: graphs.unwrap_or(GRAPHS[0]) };
    let answer = blocking(move || engine.sparql(&text, &operation.dataset, format)).await?;
    let mut response = ([(CONTENT_TYPE, answer.media_type)], answer.bytes).into_response();
    if answer.truncated {
        response.headers_mut().insert("naze-truncated", axum::http::HeaderValue::from_static("true"));
    }
    Ok(response)
}

fn describe(headers: &HeaderMap) -> Reply {
    let media_type = negotiate::best(headers, &["text/turtle"])?;
    Ok(([(CONTENT_TYPE, media_type)], include_str!("service_description.ttl")).into_response())
}
