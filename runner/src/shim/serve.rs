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
use tokio::io::Interest;
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

use super::backlog::Backlog;
use super::connection::{Connection, Said};
use super::inputs::{Inputs, Offer};
use super::protocol::{AgentSignal, Exit, FromShim, Hello, ToShim, VERSION};
use super::spawn::{Agent, code_and_signal};
use super::spec::{self, ShimOptions, ShimSpec};
use super::{descendants, socket};

/// Output is read and sent in pieces of this size.
const PIECE_BYTES: usize = 64 * 1024;

/// Pieces read in a row before the other side gets its turn.
const PIECES_MAX: usize = 8;

const STDERR_TAIL_BYTES: usize = 8 * 1024;

/// Connections that have not said what they want yet.
const OPENING_MAX: usize = 16;

/// How long an ending shim goes on telling an attached runner what was still unsaid.
const FAREWELL_TIME_MAX: Duration = Duration::from_secs(2);

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
        Ok(agent) => Shim::new(&spec, agent).serve(listener, signals).await,
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
    backlog: Backlog,
    inputs: Inputs,
    stderr_tail: Vec<u8>,
    /// The agent took no input any more although it still ran.
    stdin_closed: bool,
    stdout_done: bool,
    stderr_done: bool,
    runner: Option<Connection>,
    /// Users whose runner may attach.
    uids: [u32; 2],
    unclaimed: Duration,
    /// Nobody attached by then: give up. `None` while somebody is.
    unclaimed_at: Option<Instant>,
    /// `End` was said: the agent has until then.
    kill_at: Option<Instant>,
    ending: bool,
    /// The agent is gone and the shim is ending: the last words are said by then.
    leave_at: Option<Instant>,
}

