//! The description of the API, from the handlers themselves.

use axum::Json;
use utoipa::OpenApi;

use super::{
    account, agents, attachments, audit, controls, decision, diff, drains, enrolments, events,
    gates, health, hosts, messages, portable, projects, renewals, sessions, socket, tokens, verify,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Flotilla",
        description = "Coding agents on many hosts, watched, steered and approved from anywhere. \
            Lists are {items, next}; failures are {error: {code, message, hint}}. \
            Sign in with a cookie, or send an API token as `Authorization: Bearer`."
    ),
    paths(
        account::status,
        account::setup,
        account::login,
        account::logout,
        account::me,
        tokens::create,
        tokens::list,
        tokens::delete,
        hosts::list,
        hosts::show,
        drains::drain,
        drains::resume,
        hosts::revoke,
        hosts::remove,
        enrolments::create,
        enrolments::enrol,
        renewals::nonce,
        renewals::renew,
        projects::list,
        agents::list,
        sessions::create,
        sessions::list,
        sessions::show,
        verify::run,
        portable::export,
        portable::import,
        events::list,
        events::show,
        messages::send,
        messages::show,
        attachments::create,
        diff::show,
        controls::interrupt,
        controls::stop,
        controls::resume,
        controls::resume_at_reset,
        gates::list,
        gates::show,
        decision::decide,
        audit::list,
        audit::export,
        audit::key,
        socket::open,
        health::live,
        health::ready,
        health::metrics,
    )
)]
struct Description;

/// The whole of it.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// As it is served and checked in.
pub async fn show() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}
