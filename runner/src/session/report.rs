//! Says how a session stands on this host, from its files and its shim, beside the session's own task.
//!
//! Changes nothing and disturbs nobody: the log is read, and the shim only asked who it is.

use nats::command::SessionReport;
use nats::ids::CommandId;
use nats::report::{LogReport, Report, ShimReport};

use super::log::{self, Inspected, Wanted};
use super::paths::SessionPaths;
use crate::shim;

/// An agent that is started anew while we look counts its output from 0 again; then we look again.
const LOOKS_MAX: usize = 3;

/// Answers `asked`, in words where it cannot.
pub async fn report(paths: &SessionPaths, ask: CommandId, asked: SessionReport) -> Report {
    let mut report = Report {
        ask: Some(ask),
        ..Report::default()
    };
    match look(paths, asked).await {
        Ok(Some((log, shim))) => {
            report.log = Some(log);
            report.shim = shim;
        }
        Ok(None) => {}
        Err(error) => {
            tracing::error!(session.id = %paths.session(), error = %crate::chain(&error), "a session's log could not be looked at");
            report.trouble = Some(crate::chain(&error));
        }
    }
    report
}

async fn look(
    paths: &SessionPaths,
    asked: SessionReport,
) -> Result<Option<(LogReport, Option<ShimReport>)>, log::Error> {
    let wanted = Wanted {
        after: asked.after,
        up_to: asked.up_to,
        rows: asked.rows,
    };
    let Some(mut before) = inspect(paths, wanted)? else {
        return Ok(None);
    };
    let nothing = Wanted { up_to: 0, ..wanted };
    for _ in 0..LOOKS_MAX {
        let Ok(hello) = shim::probe(&paths.socket(before.generation)).await else {
            return Ok(Some((before.report, None)));
        };
        let Some(after) = inspect(paths, nothing)? else {
            return Ok(None);
        };
        if after.generation == before.generation {
            let shim = ShimReport {
                read_before: before.position,
                read_after: after.position,
                oldest: hello.oldest,
                newest: hello.newest,
            };
            return Ok(Some((before.report, Some(shim))));
        }
        before.generation = after.generation;
        before.position = after.position;
    }
    Ok(Some((before.report, None)))
}

fn inspect(paths: &SessionPaths, wanted: Wanted) -> Result<Option<Inspected>, log::Error> {
    if !paths.database().exists() {
        return Ok(None);
    }
    tokio::task::block_in_place(|| log::inspect(&paths.database(), wanted))
}
