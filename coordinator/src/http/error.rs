//! How a failure reaches a browser. The one place where other modules' errors become status, code, sentence and hint.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use nats::client::PublishError;
use nats::event::Decision;

use crate::api::{ErrorBody, ErrorDetail};
use crate::dispatch::{HELD_FOR, Passing, PersistError};
use crate::{auth, dispatch, objects, placement, projection, verify};

/// A failure on its way out.
#[derive(Debug, Clone)]
pub struct ApiError {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    pub hint: Option<String>,
    pub decision: Option<Box<Decision>>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u64>,
}

impl ApiError {
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            hint: None,
            decision: None,
            retry_after: None,
        }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    #[must_use]
    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// What only a host can do for a session that none has yet.
    #[must_use]
    pub fn not_placed() -> Self {
        Self::conflict("not_placed", "This session waits for a host.").hint(
            "It begins by itself as soon as one has room. Messages are kept for it meanwhile.",
        )
    }

    /// The body says something that makes no sense.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", message)
    }

    #[must_use]
    pub fn not_signed_in() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "not_signed_in",
            "You are not signed in.",
        )
        .hint("Sign in at /api/auth/login, or send an API token as `Authorization: Bearer …`.")
    }

    /// NATS did not take or give something. Whether a write arrived is unknown; sending it again is safe.
    #[must_use]
    pub fn unavailable(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::warn!(error = %crate::chain(error), "NATS could not be used");
        let mut failed = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "nats_unavailable",
            "The coordinator cannot reach NATS at the moment; nothing is lost.",
        )
        .hint("Try again in a moment. The same request with the same id never acts twice.");
        failed.retry_after = Some(2);
        failed
    }

    /// What is asked for may be stored and not read yet: nobody can say that it does not exist.
    #[must_use]
    pub fn behind() -> Self {
        let mut failed = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "behind",
            "This coordinator is still reading what is stored, and this may be among it.",
        )
        .hint("Try again in a moment, or ask another coordinator.");
        failed.retry_after = Some(1);
        failed
    }

    /// Something of ours is broken.
    #[must_use]
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = %crate::chain(error), "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The coordinator could not do this; its log says why.",
        )
    }

    #[must_use]
    pub fn detail(self) -> ErrorDetail {
        ErrorDetail {
            code: self.code.to_owned(),
            message: self.message,
            hint: self.hint,
            decision: self.decision.map(|decision| *decision),
        }
    }
}

impl Passing for ApiError {
    fn is_passing(&self) -> bool {
        self.status == StatusCode::SERVICE_UNAVAILABLE
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, retry_after) = (self.status, self.retry_after);
        let mut response = (
            status,
            Json(ErrorBody {
                error: self.detail(),
            }),
        )
            .into_response();
        if let Some(seconds) = retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<PersistError> for ApiError {
    fn from(error: PersistError) -> Self {
        tracing::warn!(%error, "a write was given up");
        let (code, message) = match error {
            PersistError::NotInTime => (
                "nats_unavailable",
                format!(
                    "NATS could not be reached for {} s, so this was not taken.",
                    HELD_FOR.as_secs()
                ),
            ),
            PersistError::TooMuchWaits => (
                "nats_unavailable",
                "NATS cannot be reached, and too much waits for it already.".to_owned(),
            ),
            PersistError::Ending => (
                "ending",
                "This coordinator ends before NATS could take it.".to_owned(),
            ),
        };
        let mut failed = Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
            .hint("Send it again in a moment. The same request with the same id never acts twice.");
        failed.retry_after = Some(5);
        failed
    }
}

impl From<projection::Error> for ApiError {
    fn from(error: projection::Error) -> Self {
        Self::internal(&error)
    }
}

impl From<auth::Error> for ApiError {
    fn from(error: auth::Error) -> Self {
        match &error {
            auth::Error::Persist(error) => (*error).into(),
            auth::Error::Read(_) | auth::Error::Write(_) => Self::unavailable(&error),
            auth::Error::Hash(_) | auth::Error::Thread(_) => Self::internal(&error),
        }
    }
}

impl From<dispatch::Error> for ApiError {
    fn from(error: dispatch::Error) -> Self {
        match &error {
            dispatch::Error::Persist(error) => (*error).into(),
            dispatch::Error::Command {
                source: PublishError::NoRoom(_),
                ..
            } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too_large",
                "This is too big to send to a host.",
            )
            .hint("Attach long text as a file; if it is short, the COMMANDS stream is full."),
            _ => Self::unavailable(&error),
        }
    }
}

