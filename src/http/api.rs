//! `/v1/…`: one line a route, one file a resource.

mod annotations;
mod archive;
mod components;
mod dashboard;
mod dashboards;
mod declared;
mod doctor;
mod experiments;
mod export;
mod health;
mod incidents;
mod kaizen;
mod ledger;
mod lines;
mod metrics;
mod picked;
mod queries;
pub(super) mod receipts;
mod recommendations;
mod reviews;
mod runbooks;
mod series;
mod slos;
mod thresholds;
pub(super) mod trends;
mod why;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use super::idempotency::{Once, answer_once};
use crate::engine::{Engine, Subject};

/// Every route of the interface for programs.
pub(super) fn routes(engine: &Arc<Engine>) -> Router<Arc<Engine>> {
    let once = from_fn_with_state(Once::new(engine), answer_once);
    Router::new()
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
        .route("/v1/metrics", get(metrics::list))
        .route("/v1/metrics/{name}", declared::route(Subject::Metric))
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
        .route("/v1/doctor", doctor::route())
        .route("/v1/export", get(export::dump))
        .route("/v1/exports", get(export::standings))
        .route("/v1/exports/{name}/test", post(export::test))
        .route("/v1/archive", get(archive::list).post(archive::restore))
        .route("/v1/ledger/checkpoint", get(ledger::checkpoint))
        .route("/v1/ledger/verify", get(ledger::verify))
}
