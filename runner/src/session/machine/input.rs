//! What a session is told.

use nats::Timestamp;
use nats::command::Order;
use nats::event::FileChanged;
use nats::ids::GateId;

use crate::agent::AgentEvent;

/// One thing the machine must answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A command, already checked to be for this session and not seen before.
    Order(Box<Order>),
    /// The worktree is there.
    Opened(Opened),
    /// The worktree could not be made; the session ends before it began.
    CouldNotOpen {
        reason: String,
    },
    /// The agent's process runs and its shim answers.
    AgentStarted {
        generation: u32,
    },
    /// It could not be started at all.
    AgentNotStarted {
        generation: u32,
        reason: String,
    },
    Agent(AgentEvent),
    AgentExited(AgentEnd),
    /// The shim has written an outgoing message to the agent.
    Written {
        id: String,
    },
    /// The shim could not write it, and never will: nobody is there to read it.
    NotWritten {
        id: String,
    },
    /// EVENTS holds everything up to this seq.
    Acknowledged {
        seq: u64,
    },
    FilesChanged {
        changes: Vec<FileChanged>,
    },
    /// The agent that was to ask again has not, or cannot.
    NotAskedAgain {
        generation: u32,
        reason: String,
    },
    /// The disk is nearly full, or has room again.
    Disk {
        low: bool,
    },
    /// Nothing has happened for long: the agent's memory is better used elsewhere. Told of a session that waits only
    /// when its call can be asked again.
    Sleep,
    /// The agent has nothing to do, and another session waits for its slot.
    Yield,
    /// The agent that is to start waits for a slot of its host, or has one now.
    Slot {
        waits: bool,
    },
    /// The agent has lived for long, so it is not the call before it that kills agents.
    AgentLives {
        generation: u32,
    },
    /// A gate has waited for long.
    Remind {
        gate: GateId,
        waited_ms: u64,
    },
    /// The agent's account has reached its limit.
    Limit(LimitSeen),
    /// The time at which to go on after a limit has come.
    LimitOver,
    /// Something the shell met that a person should know.
    Warning {
        code: String,
        message: String,
        hint: Option<String>,
    },
}

/// A usage limit, with the time that the machine does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitSeen {
    /// In the agent's words.
    pub message: String,
    pub resets_at: Option<Timestamp>,
    /// A little later than that.
    pub resume_at: Option<Timestamp>,
    /// The host's choice, for a session of which nobody said anything.
    pub resumes_by_default: bool,
}

/// What the session works in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    pub branch: String,
    /// Full commit id.
    pub base: String,
    pub worktree: String,
    /// Changed or untracked files of the human's checkout that the session does not see.
    pub uncommitted: usize,
}

/// How an agent process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentEnd {
    pub generation: u32,
    pub code: Option<i32>,
    pub signal: Option<i32>,
    /// Set when we know more than code and signal say: the shim is gone, a line was too long.
    pub cause: Option<String>,
    pub stderr_tail: String,
    /// Bytes of an unfinished last line.
    pub half_line_bytes: usize,
}
