//! What a shim does all day: one loop that moves bytes between the agent and whichever runner is attached.
//!
//! One task owns everything, so nothing is locked and no half of it can outlive the other. Owns the agent's life and
//! the order of its end (group killed before stdin closes); does not know what any byte means.

use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use futures::future::OptionFuture;
use futures::stream::FuturesUnordered;
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

use super::backlog::Backlog;
use super::connection::{Connection, Said};
use super::deadlines::Deadlines;
use super::inputs::{Inputs, Offer};
use super::output::{ErrorTail, Output, PIECE_BYTES};
use super::protocol::{AgentSignal, Exit, FromShim, Hello, ToShim, VERSION};
use super::spawn::{Agent, Stdio, code_and_signal};
use super::spec::{self, ShimOptions, ShimSpec};
use super::{descendants, socket};

/// Connections that have not said what they want yet.
const OPENING_MAX: usize = 16;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not learn what to start")]
    Spec(#[from] spec::Error),
    #[error("could not listen on `{path}`")]
    Listen {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("could not start the agent `{program}` in `{cwd}`")]
    Start {
        program: PathBuf,
        cwd: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("could not watch for signals")]
    Signals(#[source] io::Error),
    #[error("could not wait for the agent")]
    Wait(#[source] io::Error),
}

/// Starts the agent of a spec and serves it until it is ended. Takes the whole process for it: its session, its
/// children, its signals. To be called on a current-thread runtime, from the thread that lives to the end.
pub async fn run(options: ShimOptions) -> Result<(), Error> {
    let spec = ShimSpec::take(&options.spec)?;
    // Away from the runner's terminal and group. Refused only where this process leads a group already.
    rustix::process::setsid().ok();
    if let Err(error) = descendants::adopt() {
        tracing::warn!(%error, "what leaves the agent's process group will not be ended with it");
    }
    let signals = Signals::new().map_err(Error::Signals)?;
    let listening = socket::bind(&spec.socket).await;
    let listener = listening.map_err(|source| Error::Listen {
        path: spec.socket.clone(),
        source,
    })?;
    let served = match Agent::start(&spec) {
        Ok((agent, stdio)) => {
            Shim::new(&spec, agent, stdio)
                .serve(listener, signals)
                .await
        }
        Err(source) => Err(Error::Start {
            program: spec.program.clone(),
            cwd: spec.cwd.clone(),
            source,
        }),
    };
    if let Err(error) = socket::remove(&spec.socket) {
        tracing::warn!(path = %spec.socket.display(), %error, "could not remove the shim's socket");
    }
    served
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    child: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            child: signal(SignalKind::child())?,
        })
    }

    async fn stop(terminate: &mut Signal, interrupt: &mut Signal, hangup: &mut Signal) {
        tokio::select! {
            _ = terminate.recv() => {},
            _ = interrupt.recv() => {},
            _ = hangup.recv() => {},
        }
    }
}

/// What the loop waits for.
enum Event {
    Knock(io::Result<(UnixStream, tokio::net::unix::SocketAddr)>),
    Opened(Option<(Connection, ToShim)>),
    Said(Said),
    Output,
    InputRoom,
    Stderr,
    ChildEnded,
    Stop,
    Due,
}

struct Shim {
    agent: Agent,
    output: Output,
    errors: ErrorTail,
    stdin: UnixStream,
    /// The agent took no input any more although it still ran.
    stdin_closed: bool,
    inputs: Inputs,
    runner: Option<Connection>,
    /// Users whose runner may attach.
    uids: [u32; 2],
    deadlines: Deadlines,
}

impl Shim {
    fn new(spec: &ShimSpec, agent: Agent, stdio: Stdio) -> Self {
        let own_uid = rustix::process::getuid().as_raw();
        let unclaimed = Duration::from_secs(spec.unclaimed_seconds);
        Self {
            agent,
            output: Output::new(stdio.stdout, Backlog::new(spec.backlog_bytes_max)),
            errors: ErrorTail::new(stdio.stderr),
            stdin: stdio.stdin,
            stdin_closed: false,
            inputs: Inputs::default(),
            runner: None,
            uids: [own_uid, spec.runner_uid.unwrap_or(own_uid)],
            deadlines: Deadlines::new(unclaimed, Instant::now()),
        }
    }

