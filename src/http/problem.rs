//! Errors as RFC 9457 problem details.

use std::any::Any;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::error::{Error, Kind};

/// Media type of problem details.
const PROBLEM_JSON: &str = "application/problem+json";

/// An [`Error`] on its way to the client, with the status where the kind alone does not give it.
#[derive(Debug)]
pub(super) struct Problem {
    error: Error,
    status: StatusCode,
}

/// What handlers return.
pub(super) type Reply = Result<Response, Problem>;

impl Problem {
    /// A problem with a status of its own, such as 413 or 415.
    pub(super) fn with_status(status: StatusCode, error: Error) -> Self {
        Self { error, status }
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// What the client is told. What broke inside is for the log; the client learns that it was not its fault.
    pub(super) fn detail(&self) -> String {
        if self.error.kind() == Kind::Internal {
            tracing::error!(error = %self.error, "internal error");
            return self.error.message().to_owned();
        }
        self.error.to_string()
    }

    pub(super) fn error(&self) -> &Error {
        &self.error
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            Kind::Invalid => StatusCode::BAD_REQUEST,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self { error, status }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let detail = self.detail();
        let Self { error, status } = self;
        let mut body = json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or("Error"),
            "status": status.as_u16(),
            "detail": detail,
        });
        if !error.hints().is_empty() {
            body["hints"] = error.hints().into();
        }
        let mut response = (status, [(CONTENT_TYPE, PROBLEM_JSON)], body.to_string()).into_response();
        if error.kind() == Kind::Unavailable {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

pub(super) async fn no_such_route(uri: Uri) -> Problem {
    Error::not_found(format!("there is nothing at {}", uri.path())).hint("GET /openapi.json lists every route").into()
}

pub(super) async fn no_such_method(method: Method, uri: Uri) -> Problem {
    let error =
        Error::invalid(format!("{} does not take {method}", uri.path())).hint("GET /openapi.json lists every route");
    Problem::with_status(StatusCode::METHOD_NOT_ALLOWED, error)
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands the panic over by value")]
pub(super) fn from_panic(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("unknown");
    tracing::error!(panic = text, "a handler panicked");
    Problem::from(Error::internal("naze met a defect; nothing was recorded by this request that was not acknowledged"))
        .into_response()
}
