//! API tokens of the person who asks.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use nats::record::TokenKind;

use super::app::App;
use super::body::Json;
use super::caller::Caller;
use super::error::ApiError;
use crate::api::{ErrorBody, Page, TokenCreate, TokenCreated, TokenRow};
use crate::dispatch::Action;

const NAME_CHARS_MAX: usize = 100;

/// Makes a token; its secret is shown this once.
#[utoipa::path(post, path = "/api/tokens", tag = "people", request_body = TokenCreate, responses(
    (status = 201, body = TokenCreated), (status = "default", body = ErrorBody)))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(request): Json<TokenCreate>,
) -> Result<(StatusCode, axum::Json<TokenCreated>), ApiError> {
    let name = request.name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(
            ApiError::invalid("A token's name has between 1 and 100 characters.")
                .hint("Say what it is for, such as `laptop`."),
        );
    }
    let (people, dispatch, name) = (app.people.clone(), app.dispatch.clone(), name.to_owned());
    let issued = app.see_through(async move {
        let issued = people
            .issue(caller.person.user, &name, TokenKind::Api)
            .await?;
        dispatch
            .audit(&caller.actor(), Action::of_fleet("token.create", &name))
            .await?;
        Ok(issued)
    });
    let (secret, record) = issued.await?;
    let created = TokenCreated {
        id: record.token,
        name: record.name,
        token: secret.reveal().to_owned(),
        created_at: record.created_at,
    };
    Ok((StatusCode::CREATED, axum::Json(created)))
}

/// One's own tokens, without their secrets.
#[utoipa::path(get, path = "/api/tokens", tag = "people", responses(
    (status = 200, body = Page<TokenRow>), (status = "default", body = ErrorBody)))]
pub async fn list(State(app): State<App>, caller: Caller) -> axum::Json<Page<TokenRow>> {
    let rows = app
        .people
        .api_tokens(caller.person.user)
        .into_iter()
        .map(|(_, token)| TokenRow {
            id: token.token,
            name: token.name,
            created_at: token.created_at,
        });
    axum::Json(Page::whole(rows.collect()))
}

/// Takes one of one's own tokens back.
#[utoipa::path(delete, path = "/api/tokens/{id}", tag = "people", responses(
    (status = 204), (status = "default", body = ErrorBody)))]
pub async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let tokens = app.people.api_tokens(caller.person.user);
    let (key, token) = tokens
        .into_iter()
        .find(|(_, token)| token.token.to_string() == id)
        .ok_or_else(|| {
            ApiError::not_found("unknown_token", format!("You have no token `{id}`."))
                .hint("GET /api/tokens lists yours.")
        })?;
    let (people, dispatch) = (app.people.clone(), app.dispatch.clone());
    app.see_through(async move {
        people.revoke(&key).await?;
        dispatch
            .audit(
                &caller.actor(),
                Action::of_fleet("token.delete", &token.name),
            )
            .await?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
