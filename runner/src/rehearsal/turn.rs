//! One turn: the steps of one prompt, from the message's receipt to the result line.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWrite;
use tokio::time::Instant;

use super::life::{Life, Stop};
use super::line::{self, Outcome, Report};
use super::memory::Open;
use super::permission::Call;
use super::protocol::Message;
use super::script::{self, Step};

/// What a person, or the session itself, says after a turn that broke off.
const CONTINUE: &str = "continue";

/// How far a turn has come.
pub(super) struct Turn {
    steps: Vec<Step>,
    /// Which step it is at.
    pub at: usize,
    began: Instant,
    /// Assistant messages so far.
    pub messages: u64,
    /// The last thing it said.
    pub said: String,
    pub denials: Vec<Value>,
}

impl Turn {
    fn new(steps: Vec<Step>, at: usize) -> Self {
        Self {
            steps,
            at,
            began: Instant::now(),
            messages: 0,
            said: String::new(),
            denials: Vec::new(),
        }
    }
}

impl<W: AsyncWrite + Unpin> Life<W> {
    /// Does what one message asks for.
    pub(super) async fn turn(&mut self, message: Message) -> Result<(), Stop> {
        self.memory.began(message.uuid.as_deref(), &message.text)?;
        self.tell_state("running").await?;
        if let Some(uuid) = &message.uuid {
            self.output
                .line(line::replay(uuid, &message.message))
                .await?;
        }
        self.output
            .line(line::init(&self.folder, &self.mode))
            .await?;
        let left = std::mem::take(&mut self.left);
        let steps = if message.text.trim() != CONTINUE {
            script::steps(&message.text, &self.folder)
        } else if left.is_empty() {
            vec![Step::Say("There is nothing left to go on with.".to_owned())]
        } else {
            left
        };
        let mut turn = Turn::new(steps, 0);
        let result = self.follow(&mut turn).await;
        self.finish(turn, result).await
    }

    /// Goes on where a killed process was: the same call is asked again, then the rest of its script follows.
    pub(super) async fn carry_on(&mut self, open: Open) -> Result<(), Stop> {
        self.resumed = false;
        self.tell_state("running").await?;
        let mut turn = Turn::new(script::steps(&open.prompt, &self.folder), open.step);
        let result = self.follow_from(&mut turn, &open.call).await;
        self.finish(turn, result).await
    }

    pub(super) async fn tell_state(&mut self, state: &str) -> Result<(), Stop> {
        if self.tells_states {
            self.output.line(line::state(state)).await?;
        }
        Ok(())
    }

    async fn follow(&mut self, turn: &mut Turn) -> Result<(), Stop> {
        if std::mem::take(&mut self.resumed) {
            let earlier = self.memory.turns() - 1;
            let turns = if earlier == 1 { "turn" } else { "turns" };
            self.say(
                turn,
                &format!("I was started again and remember {earlier} {turns}."),
            )
            .await?;
        }
        self.follow_rest(turn).await
    }

    async fn follow_from(&mut self, turn: &mut Turn, call: &Call) -> Result<(), Stop> {
        self.use_tool(turn, call).await?;
        self.output
            .line(line::init(&self.folder, &self.mode))
            .await?;
        let (at, of) = (turn.at + 1, turn.steps.len());
        turn.at += 1;
        self.say(
            turn,
            &format!("I was started again at step {at} of {of} and go on from there."),
        )
        .await?;
        self.follow_rest(turn).await
    }

    async fn follow_rest(&mut self, turn: &mut Turn) -> Result<(), Stop> {
        while let Some(step) = turn.steps.get(turn.at).cloned() {
            self.step(turn, step).await?;
            turn.at += 1;
        }
        Ok(())
    }

    async fn step(&mut self, turn: &mut Turn, step: Step) -> Result<(), Stop> {
        match step {
            Step::Say(text) => self.say(turn, &self.filled(&text)).await,
            Step::Stream { words, gap_ms } => {
                self.stream(turn, words, Duration::from_millis(gap_ms))
                    .await
            }
            Step::Stamps { count, gap_ms } => {
                self.stamps(turn, count, Duration::from_millis(gap_ms))
                    .await
            }
            Step::Flood { bytes } => self.flood(turn, bytes).await,
            Step::LongLine { bytes } => self.long_line(turn, bytes).await,
            Step::Sleep { ms } => {
                self.meanwhile(tokio::time::sleep(Duration::from_millis(ms)))
                    .await
            }
            Step::Limit { seconds } => {
                let until = jiff::Timestamp::now().as_second() + seconds;
                self.output.line(line::rejected(until)).await?;
                let text = "You've hit your rehearsal limit";
                self.output.line(line::refused(text)).await?;
                text.clone_into(&mut turn.said);
                self.left = turn.steps.split_off(turn.at + 1);
                Err(Stop::Aborted(Outcome::LimitReached))
            }
            Step::Crash => Err(Stop::Crash),
            Step::Half => {
                let block = json!({ "type": "text", "text": "This line is never finished." });
                self.output
                    .half(line::assistant(&line::new_id("msg"), block))
                    .await?;
                Err(Stop::Half)
            }
            Step::Read(path) => {
                let input = json!({ "file_path": self.folder.join(&path) });
                self.call(turn, "Read", input, &path).await
            }
            Step::Write { path, text } => {
                let input =
                    json!({ "file_path": self.folder.join(&path), "content": self.filled(&text) });
                self.call(turn, "Write", input, &path).await
            }
            Step::Run(command) => {
                let description = "Run a command of the rehearsal";
                let input = json!({ "command": command, "description": description });
                self.call(turn, "Bash", input, description).await
            }
            Step::Ask { question, options } => {
                let options: Vec<Value> = options
                    .iter()
                    .map(|label| json!({ "label": label, "description": "" }))
                    .collect();
                let input = json!({ "questions": [{ "question": question, "header": "Rehearsal",
                                    "options": options, "multiSelect": false }] });
                self.call(turn, "AskUserQuestion", input, &question).await
            }
            Step::Plan(plan) => {
                self.call(turn, "ExitPlanMode", json!({ "plan": plan }), "A plan")
                    .await
            }
        }
    }

    async fn call(
        &mut self,
        turn: &mut Turn,
        tool: &str,
        input: Value,
        description: &str,
    ) -> Result<(), Stop> {
        let call = Call {
            tool_use: line::new_id("toolu"),
            tool: tool.to_owned(),
            input,
            description: description.to_owned(),
        };
        self.announce(turn, &call).await?;
        self.use_tool(turn, &call).await
    }

    fn filled(&self, text: &str) -> String {
        text.replace("{answer}", self.memory.last_answer())
    }

    /// Says how the turn ended. Only what ends the process as well is passed on.
    async fn finish(&mut self, turn: Turn, result: Result<(), Stop>) -> Result<(), Stop> {
        let outcome = match result {
            Ok(()) => Outcome::Completed,
            Err(Stop::Aborted(outcome)) => outcome,
            Err(Stop::Interrupted { request }) => {
                self.output.line(line::accepted(&request, None)).await?;
                Outcome::AbortedStreaming
            }
            Err(stop) => return Err(stop),
        };
        if matches!(outcome, Outcome::AbortedStreaming | Outcome::AbortedTools) {
            self.output.line(line::interrupted(outcome)).await?;
        }
        self.memory.ended()?;
        let report = Report {
            outcome,
            elapsed: turn.began.elapsed(),
            messages: turn.messages,
            said: &turn.said,
            denials: &turn.denials,
        };
        self.output.line(line::result(&report)).await?;
        self.tell_state("idle").await
    }
}
