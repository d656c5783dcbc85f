//! What people want of a session.

use nats::Wire;
use nats::command::{Command, MessageSend, Order};
use nats::event::{Delivery, MessageUser};
use nats::ids::{CommandId, UserId};

use super::effect::{Effect, Outgoing, Step};
use super::state::{AgentState, Machine, Message};

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
            Command::SessionResume(_) => self.wake(step),
            Command::SessionStop(_) => self.end("stopped by a person".to_owned(), true, step),
            Command::MessageSend(message) => {
                self.take_message(order.id, message, order.by, step);
                self.wake(step);
                self.next_turn(step);
            }
            Command::GateDecide(decide) => self.decide(decide, step),
            Command::TurnInterrupt(_) => {
                if self.turn.is_some() && self.agent != AgentState::Gone {
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
        step.event(MessageUser {
            command: id,
            text: text.clone(),
            delivery,
            attachments: attachments.clone(),
            by,
        });
        let steers =
            delivery == Delivery::Steer && self.turn.is_some() && self.agent == AgentState::Ready;
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

    /// Starts the agent when there is none.
    fn wake(&mut self, step: &mut Step) {
        if !self.opened || self.agent != AgentState::Gone {
            return;
        }
        self.start_agent(step);
    }

    /// Something for the agent, remembered until the shim has written it.
    pub(super) fn send(&mut self, outgoing: Outgoing, step: &mut Step) {
        self.outgoing.push(outgoing.clone());
        step.effect(Effect::Send(outgoing));
    }
}
