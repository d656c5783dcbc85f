//! Looks at the line again and again, and places what fits.

use std::collections::BTreeSet;

use tokio::time::{Duration, MissedTickBehavior, interval};

use super::full::Full;
use super::line::Line;
use super::picture::Picture;
use crate::dispatch::Dispatch;
use crate::hosts::Hosts;
use crate::live::Touched;
use crate::projection::{Error, Reader, query};

/// Between two looks: how long a free slot stays empty while somebody waits.
const EVERY: Duration = Duration::from_millis(500);

/// Looks for ever.
pub async fn run(
    dispatch: Dispatch,
    reader: Reader,
    hosts: Hosts,
    full: Full,
    line: Line,
    touched: Touched,
) {
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let looked = look(&dispatch, &reader, &hosts, &full, &line, &touched).await;
        if let Err(error) = looked {
            tracing::error!(error = %crate::chain(&error), "the line of sessions that wait could not be looked up");
        }
    }
}

async fn look(
    dispatch: &Dispatch,
    reader: &Reader,
    hosts: &Hosts,
    full: &Full,
    line: &Line,
    touched: &Touched,
) -> Result<(), Error> {
    let anybody = reader.read(query::is_anything_queued).await?;
    if !anybody && line.is_empty() {
        return Ok(());
    }
    let picture = Picture::look(reader, hosts, full).await?;
    let plan = picture.plan();
    touched.add(&line.take(&plan), &BTreeSet::new());
    for (session, placed) in plan.placed {
        let started = match dispatch.place(session, &placed).await {
            Ok(Some(record)) => dispatch.start(&record).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = started {
            // The next look finds it as it is then; a start that was not sent is sent by `reconcile`.
            tracing::warn!(error = %crate::chain(&error), session.id = %session, "a session that waits could not be placed");
            return Ok(());
        }
    }
    Ok(())
}
