//! How long a fault goes on that does not strike once and is over. Knows nothing of how it is done.

use std::time::Duration;

use super::fault::Fault;

/// By kind of fault, since each is to outlast something else.
#[derive(Debug, Clone, Copy)]
pub struct Silences {
    /// A network that comes back: longer than anybody keeps a connection that says nothing.
    pub cut: Duration,
    /// Longer than every heartbeat: presence lives for 10 s, and three pings of a connection are 15 s.
    pub freeze: Duration,
    pub storm: Duration,
    pub disk: Duration,
}

impl Default for Silences {
    fn default() -> Self {
        Self {
            cut: Duration::from_secs(60),
            freeze: Duration::from_secs(20),
            storm: Duration::from_secs(15),
            disk: Duration::from_secs(15),
        }
    }
}

/// One of two coordinators is away for so long, where nobody starts it again at once.
const COORDINATOR_AWAY: Duration = Duration::from_secs(5);

impl Silences {
    /// All of them the same.
    #[must_use]
    pub const fn all(time: Duration) -> Self {
        Self {
            cut: time,
            freeze: time,
            storm: time,
            disk: time,
        }
    }

    /// Zero for what strikes once.
    #[must_use]
    pub const fn of(&self, fault: Fault) -> Duration {
        match fault {
            Fault::None
            | Fault::Agent
            | Fault::Shim
            | Fault::Runner
            | Fault::Coordinator
            | Fault::Nats
            | Fault::Host
            | Fault::Everything
            | Fault::Power(..)
            | Fault::Clock(..) => Duration::ZERO,
            Fault::OneCoordinator => COORDINATOR_AWAY,
            Fault::Storm => self.storm,
            Fault::FreezeRunner | Fault::FreezeCoordinator | Fault::FreezeNats => self.freeze,
            Fault::Cut
            | Fault::CutOut
            | Fault::CutIn
            | Fault::LinkCut
            | Fault::LinkOut
            | Fault::LinkIn => self.cut,
            Fault::DiskFull => self.disk,
        }
    }
}
