//! The shell around the machine: hears, steps, records, and only then acts.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use nats::Timestamp;
use nats::command::{Order, SessionStart};
use nats::live::Live;
use nats::pace::{Gather, Pace};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::blocks::Blocks;
use super::files::Files;
use super::handle::{Handle, Told};
use super::limits;
use super::live::Outlet;
use super::log::{self, Identity, Kept, Log, Saved};
use super::machine::{AgentEnd, Effect, Input, Machine};
use super::paths::SessionPaths;
use super::perform::Done;
use super::reminders::Reminders;
use super::shim_link::ShimLink;
use crate::agent::{Adapter, AgentEvent};
use crate::disk::Room;
use crate::host::Host;
use crate::relay::{Reached, Relay};
use crate::shim::{FromShim, LineSplitter};
use crate::slots::{Seat, Slots, Standing};

/// Who comes late sees the text so far after at most this: browsers of a coordinator that has just started.
const WHOLE_EVERY: Duration = Duration::from_secs(3);
/// A clock that is set while a limit is waited for is noticed within this.
const CLOCK_EVERY: Duration = Duration::from_secs(30);
/// Longest line of an agent: larger than any message with images seen, smaller than what a shim keeps.
pub(super) const LINE_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Rows that EVENTS holds are looked through this often: they are kept for days.
const PRUNE_EVERY: Duration = Duration::from_secs(3600);
/// And sooner when this much was written: a busy session must not outgrow its bound within the hour.
const PRUNE_AFTER_BYTES: u64 = 8 * 1024 * 1024;
/// Output without an event in it is noted as read every so often, or the shim would keep it all.
const UNNOTED_BYTES_MAX: u64 = 1024 * 1024;

/// What the sessions of a runner share.
#[derive(Clone)]
pub struct Parts {
    pub client: nats::Client,
    pub outlet: Outlet,
    pub host: Arc<Host>,
    pub slots: Slots,
    pub tasks: tokio_util::task::TaskTracker,
    pub token: CancellationToken,
}

/// One session at work.
pub struct Task {
    pub(super) parts: Parts,
    pub(super) identity: Identity,
    pub(super) paths: SessionPaths,
    pub(super) log: Log,
    pub(super) saved: Saved,
    pub(super) shim: Option<ShimLink>,
    pub(super) splitter: LineSplitter,
    pub(super) background: JoinSet<Done>,
    pub(super) files: Files,
    pub(super) newest: watch::Sender<u64>,
    reached: watch::Receiver<Reached>,
    pub(super) noted_position: u64,
    /// The shim was full and will be told again.
    pub(super) telling_again: bool,
    pace: Pace,
    live_whole_sent: Instant,
    prune_due: Instant,
    /// Written to the log since it was last pruned.
    pub(super) unpruned_bytes: u64,
    /// At what the agent has nothing to do, and since when.
    resting: Option<(Rest, Instant)>,
    /// The call at which it may not sleep.
    must_stay_at: Option<String>,
    reminders: Reminders,
    /// When the agent that runs has proved that it lives.
    pub(super) lives_at: Option<Instant>,
    room: watch::Receiver<Room>,
    pub(super) seat: Seat,
    /// The agent of this generation starts once there is a slot for it.
    pub(super) start_due: Option<u32>,
    /// The session is over and everything of it has left the host.
    settled: bool,
}

impl Task {
    /// A new session, from the command that asks for it. Safe to call again with the same command.
    pub fn create(parts: &Parts, order: &Order, start: SessionStart) -> Result<Handle, log::Error> {
        let identity = Identity {
            session: order.session,
            host: order.host.clone(),
            epoch: order.epoch,
        };
        let paths = SessionPaths::new(&parts.host.sessions, order.session);
        let machine = Machine::new(start, order.by, parts.host.isolated);
        let saved = Saved {
            adapter: Adapter::new(parts.host.dialect(&machine.start().agent)),
            machine,
            blocks: Blocks::default(),
            position: 0,
            snapshot: None,
        };
        Log::create(&paths.database(), &identity, order, &saved)?;
        Self::reopen(parts, paths)
    }