    async fn serve(mut self, listener: UnixListener, mut signals: Signals) -> Result<(), Error> {
        let mut opening = FuturesUnordered::new();
        while !self.is_over() {
            match self.next_event(&listener, &mut opening, &mut signals).await {
                Event::Knock(Ok((stream, _))) if self.may_attach(&stream) => {
                    opening.push(Connection::open(stream))
                }
                Event::Knock(Ok(_)) => {}
                Event::Knock(Err(error)) => tracing::warn!(%error, "could not accept a connection"),
                Event::Opened(Some((connection, first))) => self.open(connection, first),
                Event::Opened(None) => {}
                Event::Said(said) => self.hear(said),
                Event::Output => self.output.read(self.agent_gone()),
                Event::InputRoom => self.write_inputs(),
                Event::Stderr => self.errors.read(self.agent_gone()),
                Event::ChildEnded => self.look_after_children()?,
                Event::Stop => self.kill("asked to stop"),
                Event::Due => self.act_on_time(),
            }
            self.speak();
        }
        Ok(())
    }

    async fn next_event<F>(
        &mut self,
        listener: &UnixListener,
        opening: &mut FuturesUnordered<F>,
        signals: &mut Signals,
    ) -> Event
    where
        F: Future<Output = Option<(Connection, ToShim)>>,
    {
        let may_write = !self.agent_gone() && !self.inputs.is_empty();
        let said: OptionFuture<_> = self.runner.as_mut().map(Connection::next_said).into();
        let due: OptionFuture<_> = self.deadlines.next().map(tokio::time::sleep_until).into();
        let (said, due) = (pin!(said), pin!(due));
        tokio::select! {
            knock = listener.accept(), if opening.len() < OPENING_MAX => Event::Knock(knock),
            Some(opened) = opening.next(), if !opening.is_empty() => Event::Opened(opened),
            Some(said) = said => Event::Said(said),
            () = self.output.readable(), if self.output.may_read() => Event::Output,
            _ = self.stdin.writable(), if may_write => Event::InputRoom,
            () = self.errors.readable(), if self.errors.may_read() => Event::Stderr,
            _ = signals.child.recv() => Event::ChildEnded,
            () = Signals::stop(&mut signals.terminate, &mut signals.interrupt, &mut signals.hangup) => Event::Stop,
            Some(()) = due => Event::Due,
        }
    }

    /// The socket's mode keeps others out; this holds even where a folder was opened up for another runner's user.
    fn may_attach(&self, stream: &UnixStream) -> bool {
        stream
            .peer_cred()
            .is_ok_and(|peer| self.uids.contains(&peer.uid()) || peer.uid() == 0)
    }

    fn agent_gone(&self) -> bool {
        self.agent.status().is_some()
    }

    fn is_over(&self) -> bool {
        let nothing_to_say = |runner: &Connection| runner.told_exit && runner.is_idle();
        let said_all = self.runner.as_ref().is_none_or(nothing_to_say);
        self.deadlines.is_over(said_all, Instant::now())
    }

    fn open(&mut self, mut connection: Connection, first: ToShim) {
        let hello = Hello {
            version: VERSION,
            shim_pid: std::process::id(),
            agent_pid: self.agent.pid(),
            oldest: self.output.backlog.oldest(),
            newest: self.output.backlog.newest(),
            exited: self.agent_gone(),
        };
        let (oldest, newest) = (hello.oldest, hello.newest);
        match first {
            ToShim::Attach { from } if (oldest..=newest).contains(&from) => {
                connection.next = from;
                connection.say(&FromShim::Hello(hello));
                // Dropping the older connection closes it: there is one runner, and the newer one is it.
                self.runner = Some(connection);
                self.deadlines.attached();
            }
            ToShim::Attach { from } => {
                connection.say(&FromShim::NotKept {
                    from,
                    oldest,
                    newest,
                });
                connection.flush().ok();
            }
            // Anything else than a question who is there is answered like one: the connection owns nothing.
            _ => {
                connection.say(&FromShim::Hello(hello));
                connection.flush().ok();
            }
        }
    }

