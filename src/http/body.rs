//! Request bodies: read whole, up to a bound, with a clear problem when they cannot be.

use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::problem::Problem;
use crate::error::Error;

/// Reads the decompressed body; the encoding `understood` is left to whoever asked.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    bytes_max: usize,
    understood: Option<&str>,
) -> Result<Bytes, Problem> {
    let encoding = headers.get(CONTENT_ENCODING);
    if let Some(encoding) = encoding.filter(|encoding| understood.is_none_or(|understood| *encoding != understood)) {
        let encoding = String::from_utf8_lossy(encoding.as_bytes()).into_owned();
        let error = Error::invalid(format!("Content-Encoding \"{encoding}\" is not understood"))
            .hint("send gzip, deflate, br, zstd or no Content-Encoding");
        return Err(Problem::with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, error));
    }
    match Limited::new(body, bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if is_length_limit(&*error) => {
            let error = Error::invalid(format!("the body is larger than {bytes_max} bytes after decompression"))
                .hint("send it in parts: receipts of a batch may come in any number of requests");
            Err(Problem::with_status(StatusCode::PAYLOAD_TOO_LARGE, error))
        }
        Err(error) => {
            let error = Error::invalid("the body ended early or its compression is broken").because(error);
            Err(error.hint("nothing of it was recorded: send it again whole").into())
        }
    }
}

/// The media type without its parameters, in lower case.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_length_limit(error: &(dyn std::error::Error + 'static)) -> bool {
    error.is::<LengthLimitError>() || error.source().is_some_and(is_length_limit)
}
