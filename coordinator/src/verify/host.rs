//! Asking a host how it stands with a session: a command that it answers at once, or not at all.

use nats::Timestamp;
use nats::command::{Command, Order, SessionReport};
use nats::ids::CommandId;
use nats::record::SessionRecord;
use nats::report::Report;
use nats::wire::Wire;
use tokio::time::{Duration, timeout};

use super::Verifier;
use crate::api::HostState;

/// A host that is busy hashing a long log, or that takes other commands first.
const ANSWER_BOUND: Duration = Duration::from_secs(15);

impl Verifier {
    /// What the host says, or why it says nothing, in a few words.
    pub(super) async fn report(
        &self,
        record: &SessionRecord,
        state: HostState,
        asked: SessionReport,
    ) -> Result<Report, String> {
        let host = &record.host;
        if state == HostState::Silent {
            return Err(format!("{host} is silent"));
        }
        let order = Order {
            v: nats::envelope::VERSION,
            id: CommandId::new(),
            session: record.session,
            host: host.clone(),
            epoch: record.epoch,
            at: Timestamp::now(),
            by: None,
            body: Wire::Known(Command::SessionReport(asked)),
        };
        let unasked = |error: &dyn std::fmt::Display| format!("{host} could not be asked: {error}");
        let mut reports = self
            .client
            .reports(host, record.session)
            .await
            .map_err(|error| unasked(&error))?;
        self.client
            .send_command(&self.key, &order)
            .await
            .map_err(|error| unasked(&error))?;
        if let Ok(Some(report)) = timeout(ANSWER_BOUND, reports.answer(order.id)).await {
            return Ok(report);
        }
        // A host that comes back tomorrow need not answer what nobody asks any more.
        if let Err(error) = self.client.withdraw_command(&order).await {
            tracing::debug!(%error, command.id = %order.id, "a question could not be taken back");
        }
        Err(format!(
            "{host} did not answer within {} s",
            ANSWER_BOUND.as_secs()
        ))
    }
}