    /// A session that was here before the runner was.
    pub fn reopen(parts: &Parts, paths: SessionPaths) -> Result<Handle, log::Error> {
        let (log, identity, saved) = Log::open(&paths.database())?;
        let (newest, newest_seen) = watch::channel(saved.machine.seq());
        let (reached_sender, reached) = watch::channel(Reached::UpTo(0));
        let relay = Relay {
            client: parts.client.clone(),
            identity: identity.clone(),
            reader: log.reader()?,
            objects: paths.objects(),
            newest: newest_seen,
            reached: reached_sender,
        };
        let (handle, told) = Handle::new(identity.epoch);
        let session = identity.session;
        let span = tracing::info_span!("session", session.id = %session);
        let token = parts.token.child_token();
        parts
            .tasks
            .spawn(relay.run(token.clone()).instrument(span.clone()));
        let task = Self {
            parts: parts.clone(),
            identity,
            paths,
            log,
            splitter: LineSplitter::with_line_bytes_max(saved.position, LINE_BYTES_MAX),
            noted_position: saved.position,
            saved,
            shim: None,
            background: JoinSet::new(),
            files: Files::default(),
            newest,
            reached,
            telling_again: false,
            pace: Pace::new(Gather::FOR_A_READER),
            live_whole_sent: Instant::now(),
            prune_due: Instant::now() + PRUNE_EVERY,
            unpruned_bytes: 0,
            resting: None,
            must_stay_at: None,
            reminders: Reminders::new(parts.host.remind_after),
            lives_at: None,
            room: parts.host.room.clone(),
            seat: parts.slots.seat(session),
            start_due: None,
            settled: false,
        };
        task.claim_slot();
        parts.tasks.spawn(task.run(told, token).instrument(span));
        Ok(handle)
    }

    /// Is there anything that a finished session still has to do? Then its task must run.
    pub fn is_settled(paths: &SessionPaths) -> Result<bool, log::Error> {
        let (log, _, saved) = Log::open(&paths.database())?;
        Ok(saved.machine.has_ended() && log.relayed()? == saved.machine.seq())
    }

    /// What [`Task::prune`] does, for a session whose task is gone.
    pub fn prune_settled(paths: &SessionPaths) -> Result<(), log::Error> {
        let (mut log, _, saved) = Log::open(&paths.database())?;
        let relayed = log.relayed()?;
        if saved.machine.has_ended() && relayed == saved.machine.seq() {
            log.prune(relayed, &paths.objects(), Timestamp::now(), &Kept::STANDARD)?;
        }
        Ok(())
    }

    async fn run(mut self, mut told: mpsc::Receiver<Told>, token: CancellationToken) {
        for effect in self.saved.machine.resume() {
            self.perform(effect);
        }
        self.note_rest();
        let room = *self.room.borrow_and_update();
        self.step(vec![Input::Disk { low: room.low }], None).await;
        while let Some(heard) = self.hear(&mut told, &token).await {
            match heard {
                Heard::Told(it) => self.take(*it).await,
                Heard::Shim(frame) => self.read_frame(frame).await,
                Heard::ShimGone => self.find_shim_again(),
                Heard::Reached(reached) => self.reached(reached, &token).await,
                Heard::Done(done) => self.done(*done).await,
                Heard::LiveDue => self.send_live(),
                Heard::PruneDue => self.prune(),
                Heard::Room(room) => {
                    self.step(vec![Input::Disk { low: room.low }], None).await;
                }
                Heard::SleepDue => self.sleep().await,
                Heard::LivesDue => {
                    self.lives_at = None;
                    let generation = self.saved.machine.generation();
                    self.step(vec![Input::AgentLives { generation }], None)
                        .await;
                }
                Heard::ReminderDue => self.remind().await,
                Heard::Slot(standing) => self.stands(standing).await,
                Heard::LimitDue => {
                    let at = self.saved.machine.resume_at();
                    if at.is_some_and(|at| at <= Timestamp::now()) {
                        self.step(vec![Input::LimitOver], None).await;
                    }
                }
            }
            self.note_rest();
            if self.settled && self.shim.is_none() {
                break;
            }
        }
        token.cancel();
        // Shim and agent stay: the next runner attaches to them where this one stopped reading.
    }

