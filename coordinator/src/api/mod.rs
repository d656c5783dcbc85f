//! What browsers and programs see: every body of the HTTP API and every frame of the socket.
//!
//! Owns the shapes, their OpenAPI schemas and their TypeScript. Deliberately knows neither SQL nor NATS
//! subjects; rows become these types in `projection`, and wire types are shown as they are.

mod account;
mod agent;
mod audit;
mod diff;
mod enrolment;
mod error;
mod event;
mod gate;
mod health;
mod host;
mod message;
mod page;
mod project;
mod session;
mod socket;
mod token;
mod verify;

pub mod generate;

pub use account::{LoginRequest, Me, SetupRequest, SetupStatus};
pub use agent::{AgentHost, AgentRow};
pub use audit::{AuditRow, SigningKey};
pub use diff::{DiffFile, DiffPatch, SessionDiff};
pub use enrolment::{
    EnrolRequest, Enrolled, EnrolmentCreate, EnrolmentCreated, QrCode, RenewalNonce, RenewalProof,
    RenewedToken,
};
pub use error::{ErrorBody, ErrorDetail};
pub use event::{EventRow, KnownEventRow, LiveRow, StreamBegins, UnknownEventRow};
pub use gate::{DecisionRequest, Gate, GateReceipts, GateState};
pub use health::{Health, Readiness};
pub use host::{Draining, HostRevoked, HostRow, HostState};
pub use message::{Accepted, MessageRequest, SentMessage, WaitingMessage};
pub use page::Page;
pub use project::{ProjectHost, ProjectRow};
pub use session::{
    ImportedFrom, QueuePlace, ResumeAtResetRequest, SessionCreate, SessionImported, SessionRow,
    UsageLimit,
};
pub use socket::{SocketDown, SocketUp, Status};
pub use token::{TokenCreate, TokenCreated, TokenRow};
pub use verify::{
    PartName, PartState, SessionVerification, Verdict, VerifiedPart, VerifyDifference,
};
