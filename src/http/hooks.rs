//! Documents of systems an operator already has: every receiver's paths, with the proof of who sent it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use subtle::ConstantTimeEq as _;

use super::api::receipts;
use super::body;
use super::problem::Problem;
use super::work::blocking;
use crate::config::Sender;
use crate::engine::{Engine, Outcome};
use crate::error::{Error, Result};
use crate::measure::recorder::Measured;
use crate::receive::{self, Delivery, Given, RECEIVERS, Receiver, Tally};
use crate::record::ledger::Source;
use crate::secret::Secret;

/// Every path of every receiver.
pub(super) fn routes() -> Router<Arc<Engine>> {
    let paths = RECEIVERS.iter().flat_map(|receiver| receiver.paths.iter().map(move |path| (*path, receiver)));
    paths.fold(Router::new(), |routes, (path, receiver)| routes.route(path, route(receiver)))
}

/// Takes what is posted to one of the receiver's paths.
fn route(receiver: &'static Receiver) -> MethodRouter<Arc<Engine>> {
    let methods = MethodFilter::POST.or(MethodFilter::PUT);
    let route =
        on(methods, move |State(engine): State<Arc<Engine>>, request: Request| deliver(receiver, engine, request));
    match receiver.handshake {
        Some(handshake) => route.options(move |request: Request| async move {
            let delivery = Delivery { path: request.uri().path(), headers: request.headers(), body: &[] };
            response(handshake(&delivery))
        }),
        None => route,
    }
}

async fn deliver(receiver: &'static Receiver, engine: Arc<Engine>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let token = parts.uri.query().and_then(token_of);
    let bytes = match body::read(&parts.headers, body, engine.config().limits.body_bytes_max, receiver.encoding).await {
        Ok(bytes) => bytes,
        Err(problem) => {
            return answer(receiver, &Delivery { path: &path, headers: &parts.headers, body: &[] }, Err(problem));
        }
    };
    let told = taken(receiver, engine, &path, token, &parts.headers, bytes.clone()).await;
    answer(receiver, &Delivery { path: &path, headers: &parts.headers, body: &bytes }, told)
}

/// In the sender's own protocol where it has one.
fn answer(receiver: &Receiver, delivery: &Delivery<'_>, told: std::result::Result<Told, Problem>) -> Response {
    let reply =
        |outcome: std::result::Result<&Tally, &Error>| receiver.reply.and_then(|reply| reply(delivery, outcome));
    match told {
        Ok(told) => reply(Ok(&told.tally())).map_or_else(|| told.response(), response),
        Err(problem) => match reply(Err(problem.error())) {
            Some(own) => response(own),
            None => problem.into_response(),
        },
    }
}

/// What became of the items of a document.
struct Told {
    outcomes: Vec<Outcome>,
    measured: Measured,
}

impl Told {
    fn response(&self) -> Response {
        receipts::answer(&self.outcomes, &[], &Measured::default())
    }

    fn tally(&self) -> Tally {
        let Measured { recorded, refused, problem } = self.measured.clone();
        let mut tally =
            Tally { samples: recorded, samples_refused: refused, samples_problem: problem, ..Tally::default() };
        for outcome in &self.outcomes {
            match outcome {
                Outcome::Recorded(_) => tally.recorded += 1,
                Outcome::Duplicate(_) => tally.duplicate += 1,
                Outcome::Refused(violations) => {
                    let messages: Vec<&str> = violations.iter().map(|violation| violation.message.as_str()).collect();
                    tally.refused.push(messages.join("; "));
                }
            }
        }
        tally
    }
}

async fn taken(
    receiver: &'static Receiver,
    engine: Arc<Engine>,
    path: &str,
    token: Option<String>,
    headers: &HeaderMap,
    bytes: Bytes,
) -> std::result::Result<Told, Problem> {
    let delivery = Delivery { path, headers, body: &bytes };
    let config = engine.config();
    check_sender(receiver, config.senders.get(receiver.name), config.listen, token, &delivery)?;
    let (path, headers) = (path.to_owned(), headers.clone());
    blocking(move || {
        let delivery = Delivery { path: &path, headers: &headers, body: &bytes };
        let given = Given {
            received_at: engine.clock().now(),
            mapping: engine.mapping(receiver.name),
            vocabulary: engine.vocabulary(),
        };
        let mut received = (receiver.read)(&delivery, &given)?;
        if let Some(missing) = &received.missing {
            tracing::warn!(source = receiver.name, missing, "the sender says that evidence is missing");
        }
        let source = Source { media_type: body::media_type(&headers), bytes: bytes.to_vec() };
        let samples = std::mem::take(&mut received.samples);
        let outcomes = engine.record(receiver.name, received, source)?;
        let measured = engine.measure(receiver.name, samples)?;
        Ok(Told { outcomes, measured })
    })
    .await
}

/// Whoever can reach a loopback listener is on this machine; any other sender must prove who it is.
fn check_sender(
    receiver: &Receiver,
    sender: Option<&Sender>,
    listen: SocketAddr,
    token_in_url: Option<String>,
    delivery: &Delivery<'_>,
) -> std::result::Result<(), Problem> {
    let (secret, token) = sender.map_or((None, None), |given| (given.secret.as_ref(), given.token.as_ref()));
    if secret.is_none() && token.is_none() {
        return Ok(only_on_loopback(listen, receiver)?);
    }
    if let Some(secret) = secret {
        let verify = receiver.verify.ok_or_else(|| {
            Error::forbidden(format!("{} does not sign what it sends", receiver.name))
                .hint(format!("set senders.{}.token instead of its secret", receiver.name))
        })?;
        verify(secret.expose(), delivery)?;
    }
    if let Some(token) = token {
        let in_body = || receiver.token_in_body.and_then(|find| find(delivery.body));
        check_token(token, token_in_url.or_else(in_body), delivery)?;
    }
    Ok(())
}

fn check_token(token: &Secret, elsewhere: Option<String>, delivery: &Delivery<'_>) -> std::result::Result<(), Problem> {
    let in_header = || delivery.header(AUTHORIZATION.as_str()).and_then(token_in);
    let given = elsewhere.or_else(in_header).unwrap_or_default();
    if bool::from(given.as_bytes().ct_eq(token.expose())) {
        return Ok(());
    }
    let error = Error::forbidden("the token is missing or wrong").hint(
        "send it as \"Authorization: Bearer <token>\", as the password of basic authentication, or as ?token= in the URL",
    );
    Err(Problem::with_status(StatusCode::UNAUTHORIZED, error))
}

fn token_in(authorization: &str) -> Option<String> {
    let (scheme, rest) = authorization.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    let decoded = BASE64_STANDARD.decode(rest.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    String::from_utf8(decoded).ok()?.split_once(':').map(|(_, password)| password.to_owned())
}

fn token_of(query: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "token").map(|(_, value)| value.into_owned())
}

fn only_on_loopback(listen: SocketAddr, receiver: &Receiver) -> Result<()> {
    if listen.ip().is_loopback() {
        return Ok(());
    }
    let key = if receiver.verify.is_some() { "secret" } else { "token" };
    Err(Error::forbidden(format!(
        "unsigned requests are taken on a loopback address only, and naze listens on {listen}"
    ))
    .hint(format!("set senders.{}.{key} in the configuration and in the sender", receiver.name)))
}

fn response(reply: receive::Reply) -> Response {
    let mut response = (reply.status, reply.body).into_response();
    response.headers_mut().clear();
    for (name, value) in reply.headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
