//! `/hooks/*`: webhooks of systems an operator already has.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use subtle::ConstantTimeEq as _;

use super::problem::{Problem, Reply};
use super::work::blocking;
use super::{body, receipts};
use crate::config::Secret;
use crate::engine::{Engine, Outcome};
use crate::error::{Error, Result};
use crate::receive::{self, Received, signature};
use crate::record::ledger::Source;

/// Alertmanager webhook, version 4.
pub(super) async fn alertmanager(State(engine): State<Arc<Engine>>, headers: HeaderMap, body: Body) -> Reply {
    let bytes = body::read(&headers, body, engine.config().limits.body_bytes_max).await?;
    let config = engine.config();
    check_token(config.receive.alertmanager_token.as_ref(), config.listen, &headers)?;
    let source = Source { media_type: "application/json".into(), bytes: bytes.to_vec() };
    let outcomes = record_from(engine, "alertmanager", source, |engine, source| {
        receive::alertmanager(&source.bytes, engine.clock().now(), engine.mapping(), engine.vocabulary())
    })
    .await?;
    Ok(receipts::answer(&outcomes))
}

/// GitHub webhook: `deployment` and `deployment_status`.
pub(super) async fn github(State(engine): State<Arc<Engine>>, headers: HeaderMap, body: Body) -> Reply {
    let bytes = body::read(&headers, body, engine.config().limits.body_bytes_max).await?;
    let config = engine.config();
    match &config.receive.github_secret {
        Some(secret) => signature::verify_github(secret.expose(), &bytes, text(&headers, "x-hub-signature-256"))?,
        None => only_on_loopback(config.listen, "receive.github_secret")?,
    }
    let event = text(&headers, "x-github-event").unwrap_or_default().to_owned();
    if event.is_empty() {
        return Err(Error::invalid("the header X-GitHub-Event is missing").hint("point a GitHub webhook here").into());
    }
    let media_type = body::media_type(&headers);
    let source = Source { media_type: media_type.clone(), bytes: bytes.to_vec() };
    let outcomes = record_from(engine, "github", source, move |engine, source| {
        receive::github(&event, &source.bytes, &media_type, engine.clock().now(), engine.mapping(), engine.vocabulary())
    })
    .await?;
    Ok(receipts::answer(&outcomes))
}

/// Receives a sender's document and records what it holds.
async fn record_from(
    engine: Arc<Engine>,
    origin: &'static str,
    source: Source,
    receive: impl FnOnce(&Engine, &Source) -> Result<Received> + Send + 'static,
) -> std::result::Result<Vec<Outcome>, Problem> {
    blocking(move || {
        let received = receive(&engine, &source)?;
        if let Some(missing) = &received.missing {
            tracing::warn!(origin, missing, "the sender says that evidence is missing");
        }
        engine.record(origin, received, source)
    })
    .await
}

fn check_token(token: Option<&Secret>, listen: SocketAddr, headers: &HeaderMap) -> std::result::Result<(), Problem> {
    let Some(token) = token else {
        return Ok(only_on_loopback(listen, "receive.alertmanager_token")?);
    };
    let given =
        text(headers, AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    if bool::from(given.as_bytes().ct_eq(token.expose())) {
        return Ok(());
    }
    let error = Error::forbidden("the token in Authorization is missing or wrong")
        .hint("send \"Authorization: Bearer <token>\": http_config.authorization.credentials in Alertmanager");
    Err(Problem::with_status(StatusCode::UNAUTHORIZED, error))
}

/// Whoever can reach a loopback listener is on this machine; any other listener needs a secret.
fn only_on_loopback(listen: SocketAddr, key: &str) -> Result<()> {
    if listen.ip().is_loopback() {
        return Ok(());
    }
    Err(Error::forbidden(format!(
        "unsigned requests are taken on a loopback address only, and naze listens on {listen}"
    ))
    .hint(format!("set {key} in the configuration and in the sender")))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
