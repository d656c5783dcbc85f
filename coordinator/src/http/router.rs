//! Every address there is.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, post};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use super::app::App;
use super::{
    account, agents, assets, attachments, audit, controls, decision, diff, drains, enrolments,
    events, gates, guard, health, hosts, messages, openapi, portable, projects, renewals, sessions,
    socket, tokens, trace, verify,
};

pub fn router(app: App) -> Router {
    let api = Router::new()
        .route("/api/auth/setup", get(account::status).post(account::setup))
        .route("/api/auth/login", post(account::login))
        .route("/api/auth/logout", post(account::logout))
        .route("/api/auth/me", get(account::me))
        .route("/api/tokens", get(tokens::list).post(tokens::create))
        .route("/api/tokens/{id}", delete(tokens::delete))
        .route("/api/hosts", get(hosts::list))
        .route("/api/hosts/{host}/drain", post(drains::drain))
        .route("/api/hosts/{host}/resume", post(drains::resume))
        .route("/api/hosts/{host}", get(hosts::show).delete(hosts::remove))
        .route("/api/hosts/{host}/revoke", post(hosts::revoke))
        .route("/api/enrolments", post(enrolments::create))
        .route("/api/enrol", post(enrolments::enrol))
        .route("/api/renewals/nonce", post(renewals::nonce))
        .route("/api/renewals", post(renewals::renew))
        .route("/api/projects", get(projects::list))
        .route("/api/agents", get(agents::list))
        .route("/api/sessions", get(sessions::list).post(sessions::create))
        .route("/api/sessions/{id}", get(sessions::show))
        .route("/api/sessions/{id}/events", get(events::list))
        .route("/api/sessions/{id}/events/{seq}", get(events::show))
        .route("/api/sessions/{id}/messages", post(messages::send))
        .route("/api/sessions/{id}/messages/{command}", get(messages::show))
        .route("/api/sessions/{id}/attachments", post(attachments::create))
        .route("/api/sessions/{id}/interrupt", post(controls::interrupt))
        .route("/api/sessions/{id}/stop", post(controls::stop))
        .route("/api/sessions/{id}/resume", post(controls::resume))
        .route(
            "/api/sessions/{id}/resume-at-reset",
            post(controls::resume_at_reset),
        )
        .route("/api/sessions/import", post(portable::import))
        .route("/api/sessions/{id}/export", get(portable::export))
        .route("/api/sessions/{id}/verify", post(verify::run))
        .route("/api/sessions/{id}/diff", get(diff::show))
        .route("/api/gates", get(gates::list))
        .route("/api/gates/{id}", get(gates::show))
        .route("/api/gates/{id}/decision", post(decision::decide))
        .route("/api/audit", get(audit::list))
        .route("/api/audit/export", get(audit::export))
        .route("/api/audit/key", get(audit::key))
        .route(guard::SOCKET, get(socket::open))
        .route_layer(from_fn_with_state(app.clone(), guard::guard))
        // What is written here repeats itself: the first level finds nearly all of it, in a fraction of the time.
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest));
    Router::new()
        .merge(api)
        .route("/api/openapi.json", get(openapi::show))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .fallback(assets::fallback)
        .method_not_allowed_fallback(assets::method_not_allowed)
        .layer(CompressionLayer::new())
        .layer(from_fn(trace::trace))
        .with_state(app)
}
