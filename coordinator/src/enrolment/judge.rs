//! What becomes of a token that somebody brings: a pure decision.

use nats::Timestamp;
use nats::credentials::HostPublicKey;
use nats::enrolment::{EnrolmentRecord, EnrolmentToken, IdentityRecord, NotAToken};
use nats::ids::HostName;

/// Why a machine is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("{0}")]
    NotAToken(NotAToken),
    #[error("This fleet knows no such enrolment token.")]
    Unknown,
    #[error("This enrolment token is for `{host}`, and was changed to say `{asked}`.")]
    OtherHost { host: HostName, asked: HostName },
    #[error("This enrolment token for `{host}` expired at {at}.")]
    Expired { host: HostName, at: Timestamp },
    #[error("This enrolment token for `{host}` was used at {at}, by another machine.")]
    Used { host: HostName, at: Timestamp },
    #[error("`{host}` was never enrolled in this fleet, or was removed from it.")]
    NotEnrolled { host: HostName },
    #[error("`{host}` was revoked by {by_name} at {at}.")]
    Revoked {
        host: HostName,
        by_name: String,
        at: Timestamp,
    },
    #[error("`{host}` is a host of this fleet, and not revoked.")]
    NotRevoked { host: HostName },
    #[error("There is a host `{host}` already, enrolled at {at}.")]
    Taken { host: HostName, at: Timestamp },
}

impl Refused {
    /// For programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAToken(_) => "not_a_token",
            Self::Unknown => "unknown_token",
            Self::OtherHost { .. } => "token_of_another_host",
            Self::Expired { .. } => "token_expired",
            Self::Used { .. } => "token_used",
            Self::NotEnrolled { .. } => "not_enrolled",
            Self::Revoked { .. } => "host_revoked",
            Self::NotRevoked { .. } => "not_revoked",
            Self::Taken { .. } => "host_exists",
        }
    }
}

/// What is left to do for a machine that may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Note that the token is used.
    Redeem,
    /// It was this very machine that used it: its answer was lost. Its identity may be missing.
    GoOn,
}

/// `record` is what the fleet keeps of the token. A machine that comes again with its own key is let in again for as
/// long as the token lasts: what it was told may have been lost, and nobody else can use it.
pub fn judge(
    token: &EnrolmentToken,
    record: Option<&EnrolmentRecord>,
    key: &HostPublicKey,
    now: Timestamp,
) -> Result<Step, Refused> {
    let record = record.ok_or(Refused::Unknown)?;
    let host = || record.host.clone();
    if token.host != record.host {
        return Err(Refused::OtherHost {
            host: host(),
            asked: token.host.clone(),
        });
    }
    let used_by_another = record
        .redeemed
        .as_ref()
        .filter(|used| used.public_key != *key);
    if let Some(used) = used_by_another {
        return Err(Refused::Used {
            host: host(),
            at: used.at,
        });
    }
    if record.expires_at <= now {
        return Err(Refused::Expired {
            host: host(),
            at: record.expires_at,
        });
    }
    Ok(match record.redeemed {
        None => Step::Redeem,
        Some(_) => Step::GoOn,
    })
}

/// Whether the name that is there belongs to this machine.
pub fn own(identity: &IdentityRecord, key: &HostPublicKey) -> Result<(), Refused> {
    if identity.public_key == *key {
        Ok(())
    } else {
        Err(Refused::Taken {
            host: identity.host.clone(),
            at: identity.enrolled_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use nats::credentials::HostKey;
    use nats::enrolment::Redeemed;
    use nats::ids::UserId;

    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_milliseconds(milliseconds)
    }

    fn record(redeemed: Option<&HostPublicKey>) -> EnrolmentRecord {
        EnrolmentRecord {
            host: "vps-1".parse().unwrap(),
            labels: std::collections::BTreeMap::new(),
            created_at: at(0),
            created_by: UserId::new(),
            created_by_name: "Ada".to_owned(),
            expires_at: at(100),
            command_keys: Vec::new(),
            redeemed: redeemed.map(|key| Redeemed {
                public_key: key.clone(),
                at: at(50),
            }),
        }
    }

    #[test]
    fn a_token_lets_one_key_in_until_it_expires() {
        let (ours, other) = (HostKey::generate(), HostKey::generate());
        let (ours, other) = (ours.public(), other.public());
        let token = EnrolmentToken::new("vps-1".parse().unwrap(), &[]);
        let elsewhere = EnrolmentToken::new("vps-2".parse().unwrap(), &[]);
        let host = || "vps-1".parse().unwrap();
        let (fresh, used) = (record(None), record(Some(ours)));
        let other_host = || Refused::OtherHost {
            host: host(),
            asked: elsewhere.host.clone(),
        };
        let expired = || Refused::Expired {
            host: host(),
            at: at(100),
        };
        let gone = || Refused::Used {
            host: host(),
            at: at(50),
        };
        let table = [
            (&token, None, ours, 10, Err(Refused::Unknown)),
            (&token, Some(&fresh), ours, 99, Ok(Step::Redeem)),
            (&token, Some(&fresh), ours, 100, Err(expired())),
            (&token, Some(&used), ours, 99, Ok(Step::GoOn)),
            (&token, Some(&used), ours, 100, Err(expired())),
            (&token, Some(&used), other, 60, Err(gone())),
            (&token, Some(&used), other, 200, Err(gone())),
            (&elsewhere, Some(&fresh), ours, 10, Err(other_host())),
            (&elsewhere, Some(&used), other, 200, Err(other_host())),
        ];
        for (case, (token, record, key, now, expected)) in table.into_iter().enumerate() {
            assert_eq!(judge(token, record, key, at(now)), expected, "case {case}");
        }
    }
}
