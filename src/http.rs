//! The HTTP door: which rooms it leads to, then what surrounds every request.
//!
//! | room | what is there |
//! |---|---|
//! | `api` | `/v1/…`: everything naze knows and does, for programs |
//! | `hooks` | documents of systems an operator already has |
//! | `pages` | the same for people |
//! | `sparql`, `ontology` | the evidence and its vocabulary for tools that speak RDF |
//! | `itself` | how naze itself is |

mod api;
mod body;
mod given;
mod guard;
mod hooks;
mod idempotency;
mod itself;
mod live;
mod negotiate;
mod ontology;
mod pages;
mod problem;
mod sparql;
mod work;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum_server::Handle;
use hyper_util::rt::TokioTimer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};

use crate::engine::Engine;
use crate::error::{Context as _, Result};

/// Requests under way get this long to end after a stop signal.
const DRAIN: Duration = Duration::from_secs(20);
/// A connection that is silent, or has not told a whole head, for this long is closed.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);

/// All rooms over one engine; both `naze serve` and the CLI in process use it.
pub fn router(engine: Arc<Engine>) -> Router {
    let routes = api::routes(&engine)
        .merge(hooks::routes())
        .merge(pages::routes())
        .merge(sparql::routes())
        .merge(ontology::routes())
        .merge(itself::routes())
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method);

    // Innermost first: a request meets these from the bottom up.
    routes
        .layer(RequestDecompressionLayer::new().pass_through_unaccepted(true))
        .layer(from_fn_with_state(Arc::clone(&engine), guard::bound))
        .layer(CompressionLayer::new())
        .layer(from_fn_with_state(Arc::clone(&engine), guard::measure))
        .layer(CatchPanicLayer::custom(problem::from_panic))
        .layer(from_fn(guard::strict))
        .layer(from_fn(guard::trace))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .with_state(engine)
}

/// Serves until `stop` resolves, then lets requests under way end.
///
/// # Errors
/// `Internal` when the listener fails.
pub async fn serve(
    engine: Arc<Engine>,
    listener: tokio::net::TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let handle = Handle::new();
    let stopping = handle.clone();
    let listener = listener.into_std().internal("cannot take over the listener")?;
    let mut server = axum_server::from_tcp(listener).internal("cannot listen")?.handle(handle);
    let watched = Arc::clone(&engine);
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN);
    server.http_builder().http2().timer(TokioTimer::new()).keep_alive_interval(HEADERS_WITHIN);
    let stopped = tokio::spawn(async move {
        stop.await;
        watched.live().close();
        stopping.graceful_shutdown(Some(DRAIN));
    });
    let served = server.serve(router(engine).into_make_service()).await.internal("the HTTP server failed");
    stopped.abort();
    served
}