    async fn hear(
        &mut self,
        told: &mut mpsc::Receiver<Told>,
        token: &CancellationToken,
    ) -> Option<Heard> {
        let live_due = self.pace.due();
        let prune_due = Some(self.prune_due);
        let sleep_due = self
            .resting
            .as_ref()
            .zip(self.parts.host.sleep_after)
            .map(|((_, since), after)| *since + after);
        let (lives_due, reminder_due) = (self.lives_at, self.reminders.due());
        let limit_due = self.saved.machine.resume_at().map(look_at_clock);
        let shim = async {
            match self.shim.as_mut() {
                Some(shim) => shim.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = token.cancelled() => None,
            it = told.recv() => it.map(|it| Heard::Told(Box::new(it))),
            changed = self.reached.changed() => changed.ok().map(|()| Heard::Reached(*self.reached.borrow_and_update())),
            Some(done) = self.background.join_next() => Some(Heard::Done(Box::new(done.unwrap_or_else(|panic| Done::Lost(panic.to_string()))))),
            standing = self.seat.changed() => Some(Heard::Slot(standing)),
            Ok(()) = self.room.changed() => Some(Heard::Room(*self.room.borrow_and_update())),
            () = due(live_due) => Some(Heard::LiveDue),
            () = due(sleep_due) => Some(Heard::SleepDue),
            () = due(prune_due) => Some(Heard::PruneDue),
            () = due(lives_due) => Some(Heard::LivesDue),
            () = due(reminder_due) => Some(Heard::ReminderDue),
            () = due(limit_due) => Some(Heard::LimitDue),
            frame = shim => Some(frame.map_or(Heard::ShimGone, Heard::Shim)),
        }
    }

    async fn take(&mut self, told: Told) {
        let Told { order, recorded } = told;
        // A look at one row in memory: to leave the thread for it would take longer.
        match self.log.knows(order.id) {
            Ok(true) => answer(recorded),
            Ok(false) => {
                let input = Input::Order(order.clone());
                if self.step(vec![input], Some(&order)).await {
                    answer(recorded);
                }
            }
            // Not answered: the command is delivered again.
            Err(error) => {
                tracing::error!(%error, command.id = %order.id, "could not read the inbox")
            }
        }
    }

    async fn read_frame(&mut self, frame: FromShim) {
        match frame {
            FromShim::Output { position, bytes } => self.read_output(position, &bytes).await,
            FromShim::Accepted { id } => {
                self.step(vec![Input::Written { id }], None).await;
            }
            FromShim::Refused { id, reason } => {
                tracing::debug!(id, reason, "the agent is past being told");
                self.step(vec![Input::NotWritten { id }], None).await;
            }
            FromShim::Busy { id } => {
                tracing::warn!(
                    id,
                    "the agent does not read its input; it is told again in a moment"
                );
                self.tell_again_later();
            }
            FromShim::Exited(exit) => {
                let end = AgentEnd {
                    generation: self.saved.machine.generation(),
                    code: exit.code,
                    signal: exit.signal,
                    cause: None,
                    stderr_tail: exit.stderr_tail,
                    half_line_bytes: self.splitter.rest().len(),
                };
                self.step(vec![Input::AgentExited(end)], None).await;
            }
            FromShim::Garbled { message } => {
                tracing::error!(message, "the shim did not understand us")
            }
            FromShim::Hello(_) | FromShim::NotKept { .. } => {}
        }
    }

    async fn read_output(&mut self, position: u64, bytes: &[u8]) {
        let mut inputs = Vec::new();
        for line in self.splitter.push(position, bytes) {
            match line {
                Ok(line) => inputs.extend(
                    self.saved
                        .adapter
                        .line(&line.bytes)
                        .into_iter()
                        .map(Input::Agent),
                ),
                Err(too_long) => inputs.push(Input::AgentExited(AgentEnd {
                    generation: self.saved.machine.generation(),
                    code: None,
                    signal: None,
                    cause: Some(format!(
                        "the agent was ended because {too_long}; resume to go on from its last turn"
                    )),
                    stderr_tail: String::new(),
                    half_line_bytes: 0,
                })),
            }
        }
        self.saved.position = self.splitter.settled();
        let asked: Vec<String> = inputs.iter().filter_map(asked_call).collect();
        if !inputs.is_empty() {
            self.step(inputs, None).await;
        }
        for tool_use in asked {
            self.force_out_transcript(tool_use);
        }
        if self.saved.position - self.noted_position > UNNOTED_BYTES_MAX {
            self.record(&[], None).await;
        }
    }

    async fn reached(&mut self, reached: Reached, token: &CancellationToken) {
        match reached {
            Reached::UpTo(seq) => {
                self.step(vec![Input::Acknowledged { seq }], None).await;
                if self.unpruned_bytes > PRUNE_AFTER_BYTES {
                    self.prune();
                }
                self.settled = self.saved.machine.has_ended() && seq == self.saved.machine.seq();
                if self.settled
                    && let Err(error) = tokio::task::block_in_place(|| self.log.note_relayed(seq))
                {
                    tracing::warn!(%error, "could not note that the session is settled");
                }
            }
            Reached::FormerOwner => {
                self.perform(Effect::EndAgent {
                    generation: self.saved.machine.generation(),
                });
                token.cancel();
            }
        }
    }

    /// Steps, records, performs. False when the runner is stopping and nothing was recorded.
    pub(super) async fn step(&mut self, inputs: Vec<Input>, order: Option<&Order>) -> bool {
        let (mut rows, mut effects) = (Vec::new(), VecDeque::new());
        for input in inputs {
            let input = self.enrich(input);
            let first = self.saved.machine.seq() + 1;
            let step = self.saved.machine.step(input);
            rows.extend(
                step.events
                    .into_iter()
                    .enumerate()
                    .map(|(index, event)| self.envelope(first + index as u64, event)),
            );
            for effect in step.effects {
                self.prepare(&effect);
                effects.push_back(effect);
            }
        }
        // Live text and receipts of the shim change nothing that a restart could not read or send again.
        let to_record = |effect: &Effect| {
            !matches!(
                effect,
                Effect::Live { .. } | Effect::LookAtFiles { .. } | Effect::ExpectAsk { .. }
            )
        };
        let must_record = !rows.is_empty() || order.is_some() || effects.iter().any(to_record);
        if must_record && !self.record(&rows, order).await {
            return false;
        }
        for effect in effects {
            self.perform(effect);
        }
        true
    }

    /// What an effect changes in the state must be recorded with the step that asked for it.
    fn prepare(&mut self, effect: &Effect) {
        match effect {
            Effect::Live {
                turn,
                message,
                block,
                kind,
                text,
            } => {
                self.saved.blocks.push(*turn, message, *block, *kind, text);
            }
            Effect::BlockDone { message, block } => self.saved.blocks.done(message, *block),
            Effect::StartAgent { .. } => {
                let agent = &self.saved.machine.start().agent;
                self.saved.adapter = Adapter::new(self.parts.host.dialect(agent));
                self.saved.blocks.clear();
                self.saved.position = 0;
                self.noted_position = 0;
                self.splitter = LineSplitter::with_line_bytes_max(0, LINE_BYTES_MAX);
                self.shim = None;
            }
            Effect::EndAgent { .. } => self.saved.blocks.clear(),
            Effect::OpenWorktree
            | Effect::ExpectAsk { .. }
            | Effect::Send(_)
            | Effect::LookAtFiles { .. } => {}
        }
    }

    /// Adds what only the shell can know.
    fn enrich(&self, input: Input) -> Input {
        match input {
            Input::Agent(AgentEvent::Asked(ask)) => {
                Input::Agent(AgentEvent::Asked(self.with_plan(ask)))
            }
            Input::Agent(AgentEvent::LimitReached { message, resets_at }) => {
                let now = Timestamp::now();
                // A number that is past was said of the limit before this one.
                let told = resets_at
                    .filter(|at| *at > now)
                    .or_else(|| self.saved.adapter.limit_resets_at(&message, now))
                    .or(resets_at);
                let by_default = self.parts.host.resume_after_limit;
                let session = self.identity.session;
                Input::Limit(limits::seen(message, told, now, session, by_default))
            }
            other => other,
        }
    }

    /// Live text is there: it goes at once when nothing was sent lately, else with what is about to follow.
    pub(super) fn live_is_waiting(&mut self) {
        // Pieces that came together left together.
        if self.saved.blocks.has_unsent() && self.pace.came(Instant::now()) {
            self.send_live();
        }
    }

    /// Lets go of rows that EVENTS has held for long enough.
    fn prune(&mut self) {
        self.prune_due = Instant::now() + PRUNE_EVERY;
        self.unpruned_bytes = 0;
        let Reached::UpTo(acknowledged) = *self.reached.borrow() else {
            return;
        };
        let objects = self.paths.objects();
        let pruned = tokio::task::block_in_place(|| {
            self.log
                .prune(acknowledged, &objects, Timestamp::now(), &Kept::STANDARD)
        });
        if let Err(error) = pruned {
            tracing::warn!(error = %crate::chain(&error), "could not let go of old events; trying again later");
        }
    }

    /// What others may know of the session without asking it.
    fn note_rest(&mut self) {
        self.note_slot();
        let machine = &self.saved.machine;
        let rest = if machine.rests() {
            Some(Rest::Idle)
        } else {
            let call = machine.may_sleep_at().map(|(tool_use, ..)| tool_use);
            call.filter(|call| self.must_stay_at.as_deref() != Some(call))
                .map(|call| Rest::At(call.to_owned()))
        };
        if self.resting.as_ref().map(|(at, _)| at) != rest.as_ref() {
            self.resting = rest.map(|rest| (rest, Instant::now()));
        }
        let (now, wall) = (Instant::now(), Timestamp::now());
        self.reminders.note(machine.waiting_gates(), now, wall);
    }

    async fn sleep(&mut self) {
        if let Some((Rest::At(call), _)) = &self.resting {
            let call = call.clone();
            if !self.may_sleep_at() {
                self.must_stay_at = Some(call);
                return;
            }
        }
        self.step(vec![Input::Sleep], None).await;
        // Whatever came of it, it is not tried again at once.
        self.resting = None;
    }

    async fn remind(&mut self) {
        if let Some((gate, waited_ms)) = self.reminders.overdue(Instant::now()) {
            self.step(vec![Input::Remind { gate, waited_ms }], None)
                .await;
        }
    }

    fn send_live(&mut self) {
        self.pace.sent(Instant::now());
        let whole = self.live_whole_sent.elapsed() >= WHOLE_EVERY;
        if whole {
            self.live_whole_sent = Instant::now();
        }
        let (deltas, snapshots) = self.saved.blocks.take(whole);
        for delta in deltas {
            self.parts.outlet.send(&self.identity, Live::Delta(delta));
        }
        for snapshot in snapshots {
            self.parts
                .outlet
                .send(&self.identity, Live::Snapshot(snapshot));
        }
    }
}

enum Heard {
    Told(Box<Told>),
    Shim(FromShim),
    ShimGone,
    Reached(Reached),
    Done(Box<Done>),
    LiveDue,
    PruneDue,
    SleepDue,
    LivesDue,
    ReminderDue,
    LimitDue,
    Room(Room),
    Slot(Standing),
}

/// The call that an agent asks about.
fn asked_call(input: &Input) -> Option<String> {
    if let Input::Agent(AgentEvent::Asked(ask)) = input {
        Some(ask.tool_use.clone())
    } else {
        None
    }
}

/// What an agent with nothing to do rests at.
#[derive(PartialEq, Eq)]
enum Rest {
    Idle,
    /// The call that waits for a person.
    At(String),
}

/// When to look at the wall clock again for a moment on it. It may be set meanwhile, so never far ahead.
fn look_at_clock(moment: Timestamp) -> Instant {
    let left = moment.milliseconds() - Timestamp::now().milliseconds();
    let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
    Instant::now() + left.min(CLOCK_EVERY)
}

async fn due(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn answer(recorded: oneshot::Sender<()>) {
    // Whoever asked may be gone; the command is durable all the same.
    let _ = recorded.send(());
}
