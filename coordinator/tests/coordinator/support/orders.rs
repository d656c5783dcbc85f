//! Commands as they reach a host.

use nats::client::{CommandDelivery, CommandFeed};
use nats::command::{Command, Order};
use testkit::wait;

use super::BOUND;

/// The next command, acknowledged.
pub async fn next_command(feed: &mut CommandFeed) -> Order {
    let delivery: CommandDelivery = wait::until("a command", BOUND, async || {
        feed.next().await.map_err(|error| error.to_string())
    })
    .await;
    let order = delivery.order().unwrap();
    delivery.acknowledge().await.unwrap();
    order
}

/// Whether an order is of this type.
pub fn is(order: &Order, tag: &str) -> bool {
    order.body.tag() == tag
}

/// The decision in an order, if it carries one.
pub fn decided(order: &Order) -> Option<&nats::command::GateDecide> {
    match order.body.known() {
        Some(Command::GateDecide(decide)) => Some(decide),
        _ => None,
    }
}
