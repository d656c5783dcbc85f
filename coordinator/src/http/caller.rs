//! Who is asking: a cookie or an API token, and where they are.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use nats::audit::Origin;
use nats::ids::{CommandId, SessionId};
use nats::record::Role;

use super::app::App;
use super::error::ApiError;
use crate::auth::{Person, Secret, Token};
use crate::dispatch::{Action, Actor};

pub(super) const COOKIE: &str = "flotilla";
/// Of what a client calls itself, the part that is kept.
const CLIENT_CHARS_MAX: usize = 200;

/// Somebody who is signed in. A handler that takes it refuses everybody else.
#[derive(Debug, Clone)]
pub struct Caller {
    pub person: Person,
    pub token: Token,
    pub from: Origin,
}

impl Caller {
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor {
            user: self.person.user,
            name: self.person.name.clone(),
            from: self.from.clone(),
        }
    }

    /// Who joins and who leaves the fleet is for those who run it.
    pub fn must_be_admin(&self) -> Result<(), ApiError> {
        match self.person.role {
            Role::Admin => Ok(()),
            Role::Member => Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "not_an_admin",
                "This is for the administrators of the fleet.",
            )
            .hint("Ask one of them.")),
        }
    }

    /// An action of theirs on a session, for the audit.
    #[must_use]
    pub fn action(
        action: &'static str,
        session: SessionId,
        command: CommandId,
        subject: impl Into<String>,
    ) -> Action {
        Action {
            action,
            session: Some(session),
            command: Some(command),
            subject: subject.into(),
        }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let secret = secret(&parts.headers).ok_or_else(ApiError::not_signed_in)?;
        let (person, token) = app
            .people
            .identify(&secret)
            .await?
            .ok_or_else(ApiError::not_signed_in)?;
        let Where { from, .. } = Where::of(parts);
        Ok(Self {
            person,
            token,
            from,
        })
    }
}

/// Where a request comes from, whoever asks.
#[derive(Debug, Clone)]
pub struct Where {
    pub address: IpAddr,
    pub from: Origin,
}

impl Where {
    fn of(parts: &Parts) -> Self {
        let address = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(peer)| peer.ip());
        let client = parts
            .headers
            .get(header::USER_AGENT)
            .and_then(|name| name.to_str().ok());
        Self {
            address,
            from: Origin {
                address: Some(address.to_string()),
                client: client.map(|name| name.chars().take(CLIENT_CHARS_MAX).collect()),
            },
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Where {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(parts))
    }
}

/// A token that is sent says more than a cookie that happens to be there.
fn secret(headers: &HeaderMap) -> Option<Secret> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    if let Some(token) = bearer {
        return Some(Secret::from_text(token.trim()));
    }
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| Secret::from_text(value))
}