impl Shim {
    fn new(spec: &ShimSpec, agent: Agent) -> Self {
        let own_uid = rustix::process::getuid().as_raw();
        let unclaimed = Duration::from_secs(spec.unclaimed_seconds);
        Self {
            agent,
            backlog: Backlog::new(spec.backlog_bytes_max),
            inputs: Inputs::default(),
            stderr_tail: Vec::new(),
            stdin_closed: false,
            stdout_done: false,
            stderr_done: false,
            runner: None,
            uids: [own_uid, spec.runner_uid.unwrap_or(own_uid)],
            unclaimed,
            unclaimed_at: Some(Instant::now() + unclaimed),
            kill_at: None,
            ending: false,
            leave_at: None,
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
                Event::Output => self.read_output(),
                Event::InputRoom => self.write_inputs(),
                Event::Stderr => self.read_stderr(),
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
        let due = [self.unclaimed_at, self.kill_at, self.leave_at]
            .into_iter()
            .flatten()
            .min();
        let agent_runs = self.agent.status().is_none();
        let said: OptionFuture<_> = self.runner.as_mut().map(Connection::next_said).into();
        let due: OptionFuture<_> = due.map(tokio::time::sleep_until).into();
        let (said, due) = (pin!(said), pin!(due));
        tokio::select! {
            knock = listener.accept(), if opening.len() < OPENING_MAX => Event::Knock(knock),
            Some(opened) = opening.next(), if !opening.is_empty() => Event::Opened(opened),
            Some(said) = said => Event::Said(said),
            _ = self.agent.stdout.readable(), if !self.stdout_done && self.backlog.room() > 0 => Event::Output,
            _ = self.agent.stdin.writable(), if agent_runs && !self.inputs.is_empty() => Event::InputRoom,
            _ = self.agent.stderr.readable(), if !self.stderr_done => Event::Stderr,
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

    /// Ending, and either everything was said or nobody listens.
    fn is_over(&self) -> bool {
        let Some(leave_at) = self.leave_at else {
            return false;
        };
        let said_all = self
            .runner
            .as_ref()
            .is_none_or(|runner| runner.told_exit && runner.is_idle());
        said_all || Instant::now() >= leave_at
    }

    fn open(&mut self, mut connection: Connection, first: ToShim) {
        let hello = Hello {
            version: VERSION,
            shim_pid: std::process::id(),
            agent_pid: self.agent.pid(),
            oldest: self.backlog.oldest(),
            newest: self.backlog.newest(),
            exited: self.agent.status().is_some(),
        };
        let (oldest, newest) = (hello.oldest, hello.newest);
        match first {
            ToShim::Attach { from } if (oldest..=newest).contains(&from) => {
                connection.next = from;
                connection.say(&FromShim::Hello(hello));
                // Dropping the older connection closes it: there is one runner, and the newer one is it.
                self.runner = Some(connection);
                self.unclaimed_at = None;
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
                if !self.backlog.forget_until(position) {
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
            Offer::Full => self.say(&FromShim::Refused {
                id,
                reason: "the agent does not read its input".into(),
            }),
            Offer::Waiting => self.write_inputs(),
        }
    }

    fn write_inputs(&mut self) {
        if self.agent.status().is_some() || self.stdin_closed {
            return self.refuse_inputs();
        }
        while let Some(next) = self.inputs.next() {
            let count = if next.is_empty() {
                Ok(0)
            } else {
                self.agent.stdin.try_write(next)
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
        let reason = if self.agent.status().is_some() {
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

    /// Reads while there is room: a full backlog makes the agent wait in its write, and nothing is lost.
    fn read_output(&mut self) {
        let mut piece = vec![0; PIECE_BYTES];
        for _ in 0..PIECES_MAX {
            let room = self.backlog.room().min(PIECE_BYTES);
            if room == 0 {
                return;
            }
            match read_now(
                &self.agent.stdout,
                &mut piece[..room],
                self.agent.status().is_some(),
            ) {
                Ok(0) => return self.stdout_done = true,
                Ok(count) => self.backlog.push(&piece[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // Nothing more is in the socket of an agent that cannot write any more.
                    self.stdout_done = self.agent.status().is_some();
                    return;
                }
                Err(_) => return self.stdout_done = true,
            }
        }
    }

    fn read_stderr(&mut self) {
        let mut piece = vec![0; PIECE_BYTES];
        for _ in 0..PIECES_MAX {
            match read_now(
                &self.agent.stderr,
                &mut piece,
                self.agent.status().is_some(),
            ) {
                Ok(count) if count > 0 => self.stderr_tail.extend(&piece[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Ok(_) | Err(_) => {
                    self.stderr_done = true;
                    break;
                }
            }
        }
        let surplus = self.stderr_tail.len().saturating_sub(STDERR_TAIL_BYTES);
        self.stderr_tail.drain(..surplus);
    }

    fn look_after_children(&mut self) -> Result<(), Error> {
        descendants::reap_adopted(self.agent.pid());
        if !self.agent.has_just_ended().map_err(Error::Wait)? {
            return Ok(());
        }
        self.read_stderr();
        self.stderr_done = true;
        self.refuse_inputs();
        if self.ending {
            self.leave();
        }
        Ok(())
    }

    fn end(&mut self, grace: Duration) {
        self.ending = true;
        if self.agent.status().is_some() {
            return self.leave();
        }
        self.agent.signal(AgentSignal::Terminate);
        self.kill_at = Some(Instant::now() + grace);
    }

    fn kill(&mut self, reason: &str) {
        tracing::info!(agent.pid = self.agent.pid(), reason, "ending the agent");
        self.ending = true;
        self.unclaimed_at = None;
        self.kill_at = None;
        if self.agent.status().is_some() {
            return self.leave();
        }
        self.agent.signal(AgentSignal::Kill);
    }

    fn leave(&mut self) {
        self.kill_at = None;
        self.leave_at = Some(
            self.leave_at
                .unwrap_or_else(|| Instant::now() + FAREWELL_TIME_MAX),
        );
    }

    fn act_on_time(&mut self) {
        let now = Instant::now();
        if self.unclaimed_at.is_some_and(|at| at <= now) {
            self.kill("no runner came for it");
        } else if self.kill_at.is_some_and(|at| at <= now) {
            self.kill("its time to end by itself is over");
        }
    }

    fn detach(&mut self) {
        self.runner = None;
        if !self.ending {
            self.unclaimed_at = Some(Instant::now() + self.unclaimed);
        }
    }

    fn say(&mut self, frame: &FromShim) {
        if let Some(runner) = &mut self.runner {
            runner.say(frame);
        }
    }

    /// Sends on what the runner has not had yet: output while there is some, the exit when there is no more.
    fn speak(&mut self) {
        if self.agent.status().is_some() && !self.stdout_done {
            self.read_output(); // readiness of a dead agent's socket is not worth waiting for
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
            let bytes = self.backlog.read(runner.next, PIECE_BYTES);
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
        let (code, signal) = code_and_signal(self.agent.status().filter(|_| self.stdout_done)?);
        Some(Exit {
            code,
            signal,
            stderr_tail: String::from_utf8_lossy(&self.stderr_tail).into_owned(),
        })
    }
}

/// Reads what is there. Of an agent that is gone the kernel is asked directly: the runtime may not have heard yet
/// that there is something, and would answer "nothing" from memory.
fn read_now(socket: &UnixStream, piece: &mut [u8], agent_gone: bool) -> io::Result<usize> {
    let read = |piece: &mut [u8]| rustix::io::read(socket, piece).map_err(io::Error::from);
    if agent_gone {
        read(piece)
    } else {
        socket.try_io(Interest::READABLE, || read(piece))
    }
}
