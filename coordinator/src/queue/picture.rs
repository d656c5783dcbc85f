//! Everything that placement is decided on, read at one moment.

use std::sync::Arc;

use super::full::Full;
use crate::hosts::{Hosts, View};
use crate::placement::{Loads, Plan, Request, Wanted, plan};
use crate::projection::{Error, Reader, StoredSession, query};

pub struct Picture {
    pub view: Arc<View>,
    pub loads: Loads,
    /// All that wait.
    pub requests: Vec<Request>,
}

impl Picture {
    pub async fn look(reader: &Reader, hosts: &Hosts, full: &Full) -> Result<Self, Error> {
        let (queued, held) = reader
            .read(|connection| {
                let queued = query::sessions_queued(connection)?;
                Ok((queued, query::sessions_held(connection)?))
            })
            .await?;
        let view = hosts.view();
        let mut loads = Loads::of(&held);
        full.mark(&view, &mut loads);
        let requests = queued.iter().map(request).collect();
        Ok(Self {
            view,
            loads,
            requests,
        })
    }

    /// What becomes of all that wait. Nothing is placed before it is known which hosts drain.
    #[must_use]
    pub fn plan(&self) -> Plan {
        if self.view.drains_known {
            plan(&self.requests, &self.view, &self.loads)
        } else {
            Plan::default()
        }
    }
}

/// What a session that waits wants, from its record. Since when it waits is when it was made: one that a host has
/// refused keeps its place.
fn request(stored: &StoredSession) -> Request {
    let record = &stored.record;
    Request {
        session: record.session,
        by: record.created_by,
        since: record.created_at,
        wanted: Wanted {
            project: record.project.clone(),
            agent: record.agent.clone(),
            only_on: record.placement.only_on.clone(),
            host_labels: record.placement.host_labels.clone(),
        },
    }
}
