//! `/live`: what comes in, as server-sent events. An event's id is the number of ledger entries, so that a client that comes
//! back says with `Last-Event-ID` what it has heard of already.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse as _;
use axum::response::sse::{Event, KeepAlive, Sse};
use serde_json::json;
use tokio::sync::mpsc::{Sender, channel};
use tokio::sync::watch::Receiver;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_stream::wrappers::ReceiverStream;

use super::problem::Reply;
use super::work::blocking;
use crate::engine::{Engine, News};
use crate::report::title_of;

/// Events that wait for one client.
const EVENTS_MAX: usize = 2;
/// A client that takes no event for so long is dropped.
const TAKEN_WITHIN: Duration = Duration::from_secs(5);
/// Between two events; what comes in meanwhile is told in one.
const PAUSE: Duration = Duration::from_secs(1);
/// A connection ends after this long, and its client comes back.
const LIFETIME: Duration = Duration::from_mins(15);
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How soon a client comes back.
const RETRY: Duration = Duration::from_secs(3);

type Queue = Sender<Result<Event, Infallible>>;

/// `GET /live`: an event whenever receipts were recorded, at most one a second.
pub(super) async fn live(State(engine): State<Arc<Engine>>, headers: HeaderMap) -> Reply {
    let (mut entries, place) = engine.live().watch()?;
    let heard = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let since: u64 = heard.unwrap_or(*entries.borrow_and_update());
    let (queue, events) = channel(EVENTS_MAX);
    tokio::spawn(async move {
        let _place = place;
        follow(&engine, entries, since, &queue).await;
    });
    let events = Sse::new(ReceiverStream::new(events)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok(([("cache-control", "no-store")], events).into_response())
}

/// Tells a client until it goes, is too slow, has had its time, or naze stops.
async fn follow(engine: &Arc<Engine>, mut entries: Receiver<u64>, mut since: u64, queue: &Queue) {
    let end = Instant::now() + LIFETIME;
    let hello =
        Event::default().retry(RETRY).event("hello").id(since.to_string()).data(json!({"entries": since}).to_string());
    let mut next = Some(hello);
    while !engine.live().is_closed() {
        if let Some(event) = next.take()
            && queue.send_timeout(Ok(event), TAKEN_WITHIN).await.is_err()
        {
            return;
        }
        let engine_of_news = Arc::clone(engine);
        match blocking(move || engine_of_news.news(since)).await {
            Ok(Some(news)) => {
                since = news.entries;
                next = Some(event(&news));
                sleep(PAUSE).await;
            }
            Ok(None) => tokio::select! {
                changed = timeout_at(end, entries.changed()) => if !matches!(changed, Ok(Ok(()))) { return },
                () = queue.closed() => return,
            },
            Err(_) => return,
        }
    }
}

fn event(news: &News) -> Event {
    let receipts: Vec<_> = news
        .receipts
        .iter()
        .map(|recorded| {
            let receipt = &recorded.receipt;
            json!({"id": recorded.id, "kind": receipt.kind(), "component": receipt.component(),
                "occurredAt": recorded.occurred_at(), "severity": receipt.text("severity"), "title": title_of(receipt)})
        })
        .collect();
    let data = json!({"entries": news.entries, "new": news.new, "receipts": receipts});
    Event::default().event("receipts").id(news.entries.to_string()).data(data.to_string())
}
