//! Everything that goes on beside requests and ingest. Each lasts as long as the process and has nothing to finish.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use nats::client::Client;
use tokio::sync::{mpsc, watch};
use tokio::time::{Duration, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::parts::Parts;
use crate::ingest::Progress;
use crate::{enrolment, hosts, live, queue, reconcile};

/// Between two attempts to set JetStream up.
const SETUP_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Followers {
    tasks: TaskTracker,
    stop: CancellationToken,
    ended: mpsc::Sender<&'static str>,
}

impl Followers {
    /// With the names of those that ended although they should not: the first one is enough to give up.
    pub(super) fn new(
        tasks: TaskTracker,
        stop: CancellationToken,
    ) -> (Self, mpsc::Receiver<&'static str>) {
        let (ended, names) = mpsc::channel(1);
        (Self { tasks, stop, ended }, names)
    }

    pub(super) fn start(&self, parts: &Parts, live_client: Client) {
        let app = parts.app.clone();
        let people = app.people.clone();
        self.spawn("people", async move { people.follow().await });
        let known = parts.known_hosts.clone();
        let (views, inputs) = (parts.views.clone(), parts.host_inputs.clone());
        self.spawn(
            "hosts",
            hosts::follow(
                parts.client.clone(),
                parts.replicas,
                known,
                parts.revocations.changes(),
                views,
                inputs,
            ),
        );
        self.spawn("revocations", parts.revocations.clone().follow());
        self.spawn(
            "renewals",
            enrolment::answer_renewals(parts.client.clone(), app.office.clone()),
        );
        let (hub, written) = (app.hub.clone(), app.written.clone());
        self.spawn("live", live::listen(live_client, hub, written));
        let touched = parts.touched.clone();
        let (hub, reader, show) = (app.hub.clone(), app.reader.clone(), app.show.clone());
        self.spawn("fleet", live::publish_fleet(hub, touched, reader, show));
        self.spawn("setup", set_up(parts.client.clone(), parts.replicas));
        let (hosts, full) = (app.show.hosts().clone(), app.full.clone());
        let refusals = queue::hear_refusals(
            parts.client.clone(),
            app.dispatch.clone(),
            app.reader.clone(),
            hosts.clone(),
            full,
        );
        self.spawn("refusals", refusals);
        let (line, touched) = (parts.line.clone(), parts.touched.clone());
        let place = queue::run(
            app.dispatch.clone(),
            app.reader.clone(),
            hosts,
            app.full.clone(),
            line,
            touched,
        );
        self.spawn("queue", once_caught_up(app.gauges.progress.clone(), place));
        let reconcile = reconcile::run(app.dispatch.clone(), app.reader.clone());
        self.spawn(
            "reconcile",
            once_caught_up(app.gauges.progress.clone(), reconcile),
        );
    }

    fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let (stop, ended) = (self.stop.clone(), self.ended.clone());
        self.tasks.spawn(async move {
            // A panic has said itself what it was; here it counts as an end.
            let task = AssertUnwindSafe(task).catch_unwind();
            let ended_first = stop.run_until_cancelled(task).await.is_some();
            if ended_first && !stop.is_cancelled() {
                // One report is enough.
                let _ = ended.try_send(name);
            }
        });
    }
}

/// Before that, everything looks unfinished.
async fn once_caught_up(mut progress: watch::Receiver<Progress>, work: impl Future<Output = ()>) {
    if progress
        .wait_for(|progress| progress.caught_up)
        .await
        .is_ok()
    {
        work.await;
    }
}

/// Makes every stream and bucket, however long NATS takes to be there, and again whenever it comes back: what is kept
/// in memory is gone with a server that stood alone, and hosts without the bucket of heartbeats stay silent.
async fn set_up(client: Client, replicas: usize) {
    let mut connection = client.connection();
    loop {
        client.connected().await;
        let generation = connection.borrow_and_update().generation;
        match client.ensure(replicas).await {
            Ok(()) => {
                let another = connection.wait_for(|state| state.generation != generation);
                if another.await.is_err() {
                    // The connection's own task is gone, and with it every later word.
                    std::future::pending::<()>().await;
                }
            }
            Err(error) => {
                tracing::warn!(error = %crate::chain(&error), "JetStream cannot be set up yet");
                sleep(SETUP_PAUSE).await;
            }
        }
    }
}