    fn hear(&mut self, said: Said) {
        match said {
            Said::Frame(ToShim::Durable { position }) => {
                if !self.output.backlog.forget_until(position) {
                    self.say(&FromShim::Garbled {
                        message: format!("byte {position} was never said"),
                    });
                }
            }
            Said::Frame(ToShim::Input { id, bytes }) => self.take_input(id, bytes),
            Said::Frame(ToShim::Signal(signal)) => self.agent.signal(signal),
            Said::Frame(ToShim::End { grace_ms }) => self.end(Duration::from_millis(grace_ms)),
            Said::Frame(ToShim::Attach { .. } | ToShim::Probe) => {
                self.say(&FromShim::Garbled {
                    message: "already attached".into(),
                });
            }
            Said::Garbled(error) => self.say(&FromShim::Garbled {
                message: error.to_string(),
            }),
            Said::Writable => {} // `speak` writes
            Said::Closed => self.detach(),
        }
    }

    fn take_input(&mut self, id: String, bytes: bytes::Bytes) {
        match self.inputs.offer(id.clone(), bytes) {
            Offer::Accepted => self.say(&FromShim::Accepted { id }),
            Offer::Full => self.say(&FromShim::Busy { id }),
            Offer::Waiting => self.write_inputs(),
        }
    }

    fn write_inputs(&mut self) {
        if self.agent_gone() || self.stdin_closed {
            return self.refuse_inputs();
        }
        while let Some(next) = self.inputs.next() {
            let count = if next.is_empty() {
                Ok(0)
            } else {
                self.stdin.try_write(next)
            };
            match count {
                Ok(count) => {
                    if let Some(id) = self.inputs.wrote(count) {
                        self.say(&FromShim::Accepted { id });
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.stdin_closed = true;
                    return self.refuse_inputs();
                }
            }
        }
    }

    fn refuse_inputs(&mut self) {
        let reason = if self.agent_gone() {
            "the agent has ended"
        } else {
            "the agent closed its stdin"
        };
        for id in self.inputs.abandon() {
            self.say(&FromShim::Refused {
                id,
                reason: reason.into(),
            });
        }
    }

    fn look_after_children(&mut self) -> Result<(), Error> {
        descendants::reap_adopted(self.agent.pid());
        if self.agent.has_just_ended().map_err(Error::Wait)? {
            self.errors.read(true);
            self.refuse_inputs();
            self.deadlines.agent_gone(Instant::now());
        }
        Ok(())
    }

    fn end(&mut self, grace: Duration) {
        if self.agent_gone() {
            return self.kill("asked to end");
        }
        self.agent.signal(AgentSignal::Terminate);
        self.deadlines.asked_to_end(grace, Instant::now());
    }

    /// At once, and before stdin closes: the shim ends when the agent is gone.
    fn kill(&mut self, reason: &str) {
        tracing::info!(agent.pid = self.agent.pid(), reason, "ending the agent");
        self.deadlines.killed();
        if self.agent_gone() {
            self.deadlines.agent_gone(Instant::now());
        } else {
            self.agent.signal(AgentSignal::Kill);
        }
    }

    fn act_on_time(&mut self) {
        if let Some(reason) = self.deadlines.kill_due(Instant::now()) {
            self.kill(reason);
        }
    }

    fn detach(&mut self) {
        self.runner = None;
        self.deadlines.detached(Instant::now());
    }

    fn say(&mut self, frame: &FromShim) {
        if let Some(runner) = &mut self.runner {
            runner.say(frame);
        }
    }

    /// Sends on what the runner has not had yet: output while there is some, the exit when there is no more.
    fn speak(&mut self) {
        if self.agent_gone() {
            self.output.read(true); // the readiness of a dead agent's socket is not worth waiting for
        }
        let exit = self.exit();
        let Some(runner) = &mut self.runner else {
            return;
        };
        loop {
            if runner.flush().is_err() {
                return self.detach();
            }
            if !runner.is_idle() {
                return; // goes on when the runner has taken some of it
            }
            let bytes = self.output.backlog.read(runner.next, PIECE_BYTES);
            if !bytes.is_empty() {
                let position = runner.next;
                runner.next += bytes.len() as u64;
                runner.say(&FromShim::Output { position, bytes });
            } else if let Some(exit) = exit.as_ref().filter(|_| !runner.told_exit) {
                runner.told_exit = true;
                runner.say(&FromShim::Exited(exit.clone()));
            } else {
                return;
            }
        }
    }

    /// How the agent ended, once its output was read to the end.
    fn exit(&self) -> Option<Exit> {
        let status = self.agent.status().filter(|_| self.output.has_ended())?;
        let (code, signal) = code_and_signal(status);
        Some(Exit {
            code,
            signal,
            stderr_tail: self.errors.text(),
        })
    }
}
