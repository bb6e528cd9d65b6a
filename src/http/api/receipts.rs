//! `/v1/receipts`: record evidence, and see it again.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use oxrdfio::{RdfFormat, RdfSerializer};
use serde_json::{Value as JsonValue, json};

use crate::engine::{Engine, Outcome};
use crate::error::{Context as _, Error};
use crate::http::problem::{Problem, Reply};
use crate::http::work::blocking;
use crate::http::{body, negotiate};
use crate::measure::recorder::Measured;
use crate::receipt::{ReceiptId, write_json, write_json_ld};
use crate::receive::{self, Format};
use crate::record::Recorded;
use crate::record::ledger::Source;
use crate::record::store::{added, star_of};

/// Records receipts in native JSON, NDJSON, JSON-LD, Turtle, TriG, N-Triples or N-Quads.
pub(super) async fn create(State(engine): State<Arc<Engine>>, headers: HeaderMap, body: Body) -> Reply {
    let bytes = body::read(&headers, body, engine.config().limits.body_bytes_max, None).await?;
    let media_type = body::media_type(&headers);
    let format = match media_type.as_str() {
        "" => Format::Json,
        other => Format::from_media_type(other).ok_or_else(|| unsupported(other))?,
    };
    let (outcomes, places, measured) = blocking(move || {
        let mut received = receive::receive(format, &bytes, engine.vocabulary())?;
        let media_type = if media_type.is_empty() { "application/json".to_owned() } else { media_type };
        let samples = std::mem::take(&mut received.samples);
        let places = std::mem::take(&mut received.measured);
        let outcomes = engine.record(SENDER, received, Source { media_type, bytes: bytes.to_vec() })?;
        let measured = if samples.is_empty() { Measured::default() } else { engine.measure(SENDER, samples)? };
        Ok((outcomes, places, measured))
    })
    .await?;
    Ok(answer(&outcomes, &places, &measured))
}

const SENDER: &str = "native";

fn unsupported(media_type: &str) -> Problem {
    let error = Error::invalid(format!("Content-Type \"{media_type}\" holds no receipts")).hint(
        "send application/json, application/x-ndjson, application/ld+json, text/turtle, application/trig, \
         application/n-triples or application/n-quads",
    );
    Problem::with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, error)
}

/// One outcome per object, in the order they were sent; the status tells the whole at a glance. `places` says how many
/// outcomes stand before each object that only told values of series.
pub(in crate::http) fn answer(outcomes: &[Outcome], places: &[usize], measured: &Measured) -> Response {
    let count = |matches: fn(&Outcome) -> bool| outcomes.iter().filter(|outcome| matches(outcome)).count();
    let recorded = count(|outcome| matches!(outcome, Outcome::Recorded(_)));
    let duplicate = count(|outcome| matches!(outcome, Outcome::Duplicate(_)));
    let refused = count(|outcome| matches!(outcome, Outcome::Refused(_)));
    let is_faulty = refused > 0 || measured.refused > 0;
    let taken = recorded + duplicate + places.len();
    let status = match (taken, is_faulty) {
        (0, true) => StatusCode::UNPROCESSABLE_ENTITY,
        (_, true) => StatusCode::MULTI_STATUS,
        _ if recorded > 0 || !places.is_empty() => StatusCode::CREATED,
        _ => StatusCode::OK,
    };
    let mut receipts = Vec::with_capacity(outcomes.len() + places.len());
    let mut places = places.iter().peekable();
    for (place, outcome) in outcomes.iter().enumerate() {
        while places.next_if(|before| **before <= place).is_some() {
            receipts.push(json!({"id": null, "outcome": "measured"}));
        }
        receipts.push(match outcome {
            Outcome::Recorded(id) => json!({"id": id, "outcome": "recorded"}),
            Outcome::Duplicate(id) => json!({"id": id, "outcome": "duplicate"}),
            Outcome::Refused(violations) => json!({"id": null, "outcome": "refused", "problem": problem(violations)}),
        });
    }
    receipts.extend(places.map(|_| json!({"id": null, "outcome": "measured"})));
    let mut body = json!({"recorded": recorded, "duplicate": duplicate, "refused": refused, "receipts": receipts});
    if measured.recorded + measured.refused > 0 {
        body["samples"] = json!({
            "recorded": measured.recorded,
            "refused": measured.refused,
            "problem": measured.problem,
        });
    }
    (status, Json(body)).into_response()
}

fn problem(violations: &[crate::validate::Violation]) -> JsonValue {
    let detail: Vec<&str> = violations.iter().map(|violation| violation.message.as_str()).collect();
    json!({
        "type": "about:blank",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": detail.join("; "),
        "violations": violations,
    })
}

/// One receipt, as JSON, JSON-LD or RDF.
pub(super) async fn show(State(engine): State<Arc<Engine>>, Path(id): Path<String>, headers: HeaderMap) -> Reply {
    let offered = [
        "application/json",
        "application/ld+json",
        "text/turtle",
        "application/n-triples",
        "application/n-quads",
        "application/trig",
    ];
    let media_type = negotiate::best(&headers, &offered)?;
    let recorded = find(&engine, &id).await?;
    let text = match media_type {
        "application/json" => {
            JsonValue::Object(write_json(&recorded.receipt, recorded.id, &added(&recorded))).to_string()
        }
        "application/ld+json" => write_json_ld(&recorded.receipt, recorded.id, &added(&recorded)).to_string(),
        other => write_rdf(&recorded, &engine, other)?,
    };
    Ok(([(CONTENT_TYPE, media_type)], text).into_response())
}

/// The raw document the receipt was read from, byte for byte.
pub(super) async fn source(State(engine): State<Arc<Engine>>, Path(id): Path<String>) -> Reply {
    let recorded = find(&engine, &id).await?;
    let source = blocking(move || engine.source_of(&recorded)).await?;
    // Evidence is data: a browser must not run what a sender put into it.
    let headers = [(CONTENT_TYPE.as_str(), source.media_type.as_str()), ("content-security-policy", "sandbox")];
    Ok((headers, source.bytes).into_response())
}

async fn find(engine: &Arc<Engine>, id: &str) -> Result<Recorded, Problem> {
    let id: ReceiptId = id.parse().invalid("the path names no receipt")?;
    let engine = Arc::clone(engine);
    blocking(move || engine.receipt(id)).await
}

fn write_rdf(recorded: &Recorded, engine: &Engine, media_type: &str) -> Result<String, Problem> {
    let format = RdfFormat::from_media_type(media_type).expect("only RDF media types are offered");
    let mut serializer = RdfSerializer::from_format(format);
    for (prefix, iri) in [("naze", crate::vocab::NAMESPACE), ("label", crate::vocab::LABEL_PREFIX)] {
        serializer = serializer.with_prefix(prefix, iri).expect("our namespaces are IRIs");
    }
    let mut writer = serializer.for_writer(Vec::new());
    for triple in star_of(recorded, engine.vocabulary()) {
        writer.serialize_triple(&triple).internal("cannot write the receipt")?;
    }
    let bytes = writer.finish().internal("cannot write the receipt")?;
    Ok(String::from_utf8(bytes).internal("RDF is UTF-8")?)
}
