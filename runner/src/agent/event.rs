//! What an agent says, in house words, and what is written back to it.

use nats::Timestamp;
use nats::event::{BlockKind, Choice, GateKind, Tokens, ToolOutcome, TurnOutcome};
use nats::ids::CommandId;
use serde_json::Value;

/// One thing an agent said. An adapter makes these of its agent's stdout; the session machine takes them.
#[derive(Debug, Clone, PartialEq)]
pub enum AgentEvent {
    /// It answered the handshake, or told more about itself since.
    Ready {
        version: Option<String>,
        model: Option<String>,
    },
    /// It took up a message we gave it.
    MessageTaken { command: CommandId },
    /// The first sign of work on a turn, asked for or not.
    TurnBegan,
    /// More text of an unfinished block. Offsets are the machine's to count.
    Delta {
        message: String,
        block: u32,
        kind: BlockKind,
        text: String,
    },
    /// One finished block. Deltas of it are void, whether or not they agree. An empty text means that the agent
    /// gave the block up half-way, after a broken stream: nothing of it counts. With a `parent` it may come while
    /// no turn runs.
    Block {
        message: String,
        block: u32,
        kind: BlockKind,
        text: String,
        parent: Option<String>,
    },
    /// It wants to use a tool; nothing has run.
    ToolRequested {
        tool_use: String,
        tool: String,
        input: Value,
        parent: Option<String>,
    },
    /// It waits for a human.
    Asked(Ask),
    /// It no longer waits for the answer to this request.
    AskWithdrawn { request: String },
    /// A tool call ended, run or not. With work in the background it may come while no turn runs.
    ToolFinished {
        tool_use: String,
        outcome: ToolOutcome,
        output: String,
        files: FilesTouched,
    },
    /// Commands or subagents of its process go on while no turn does; or the last of them has ended.
    WorksInBackground(bool),
    /// Its model's endpoint failed and it tries again.
    Retrying {
        attempt: u32,
        attempts_max: u32,
        delay_ms: u64,
        status: Option<u16>,
        error: String,
    },
    /// The turn is over. Cost is of the whole process so far: the machine subtracts.
    TurnFinished {
        outcome: TurnOutcome,
        error: Option<String>,
        duration_ms: u64,
        tokens: Tokens,
        cost_usd_of_process: f64,
        context_tokens: Option<u64>,
        context_tokens_max: Option<u64>,
    },
    /// Its account may ask for nothing more for now. Comes before the end of the turn that ran into it.
    LimitReached {
        message: String,
        /// When that is over, if it said so in a number; a sentence needs a clock to be read.
        resets_at: Option<Timestamp>,
    },
    /// Something a person should know that has no event of its own.
    Notice {
        code: String,
        message: String,
        hint: Option<String>,
    },
    /// The agent asked something that no person needs to answer: to be written back as it stands.
    Reply(Input),
}

/// A tool call, question or plan that the agent holds until it is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The agent's id of this asking; the answer names it.
    pub request: String,
    /// The agent's id of the call. The same call asked again has the same.
    pub tool_use: String,
    pub kind: GateKind,
    pub tool: String,
    pub input: Value,
    /// What will happen, in one sentence.
    pub summary: String,
    /// Why it may be risky, in words.
    pub risks: Vec<String>,
    pub parent: Option<String>,
    pub questions: Vec<Choice>,
    pub plan: Option<String>,
}

/// Whether a finished tool may have changed files, so that the worktree is worth a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilesTouched {
    No,
    Perhaps,
}

/// Bytes for the agent's stdin. The shim writes each id once, however often it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    pub id: String,
    pub bytes: Vec<u8>,
}
