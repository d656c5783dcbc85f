//! One coordinator's life: open, connect, serve, and finish what was accepted.

mod followers;
mod parts;

use std::future::IntoFuture as _;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use axum::serve::ListenerExt as _;
use nats::client::{self, Client, Options};
use nats::credentials::COORDINATOR_INBOX;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::{Duration, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::followers::Followers;
use self::parts::Parts;
use crate::audit::Checkpointer;
use crate::configuration::{Configuration, Listen};
use crate::http::{self, App};
use crate::{auth, ingest, projection};

/// How long requests in flight may take after the end was asked for.
const GRACE: Duration = Duration::from_secs(5);

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
    #[error("could not use the socket that was handed over")]
    Listener(#[source] io::Error),
    #[error("could not connect to NATS")]
    Connect(#[source] client::Error),
    #[error("could not open the key of the audit")]
    AuditKey(#[source] nats::credentials::Error),
    #[error("could not open the key of commands")]
    CommandKey(#[source] nats::credentials::Error),
    #[error("could not open the keys that let hosts in")]
    Authority(#[source] nats::credentials::Error),
    #[error("could not make ready who may sign in")]
    People(#[source] auth::Error),
    #[error("could not serve requests")]
    Serve(#[source] io::Error),
    #[error("a task of the coordinator failed")]
    Task(#[source] tokio::task::JoinError),
    #[error("the coordinator's task `{task}` ended, which should last")]
    TaskEnded { task: &'static str },
}

/// Runs until `shutdown`, or until it cannot go on.
pub async fn run(configuration: Configuration, shutdown: CancellationToken) -> Result<(), Error> {
    let listener = listen(&configuration.listen).await?;
    let address = listener.local_addr().map_err(Error::Serve)?;
    let client = connect(&configuration, "flotilla coordinator").await?;
    let live_client = connect(&configuration, "flotilla coordinator live").await?;
    let stop = shutdown.child_token();
    // Whoever drops this future ends all that it has started.
    let _guard = stop.clone().drop_guard();
    let tasks = TaskTracker::new();
    make_folder(&configuration.data)?;
    let (checkpointer, trail) =
        Checkpointer::open(&client, &configuration.audit_key).map_err(Error::AuditKey)?;
    let parts = Parts::open(&configuration, &client, trail, &stop, &tasks).await?;
    let (followers, ended) = Followers::new(tasks.clone(), stop.clone());
    followers.start(&parts, live_client.clone());
    let finish = CancellationToken::new();
    let _finish_guard = finish.clone().drop_guard();
    tasks.spawn(checkpointer.run(finish.clone()));
    let app = parts.app.clone();
    let ingest = tasks.spawn(ingest::run(parts.into_ingest(), stop.clone()));
    if let Some(ready) = configuration.ready {
        // Who asked may be gone; that is theirs to know.
        let _ = ready.send(address);
    }
    tracing::info!(%address, "the coordinator takes requests");
    let served = serve(listener, app, ingest, ended, &stop).await;
    stop.cancel();
    // After the last request: what it recorded is signed as well.
    finish.cancel();
    tasks.close();
    if timeout(GRACE, tasks.wait()).await.is_err() {
        tracing::warn!(tasks = tasks.len(), "some tasks did not finish in time");
    }
    client.close().await;
    live_client.close().await;
    served
}

async fn listen(listen: &Listen) -> Result<TcpListener, Error> {
    match *listen {
        Listen::At(address) => TcpListener::bind(address)
            .await
            .map_err(|source| Error::Listen { address, source }),
        Listen::On(ref listener) => listener
            .try_clone()
            .and_then(TcpListener::from_std)
            .map_err(Error::Listener),
    }
}

/// The folder of a file that is to be.
fn make_folder(file: &Path) -> Result<(), Error> {
    let Some(folder) = file.parent() else {
        return Ok(());
    };
    std::fs::create_dir_all(folder).map_err(|source| Error::Folder {
        path: folder.to_owned(),
        source,
    })
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

/// Serves until the end is asked for, then lets requests in flight finish; ends at once when ingest or a follower
/// fails, because what is shown would stand still and look alive.
async fn serve(
    listener: TcpListener,
    app: App,
    ingest: Ingesting,
    mut ended: mpsc::Receiver<&'static str>,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let service = http::router(app).into_make_service_with_connect_info::<SocketAddr>();
    // A frame leaves when it is written: text that is read as it comes must not wait for the receipt of the one before.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection gathers what it sends");
        }
    });
    let server = axum::serve(listener, service)
        .with_graceful_shutdown(stop.clone().cancelled_owned())
        .into_future();
    let mut server = std::pin::pin!(server);
    tokio::select! {
        served = &mut server => return served.map_err(Error::Serve),
        Some(task) = ended.recv() => {
            // On the way out they all end, in any order.
            if !stop.is_cancelled() {
                return Err(Error::TaskEnded { task });
            }
        }
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
