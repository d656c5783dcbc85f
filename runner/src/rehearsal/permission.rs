//! Asks before every use of a tool, and waits for as long as it takes.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::AsyncWrite;

use super::life::{Life, Stop};
use super::line::{self, Outcome};
use super::memory;
use super::protocol::Answer;
use super::turn::Turn;

/// One wish to use a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Call {
    /// Kept when it is asked again after a kill.
    pub tool_use: String,
    pub tool: String,
    pub input: Value,
    pub description: String,
}

/// What came of asking.
pub(super) enum Permission {
    /// To be done with this input, which a person may have changed.
    Given {
        input: Value,
    },
    Refused {
        message: String,
    },
}

/// What the real agent tells its model in this case, word for word.
const REJECTED: &str = "The user doesn't want to proceed with this tool use. The tool use was rejected (eg. if it was a file \
    edit, the new_string was NOT written to the file). STOP what you are doing and wait for the user to tell you how to proceed.";

impl<W: AsyncWrite + Unpin> Life<W> {
    pub(super) async fn ask_permission(
        &mut self,
        turn: &mut Turn,
        call: &Call,
    ) -> Result<Permission, Stop> {
        let request = uuid::Uuid::now_v7().to_string();
        self.memory.asked(turn.at, call)?;
        self.tell_state("requires_action").await?;
        let line = line::can_use_tool(
            &request,
            &call.tool_use,
            &call.tool,
            &call.input,
            &call.description,
        );
        match self.put(line).await {
            Ok(Answer::Allow { input }) => {
                self.memory.answered(memory::answer_text(&input))?;
                self.tell_state("running").await?;
                Ok(Permission::Given { input })
            }
            Ok(Answer::Deny { message, interrupt }) => {
                turn.denials.push(json!({ "tool_name": call.tool, "tool_use_id": call.tool_use, "tool_input": call.input }));
                self.memory.answered(None)?;
                if interrupt {
                    return self.reject(call).await;
                }
                self.tell_state("running").await?;
                Ok(Permission::Refused { message })
            }
            Err(Stop::Interrupted { request: interrupt }) => {
                turn.denials.push(json!({ "tool_name": call.tool, "tool_use_id": call.tool_use, "tool_input": call.input }));
                self.output.line(line::cancel(&request)).await?;
                self.output.line(line::accepted(&interrupt, None)).await?;
                self.reject(call).await
            }
            Err(stop) => Err(stop),
        }
    }

    async fn reject(&mut self, call: &Call) -> Result<Permission, Stop> {
        let result = line::tool_result(
            &call.tool_use,
            REJECTED,
            true,
            "User rejected tool use".into(),
        );
        self.output.line(result).await?;
        Err(Stop::Aborted(Outcome::AbortedTools))
    }
}
