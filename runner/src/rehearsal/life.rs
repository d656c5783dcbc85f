//! The one task of the process: hears, answers at once what can be answered at once, and does one turn after
//! another. Messages wait in a queue of their own; an interrupt stops the turn and nothing else.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::path::PathBuf;
use std::pin::pin;

use serde_json::{Value, json};
use tokio::io::AsyncWrite;
use tokio::signal::unix::Signal;
use tokio::sync::mpsc;

use super::input::Heard;
use super::line::{self, Outcome};
use super::memory::{self, Memory};
use super::output::Output;
use super::protocol::{Answer, Incoming, Message, NotJson};
use super::script::Step;

/// Why something did not go on to its end: a turn, or the process.
#[derive(Debug)]
pub(super) enum Stop {
    /// A person stopped the turn; the request waits for its answer.
    Interrupted {
        request: String,
    },
    /// The turn was stopped and everybody has been told.
    Aborted(Outcome),
    /// Nobody speaks to us any more.
    Ended,
    /// Asked to go by a signal.
    Terminated,
    /// The script said so.
    Crash,
    /// The script said so, after half a line.
    Half,
    Failed(Error),
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("could not write to stdout")]
    Output(#[source] io::Error),
    #[error("{0}")]
    Input(String),
    #[error(transparent)]
    NotJson(#[from] NotJson),
    #[error(transparent)]
    Memory(#[from] memory::Error),
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Whoever queues more than this has lost count.
const MESSAGES_WAITING_MAX: usize = 10_000;

/// A process at work on one conversation.
pub(super) struct Life<W> {
    pub heard: mpsc::Receiver<Heard>,
    pub terminate: Signal,
    pub output: Output<W>,
    pub memory: Memory,
    pub folder: PathBuf,
    pub mode: String,
    /// Says `session_state_changed`, as the real agent does when its environment asks for it.
    pub tells_states: bool,
    /// Carries on a conversation of an earlier process and has not said so yet.
    pub resumed: bool,
    pub exchange: Exchange,
    /// What a limit left undone, for the message "continue".
    pub left: Vec<Step>,
}

/// What is between us and those who speak to us.
#[derive(Default)]
pub(super) struct Exchange {
    queue: VecDeque<Message>,
    /// The permission request that waits, whole.
    asking: Option<Value>,
    answer: Option<Answer>,
    greeted: bool,
    deaf: bool,
}

impl<W: AsyncWrite + Unpin> Life<W> {
    /// Lives until something ends it.
    pub(super) async fn live(mut self) -> Stop {
        match self.turns().await {
            Err(stop) => stop,
        }
    }

    async fn turns(&mut self) -> Result<Infallible, Stop> {
        if let Some(open) = self.memory.take_open() {
            self.carry_on(open).await?;
        }
        loop {
            while let Some(message) = self.exchange.queue.pop_front() {
                self.turn(message).await?;
            }
            if self.exchange.deaf {
                return Err(Stop::Ended);
            }
            match self.hear().await {
                // Nothing runs, so there is nothing to stop.
                Err(Stop::Interrupted { request }) => {
                    self.output.line(line::accepted(&request, None)).await?
                }
                heard => heard?,
            }
        }
    }

    /// Waits for `work` and takes in what is said meanwhile. On a stop `work` is dropped where it is.
    pub(super) async fn meanwhile<F: Future>(&mut self, work: F) -> Result<F::Output, Stop> {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                _ = self.terminate.recv() => return Err(Stop::Terminated),
                heard = self.heard.recv(), if !self.exchange.deaf => self.take(heard).await?,
                output = &mut work => return Ok(output),
            }
        }
    }

    /// Puts a permission request and waits for its answer, for as long as that takes.
    pub(super) async fn put(&mut self, request: Value) -> Result<Answer, Stop> {
        self.exchange.answer = None;
        self.exchange.asking = Some(request.clone());
        self.output.line(request).await?;
        let answer = loop {
            if let Some(answer) = self.exchange.answer.take() {
                break Ok(answer);
            }
            if self.exchange.deaf {
                // The real agent would call this a denial and go on. Nobody denied it, so this one just goes.
                break Err(Stop::Ended);
            }
            if let Err(stop) = self.hear().await {
                break Err(stop);
            }
        };
        self.exchange.asking = None;
        answer
    }

    async fn hear(&mut self) -> Result<(), Stop> {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Err(Stop::Terminated),
            heard = self.heard.recv() => self.take(heard).await,
        }
    }

    async fn take(&mut self, heard: Option<Heard>) -> Result<(), Stop> {
        let line = match heard {
            Some(Heard::Line(line)) => line,
            Some(Heard::Broken(why)) => return Err(Error::Input(why).into()),
            Some(Heard::Ended) | None => {
                self.exchange.deaf = true;
                return Ok(());
            }
        };
        match Incoming::read(&line)? {
            Incoming::Initialize { request } => self.greet(&request).await?,
            Incoming::Interrupt { request } => return Err(Stop::Interrupted { request }),
            Incoming::SetMode { request, mode } => {
                self.output
                    .line(line::accepted(&request, Some(json!({ "mode": mode }))))
                    .await?;
                self.output.line(line::mode(&mode)).await?;
                self.mode = mode;
            }
            Incoming::Unsupported { request, subtype } => {
                self.output
                    .line(line::unsupported(&request, &subtype))
                    .await?;
            }
            Incoming::Answer { request, answer } => {
                // A second answer, or one to something no longer asked, changes nothing.
                let asked = self
                    .exchange
                    .asking
                    .as_ref()
                    .is_some_and(|asking| asking["request_id"] == request);
                if asked && self.exchange.answer.is_none() {
                    self.exchange.answer = Some(answer);
                }
            }
            Incoming::Message(message) => self.queue(message).await?,
            Incoming::Ignored => {}
        }
        Ok(())
    }

    async fn greet(&mut self, request: &str) -> Result<(), Stop> {
        let asking = self.exchange.asking.clone();
        let again = self.exchange.greeted || asking.is_some();
        self.exchange.greeted = true;
        let pending = again.then(|| asking.into_iter().collect());
        Ok(self
            .output
            .line(line::initialized(request, pending))
            .await?)
    }

    /// A message that came before is acknowledged again and not done again.
    async fn queue(&mut self, message: Message) -> Result<(), Stop> {
        match &message.uuid {
            Some(uuid) if !self.memory.is_new(uuid) => {
                self.output
                    .line(line::replay(uuid, &message.message))
                    .await?;
            }
            _ if self.exchange.queue.len() >= MESSAGES_WAITING_MAX => {
                return Err(
                    Error::Input("too many messages wait for their turn".to_owned()).into(),
                );
            }
            _ => self.exchange.queue.push_back(message),
        }
        Ok(())
    }
}
