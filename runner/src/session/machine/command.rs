//! What people want of a session.

use nats::Wire;
use nats::command::{Command, MessageSend, Order};
use nats::event::{Delivery, MessageUser};
use nats::ids::{CommandId, UserId};

use super::effect::{Effect, Outgoing, Step};
use super::state::{AgentState, AskingAgain, Machine, Message};

impl Machine {
    pub(super) fn order(&mut self, order: Order, step: &mut Step) {
        // `session.ended` is the last event of a log, and settles whatever was still on its way.
        if self.ended {
            return;
        }
        let Wire::Known(command) = order.body else {
            let kind = order.body.tag().to_owned();
            step.event(nats::event::Warning {
                code: "unknown_command".to_owned(),
                message: format!("the runner on this host does not know the command `{kind}`"),
                hint: Some("update the runner".to_owned()),
            });
            return;
        };
        match command {
            // The session exists: that is what this command asked for.
            Command::SessionStart(_) => {}
            // Answered from the log, and no wish of the session.
            Command::SessionReport(_) => {}
            Command::SessionResume(_) => self.wake(step),
            Command::SessionStop(_) => self.end("stopped by a person".to_owned(), true, step),
            Command::MessageSend(message) => {
                // A person has taken over; whatever the limit still forbids, the agent will say.
                self.limit = None;
                self.take_message(order.id, message, order.by, step);
                // One that sleeps at a gate has a turn under way, and is woken by the decision.
                if self.sleeps_at().is_none() {
                    self.wake(step);
                    self.next_turn(step);
                }
            }
            Command::LimitResume(choice) => self.choose_resume(choice.enabled, order.by, step),
            Command::GateDecide(decide) => self.decide(decide, step),
            Command::TurnInterrupt(_) => {
                self.stay_at_limit(order.by, step);
                if self.sleeps_at().is_some() || self.asking_again.is_some() {
                    // Once it has asked again there is something to interrupt.
                    self.interrupting = Some(order.id);
                    self.wake(step);
                } else if self.turn.is_some() && self.agent != AgentState::Gone {
                    self.send(Outgoing::Interrupt { command: order.id }, step);
                }
            }
        }
    }

    /// Puts a message in the session's keeping: the event is its receipt.
    pub(super) fn take_message(
        &mut self,
        id: CommandId,
        message: MessageSend,
        by: Option<UserId>,
        step: &mut Step,
    ) {
        let MessageSend {
            text,
            delivery,
            attachments,
        } = message;
        let steers =
            delivery == Delivery::Steer && self.turn.is_some() && self.agent == AgentState::Ready;
        step.event(MessageUser {
            command: id,
            text: text.clone(),
            // What cannot steer becomes a turn of its own, and says so.
            delivery: if steers {
                Delivery::Steer
            } else {
                Delivery::Queue
            },
            attachments: attachments.clone(),
            by,
        });
        if steers {
            self.handed.push(id);
            self.send(
                Outgoing::Message {
                    command: id,
                    text,
                    attachments,
                },
                step,
            );
        } else {
            self.queue.push_back(Message {
                command: id,
                text,
                attachments,
            });
        }
    }

    /// Starts the agent when there is none. One that slept at a gate asks again first.
    pub(super) fn wake(&mut self, step: &mut Step) {
        if !self.opened || self.agent != AgentState::Gone {
            return;
        }
        if let Some(gate) = self.sleeps_at() {
            self.asking_again = Some(AskingAgain { gate, attempts: 0 });
        }
        self.start_agent(step);
    }

    /// Something for the agent, remembered until the shim has written it.
    pub(super) fn send(&mut self, outgoing: Outgoing, step: &mut Step) {
        self.outgoing.push(outgoing.clone());
        step.effect(Effect::Send(outgoing));
    }
}
