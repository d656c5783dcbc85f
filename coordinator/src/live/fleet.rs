//! Rows of the lists, gathered: a session that works changes its row many times a second, and a list wants it a few
//! times. The first change goes out at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nats::ids::{GateId, HostName, SessionId};
use tokio::sync::Notify;
use tokio::time::{Duration, sleep};

use super::frame::{FleetChange, Frame};
use super::hub::Hub;
use crate::api::HostRow;
use crate::projection::{Error, Reader, query};
use crate::show::Show;

/// Between two updates of the lists.
const PAUSE: Duration = Duration::from_millis(100);

/// What has changed since the lists were last told. Cheap to clone.
#[derive(Clone, Default)]
pub struct Touched {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    rows: Mutex<Rows>,
    news: Notify,
}

#[derive(Default)]
struct Rows {
    sessions: BTreeSet<SessionId>,
    gates: BTreeSet<GateId>,
}

impl Touched {
    pub fn add(&self, sessions: &BTreeSet<SessionId>, gates: &BTreeSet<GateId>) {
        let mut rows = self.rows();
        rows.sessions.extend(sessions);
        rows.gates.extend(gates);
        drop(rows);
        self.shared.news.notify_one();
    }

    fn take(&self) -> Rows {
        std::mem::take(&mut *self.rows())
    }

    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.shared
            .rows
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the lists for ever.
pub async fn publish(hub: Hub, touched: Touched, reader: Reader, show: Show) {
    let mut hosts = show.hosts().changes();
    let mut told: BTreeMap<HostName, HostRow> = BTreeMap::new();
    loop {
        tokio::select! {
            () = touched.shared.news.notified() => {}
            changed = hosts.changed() => {
                if changed.is_err() {
                    return;
                }
            }
        }
        let rows = touched.take();
        let news = news(&mut told, show.hosts().view().rows());
        if !hub.fleet_is_watched() {
            continue;
        }
        match change(rows, news, &reader, &show).await {
            Ok(change) if change.is_empty() => {}
            Ok(change) => hub.to_fleet(&Frame::Fleet(Arc::new(change))),
            Err(error) => {
                tracing::error!(error = %crate::chain(&error), "changed rows could not be read")
            }
        }
        sleep(PAUSE).await;
    }
}

/// What the lists were not told of the hosts.
#[derive(Default)]
struct HostNews {
    rows: Vec<HostRow>,
    /// Hosts of which sessions show something that has changed: whether they are silent, or a project's name.
    seen_in_sessions: BTreeSet<HostName>,
}

fn news(told: &mut BTreeMap<HostName, HostRow>, rows: Vec<HostRow>) -> HostNews {
    let mut news = HostNews::default();
    for row in rows {
        let before = told.insert(row.host.clone(), row.clone());
        if before.as_ref() == Some(&row) {
            continue;
        }
        let same = |before: HostRow| before.state == row.state && before.projects == row.projects;
        if !before.is_some_and(same) {
            news.seen_in_sessions.insert(row.host.clone());
        }
        news.rows.push(row);
    }
    news
}

async fn change(
    rows: Rows,
    hosts: HostNews,
    reader: &Reader,
    show: &Show,
) -> Result<FleetChange, Error> {
    let seen_in_sessions = hosts.seen_in_sessions;
    let (sessions, gates) = reader
        .read(move |connection| {
            let mut sessions = Vec::new();
            for id in rows.sessions {
                sessions.extend(query::session(connection, id)?);
            }
            for host in seen_in_sessions {
                let filter = query::SessionFilter {
                    host: Some(host),
                    ended: Some(false),
                    limit: usize::from(u16::MAX),
                    ..query::SessionFilter::default()
                };
                sessions.extend(query::sessions(connection, &filter)?);
            }
            let mut gates = Vec::new();
            for id in rows.gates {
                gates.extend(query::gate(connection, id)?);
            }
            Ok((sessions, gates))
        })
        .await?;
    let mut change = FleetChange::default();
    let mut seen = BTreeSet::new();
    for session in sessions {
        if seen.insert(session.id()) {
            change.sessions.push(show.session(&session));
        }
    }
    change.gates = gates.iter().filter_map(|gate| show.gate(gate)).collect();
    change.hosts = hosts.rows;
    Ok(change)
}
