//! Networks of our own, in the kernel: a namespace with nothing in it but what is put there, and a way in for a test.
//!
//! It has no route to anywhere else, and is gone with the processes in it: nothing has a name, so nothing has to be
//! removed. Knows nothing of what talks there.

use std::fs::File;
use std::net::{SocketAddr, TcpStream as StdTcpStream};
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

use crate::{child, wait};

const BOUND: Duration = Duration::from_secs(30);

/// A network namespace.
#[derive(Debug, Clone)]
pub struct Network {
    /// As the kernel names it, for as long as somebody lives in it.
    file: PathBuf,
    pid: u32,
}

/// Lives in a namespace and does nothing. Dropped, it is ended.
pub struct Keeper {
    pub network: Network,
    process: Child,
}

impl Keeper {
    /// Makes a namespace with a loopback of its own.
    pub async fn new() -> Self {
        let mut command = Command::new("unshare");
        command.args(["--net", "sleep", "infinity"]);
        let process = child::spawn(command).expect("`unshare` is there (util-linux)");
        let pid = process.id();
        let network = Network {
            file: PathBuf::from(format!("/proc/{pid}/ns/net")),
            pid,
        };
        let ours = std::fs::read_link("/proc/self/ns/net").expect("we live in a namespace");
        wait::until("a namespace", BOUND, async || {
            match std::fs::read_link(&network.file) {
                Ok(theirs) if theirs != ours => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        network.run(&["ip", "link", "set", "lo", "up"]);
        Self { network, process }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl Network {
    /// Why this machine cannot make one that loses packets, in a sentence.
    pub fn obstacle() -> Option<String> {
        if !rustix::process::geteuid().is_root() {
            return Some("only root can make networks".to_owned());
        }
        for words in [
            ["ip", "link", "add", "eth0", "type", "veth"].as_slice(),
            &["nft", "list", "tables"],
        ] {
            let mut command = Command::new("unshare");
            command.arg("--net").args(words);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            if !command.status().is_ok_and(|status| status.success()) {
                return Some(format!(
                    "`{}` does not work here: iproute2 and nftables are needed",
                    words.join(" ")
                ));
            }
        }
        None
    }

    /// A program that will live in it; in ours without one.
    pub fn command(network: Option<&Self>, program: &Path) -> Command {
        let Some(network) = network else {
            return Command::new(program);
        };
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--net={}", network.file.display()))
            .arg("--")
            .arg(program);
        command
    }

    /// Runs a program of the administrator in it.
    pub fn run(&self, words: &[&str]) {
        let (program, words) = words.split_first().expect("a program");
        let output = Self::command(Some(self), Path::new(program))
            .args(words)
            .output()
            .expect("`nsenter` is there (util-linux)");
        assert!(output.status.success(), "{program} {words:?}: {output:?}");
    }

    /// Lays a line to another one. Both ends are called `eth0`.
    pub fn plug(&self, ours: &str, other: &Self, theirs: &str) {
        self.plug_into("eth0", ours, other, theirs);
    }

    /// The same where there are several lines already: our end is called `name`, the other's `eth0`.
    pub fn plug_into(&self, name: &str, ours: &str, other: &Self, theirs: &str) {
        let pid = other.pid.to_string();
        let ends = ["type", "veth", "peer", "name", "eth0", "netns", &pid];
        self.run(&[&["ip", "link", "add", name], ends.as_slice()].concat());
        for (end, device, address) in [(self, name, ours), (other, "eth0", theirs)] {
            end.run(&["ip", "address", "add", address, "dev", device]);
            end.run(&["ip", "link", "set", device, "up"]);
        }
    }

    /// From now on, nothing that comes in over the line is heard of. The other side is not told.
    pub fn deafen(&self) {
        self.run(&["nft", "add table inet deaf; add chain inet deaf arrivals { type filter hook input priority 0; }; add rule inet deaf arrivals iifname eth0 drop"]);
    }

    /// Undoes [`Network::deafen`].
    pub fn hear(&self) {
        self.run(&["nft", "add table inet deaf; delete table inet deaf"]);
    }
}

/// A port of our loopback that leads to the same port of the loopback in a namespace. Dropped, it is closed.
pub struct Doorway {
    _task: AbortOnDropHandle<()>,
}

impl Doorway {
    /// Whatever connects to `listener` is connected there.
    pub fn open(listener: TcpListener, into: &Network) -> Self {
        let address = listener.local_addr().expect("a bound address");
        let connect = connector(into, address);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                connections.spawn(carry(near, connect.clone()));
            }
        });
        Self {
            _task: AbortOnDropHandle::new(task),
        }
    }
}

type Wanted = oneshot::Sender<std::io::Result<StdTcpStream>>;

/// A thread that lives in the namespace: what it connects stays there, whoever uses it.
fn connector(into: &Network, address: SocketAddr) -> mpsc::Sender<Wanted> {
    let namespace = File::open(&into.file).expect("somebody lives in the namespace");
    let (connect, mut wanted) = mpsc::channel::<Wanted>(16);
    std::thread::Builder::new()
        .name("doorway".to_owned())
        .spawn(move || {
            enter(&namespace);
            while let Some(reply) = wanted.blocking_recv() {
                // A caller that is gone has no use for the answer.
                let _ = reply.send(StdTcpStream::connect_timeout(&address, BOUND));
            }
        })
        .expect("a thread can be started");
    connect
}

#[expect(
    unsafe_code,
    reason = "there is no other way to change the network of one thread"
)]
fn enter(namespace: &File) {
    // SAFETY: the call takes two numbers, and touches nothing but the network namespace of this thread.
    let changed = unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) };
    assert_eq!(changed, 0, "{}", std::io::Error::last_os_error());
}

async fn carry(mut near: TcpStream, connect: mpsc::Sender<Wanted>) {
    let (reply, answer) = oneshot::channel();
    if connect.send(reply).await.is_err() {
        return;
    }
    let Ok(Ok(far)) = answer.await else { return };
    let far = far
        .set_nonblocking(true)
        .and_then(|()| TcpStream::from_std(far));
    let Ok(mut far) = far else { return };
    if near.set_nodelay(true).and(far.set_nodelay(true)).is_err() {
        return;
    }
    // How a connection ends is for the two that use it.
    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt as _;

    #[tokio::test]
    async fn whoever_comes_through_the_doorway_is_heard_in_the_namespace_alone() {
        let keeper = Keeper::new().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn({
            let namespace = File::open(&keeper.network.file).unwrap();
            move || {
                enter(&namespace);
                let inside = std::net::TcpListener::bind(address).unwrap();
                std::io::Write::write_all(&mut inside.accept().unwrap().0, b"inside").unwrap();
            }
        });
        let _doorway = Doorway::open(listener, &keeper.network);
        let said = wait::until("the server inside", BOUND, async || {
            let mut said = String::new();
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.read_to_string(&mut said).await.ok();
            if said.is_empty() { Err(said) } else { Ok(said) }
        })
        .await;
        assert_eq!(said, "inside");
        server.join().unwrap();
    }
}
