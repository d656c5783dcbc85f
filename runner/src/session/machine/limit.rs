//! Usage limits: shown, waited for, and gone on from by the session itself unless a person says otherwise.

use nats::Timestamp;
use nats::event::{Delivery, LimitChanged, LimitReached, MessageUser};
use nats::ids::{CommandId, UserId};

use super::effect::Step;
use super::input::LimitSeen;
use super::state::{Limit, Machine, Message};

/// A session that goes on so often and gets nothing done is better looked at by a person.
const VAIN_RESUMES_MAX: u32 = 3;
/// What the agent is told when the limit is over; people send the same.
const CONTINUE: &str = "continue";

impl Machine {
    /// When to go on by itself.
    #[must_use]
    pub fn resume_at(&self) -> Option<Timestamp> {
        let limit = self.limit.as_ref()?;
        limit
            .resume_at
            .filter(|_| limit.resumes && self.turn.is_none() && !self.ended)
    }

    pub(super) fn limit_reached(&mut self, seen: LimitSeen, step: &mut Step) {
        if self.ended || self.limit.is_some() {
            return;
        }
        let wished = self.resumes_after_limit.unwrap_or(seen.resumes_by_default);
        let resumes = wished && seen.resume_at.is_some() && self.vain_resumes < VAIN_RESUMES_MAX;
        self.limit = Some(Limit {
            reason: seen.message.clone(),
            resume_at: seen.resume_at,
            resumes,
        });
        step.event(LimitReached {
            turn: self.turn.as_ref().map(|turn| turn.id),
            message: seen.message,
            resets_at: seen.resets_at,
            resumes,
        });
    }

    /// A person's choice for this session, from now on.
    pub(super) fn choose_resume(&mut self, enabled: bool, by: Option<UserId>, step: &mut Step) {
        self.resumes_after_limit = Some(enabled);
        if enabled {
            self.vain_resumes = 0;
        }
        let mut resumes = enabled;
        if let Some(limit) = &mut self.limit {
            limit.resumes = enabled && limit.resume_at.is_some();
            resumes = limit.resumes;
        }
        step.event(LimitChanged { resumes, by });
    }

    /// A person who stops what runs has taken over: this limit is not gone on from.
    pub(super) fn stay_at_limit(&mut self, by: Option<UserId>, step: &mut Step) {
        if let Some(limit) = self.limit.as_mut().filter(|limit| limit.resumes) {
            limit.resumes = false;
            step.event(LimitChanged { resumes: false, by });
        }
    }

    pub(super) fn limit_over(&mut self, step: &mut Step) {
        let due = self.limit.as_ref().is_some_and(|limit| limit.resumes);
        if !due || self.turn.is_some() || self.ended {
            return;
        }
        self.limit = None;
        self.vain_resumes += 1;
        let command = CommandId::new();
        step.event(MessageUser {
            command,
            text: CONTINUE.to_owned(),
            delivery: Delivery::Queue,
            attachments: Vec::new(),
            by: None,
        });
        // What was said meanwhile was said of what comes after.
        self.queue.push_front(Message {
            command,
            text: CONTINUE.to_owned(),
            attachments: Vec::new(),
        });
        self.wake(step);
        self.next_turn(step);
    }

    /// Something came of it.
    pub(super) fn got_on(&mut self) {
        self.vain_resumes = 0;
    }
}
