//! Deciding a gate. The first decision wins, whoever asks which coordinator.

use axum::extract::State;
use nats::Timestamp;
use nats::audit::DecisionRecord;
use nats::client::Recorded;
use nats::event::{Decision, GateKind, Verdict};
use serde_json::Value;
use tokio::time::timeout;
use tracing::Instrument as _;

use super::app::App;
use super::body::{GatePath, Json};
use super::caller::Caller;
use super::error::ApiError;
use super::sessions::SEE_OWN_WRITE;
use crate::api::{DecisionRequest, ErrorBody, Gate, GateState};
use crate::projection::{StoredGate, query};

const REASON_BYTES_MAX: usize = 64 * 1024;

/// Decides. 409 `already_decided` carries the decision that was first.
#[utoipa::path(post, path = "/api/gates/{id}/decision", tag = "gates", request_body = DecisionRequest, responses(
    (status = 200, body = Gate), (status = "default", body = ErrorBody)))]
pub async fn decide(
    State(app): State<App>,
    caller: Caller,
    GatePath(id): GatePath,
    Json(request): Json<DecisionRequest>,
) -> Result<axum::Json<Gate>, ApiError> {
    let (stored, gate) = app.kept_at(|| app.gate(id)).await?;
    let repeats = request.id.is_some();
    let checked = check(&gate, &request);
    let record = record(&stored, &gate, request, &caller);
    if checked.is_err() && repeats && is_recorded(&app, &stored, &record).await? {
        return Ok(axum::Json(gate));
    }
    checked?;
    let accepted = app.clone();
    app.see_through(async move { recorded(&accepted, &stored, record, gate).await })
        .await
        .map(axum::Json)
}

/// Whether this very decision was recorded before: its answer was lost, and it is sent again.
async fn is_recorded(
    app: &App,
    stored: &StoredGate,
    record: &DecisionRecord,
) -> Result<bool, ApiError> {
    let known = match &stored.facts.recorded {
        Some(known) => Some(known.clone()),
        // The session's log may be read before the audit.
        None if stored.facts.delivered.is_some() => app.dispatch.decision(stored.id).await?,
        None => None,
    };
    Ok(known.is_some_and(|known| known.says_the_same(record)))
}

/// Records the decision and sends it on its way.
async fn recorded(
    app: &App,
    stored: &StoredGate,
    record: DecisionRecord,
    gate: Gate,
) -> Result<Gate, ApiError> {
    let record = match app.dispatch.record_decision(&record).await? {
        Recorded::First => record,
        Recorded::Before(before) => *before,
        Recorded::Already(winner) => return Err(already_decided(winner.decision)),
    };
    // It is decided from here on, and the answer does not wait for long. Should the command fail to leave, it is sent
    // again until the host answers.
    let (dispatch, session, sent) = (
        app.dispatch.clone(),
        stored.session.record.clone(),
        record.clone(),
    );
    let sending = app.tasks.spawn(
        async move {
            if let Err(error) = dispatch.decide(&session, &sent).await {
                tracing::warn!(error = %crate::chain(&error), gate.id = %sent.gate, "a decision could not be sent yet");
            }
        }
        .in_current_span(),
    );
    // Late or broken, it is the same to who decided.
    let _ = timeout(SEE_OWN_WRITE, sending).await;
    seen(app, stored, record, gate).await
}

/// Whether this may be said of this gate.
fn check(gate: &Gate, request: &DecisionRequest) -> Result<(), ApiError> {
    match (gate.state, &gate.decision) {
        (GateState::Pending, _) => {}
        (GateState::Decided, Some(decision)) => return Err(already_decided(decision.clone())),
        (GateState::Decided | GateState::Withdrawn, _) => return Err(withdrawn(gate)),
    }
    if request
        .input_hash
        .as_ref()
        .is_some_and(|hash| *hash != gate.input_hash)
    {
        return Err(ApiError::conflict(
            "input_changed",
            "The agent now asks for something else than you saw.",
        )
        .hint("Look at it again and decide then."));
    }
    if request
        .reason
        .as_ref()
        .is_some_and(|reason| reason.len() > REASON_BYTES_MAX)
    {
        return Err(ApiError::invalid("This reason is longer than 64 KB.")
            .hint("Send the rest as a message."));
    }
    match request.decision {
        Verdict::Allow => check_allow(gate, request),
        Verdict::Deny => check_deny(request),
        Verdict::Answer => check_answer(gate, request),
    }
}

