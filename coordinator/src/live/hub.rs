//! Who watches what. Sending never waits.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nats::ids::SessionId;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::frame::Frame;

/// Frames that wait for one watcher: some seconds of a busy session.
const WAITING_MAX: usize = 1024;
/// And what they may hold.
const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Cheap to clone.
#[derive(Clone, Default)]
pub struct Hub {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    watchers: Mutex<Watchers>,
    next: AtomicU64,
    let_go: AtomicU64,
}

#[derive(Default)]
struct Watchers {
    all: HashMap<u64, Outlet>,
    of_session: HashMap<SessionId, HashSet<u64>>,
    of_fleet: HashSet<u64>,
}

struct Outlet {
    sender: mpsc::Sender<Frame>,
    waiting_bytes: Arc<AtomicUsize>,
    too_slow: CancellationToken,
}

/// One socket or stream. Dropping it ends all it watches.
pub struct Watcher {
    id: u64,
    hub: Hub,
    frames: mpsc::Receiver<Frame>,
    waiting_bytes: Arc<AtomicUsize>,
    too_slow: CancellationToken,
}

impl Hub {
    /// A watcher of nothing yet.
    #[must_use]
    pub fn watcher(&self) -> Watcher {
        let id = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let (sender, frames) = mpsc::channel(WAITING_MAX);
        let outlet = Outlet {
            sender,
            waiting_bytes: Arc::default(),
            too_slow: CancellationToken::new(),
        };
        let watcher = Watcher {
            id,
            hub: self.clone(),
            frames,
            waiting_bytes: outlet.waiting_bytes.clone(),
            too_slow: outlet.too_slow.clone(),
        };
        self.watchers().all.insert(id, outlet);
        watcher
    }

    /// To everybody who watches this session. The frame is made only if there is somebody.
    pub fn to_session(&self, session: SessionId, frame: impl FnOnce() -> Frame) {
        let mut watchers = self.watchers();
        let Some(ids) = watchers.of_session.get(&session) else {
            return;
        };
        let ids: Vec<u64> = ids.iter().copied().collect();
        let frame = frame();
        self.send(&mut watchers, &ids, &frame);
    }

    /// To everybody who watches the lists.
    pub fn to_fleet(&self, frame: &Frame) {
        let mut watchers = self.watchers();
        let ids: Vec<u64> = watchers.of_fleet.iter().copied().collect();
        self.send(&mut watchers, &ids, frame);
    }

    /// To everybody.
    pub fn to_all(&self, frame: &Frame) {
        let mut watchers = self.watchers();
        let ids: Vec<u64> = watchers.all.keys().copied().collect();
        self.send(&mut watchers, &ids, frame);
    }

    #[must_use]
    pub fn fleet_is_watched(&self) -> bool {
        !self.watchers().of_fleet.is_empty()
    }

    /// Sockets and streams now, and how many were let go because they could not keep up.
    #[must_use]
    pub fn counts(&self) -> (usize, u64) {
        (
            self.watchers().all.len(),
            self.shared.let_go.load(Ordering::Relaxed),
        )
    }

    fn send(&self, watchers: &mut Watchers, ids: &[u64], frame: &Frame) {
        let bytes = frame.bytes();
        for id in ids {
            let Some(outlet) = watchers.all.get(id) else {
                continue;
            };
            let waiting = outlet.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
            // A frame that is alone may be of any size.
            let fits = waiting == 0 || waiting + bytes <= WAITING_BYTES_MAX;
            if !fits || outlet.sender.try_send(frame.clone()).is_err() {
                outlet.too_slow.cancel();
                watchers.remove(*id);
                self.shared.let_go.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn watchers(&self) -> MutexGuard<'_, Watchers> {
        self.shared
            .watchers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watchers {
    fn remove(&mut self, id: u64) {
        self.all.remove(&id);
        self.of_fleet.remove(&id);
        self.of_session.retain(|_, ids| {
            ids.remove(&id);
            !ids.is_empty()
        });
    }
}

impl Watcher {
    pub fn watch(&self, session: SessionId) {
        self.hub
            .watchers()
            .of_session
            .entry(session)
            .or_default()
            .insert(self.id);
    }

    pub fn unwatch(&self, session: SessionId) {
        let mut watchers = self.hub.watchers();
        if let Some(ids) = watchers.of_session.get_mut(&session) {
            ids.remove(&self.id);
            if ids.is_empty() {
                watchers.of_session.remove(&session);
            }
        }
    }

    pub fn watch_fleet(&self) {
        self.hub.watchers().of_fleet.insert(self.id);
    }

    pub fn unwatch_fleet(&self) {
        self.hub.watchers().of_fleet.remove(&self.id);
    }

    /// The next frame; `None` when this watcher was let go because it could not keep up. Cancel-safe.
    pub async fn next(&mut self) -> Option<Frame> {
        let frame = tokio::select! {
            biased;
            () = self.too_slow.cancelled() => None,
            frame = self.frames.recv() => frame,
        }?;
        self.waiting_bytes
            .fetch_sub(frame.bytes(), Ordering::Relaxed);
        Some(frame)
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.hub.watchers().remove(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Status;

    #[tokio::test]
    async fn a_watcher_that_cannot_keep_up_is_let_go_and_the_others_go_on() {
        let hub = Hub::default();
        let (mut slow, mut quick) = (hub.watcher(), hub.watcher());
        let frame = Frame::Status(Status::default());
        for _ in 0..=WAITING_MAX {
            hub.to_all(&frame);
            assert!(quick.next().await.is_some());
        }
        assert!(slow.next().await.is_none());
        hub.to_all(&frame);
        assert!(quick.next().await.is_some());
        assert_eq!(hub.counts(), (1, 1));
    }

    #[tokio::test]
    async fn a_watcher_that_is_gone_is_forgotten() {
        let hub = Hub::default();
        let watcher = hub.watcher();
        watcher.watch(SessionId::new());
        watcher.watch_fleet();
        drop(watcher);
        assert!(hub.watchers().of_session.is_empty());
        assert!(!hub.fleet_is_watched());
    }
}
