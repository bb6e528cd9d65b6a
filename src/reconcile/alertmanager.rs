//! Which alerts fire, and who suppresses them: asked of Alertmanager.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{given, known_alerts, rounds};
use crate::asked::{Server, blocking};
use crate::clock::Timestamp;
use crate::engine::{Engine, Outcome};
use crate::error::Result;
use crate::receipt::Receipt;
use crate::receive::{Item, active_alerts};
use crate::record::ledger::Source;

/// As the webhook that tells the same.
const SOURCE: &str = "alertmanager";

pub(super) async fn follow(engine: Arc<Engine>, server: Server) {
    rounds(&engine, SOURCE, &server, || async {
        let body = server.get("/api/v2/alerts", &[]).await?;
        blocking(&engine, move |engine| record(engine, body)).await
    })
    .await;
}

fn record(engine: &Engine, body: Vec<u8>) -> Result<usize> {
    let mut received = active_alerts(&body, &given(engine, SOURCE))?;
    let known: BTreeSet<_> = known_alerts(engine)?.iter().filter_map(|alert| firing(&alert.receipt)).collect();
    received.items.retain(|item| match item {
        Item::Receipt(draft) => firing(&draft.receipt).is_none_or(|firing| !known.contains(&firing)),
        Item::Refused(_) => true,
    });
    let source = Source { media_type: "application/json".into(), bytes: body };
    let outcomes = engine.record(SOURCE, received, source)?;
    Ok(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Recorded(_))).count())
}

/// What names a firing. The API tells milliseconds where the webhook tells microseconds.
fn firing(receipt: &Receipt) -> Option<(String, i64)> {
    let starts_at = receipt.time("startsAt").filter(|_| receipt.text("status") == Some("firing"))?;
    Some((receipt.text("fingerprint")?.to_owned(), milliseconds(starts_at)))
}

fn milliseconds(time: Timestamp) -> i64 {
    time.micros().div_euclid(1_000)
}
