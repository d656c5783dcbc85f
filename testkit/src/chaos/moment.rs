//! When a fault strikes. Knows what the session is asked to do so that the moment comes; not how it is recognised.

/// What is seen to be so at the instant of the fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// Live text has arrived, and more is to come.
    MidDelta,
    /// A gate is pending.
    GateOpen,
    /// A decision was sent, and its token is not in the ledger.
    DecisionInFlight,
    /// A message was sent to an idle session, which has not taken it up.
    MessageInFlight,
    /// The command has left its mark, and waits.
    ToolRunning,
    /// Nothing is under way.
    Idle,
}

/// So many words, so long apart, that a fault finds the text in the middle.
pub(super) const WORDS: usize = 150;
const WORD_GAP_MS: u64 = 40;

impl Moment {
    pub const ALL: [Self; 6] = [
        Self::MidDelta,
        Self::GateOpen,
        Self::DecisionInFlight,
        Self::MessageInFlight,
        Self::ToolRunning,
        Self::Idle,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MidDelta => "mid-delta",
            Self::GateOpen => "gate-open",
            Self::DecisionInFlight => "decision-in-flight",
            Self::MessageInFlight => "message-in-flight",
            Self::ToolRunning => "tool-running",
            Self::Idle => "idle",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|moment| moment.name() == name)
    }

    /// The observed event that proves it.
    #[must_use]
    pub const fn proof(self) -> &'static str {
        match self {
            Self::MidDelta => {
                "a live frame with text has arrived over SSE, and the text is not whole"
            }
            Self::GateOpen => "the gate is pending over HTTP",
            Self::DecisionInFlight => {
                "half of the rounds: the runner is held still, the decision is answered with 200, and only then is it let go; \
                 the other half: the decision was sent 0 to 30 ms ago"
            }
            Self::MessageInFlight => "the same with a message to an idle session",
            Self::ToolRunning => {
                "the command has written its mark and waits for a file that is made once the fault has struck"
            }
            Self::Idle => "the session is idle over HTTP",
        }
    }

    /// What a person did is on its way: not all of it is known to have arrived.
    pub(super) const fn is_in_flight(self) -> bool {
        matches!(self, Self::DecisionInFlight | Self::MessageInFlight)
    }

    /// The script up to the moment and beyond. `first`, `struck` and `last` are steps with a token each.
    pub(super) fn prompt(self, first: &str, struck: &str, last: &str) -> String {
        match self {
            Self::MidDelta => format!("stream {WORDS} {WORD_GAP_MS}\n{struck}\n{last}\nsay done"),
            Self::GateOpen | Self::DecisionInFlight | Self::ToolRunning => {
                format!("{first}\n{struck}\n{last}\nsay done")
            }
            Self::MessageInFlight | Self::Idle => format!("{first}\nsay done"),
        }
    }
}
