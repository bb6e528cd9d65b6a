//! A series as a picture.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::IntoResponse as _;
use base64::Engine as _;
use sha2::{Digest as _, Sha256};

use super::Asked;
use crate::engine::Engine;
use crate::error::Error;
use crate::http::api::picked::Wanted;
use crate::http::given::refuse_others;
use crate::http::pages::{forecast, marks_of, plot};
use crate::http::problem::Reply;
use crate::http::work::blocking;
use crate::web::plot::STYLE;
use crate::web::range::Range;

pub(super) const MEDIA_TYPE: &str = "image/svg+xml";
/// What a browser may do with a picture: show it in its own style, nothing else.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{hash}'; frame-ancestors 'none'")
});

/// One series with its limits and events, over `range` or `from` to `to`, continued up to `horizon`.
pub(super) async fn show(engine: &Arc<Engine>, metric: String, mut given: BTreeMap<String, String>) -> Reply {
    let now = engine.clock().now();
    let range = Range::of(&given, now)?;
    given.retain(|name, _| !["range", "from", "to"].contains(&name.as_str()));
    let wanted = Wanted::of(&mut given, Some(&metric));
    let asked = Asked::of(&mut given, now.min(range.window.to))?;
    refuse_others(&given, "component, label.<name>, range, from, to, horizon and format")?;
    let engine = Arc::clone(engine);
    let picture = blocking(move || {
        let mut found = engine.lines(&metric, |series| wanted.has(series), range.window.to)?.into_iter();
        let line = found.next().ok_or_else(|| {
            Error::not_found(format!("there is no series of {metric} with these labels"))
                .hint("GET /v1/series lists all")
        })?;
        if found.next().is_some() {
            let message = format!("a picture shows one series, and {metric} has several");
            return Err(Error::invalid(message).hint("add component=… or label.<name>=… to the address"));
        }
        let window = range.window.from..range.window.to;
        let mut plot = plot(&engine, &line, window.clone())?;
        plot.marks = marks_of(&engine, &line.known.series.component, &window)?;
        if asked.horizon.is_some() {
            plot.forecast = forecast(&asked.trend(&engine, &line)?, &range);
        }
        Ok(plot.file())
    })
    .await?;
    let headers = [(CONTENT_TYPE, MEDIA_TYPE), (CONTENT_SECURITY_POLICY, POLICY.as_str()), (CACHE_CONTROL, "no-cache")];
    Ok((headers, picture).into_response())
}
