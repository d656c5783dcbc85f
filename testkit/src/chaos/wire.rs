//! The line between a runner and its nats-server, which can be cut in either direction.
//!
//! While it is cut no byte passes and no end of a connection is heard of, as with a cable; what was under way arrives
//! once it is mended, as TCP sees to. Knows nothing of what is said on it.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

/// Which directions are cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cut {
    /// From the runner to the server.
    pub out: bool,
    /// From the server to the runner.
    pub back: bool,
}

/// A listener in front of a server. Dropped, its connections end.
pub(super) struct Wire {
    pub address: SocketAddr,
    cut: watch::Sender<Cut>,
    _task: AbortOnDropHandle<()>,
}

impl Wire {
    /// Listens on loopback, in front of what listens on `server`.
    pub(super) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let (cut, seen) = watch::channel(Cut::default());
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                connections.spawn(carry(near, server, seen.clone()));
            }
        });
        Self {
            address,
            cut,
            _task: AbortOnDropHandle::new(task),
        }
    }

    /// From now on.
    pub(super) fn cut(&self, cut: Cut) {
        self.cut.send_replace(cut);
    }
}

async fn carry(near: TcpStream, server: SocketAddr, cut: watch::Receiver<Cut>) {
    let Ok(far) = TcpStream::connect(server).await else {
        return;
    };
    // Whatever is small and waits for an answer is not to wait for more.
    if near.set_nodelay(true).and(far.set_nodelay(true)).is_err() {
        return;
    }
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    tokio::join!(
        pass(near_read, far_write, cut.clone(), |cut| cut.out),
        pass(far_read, near_write, cut, |cut| cut.back),
    );
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut cut: watch::Receiver<Cut>,
    is_cut: fn(&Cut) -> bool,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if cut.wait_for(|cut| !is_cut(cut)).await.is_err()
            || to.write_all(&buffer[..read]).await.is_err()
        {
            return;
        }
    }
    // The end of the line is not heard through a cut either; dropping our half tells of it.
    let _ = cut.wait_for(|cut| !is_cut(cut)).await;
}
