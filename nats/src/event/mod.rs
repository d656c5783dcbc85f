//! Events: what happened, in the past tense, written by the one runner that owns the session.
//!
//! Adding a field: yes, with a default. Changing what one means: a new type. Every type has a golden file
//! under `nats/golden/`, kept for ever.

mod agent;
mod file;
mod gate;
mod limit;
mod message;
mod session;
mod tool;
mod turn;

pub use agent::{AgentExited, AgentReady, AgentRetrying};
pub use file::{FileChange, FileChanged};
pub use gate::{
    Answer, Choice, Decision, GateDecided, GateKind, GateOpened, GateReminded, GateWithdrawn,
    Verdict,
};
pub use limit::{LimitChanged, LimitReached};
pub use message::{
    Attachment, BlockKind, Delivery, MessageAssistant, MessageDelivered, MessageUser,
};
pub use session::{SessionEnded, SessionOpened, SessionState, State, Warning};
pub use tool::{ObjectReference, ToolFinished, ToolOutcome, ToolReleased, ToolRequested};
pub use turn::{Tokens, TurnFinished, TurnOutcome, TurnStarted};

use crate::wire::messages;

messages! {
    /// One fact of a session.
    pub enum Event {
        "session.opened" => SessionOpened(SessionOpened),
        "session.state" => SessionState(SessionState),
        "session.ended" => SessionEnded(SessionEnded),
        "agent.ready" => AgentReady(AgentReady),
        "agent.exited" => AgentExited(AgentExited),
        "agent.retrying" => AgentRetrying(AgentRetrying),
        "turn.started" => TurnStarted(TurnStarted),
        "turn.finished" => TurnFinished(TurnFinished),
        "message.user" => MessageUser(MessageUser),
        "message.delivered" => MessageDelivered(MessageDelivered),
        "message.assistant" => MessageAssistant(MessageAssistant),
        "tool.requested" => ToolRequested(ToolRequested),
        "tool.released" => ToolReleased(ToolReleased),
        "tool.finished" => ToolFinished(ToolFinished),
        "gate.opened" => GateOpened(GateOpened),
        "gate.decided" => GateDecided(GateDecided),
        "gate.withdrawn" => GateWithdrawn(GateWithdrawn),
        "gate.reminded" => GateReminded(GateReminded),
        "limit.reached" => LimitReached(LimitReached),
        "limit.changed" => LimitChanged(LimitChanged),
        "file.changed" => FileChanged(FileChanged),
        "warning" => Warning(Warning),
    }
}
