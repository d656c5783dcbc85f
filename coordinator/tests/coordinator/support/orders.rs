//! Commands as they reach a host.

use nats::client::CommandDelivery;
use nats::command::{Command, Order};
use testkit::wait;

use super::BOUND;
use super::host::Commands;

/// The next command, acknowledged.
pub async fn next_command(commands: &mut Commands) -> Order {
    let delivery: CommandDelivery = wait::until("a command", BOUND, async || {
        commands
            .feed
            .next()
            .await
            .map_err(|error| error.to_string())
    })
    .await;
    let order = delivery.order(&commands.commanders).unwrap();
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
