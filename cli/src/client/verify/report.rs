//! What each step came to: said as it happens to a person, and whole at the end to a program.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::json;

use crate::client::exit::Error;
use crate::client::output::Output;

/// What a step found, and what it says of it.
pub(super) type Passed<T> = Result<(T, String), Error>;

/// A step that found what it looked for. `detail` is one line.
pub(super) fn passed<T>(found: T, detail: impl Into<String>) -> Passed<T> {
    Ok((found, detail.into()))
}

/// The steps so far.
pub(super) struct Report<'a> {
    output: &'a mut Output,
    /// For one step.
    bound: Duration,
    host: Option<String>,
    steps: Vec<Step>,
    /// Nobody reads on: there is nobody to say more to.
    closed: Option<Error>,
}

#[derive(Serialize)]
struct Step {
    host: Option<String>,
    step: &'static str,
    ok: bool,
    elapsed_ms: u64,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl<'a> Report<'a> {
    pub(super) fn new(output: &'a mut Output, bound: Duration) -> Self {
        Self {
            output,
            bound,
            host: None,
            steps: Vec::new(),
            closed: None,
        }
    }

    /// What follows is about this host.
    pub(super) fn at(&mut self, host: &str) {
        self.host = Some(host.to_owned());
        self.tell(&format!("on {host}"));
    }

    /// Does it, within the bound. `None` when it failed, which is said.
    pub(super) async fn step<T>(
        &mut self,
        step: &'static str,
        work: impl Future<Output = Passed<T>>,
    ) -> Option<T> {
        let started = Instant::now();
        let outcome = tokio::time::timeout(self.bound, work).await;
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let outcome = outcome.unwrap_or_else(|_| {
            let seconds = self.bound.as_secs();
            Err(Error::unproven(
                format!("it did not come within {seconds} s"),
                "`flotilla session show latest --events` says how far it is; --timeout waits longer",
            ))
        });
        let (found, detail, hint) = match outcome {
            Ok((found, detail)) => (Some(found), detail, None),
            Err(error) => (None, error.sentence(), error.hint().map(str::to_owned)),
        };
        let step = Step {
            host: self.host.clone(),
            step,
            ok: found.is_some(),
            elapsed_ms,
            detail,
            hint,
        };
        self.tell(&step.line());
        self.steps.push(step);
        found
    }

    /// The verdict: an error when any step failed.
    pub(super) fn end(self) -> Result<(), Error> {
        let failed = self.steps.iter().filter(|step| !step.ok).count();
        let all = self.steps.len();
        if self.output.json {
            let whole = json!({ "ok": failed == 0, "steps": self.steps });
            self.output.answer(&whole, |_| String::new())?;
        }
        if let Some(error) = self.closed {
            return Err(error);
        }
        if failed > 0 {
            return Err(Error::Unproven {
                message: format!("{failed} of {all} steps failed"),
                hint: None,
            });
        }
        self.output.say(&format!("All {all} steps passed."));
        Ok(())
    }

    fn tell(&mut self, line: &str) {
        if !self.output.json && self.closed.is_none() {
            self.closed = self.output.data(line).err();
        }
    }
}

impl Step {
    fn line(&self) -> String {
        let verdict = if self.ok { "ok" } else { "FAILED" };
        let indent = if self.host.is_some() { "  " } else { "" };
        let mut line = format!(
            "{indent}{verdict:<6} {:<11} {:>6} ms  {}",
            self.step, self.elapsed_ms, self.detail
        );
        if let Some(hint) = &self.hint {
            line.push_str(&format!("\n{indent}       hint: {hint}"));
        }
        line
    }
}
