//! A host that NATS does not let in any more proves itself here, and gets a new token.

use axum::extract::State;

use super::account::wait_turn;
use super::app::App;
use super::body::Json;
use super::caller::Where;
use super::error::ApiError;
use crate::api::{ErrorBody, RenewalNonce, RenewalProof, RenewedToken};
use crate::enrolment;

/// Failed attempts of machines count as those of this person.
const RENEWAL: &str = "(renewal)";

/// What a host is to sign, within a minute.
#[utoipa::path(post, path = "/api/renewals/nonce", tag = "fleet", responses(
    (status = 200, body = RenewalNonce), (status = "default", body = ErrorBody)))]
pub async fn nonce(State(app): State<App>) -> Result<axum::Json<RenewalNonce>, ApiError> {
    let nonce = app.office.nonce()?;
    Ok(axum::Json(RenewalNonce { nonce }))
}

/// A new token for the host whose key signed a nonce.
#[utoipa::path(post, path = "/api/renewals", tag = "fleet", request_body = RenewalProof, responses(
    (status = 200, body = RenewedToken), (status = "default", body = ErrorBody)))]
pub async fn renew(
    State(app): State<App>,
    place: Where,
    Json(proof): Json<RenewalProof>,
) -> Result<axum::Json<RenewedToken>, ApiError> {
    wait_turn(&app, &place, RENEWAL)?;
    let renewed = app
        .office
        .renew_by_proof(&proof.host, &proof.nonce, &proof.signature)
        .await;
    if let Err(enrolment::Error::NotProved { host }) = &renewed {
        app.limiter.failed(place.address, RENEWAL);
        tracing::warn!(%host, "somebody asked for a new token who could not prove to be the host");
    }
    let granted = renewed?;
    tracing::info!(host = %proof.host, until = %granted.expires_at, "a host has a new token");
    Ok(axum::Json(RenewedToken {
        jwt: granted.jwt,
        expires_at: granted.expires_at,
    }))
}
