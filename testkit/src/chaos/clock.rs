//! The wall clocks of a fleet's parts, each of which can be set.
//!
//! A library of ours is preloaded into runner and coordinator. nats-server is a static program that asks the kernel
//! itself, so its clock cannot be set this way; nor can the times that file systems give to files. Knows nothing of what
//! the parts do with the time.

use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::fleet::Fleet;

/// Whose clock is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Clock {
    Runner,
    Coordinator,
}

/// Which way it jumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Forward,
    Back,
}

/// Longer than every deadline, and than any summer time.
const STEP_SECONDS: i64 = 2 * 60 * 60;

impl Clock {
    /// The part's name, which is the first argument of its program.
    const fn part(self) -> &'static str {
        match self {
            Self::Runner => "runner",
            Self::Coordinator => "coordinator",
        }
    }

    pub(super) const fn fault_name(self, step: Step) -> &'static str {
        match (self, step) {
            (Self::Runner, Step::Forward) => "clock-forward-runner",
            (Self::Runner, Step::Back) => "clock-back-runner",
            (Self::Coordinator, Step::Forward) => "clock-forward-coordinator",
            (Self::Coordinator, Step::Back) => "clock-back-coordinator",
        }
    }
}

impl Step {
    pub(super) const fn explanation(self) -> &'static str {
        match self {
            Self::Forward => {
                "the wall clock of that part jumps 2 h ahead while it runs, and stays ahead"
            }
            Self::Back => {
                "the wall clock of that part jumps 2 h back while it runs, and stays back"
            }
        }
    }

    const fn seconds(self) -> i64 {
        match self {
            Self::Forward => STEP_SECONDS,
            Self::Back => -STEP_SECONDS,
        }
    }
}

/// The clocks of one fleet.
pub(super) struct Clocks {
    folder: TempDir,
}

impl Clocks {
    /// Builds the library, and sets every clock right.
    pub(super) fn new() -> Self {
        let clocks = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        let source = clocks.folder.path().join("clock.c");
        std::fs::write(&source, include_str!("clock.c")).expect("a file");
        let output = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(clocks.library())
            .arg(&source)
            .output()
            .expect("a C compiler is there: Rust links with it");
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "clock.c was not built: {words}");
        for clock in [Clock::Runner, Clock::Coordinator] {
            std::fs::write(clocks.file(clock), 0_i64.to_ne_bytes()).expect("a file");
        }
        clocks
    }

    /// What `flotilla up` must hand on to its parts.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        vec![
            ("LD_PRELOAD".to_owned(), text(self.library())),
            (
                "FLOTILLA_CHAOS_CLOCKS".to_owned(),
                text(self.folder.path().to_owned()),
            ),
        ]
    }

    /// Sets a clock, from this instant on, by another step.
    pub(super) fn step(&self, clock: Clock, step: Step) {
        let file = std::fs::File::options()
            .read(true)
            .write(true)
            .open(self.file(clock))
            .expect("the clock's file");
        let mut bytes = [0; 8];
        file.read_exact_at(&mut bytes, 0).expect("it has its bytes");
        let offset = i64::from_ne_bytes(bytes) + step.seconds();
        // Over the old bytes: an empty file beneath a mapping would end who reads it.
        file.write_all_at(&offset.to_ne_bytes(), 0)
            .expect("it can be written");
    }

    fn file(&self, clock: Clock) -> PathBuf {
        self.folder.path().join(clock.part())
    }

    fn library(&self) -> PathBuf {
        self.folder.path().join("clock.so")
    }
}

/// Whether the part runs by the clock that was set: one that does not would prove nothing.
pub(super) fn runs_by(clocks: &Clocks, clock: Clock, fleet: &Fleet) -> bool {
    let pid = &fleet.ready()["pids"][clock.part()];
    let mapped = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    mapped.contains(&*clocks.file(clock).to_string_lossy())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn is_off(said: Timestamp, step: Step) -> bool {
        let ahead = said.as_second() - Timestamp::now().as_second();
        ahead * step.seconds().signum() > STEP_SECONDS / 2
    }

    #[test]
    fn a_part_is_told_the_time_of_its_own_clock() {
        let clocks = Clocks::new();
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("runner"), "printf '%(%s)T' -1").unwrap();
        std::fs::write(place.path().join("coordinator"), "printf '%(%s)T' -1").unwrap();
        let said = |part: &str| {
            let mut command = Command::new("bash");
            command.arg(part).current_dir(place.path());
            let output = command.envs(clocks.environment()).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            Timestamp::from_second(text.parse().unwrap()).unwrap()
        };
        clocks.step(Clock::Runner, Step::Forward);
        assert!(is_off(said("runner"), Step::Forward));
        assert!(!is_off(said("coordinator"), Step::Forward));
        clocks.step(Clock::Coordinator, Step::Back);
        assert!(is_off(said("coordinator"), Step::Back));
    }
}
