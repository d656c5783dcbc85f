//! Interrupting, stopping and resuming a session.

use axum::extract::State;
use axum::http::StatusCode;
use nats::command::{Command, LimitResume, SessionResume, SessionStop, TurnInterrupt};
use nats::ids::{CommandId, SessionId};
use serde::Deserialize;

use super::app::App;
use super::body::{Json, OptionalJson, SessionPath};
use super::caller::Caller;
use super::error::ApiError;
use crate::api::{Accepted, ErrorBody, ResumeAtResetRequest};

type Answer = Result<(StatusCode, axum::Json<Accepted>), ApiError>;

/// May be left out.
#[derive(Debug, Default, Deserialize)]
pub struct Control {
    /// The same id again changes nothing.
    id: Option<CommandId>,
}

/// Ends the turn that runs; the agent lives on.
#[utoipa::path(post, path = "/api/sessions/{id}/interrupt", tag = "sessions", responses(
    (status = 202, body = Accepted), (status = "default", body = ErrorBody)))]
pub async fn interrupt(
    State(app): State<App>,
    caller: Caller,
    SessionPath(id): SessionPath,
    OptionalJson(control): OptionalJson<Control>,
) -> Answer {
    send(
        &app,
        caller,
        id,
        control,
        "turn.interrupt",
        TurnInterrupt {}.into(),
    )
    .await
}

/// Ends the session; its worktree and branch stay.
#[utoipa::path(post, path = "/api/sessions/{id}/stop", tag = "sessions", responses(
    (status = 202, body = Accepted), (status = "default", body = ErrorBody)))]
pub async fn stop(
    State(app): State<App>,
    caller: Caller,
    SessionPath(id): SessionPath,
    OptionalJson(control): OptionalJson<Control>,
) -> Answer {
    let stored = app.open_session(id).await?;
    if stored.last_seq() > 0 {
        let stop = SessionStop {}.into();
        return send(&app, caller, id, control, "session.stop", stop).await;
    }
    let command = control.id.unwrap_or_default();
    let (dispatch, by) = (app.dispatch.clone(), caller.person.user);
    app.see_through(async move {
        let record = dispatch.stop_early(id, by, command).await?;
        let on = if record.never_began() {
            "before any host had it".to_owned()
        } else {
            // It may begin at any moment: then it is told, and over if it does not.
            dispatch
                .command(&record, command, SessionStop {}.into(), by)
                .await?;
            format!("on {}", record.host)
        };
        let subject = format!("{} {on}", record.agent);
        let action = Caller::action("session.stop", id, command, subject);
        dispatch.audit(&caller.actor(), action).await?;
        Ok((StatusCode::ACCEPTED, axum::Json(Accepted { id: command })))
    })
    .await
}

/// Starts the agent again after it is gone.
#[utoipa::path(post, path = "/api/sessions/{id}/resume", tag = "sessions", responses(
    (status = 202, body = Accepted), (status = "default", body = ErrorBody)))]
pub async fn resume(
    State(app): State<App>,
    caller: Caller,
    SessionPath(id): SessionPath,
    OptionalJson(control): OptionalJson<Control>,
) -> Answer {
    send(
        &app,
        caller,
        id,
        control,
        "session.resume",
        SessionResume {}.into(),
    )
    .await
}

/// Goes on by itself once a usage limit is over, or does not. Holds from now on, also for a limit that stands.
#[utoipa::path(post, path = "/api/sessions/{id}/resume-at-reset", tag = "sessions",
    request_body = ResumeAtResetRequest, responses(
    (status = 202, body = Accepted), (status = "default", body = ErrorBody)))]
pub async fn resume_at_reset(
    State(app): State<App>,
    caller: Caller,
    SessionPath(id): SessionPath,
    Json(request): Json<ResumeAtResetRequest>,
) -> Answer {
    let ResumeAtResetRequest {
        enabled,
        id: command,
    } = request;
    let control = Control { id: command };
    send(
        &app,
        caller,
        id,
        control,
        "limit.resume",
        LimitResume { enabled }.into(),
    )
    .await
}

async fn send(
    app: &App,
    caller: Caller,
    session: SessionId,
    control: Control,
    name: &'static str,
    command: Command,
) -> Answer {
    let stored = app.placed_session(session).await?;
    let id = control.id.unwrap_or_default();
    let dispatch = app.dispatch.clone();
    app.see_through(async move {
        dispatch
            .command(&stored.record, id, command, caller.person.user)
            .await?;
        // Not the title: it may be made of a prompt.
        let subject = format!("{} on {}", stored.record.agent, stored.record.host);
        let action = Caller::action(name, session, id, subject);
        dispatch.audit(&caller.actor(), action).await?;
        Ok((StatusCode::ACCEPTED, axum::Json(Accepted { id })))
    })
    .await
}
