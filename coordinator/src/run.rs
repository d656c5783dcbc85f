//! One coordinator's life: open, connect, serve, and finish what was accepted.

use std::future::IntoFuture as _;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use nats::client::{self, Client, Options};
use nats::credentials::COORDINATOR_INBOX;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::{Duration, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::{self, Limiter, People, SetupToken};
use crate::configuration::Configuration;
use crate::dispatch::Dispatch;
use crate::hosts::Hosts;
use crate::http::{self, App};
use crate::ingest::{Gauges, Ingest, Progress, Sources};
use crate::live::{Hub, Touched, Written};
use crate::objects::Objects;
use crate::projection::{self, Reader, Writer, query};
use crate::show::Show;
use crate::{REPLICAS, hosts, ingest, live, reconcile};

/// How long requests in flight may take after the end was asked for.
const GRACE: Duration = Duration::from_secs(5);
/// Between two attempts to set JetStream up.
const SETUP_PAUSE: Duration = Duration::from_secs(1);
/// Reports of hosts on their way into the projection.
const HOST_INPUTS_MAX: usize = 64;

/// Why a coordinator cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("could not make the folder of the projection `{path}`")]
    Folder {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("could not use the projection")]
    Projection(#[from] projection::Error),
    #[error("could not listen on {address}")]
    Listen {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("could not connect to NATS")]
    Connect(#[source] client::Error),
    #[error("could not make ready who may sign in")]
    People(#[source] auth::Error),
    #[error("could not serve requests")]
    Serve(#[source] io::Error),
    #[error("a task of the coordinator failed")]
    Task(#[source] tokio::task::JoinError),
}

/// Runs until `shutdown`, or until it cannot go on.
pub async fn run(configuration: Configuration, shutdown: CancellationToken) -> Result<(), Error> {
    let listener = listen(configuration.listen).await?;
    let address = listener.local_addr().map_err(Error::Serve)?;
    let client = connect(&configuration, "flotilla coordinator").await?;
    let live_client = connect(&configuration, "flotilla coordinator live").await?;
    let stop = shutdown.child_token();
    // Whoever drops this future ends all that it has started.
    let _guard = stop.clone().drop_guard();
    let tasks = TaskTracker::new();
    let parts = Parts::open(&configuration, &client, &stop, &tasks).await?;
    parts.spawn_followers(&tasks, &client, live_client.clone(), &stop);
    let app = parts.app.clone();
    let ingest = tasks.spawn(ingest::run(parts.into_ingest(), stop.clone()));
    if let Some(ready) = configuration.ready {
        // Who asked may be gone; that is theirs to know.
        let _ = ready.send(address);
    }
    tracing::info!(%address, "the coordinator takes requests");
    let served = serve(listener, app, ingest, &stop).await;
    stop.cancel();
    tasks.close();
    if timeout(GRACE, tasks.wait()).await.is_err() {
        tracing::warn!(tasks = tasks.len(), "some tasks did not finish in time");
    }
    client.close().await;
    live_client.close().await;
    served
}

struct Parts {
    app: App,
    writer: Writer,
    sources: Sources,
    touched: Touched,
    client: Client,
    progress: watch::Sender<Progress>,
    commits: watch::Sender<u64>,
    views: watch::Sender<Arc<hosts::View>>,
    known_hosts: Vec<nats::record::HostRecord>,
    host_inputs: mpsc::Sender<projection::Input>,
}

impl Parts {
    async fn open(
        configuration: &Configuration,
        client: &Client,
        stop: &CancellationToken,
        tasks: &TaskTracker,
    ) -> Result<Self, Error> {
        let path = &configuration.data;
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|source| Error::Folder {
                path: folder.to_owned(),
                source,
            })?;
        }
        let writer = Writer::open(path)?;
        let positions = writer.positions()?;
        let (commits, committed) = watch::channel(0);
        let reader = Reader::new(path, committed);
        let known_hosts = reader.read(query::hosts).await?;
        let (views, view) = watch::channel(Arc::default());
        let (progress, progressed) = watch::channel(Progress::default());
        let (host_inputs, host_input) = mpsc::channel(HOST_INPUTS_MAX);
        let people = People::new(client).map_err(Error::People)?;
        let app = App {
            people: people.clone(),
            limiter: Limiter::default(),
            setup_token: SetupToken::new(configuration.setup_token.clone()),
            reader,
            show: Show::new(Hosts::new(view), people),
            dispatch: Dispatch::new(client),
            objects: Objects::new(client),
            hub: Hub::default(),
            written: Written::default(),
            gauges: Gauges::new(progressed),
            public_url: configuration.public_url.as_deref().map(Arc::from),
            shutdown: stop.clone(),
            tasks: tasks.clone(),
        };
        Ok(Self {
            app,
            writer,
            sources: Sources::new(client, positions, host_input),
            touched: Touched::default(),
            client: client.clone(),
            progress,
            commits,
            views,
            known_hosts,
            host_inputs,
        })
    }

    /// Everything that goes on beside requests and ingest. Each ends with the process and has nothing to finish.
    fn spawn_followers(
        &self,
        tasks: &TaskTracker,
        client: &Client,
        live_client: Client,
        stop: &CancellationToken,
    ) {
        let app = &self.app;
        let spawn = |name: &'static str, task: futures::future::BoxFuture<'static, ()>| {
            let stop = stop.clone();
            tasks.spawn(async move {
                let finished = stop.run_until_cancelled(task).await;
                if finished.is_some() {
                    tracing::error!(task = name, "a task that should last has ended");
                    stop.cancel();
                }
            });
        };
        let (people, views, inputs) = (
            app.people.clone(),
            self.views.clone(),
            self.host_inputs.clone(),
        );
        spawn("people", Box::pin(async move { people.follow().await }));
        spawn(
            "hosts",
            Box::pin(hosts::follow(
                client.clone(),
                self.known_hosts.clone(),
                views,
                inputs,
            )),
        );
        spawn(
            "live",
            Box::pin(live::listen(
                live_client,
                app.hub.clone(),
                app.written.clone(),
            )),
        );
        let fleet = live::publish_fleet(
            app.hub.clone(),
            self.touched.clone(),
            app.reader.clone(),
            app.show.clone(),
        );
        spawn("fleet", Box::pin(fleet));
        let (dispatch, reader) = (app.dispatch.clone(), app.reader.clone());
        let (client, mut progress) = (client.clone(), app.gauges.progress.clone());
        spawn(
            "upkeep",
            Box::pin(async move {
                set_up(&client).await;
                if progress
                    .wait_for(|progress| progress.caught_up)
                    .await
                    .is_ok()
                {
                    reconcile::run(dispatch, reader).await;
                }
            }),
        );
    }

    fn into_ingest(self) -> Ingest {
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
        }
    }
}

/// Makes every stream and bucket, however long NATS takes to be there.
async fn set_up(client: &Client) {
    loop {
        client.connected().await;
        match client.ensure(REPLICAS).await {
            Ok(()) => return,
            Err(error) => {
                tracing::warn!(error = %crate::chain(&error), "JetStream cannot be set up yet")
            }
        }
        sleep(SETUP_PAUSE).await;
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address)
        .await
        .map_err(|source| Error::Listen { address, source })
}

async fn connect(configuration: &Configuration, name: &str) -> Result<Client, Error> {
    Client::connect(Options {
        url: configuration.nats_url.clone(),
        credentials: configuration.nats_credentials.clone(),
        name: name.to_owned(),
        inbox_prefix: COORDINATOR_INBOX.to_owned(),
    })
    .await
    .map_err(Error::Connect)
}

type Ingesting = tokio::task::JoinHandle<Result<(), projection::Error>>;

/// Serves until the end is asked for, then lets requests in flight finish; ends at once when ingest fails, because
/// what is shown would stand still and look alive.
async fn serve(
    listener: TcpListener,
    app: App,
    ingest: Ingesting,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let service = http::router(app).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service)
        .with_graceful_shutdown(stop.clone().cancelled_owned())
        .into_future();
    let mut server = std::pin::pin!(server);
    tokio::select! {
        served = &mut server => return served.map_err(Error::Serve),
        ended = ingest => ended.map_err(Error::Task)?.map_err(Error::Projection)?,
    }
    // Ingest ends by itself only when it is told to: what is left are requests in flight.
    match timeout(GRACE, server).await {
        Ok(served) => served.map_err(Error::Serve),
        Err(_) => {
            tracing::warn!("some requests did not finish in time");
            Ok(())
        }
    }
}
