//! How a host joins: a person asks for a token, and the machine brings it.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use nats::enrolment::EnrolmentToken;
use nats::ids::HostName;

use super::account::wait_turn;
use super::app::App;
use super::body::Json;
use super::caller::{Caller, Where};
use super::error::ApiError;
use crate::api::{EnrolRequest, Enrolled, EnrolmentCreate, EnrolmentCreated, ErrorBody};
use crate::dispatch::Action;
use crate::enrolment::{self, Refused, qr_code};

const LABELS_MAX: usize = 32;
const LABEL_CHARS_MAX: usize = 100;
/// Failed attempts of machines count as those of this person.
const ENROLMENT: &str = "(enrolment)";

/// Makes a token with which one machine joins, once.
#[utoipa::path(post, path = "/api/enrolments", tag = "fleet", request_body = EnrolmentCreate, responses(
    (status = 201, body = EnrolmentCreated), (status = "default", body = ErrorBody)))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    Json(request): Json<EnrolmentCreate>,
) -> Result<(StatusCode, axum::Json<EnrolmentCreated>), ApiError> {
    caller.must_be_admin()?;
    let host = free_name(&app, &request)?;
    check_labels(&request)?;
    let (office, dispatch) = (app.office.clone(), app.dispatch.clone());
    let made = app.see_through(async move {
        let actor = caller.actor();
        let made = office.invite(host, request.labels, &actor).await?;
        dispatch
            .audit(
                &actor,
                Action::of_fleet("host.invite", made.0.host.as_str()),
            )
            .await?;
        Ok(made)
    });
    let (token, record) = made.await?;
    let here = Here::of(&app, &headers);
    let token = token.reveal();
    let command = format!("flotilla runner enrol {} {token} --start", here.url);
    let created = EnrolmentCreated {
        host: record.host,
        expires_at: record.expires_at,
        warning: app.addresses.warning(&here.authority),
        qr: qr_code(&command).ok_or_else(|| {
            ApiError::invalid("The address of this coordinator is too long for a command.")
        })?,
        command,
        token,
    };
    Ok((StatusCode::CREATED, axum::Json(created)))
}

/// Lets a machine in that brings a token. Needs no other name: the token is all it has.
#[utoipa::path(post, path = "/api/enrol", tag = "fleet", request_body = EnrolRequest, responses(
    (status = 200, body = Enrolled), (status = "default", body = ErrorBody)))]
pub async fn enrol(
    State(app): State<App>,
    place: Where,
    headers: HeaderMap,
    Json(request): Json<EnrolRequest>,
) -> Result<axum::Json<Enrolled>, ApiError> {
    wait_turn(&app, &place, ENROLMENT)?;
    let here = Here::of(&app, &headers);
    let accepted = app.clone();
    app.see_through(async move {
        let token: EnrolmentToken = match request.token.parse() {
            Ok(token) => token,
            Err(error) => {
                return Err(turned_away(&accepted, &place, None, Refused::NotAToken(error)).await);
            }
        };
        let admitted = match accepted.office.admit(&token, &request.public_key).await {
            Ok(admitted) => admitted,
            Err(enrolment::Error::Refused(refused)) => {
                return Err(turned_away(&accepted, &place, Some(&token.host), refused).await);
            }
            Err(error) => return Err(error.into()),
        };
        if admitted.first_time {
            let host = &admitted.enrolment.host;
            let entry = Action::of_fleet("host.enrol", format!("{host}, {}", request.public_key));
            accepted
                .dispatch
                .audit_of_nobody(&place.from, entry)
                .await?;
            tracing::info!(%host, "a host was let in");
        }
        Ok(axum::Json(Enrolled {
            nats_urls: accepted.addresses.nats_for(&here.authority),
            jwt: admitted.granted.jwt,
            expires_at: admitted.granted.expires_at,
            host: admitted.enrolment.host,
            command_keys: admitted.enrolment.command_keys,
            labels: admitted.enrolment.labels,
        }))
    })
    .await
}

/// Says no, counts it, and writes down who was told so.
async fn turned_away(
    app: &App,
    place: &Where,
    host: Option<&HostName>,
    refused: Refused,
) -> ApiError {
    app.limiter.failed(place.address, ENROLMENT);
    let named = host.map_or("no readable token", HostName::as_str);
    let entry = Action::of_fleet("host.enrol.refused", format!("{named}: {refused}"));
    if let Err(error) = app.dispatch.audit_of_nobody(&place.from, entry).await {
        tracing::warn!(error = %crate::chain(&error), "a refused enrolment could not be recorded");
    }
    refused.into()
}

