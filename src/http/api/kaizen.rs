//! `/v1/kaizen`: what was improved, and what that brought.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use chrono::TimeDelta;

use crate::engine::{EFFECT_DEFAULT, Engine, KaizenAsked};
use crate::error::Error;
use crate::http::given::{refuse_others, window};
use crate::http::negotiate;
use crate::http::problem::Reply;
use crate::http::work::blocking;
use crate::query::parse_duration;
use crate::report::kaizen::render;

/// How far back the log goes when nobody says.
const BACK: TimeDelta = TimeDelta::days(90);
/// Longer than minutes are kept makes no sense.
const EFFECT_MAX: TimeDelta = TimeDelta::days(14);

/// `GET /v1/kaizen?from=…&to=…&component=…&effect=24h`
pub(super) async fn show(
    State(engine): State<Arc<Engine>>,
    Query(mut given): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Reply {
    let media_type = negotiate::chosen(&headers, given.remove("format").as_deref())?;
    let now = engine.clock().now();
    let window = window(&mut given, now, BACK)?;
    let effect = given.remove("effect").map_or(Ok(EFFECT_DEFAULT), |text| parse_duration("effect", &text))?;
    if effect > EFFECT_MAX {
        let error = Error::invalid(format!("effect is longer than {} days", EFFECT_MAX.num_days()));
        return Err(error.hint("ask for 24h or 7d: how long before and after an improvement is looked at").into());
    }
    let asked = KaizenAsked { window, component: given.remove("component"), effect };
    refuse_others(&given, "from, to, component, effect and format")?;
    let text = blocking(move || render(&engine.kaizen(&asked, now)?, media_type)).await?;
    Ok(negotiate::answer(media_type, text))
}
