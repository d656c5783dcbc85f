//! Signing in and out, and the first person.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use nats::record::TokenKind;

use super::app::App;
use super::body::Json;
use super::caller::{COOKIE, Caller, Where};
use super::error::ApiError;
use crate::api::{ErrorBody, LoginRequest, Me, SetupRequest, SetupStatus};
use crate::auth::Person;
use crate::dispatch::{Action, Actor};

const PASSWORD_CHARS_MIN: usize = 10;
/// Hashing a longer one would only serve who wants to keep us busy.
const PASSWORD_BYTES_MAX: usize = 1024;
const NAME_CHARS_MAX: usize = 200;
/// Failed attempts with the setup token count as those of this person.
const SETUP: &str = "(setup)";

/// Whether anybody can sign in yet.
#[utoipa::path(get, path = "/api/auth/setup", tag = "people", responses(
    (status = 200, body = SetupStatus), (status = "default", body = ErrorBody)))]
pub async fn status(State(app): State<App>) -> Result<axum::Json<SetupStatus>, ApiError> {
    let needed = app.people.setup_needed().await?;
    Ok(axum::Json(SetupStatus { needed }))
}

/// Creates the first person and signs them in.
#[utoipa::path(post, path = "/api/auth/setup", tag = "people", request_body = SetupRequest, responses(
    (status = 200, body = Me), (status = "default", body = ErrorBody)))]
pub async fn setup(
    State(app): State<App>,
    place: Where,
    Json(request): Json<SetupRequest>,
) -> Result<Response, ApiError> {
    if !app.people.setup_needed().await? {
        return Err(already_set_up());
    }
    wait_turn(&app, &place, SETUP)?;
    if !app.setup_token.is(&request.token) {
        app.limiter.failed(place.address, SETUP);
        return Err(ApiError::new(
            StatusCode::UNAUTHORIZED,
            "wrong_setup_token",
            "This setup link is not valid.",
        )
        .hint("Use the link that `flotilla up` printed last."));
    }
    check_person(&request)?;
    let person = app
        .people
        .create_first(&request.email, &request.name, request.password)
        .await?
        .ok_or_else(already_set_up)?;
    signed_in(&app, person, place, "user.create").await
}

/// Signs in with a cookie.
#[utoipa::path(post, path = "/api/auth/login", tag = "people", request_body = LoginRequest, responses(
    (status = 200, body = Me), (status = "default", body = ErrorBody)))]
pub async fn login(
    State(app): State<App>,
    place: Where,
    Json(request): Json<LoginRequest>,
) -> Result<Response, ApiError> {
    let email = request.email.trim().to_lowercase();
    wait_turn(&app, &place, &email)?;
    let allowed = request.password.len() <= PASSWORD_BYTES_MAX;
    let person = if allowed {
        app.people.login(&email, request.password).await?
    } else {
        None
    };
    let Some(person) = person else {
        app.limiter.failed(place.address, &email);
        return Err(ApiError::new(
            StatusCode::UNAUTHORIZED,
            "wrong_login",
            "E-mail or password is wrong.",
        ));
    };
    app.limiter.succeeded(place.address, &email);
    signed_in(&app, person, place, "login").await
}

/// Signs out: the cookie, or the token that was sent, lets nobody in any more.
#[utoipa::path(post, path = "/api/auth/logout", tag = "people", responses(
    (status = 204), (status = "default", body = ErrorBody)))]
pub async fn logout(State(app): State<App>, caller: Caller) -> Result<Response, ApiError> {
    app.people.revoke(&caller.token.key).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(&mut response, "", 0, app.public_url.as_deref());
    Ok(response)
}

/// Who is asking.
#[utoipa::path(get, path = "/api/auth/me", tag = "people", responses(
    (status = 200, body = Me), (status = "default", body = ErrorBody)))]
pub async fn me(caller: Caller) -> axum::Json<Me> {
    axum::Json(shown(&caller.person))
}

/// Signs somebody in and notes it.
async fn signed_in(
    app: &App,
    person: Person,
    place: Where,
    how: &'static str,
) -> Result<Response, ApiError> {
    let accepted = app.clone();
    app.see_through(async move {
        let response = sign_in(&accepted, &person, &place).await?;
        record(&accepted, &person, &place, how).await;
        Ok(response)
    })
    .await
}

async fn sign_in(app: &App, person: &Person, place: &Where) -> Result<Response, ApiError> {
    let browser = place.from.client.as_deref().unwrap_or("browser");
    let (secret, record) = app
        .people
        .issue(person.user, browser, TokenKind::Browser)
        .await?;
    let seconds = record.expires_at.map_or(0, |end| {
        (end.milliseconds() - record.created_at.milliseconds()) / 1000
    });
    let mut response = axum::Json(shown(person)).into_response();
    set_cookie(
        &mut response,
        secret.reveal(),
        seconds,
        app.public_url.as_deref(),
    );
    Ok(response)
}

fn set_cookie(response: &mut Response, secret: &str, seconds: i64, public_url: Option<&str>) {
    let secure = if public_url.is_some_and(|url| url.starts_with("https://")) {
        "; Secure"
    } else {
        ""
    };
    let cookie =
        format!("{COOKIE}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    // Secrets are of letters, digits, `-` and `_`.
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
}

fn shown(person: &Person) -> Me {
    Me {
        id: person.user,
        email: person.email.clone(),
        name: person.name.clone(),
        role: person.role,
    }
}

pub(super) fn wait_turn(app: &App, place: &Where, who: &str) -> Result<(), ApiError> {
    let Some(wait) = app.limiter.must_wait(place.address, who) else {
        return Ok(());
    };
    let seconds = wait.as_secs().max(1);
    let mut refused = ApiError::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_attempts",
        "Too many failed attempts from here.",
    )
    .hint(format!("Try again in {seconds} s."));
    refused.retry_after = Some(seconds);
    Err(refused)
}

fn check_person(request: &SetupRequest) -> Result<(), ApiError> {
    let (local, domain) = request.email.trim().split_once('@').unwrap_or_default();
    if local.is_empty() || domain.is_empty() || request.email.len() > 320 {
        return Err(ApiError::invalid("This is not an e-mail address.")
            .hint("It should look like ada@example.org."));
    }
    let name = request.name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
        return Err(
            ApiError::invalid("A name has between 1 and 200 characters.")
                .hint("It is what others see beside your decisions."),
        );
    }
    if request.password.chars().count() < PASSWORD_CHARS_MIN {
        return Err(ApiError::invalid("This password is too short.")
            .hint("Take at least ten characters; four words will do."));
    }
    if request.password.len() > PASSWORD_BYTES_MAX {
        return Err(
            ApiError::invalid("This password is too long.").hint("Take at most 1,024 bytes.")
        );
    }
    Ok(())
}

fn already_set_up() -> ApiError {
    ApiError::conflict("already_set_up", "This fleet is set up already.").hint("Sign in instead.")
}

/// Whoever is in, is in; an audit that cannot be written now is logged.
async fn record(app: &App, person: &Person, place: &Where, action: &'static str) {
    let actor = Actor {
        user: person.user,
        name: person.name.clone(),
        from: place.from.clone(),
    };
    let action = Action {
        action,
        session: None,
        command: None,
        subject: person.email.clone(),
    };
    if let Err(error) = app.dispatch.audit(&actor, action).await {
        tracing::warn!(error = %crate::chain(&error), "a sign-in could not be recorded");
    }
}