/// A name that no host has, nor had while it was listed.
fn free_name(app: &App, request: &EnrolmentCreate) -> Result<HostName, ApiError> {
    let host: HostName = request.host.trim().parse().map_err(|error| {
        ApiError::invalid(format!("{error}."))
            .hint("A host is called as short as `vps-1`; people see it beside every session.")
    })?;
    if host.is_reserved() {
        return Err(
            ApiError::invalid(format!("No host may be called `{host}`."))
                .hint("Sessions that no machine has stand under this name; take another."),
        );
    }
    if app.show.hosts().view().hosts.contains_key(&host) {
        return Err(ApiError::conflict(
            "host_exists",
            format!("There is a host `{host}` already."),
        )
        .hint("Choose another name; GET /api/hosts lists those that are taken."));
    }
    Ok(host)
}

fn check_labels(request: &EnrolmentCreate) -> Result<(), ApiError> {
    let short = |text: &str| !text.is_empty() && text.chars().count() <= LABEL_CHARS_MAX;
    let sound = request
        .labels
        .iter()
        .all(|(name, value)| short(name) && short(value));
    if sound && request.labels.len() <= LABELS_MAX {
        return Ok(());
    }
    Err(
        ApiError::invalid("A label is a name and a value of 1 to 100 characters each, at most 32.")
            .hint("Such as {\"zone\": \"fsn1\"}."),
    )
}

/// Under which name this coordinator was found.
struct Here {
    url: String,
    authority: String,
}

impl Here {
    fn of(app: &App, headers: &HeaderMap) -> Self {
        let url = app.public_url.as_deref().map_or_else(
            || {
                let host = headers
                    .get(header::HOST)
                    .and_then(|host| host.to_str().ok());
                format!("http://{}", host.unwrap_or("127.0.0.1"))
            },
            |url| url.trim_end_matches('/').to_owned(),
        );
        Self {
            authority: enrolment::authority(&url).to_owned(),
            url,
        }
    }
}

impl From<enrolment::Error> for ApiError {
    fn from(error: enrolment::Error) -> Self {
        use enrolment::Error;
        match error {
            Error::Refused(refused) => refused.into(),
            Error::Persist(error) => error.into(),
            Error::NoAuthority => Self::conflict(
                "no_authority",
                "This coordinator has no key to let hosts in with.",
            )
            .hint("Give it one with `[coordinator] authority`, or ask the coordinator that `flotilla up` runs."),
            Error::Read(_) | Error::Write(_) | Error::Tell(_) => Self::unavailable(&error),
            Error::Sign(_) | Error::Nonce(_) => Self::internal(&error),
            Error::StaleNonce => Self::new(
                StatusCode::UNAUTHORIZED,
                "stale_nonce",
                "This nonce is not of this fleet, or older than a minute.",
            )
            .hint("Ask for another one and sign that."),
            Error::NotProved { host } => Self::new(
                StatusCode::UNAUTHORIZED,
                "not_this_host",
                format!("This signature is not that of a host `{host}`."),
            )
            .hint("Its key may be of another fleet, or it was removed. Enrol it anew with “Add a host”."),
        }
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        const ANEW: &str = "Make a new one with “Add a host” or `flotilla host enrol NAME`.";
        let code = refused.code();
        let (status, hint) = match &refused {
            Refused::NotAToken(_) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "Copy the whole command again; the token is its last long word.".to_owned(),
            ),
            Refused::Unknown => (
                StatusCode::UNAUTHORIZED,
                format!("See whether it is of this fleet. {ANEW}"),
            ),
            Refused::OtherHost { host, .. } => (
                StatusCode::FORBIDDEN,
                format!("Use it as it was given, for `{host}`. For another name make another one."),
            ),
            Refused::Expired { .. } => (StatusCode::GONE, format!("It lasts for an hour. {ANEW}")),
            Refused::Used { host, .. } => (
                StatusCode::CONFLICT,
                format!(
                    "If `{host}` is not the machine you meant, somebody else has used it: revoke that host."
                ),
            ),
            Refused::NotEnrolled { .. } => (
                StatusCode::CONFLICT,
                "Only who was enrolled has a key that the fleet knows. A host whose credential was given by hand, and that \
                 of `flotilla up` itself, can be enrolled under another name."
                    .to_owned(),
            ),
            Refused::Revoked { .. } => (
                StatusCode::FORBIDDEN,
                "A key that was revoked is not let in again. To take the machine in anew, remove the host, make another \
                 token, and take `runner/host.nk` in its data folder away before."
                    .to_owned(),
            ),
            Refused::NotRevoked { .. } => (
                StatusCode::CONFLICT,
                "Revoke it first: POST /api/hosts/{host}/revoke, or `flotilla host revoke NAME`.".to_owned(),
            ),
            Refused::Taken { .. } => (
                StatusCode::CONFLICT,
                "Choose another name, or revoke and remove that host first.".to_owned(),
            ),
        };
        let mut sentence = refused.to_string();
        // Those of the token's own type begin as they would behind a colon.
        if let Refused::NotAToken(_) = refused {
            sentence = format!("{}.", capitalised(&sentence));
        }
        Self::new(status, code, sentence).hint(hint)
    }
}

fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    rest.next()
        .map(|first| first.to_uppercase().chain(rest).collect())
        .unwrap_or_default()
}