fn check_allow(gate: &Gate, request: &DecisionRequest) -> Result<(), ApiError> {
    if gate.kind == GateKind::Question {
        return Err(ApiError::invalid("A question is answered, not allowed.")
            .hint("Send decision: answer with answers, or deny."));
    }
    if request.answers.is_some() {
        return Err(
            ApiError::invalid("Only a question takes answers.").hint("Leave `answers` out.")
        );
    }
    match &request.input {
        None | Some(Value::Object(_)) => Ok(()),
        Some(_) => Err(ApiError::invalid("The edited input is not an object.")
            .hint("Send the whole input with your changes in it.")),
    }
}

fn check_deny(request: &DecisionRequest) -> Result<(), ApiError> {
    if request.input.is_some() || request.answers.is_some() {
        return Err(ApiError::invalid("A denial has a reason and nothing else.")
            .hint("Leave `input` and `answers` out."));
    }
    Ok(())
}

fn check_answer(gate: &Gate, request: &DecisionRequest) -> Result<(), ApiError> {
    if gate.kind != GateKind::Question {
        return Err(
            ApiError::invalid("Only a question is answered.").hint("Send decision: allow or deny.")
        );
    }
    if request.input.is_some() {
        return Err(
            ApiError::invalid("A question's input is not edited.").hint("Leave `input` out.")
        );
    }
    let answers = request
        .answers
        .as_ref()
        .filter(|answers| !answers.is_empty());
    let answers = answers.ok_or_else(|| {
        ApiError::invalid("The answers are missing.")
            .hint("Send answers: {question: label, [labels] or text}.")
    })?;
    for question in &gate.questions {
        if !answers.contains_key(&question.question) {
            return Err(ApiError::invalid(format!(
                "There is no answer to “{}”.",
                question.question
            ))
            .hint("Name every question word for word as it is asked."));
        }
    }
    for (question, answer) in answers {
        let known = gate
            .questions
            .iter()
            .any(|choice| choice.question == *question);
        let readable = match answer {
            Value::String(_) => true,
            Value::Array(labels) => !labels.is_empty() && labels.iter().all(Value::is_string),
            _ => false,
        };
        if !known {
            return Err(ApiError::invalid(format!("“{question}” was not asked."))
                .hint("Name every question word for word as it is asked."));
        }
        if !readable {
            return Err(ApiError::invalid(format!(
                "The answer to “{question}” is neither a text nor a list of texts."
            )));
        }
    }
    Ok(())
}

fn record(
    stored: &StoredGate,
    gate: &Gate,
    request: DecisionRequest,
    caller: &Caller,
) -> DecisionRecord {
    DecisionRecord {
        v: 1,
        id: request.id.unwrap_or_default(),
        gate: gate.id,
        session: gate.session,
        host: stored.session.record.host.clone(),
        epoch: stored.session.record.epoch,
        tool: gate.tool.clone(),
        summary: gate.summary.clone(),
        decision: Decision {
            verdict: request.decision,
            reason: request.reason.filter(|reason| !reason.trim().is_empty()),
            input: request.input,
            answers: request.answers,
            input_hash: gate.input_hash.clone(),
            by: caller.person.user,
            by_name: caller.person.name.clone(),
            at: Timestamp::now(),
        },
        from: caller.from.clone(),
    }
}

/// The gate with its decision, as soon as the projection has it.
async fn seen(
    app: &App,
    stored: &StoredGate,
    record: DecisionRecord,
    mut gate: Gate,
) -> Result<Gate, ApiError> {
    let id = stored.id;
    let fresh = app
        .reader
        .wait_for(SEE_OWN_WRITE, move |connection| {
            let stored = query::gate(connection, id)?;
            Ok(stored.filter(|stored| {
                stored.facts.recorded.is_some() || stored.facts.delivered.is_some()
            }))
        })
        .await?;
    if let Some(fresh) = fresh.and_then(|stored| app.show.gate(&stored)) {
        return Ok(fresh);
    }
    gate.state = GateState::Decided;
    gate.receipts.decided_at = Some(record.decision.at);
    gate.decision = Some(record.decision);
    Ok(gate)
}

fn already_decided(decision: Decision) -> ApiError {
    let said = match decision.verdict {
        Verdict::Allow => "allowed",
        Verdict::Deny => "denied",
        Verdict::Answer => "answered",
    };
    let message = format!(
        "{} has already {said} this, at {}.",
        decision.by_name, decision.at
    );
    let mut refused = ApiError::conflict("already_decided", message)
        .hint("The first decision holds; yours changed nothing.");
    refused.decision = Some(Box::new(decision));
    refused
}

fn withdrawn(gate: &Gate) -> ApiError {
    let reason = gate
        .withdrawn_reason
        .as_deref()
        .unwrap_or("it was withdrawn");
    ApiError::conflict(
        "withdrawn",
        format!("The agent no longer asks this: {reason}."),
    )
    .hint("Nothing has run. If it asks again, that is a new approval.")
}
