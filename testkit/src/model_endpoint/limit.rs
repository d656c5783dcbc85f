//! The account's usage limit: refuses everything until it is over, in the words and headers of the Messages API.
//!
//! An agent that is signed in with a subscription reads the headers and stops at once; one with a key tries again.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Until when everything is refused, in seconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Limit {
    resets_at: u64,
}

impl Limit {
    /// When it is over, while it is not.
    pub(super) fn stands(&self) -> Option<u64> {
        Some(self.resets_at).filter(|resets_at| *resets_at > now())
    }

    /// It is over in so many seconds, which is told.
    pub(super) fn reached(&mut self, seconds: u64) -> u64 {
        self.resets_at = now() + seconds;
        self.resets_at
    }
}

pub(super) fn refusal(resets_at: u64) -> Response {
    let resets_at = resets_at.to_string();
    let headers = [
        ("anthropic-ratelimit-unified-status", "rejected"),
        ("anthropic-ratelimit-unified-reset", resets_at.as_str()),
        (
            "anthropic-ratelimit-unified-representative-claim",
            "five_hour",
        ),
    ];
    let text = "The script's account has reached its limit";
    let error = json!({"type": "error", "error": {"type": "rate_limit_error", "message": text}});
    (StatusCode::TOO_MANY_REQUESTS, headers, Json(error)).into_response()
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
