//! Writes the TypeScript of everything a browser sees. Knows no files but those it is told of.

use std::path::Path;

use nats::event::Event;
use nats::wire::Tagged;
use nats::{command, live, record};
use ts_rs::{Config, ExportError, TS};

use super::{
    Accepted, AgentRow, AuditRow, DecisionRequest, EnrolmentCreate, EnrolmentCreated, ErrorBody,
    EventRow, Gate, Health, HostRevoked, HostRow, LoginRequest, Me, MessageRequest, Page,
    ProjectRow, Readiness, ResumeAtResetRequest, SessionCreate, SessionDiff, SessionRow,
    SetupRequest, SetupStatus, SocketDown, SocketUp, TokenCreate, TokenCreated, TokenRow,
    WaitingMessage,
};

/// What could not be generated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not generate the TypeScript of a type")]
    Export(#[from] ExportError),
    #[error("could not write the list of known types")]
    Write(#[from] std::io::Error),
}

/// Writes one file a type into `folder`, and the list of event types that a build knows.
pub fn typescript(folder: &Path) -> Result<(), Error> {
    // Numbers beyond 2^53 do not occur: they count events, tokens and bytes.
    let config = Config::new().with_large_int("number").with_out_dir(folder);
    macro_rules! export {
        ($($name:ty),+ $(,)?) => { $(<$name>::export_all(&config)?;)+ };
    }
    export!(
        Accepted,
        AgentRow,
        AuditRow,
        DecisionRequest,
        EnrolmentCreate,
        EnrolmentCreated,
        ErrorBody,
        EventRow,
        Gate,
        Health,
        HostRevoked,
        HostRow,
        LoginRequest,
        Me,
        MessageRequest,
        Page<SessionRow>,
        ProjectRow,
        Readiness,
        ResumeAtResetRequest,
        SessionCreate,
        SessionDiff,
        SessionRow,
        SetupRequest,
        SetupStatus,
        SocketDown,
        SocketUp,
        TokenCreate,
        TokenCreated,
        TokenRow,
        WaitingMessage,
    );
    export!(Event, live::Live, command::Command);
    export!(
        record::HostRecord,
        record::AgentReport,
        record::ProjectReport,
        record::Presence,
        record::Role,
    );
    std::fs::write(folder.join("eventTypes.ts"), event_types())?;
    Ok(())
}

fn event_types() -> String {
    let types: Vec<String> = Event::TAGS
        .iter()
        .map(|tag| format!("  \"{tag}\",\n"))
        .collect();
    format!(
        "// Generated from the Rust types. Do not edit.\n\n\
         /** Every event type this build knows; others are kept and shown by their name. */\n\
         export const EVENT_TYPES = [\n{}] as const;\n",
        types.concat()
    )
}