impl From<objects::Error> for ApiError {
    fn from(error: objects::Error) -> Self {
        match &error {
            objects::Error::Read { .. } => Self::unavailable(&error),
            objects::Error::Foreign { .. }
            | objects::Error::TooLarge
            | objects::Error::Malformed { .. } => {
                tracing::error!(error = %crate::chain(&error), "the whole of an event cannot be shown");
                Self::new(
                    StatusCode::BAD_GATEWAY,
                    "object_unusable",
                    "The host keeps the whole of this, and what it keeps cannot be shown.",
                )
                .hint("The shortened text is still there; look at the worktree on the host for the rest.")
            }
        }
    }
}

impl From<verify::Error> for ApiError {
    fn from(error: verify::Error) -> Self {
        match &error {
            verify::Error::Projection(_) => Self::internal(&error),
            verify::Error::Nats(_) | verify::Error::Stopped => Self::unavailable(&error),
        }
    }
}

impl From<auth::OriginRefused> for ApiError {
    fn from(refused: auth::OriginRefused) -> Self {
        let hint = match &refused {
            auth::OriginRefused::OtherSite { .. } => {
                "Open Flotilla at its own address. Behind a proxy, set `public_url` to the address people use."
            }
            auth::OriginRefused::NoOrigin => {
                "Programs send an API token as `Authorization: Bearer …` instead of a cookie."
            }
        };
        Self::new(StatusCode::FORBIDDEN, "wrong_origin", refused.to_string()).hint(hint)
    }
}

impl From<placement::Refused> for ApiError {
    fn from(refused: placement::Refused) -> Self {
        use placement::Refused;
        let message = refused.to_string();
        match refused {
            Refused::UnknownProject { known, .. } => Self::not_found("unknown_project", message)
                .hint(listing(
                    "Known projects",
                    &known,
                    "None is known yet: start a runner with --project PATH.",
                )),
            Refused::AmbiguousProject { ids, .. } => Self::conflict("ambiguous_project", message)
                .hint(listing("Name it by its id", &ids, "")),
            Refused::UnknownHost { known, .. } => Self::not_found("unknown_host", message).hint(
                listing("Known hosts", &known, "No runner has reported yet."),
            ),
            Refused::UnknownAgent { known, .. } => Self::not_found("unknown_agent", message).hint(
                listing("Known agents", &known, "No runner has reported yet."),
            ),
            Refused::ProjectElsewhere { elsewhere, .. } => {
                let hosts: Vec<String> = elsewhere.iter().map(ToString::to_string).collect();
                Self::conflict("project_not_on_host", message).hint(listing("It is on", &hosts, ""))
            }
            Refused::ProjectProblem { .. } => Self::conflict("project_problem", message)
                .hint("Mend that in the checkout on the host, then start again."),
            Refused::AgentMissing { hint, .. } => Self::conflict("agent_unavailable", message)
                .hint(hint.unwrap_or_else(|| {
                    "Install it on the host, or choose another agent.".to_owned()
                })),
        }
    }
}

fn listing(what: &str, names: &[String], none: &str) -> String {
    if names.is_empty() {
        return none.to_owned();
    }
    format!("{what}: {}.", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_up_may_be_sent_again_and_the_answer_says_when() {
        for given_up in [
            PersistError::NotInTime,
            PersistError::TooMuchWaits,
            PersistError::Ending,
        ] {
            let error = ApiError::from(given_up);
            assert!(error.is_passing());
            let hint = error.hint.clone().unwrap_or_default();
            assert!(hint.contains("never acts twice"), "{hint}");
            let response = error.into_response();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(response.headers().contains_key(header::RETRY_AFTER));
        }
    }
}
