//! The HTTP door: every route on one screen, then what surrounds them all.

mod annotations;
mod body;
mod components;
mod dashboard;
mod dashboards;
mod declared;
mod experiments;
mod export;
mod guard;
mod health;
mod hooks;
mod idempotency;
mod incidents;
mod kaizen;
mod ledger;
mod lines;
mod live;
mod negotiate;
mod ontology;
mod pages;
mod problem;
mod queries;
mod receipts;
mod recommendations;
mod reviews;
mod runbooks;
mod self_report;
mod series;
mod slos;
mod sparql;
mod thresholds;
mod trends;
mod why;
mod window;
mod work;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use axum_server::Handle;
use hyper_util::rt::TokioTimer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};

use crate::engine::{Engine, Subject};
use crate::error::{Context as _, Result};
use crate::receive::RECEIVERS;

/// Requests under way get this long to end after a stop signal.
const DRAIN: Duration = Duration::from_secs(20);
/// A connection that is silent, or has not told a whole head, for this long is closed.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);

/// All routes over one engine; both `naze serve` and the CLI in process use it.
pub fn router(engine: Arc<Engine>) -> Router {
    let hooks = RECEIVERS.iter().flat_map(|receiver| receiver.paths.iter().map(move |path| (*path, receiver)));
    let once = from_fn_with_state(idempotency::Once::new(&engine), idempotency::answer_once);
    let routes = hooks
        .fold(Router::new(), |routes, (path, receiver)| routes.route(path, hooks::route(receiver)))
        .route("/v1/receipts", post(receipts::create).layer(once.clone()))
        .route("/v1/receipts/{id}", get(receipts::show))
        .route("/v1/receipts/{id}/source", get(receipts::source))
        .route("/v1/queries", get(queries::list))
        .route("/v1/queries/{id}", get(queries::run))
        .route("/v1/health", get(health::show))
        .route("/v1/dashboard", get(dashboard::show))
        .route("/v1/dashboards", get(dashboards::list).post(dashboards::build))
        .route("/v1/dashboards/{name}", get(dashboards::show))
        .route("/v1/annotations", get(annotations::list))
        .route("/v1/components", get(components::list))
        .route("/v1/components/{id}", get(components::show))
        .route("/v1/recommendations", get(recommendations::list))
        .route("/v1/series", get(series::list))
        .route("/v1/series/{metric}", get(series::show))
        .route("/v1/trends/{metric}", get(trends::show))
        .route("/v1/thresholds", get(thresholds::list))
        .route("/v1/thresholds/advice/{metric}", get(thresholds::advise))
        .route("/v1/slos", get(slos::list))
        .route("/v1/slos/rules", get(slos::rules))
        .route("/v1/slos/{name}", declared::route(Subject::Slo).get(slos::show))
        .route("/v1/thresholds/{name}", declared::route(Subject::Threshold))
        .route("/v1/incidents", post(incidents::open).layer(once.clone()).get(incidents::list))
        .route("/v1/incidents/{id}", post(incidents::update).layer(once).get(incidents::show))
        .route("/v1/incidents/{id}/why", get(why::of_incident))
        .route("/v1/incidents/{id}/workflow", get(incidents::workflow))
        .route("/v1/incidents/{id}/timeline", get(incidents::timeline))
        .route("/v1/incidents/{id}/postmortem", get(incidents::postmortem).post(incidents::regenerate))
        .route("/v1/reviews", get(reviews::last))
        .route("/v1/reviews/{week}", get(reviews::show))
        .route("/v1/runbooks", get(runbooks::list))
        .route("/v1/runbooks/{name}", get(runbooks::show))
        .route("/v1/kaizen", get(kaizen::show))
        .route("/v1/experiments", get(experiments::list))
        .route("/v1/experiments/{id}", get(experiments::show))
        .route("/v1/why", get(why::of_component))
        .route("/v1/timeline", get(why::timeline))
        .route("/v1/export", get(export::dump))
        .route("/v1/exports", get(export::standings))
        .route("/v1/ledger/checkpoint", get(ledger::checkpoint))
        .route("/v1/ledger/verify", get(ledger::verify))
        .route("/", pages::page(pages::overview))
        .route("/incidents", pages::page(pages::incidents))
        .route("/incidents/{id}", pages::page(pages::incident))
        .route("/incidents/{id}/verdict", post(pages::verdict))
        .route("/principles/{name}", pages::page(pages::principle))
        .route("/slos", pages::page(pages::slos))
        .route("/slos/{name}", pages::page(pages::slo))
        .route("/recommendations", pages::page(pages::recommendations))
        .route("/runbooks", pages::page(pages::runbooks))
        .route("/reviews", pages::page(pages::review))
        .route("/reviews/{week}", pages::page(pages::review))
        .route("/kaizen", pages::page(pages::improvements))
        .route("/experiments", pages::page(pages::experiments))
        .route("/experiments/{id}", pages::page(pages::experiment))
        .route("/component", pages::page(pages::component))
        .route("/why", pages::page(pages::why))
        .route("/receipts/{id}", pages::page(pages::receipt))
        .route("/queries", pages::page(pages::queries))
        .route("/queries/{id}", pages::page(pages::query))
        .route("/explore", pages::page(pages::explore))
        .route("/trends", pages::page(pages::trends))
        .route("/ledger", pages::page(pages::ledger))
        .route("/live", get(live::live))
        .route("/assets/{name}", get(pages::asset))
        .route("/sparql", get(sparql::get).post(sparql::post))
        .route("/ontology", get(ontology::ontology))
        .route("/ontology/context.jsonld", get(ontology::context))
        .route("/metrics", get(self_report::metrics))
        .route("/healthz", get(self_report::healthz))
        .route("/readyz", get(self_report::readyz))
        .route("/-/healthy", get(self_report::healthz))
        .route("/-/ready", get(self_report::readyz))
        .route("/-/reload", post(declared::reload))
        .route("/api/v2/status", get(self_report::as_alertmanager))
        .route("/openapi.json", get(self_report::openapi))
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
