//! Everything a coordinator is made of, opened and put together. Nothing runs yet.

use std::path::Path;
use std::sync::Arc;

use nats::client::Client;
use nats::credentials::{FleetAccount, HostAuthority};
use nats::record::HostRecord;
use nats::seal::CommandKey;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Error;
use crate::audit::Trail;
use crate::auth::{Limiter, People, SetupToken};
use crate::configuration::Configuration;
use crate::dispatch::{Dispatch, Persist};
use crate::enrolment::{Addresses, Office, Revocations};
use crate::hosts::{Hosts, View};
use crate::http::App;
use crate::ingest::{Gauges, Ingest, Progress, Reach, Reached, Sources};
use crate::live::{Hub, Touched, Written};
use crate::objects::Objects;
use crate::portable::{Exporter, Importer};
use crate::projection::{Input, Reader, Writer, query};
use crate::queue::{Full, Line};
use crate::show::Show;
use crate::verify::Verifier;

/// Reports of hosts on their way into the projection.
const HOST_INPUTS_MAX: usize = 64;

pub(super) struct Parts {
    pub app: App,
    writer: Writer,
    sources: Sources,
    pub touched: Touched,
    pub line: Line,
    pub revocations: Revocations,
    pub client: Client,
    pub replicas: usize,
    progress: watch::Sender<Progress>,
    commits: watch::Sender<u64>,
    reached: watch::Sender<Reached>,
    pub views: watch::Sender<Arc<View>>,
    /// The hosts of the projection, so that they can be named before any is heard.
    pub known_hosts: Vec<HostRecord>,
    pub host_inputs: mpsc::Sender<Input>,
}

impl Parts {
    pub(super) async fn open(
        configuration: &Configuration,
        client: &Client,
        trail: Trail,
        stop: &CancellationToken,
        tasks: &TaskTracker,
    ) -> Result<Self, Error> {
        let path = &configuration.data;
        let writer = Writer::open(path)?;
        let positions = writer.positions()?;
        let (commits, committed) = watch::channel(0);
        let reader = Reader::new(path, committed);
        let known_hosts = reader.read(query::hosts).await?;
        let (views, view) = watch::channel(Arc::default());
        let (progress, progressed) = watch::channel(Progress::default());
        let (host_inputs, host_input) = mpsc::channel(HOST_INPUTS_MAX);
        let sources = Sources::new(client, positions, host_input);
        let (reached, reaching) = watch::channel(sources.reached());
        let key = CommandKey::open(&configuration.command_key).map_err(Error::CommandKey)?;
        tracing::info!(command.key = %key.public(), "hosts that know this key take commands from here");
        let (authority, account) = match &configuration.authority {
            Some(folder) => (
                HostAuthority::open(folder).map_err(Error::Authority)?,
                FleetAccount::open(folder).map_err(Error::Authority)?,
            ),
            None => (None, None),
        };
        let mut command_keys = configuration.command_keys.clone();
        command_keys.push(key.public().clone());
        command_keys.sort_unstable();
        command_keys.dedup();
        let key = Arc::new(key);
        let persist = Persist::new(client.connection(), stop.clone());
        let people = People::new(client, persist.clone()).map_err(Error::People)?;
        let reach = Reach::new(client, reaching);
        let replicas = configuration.nats_replicas;
        let url = &configuration.nats_url;
        let revocations = Revocations::open(client, url, account, persist.clone())
            .await
            .map_err(Error::Connect)?;
        let office = Office::new(
            client,
            authority,
            command_keys,
            revocations.clone(),
            persist.clone(),
        );
        let dispatch = Dispatch::new(client, key.clone(), replicas, persist);
        // Beside the projection, where there is room for much.
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let line = Line::default();
        let app = App {
            people: people.clone(),
            limiter: Limiter::default(),
            setup_token: SetupToken::new(configuration.setup_token.clone()),
            verifier: Verifier::new(client, &key, &reader, &reach),
            reader,
            reach,
            show: Show::new(Hosts::new(view), people, line.clone()),
            exporter: Exporter::new(client),
            importer: Importer::new(client, &dispatch, replicas, folder),
            dispatch,
            office: Arc::new(office),
            addresses: Arc::new(Addresses::new(configuration.nats_public_urls.clone())),
            objects: Objects::new(client),
            trail,
            hub: Hub::default(),
            written: Written::default(),
            full: Full::default(),
            gauges: Gauges::new(progressed),
            public_url: configuration.public_url.as_deref().map(Arc::from),
            shutdown: stop.clone(),
            tasks: tasks.clone(),
        };
        Ok(Self {
            app,
            writer,
            sources,
            touched: Touched::default(),
            line,
            revocations,
            client: client.clone(),
            replicas,
            progress,
            commits,
            reached,
            views,
            known_hosts,
            host_inputs,
        })
    }

    /// What is left for the one loop that writes.
    pub(super) fn into_ingest(self) -> Ingest {
        Ingest {
            client: self.client,
            writer: self.writer,
            sources: self.sources,
            hub: self.app.hub,
            touched: self.touched,
            written: self.app.written,
            gauges: self.app.gauges,
            progress: self.progress,
            commits: self.commits,
            reached: self.reached,
        }
    }
}
