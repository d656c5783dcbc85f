//! A typed client: what the fleet says to NATS, without a subject or a header in sight of the callers.
//!
//! Owns connecting, publishing, following and the records. Deliberately knows nothing of what the messages mean.

mod account;
mod audit;
mod batch;
mod command;
mod connect;
mod decision;
mod ensure;
mod error;
mod event;
mod follow;
mod live;
mod object;
mod position;
mod publish;
mod pull;
mod reconnect;
mod record;
mod renewal;
mod request;
mod sign_in;

pub use command::{CommandDelivery, CommandFeed, Sent};
pub use connect::{Client, Connection, Options, is_address};
pub use decision::Recorded;
pub use error::Error;
pub use event::{EVENT_BATCH_MAX, EVENT_SINGLES_MAX, EventRow, LastEvent};
pub use follow::{Followed, From};
pub use live::Reports;
pub use position::StreamEnd;
pub use publish::{Expect, PublishError};
pub use record::{Change, Entry, Records, WriteError};
pub use renewal::Asking;
