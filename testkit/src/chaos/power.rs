//! A machine whose power is cut: its data lies on a file system of its own, of which the kernel forgets whatever was not
//! forced out to the disk.
//!
//! A kill keeps the page cache, so it never tests whether a file was on the disk before it was relied upon. Knows what
//! lies on which machine's disk, and how a cut is done; not what must survive one.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::processes;
use crate::wait;

/// Whose power is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Machine {
    /// The one with nats-server.
    Nats,
    /// The one with runner, shims and agents.
    Host,
    /// There is only one, `flotilla up` with everything.
    All,
}

/// What the disk is formatted with. They differ in what they save of a file that was never forced out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileSystem {
    Ext4,
    Xfs,
}

impl Machine {
    pub(super) const fn fault_name(self, file_system: FileSystem) -> &'static str {
        match (self, file_system) {
            (Self::Nats, FileSystem::Ext4) => "power-nats-ext4",
            (Self::Nats, FileSystem::Xfs) => "power-nats-xfs",
            (Self::Host, FileSystem::Ext4) => "power-host-ext4",
            (Self::Host, FileSystem::Xfs) => "power-host-xfs",
            (Self::All, FileSystem::Ext4) => "power-all-ext4",
            (Self::All, FileSystem::Xfs) => "power-all-xfs",
        }
    }

    pub(super) const fn explanation(self) -> &'static str {
        match self {
            Self::Nats => {
                "power cut of the machine of nats-server: its disk forgets what was not forced out (FS_IOC_SHUTDOWN \
                 without a flush), the process is killed, the disk is mounted again"
            }
            Self::Host => {
                "the same of the host: sessions, worktrees, the runner's stores and the agents' home; runner, shims, \
                 agents and their commands are killed"
            }
            Self::All => "the same of one machine with everything, `flotilla up` included",
        }
    }

    /// The folders of the data folder that lie on the disk; none means all of it.
    const fn folders(self) -> &'static [&'static str] {
        match self {
            Self::Nats => &["nats"],
            Self::Host => &["runner", "sessions", "worktrees"],
            Self::All => &[],
        }
    }

    /// Agents live on it, and what they remember is on its disk.
    pub(super) const fn has_agents(self) -> bool {
        matches!(self, Self::Host | Self::All)
    }
}

impl FileSystem {
    const fn name(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
        }
    }
}

/// Sparse, and more than the reserve of 256 MB below which the runner holds back new turns.
const IMAGE_BYTES: u64 = 1024 * 1024 * 1024;
/// A process that was killed in the middle of a write takes a moment to end.
const LET_GO_BOUND: Duration = Duration::from_secs(60);

/// A disk that can lose its power. Dropped, it is gone.
pub(super) struct PowerDisk {
    pub machine: Machine,
    file_system: FileSystem,
    folder: TempDir,
}

impl PowerDisk {
    /// Why this machine cannot do it, in a sentence.
    pub(super) fn obstacle(file_system: FileSystem) -> Option<String> {
        if !rustix::process::geteuid().is_root() {
            return Some("only root can mount the disk whose power is cut".to_owned());
        }
        Self::try_new(Machine::Nats, file_system)
            .and_then(|disk| disk.shut_down())
            .err()
    }

    /// Makes the disk and puts it under the data folder, before anything is in it.
    pub(super) fn new(machine: Machine, file_system: FileSystem) -> Self {
        Self::try_new(machine, file_system).unwrap_or_else(|words| panic!("{words}"))
    }

    fn try_new(machine: Machine, file_system: FileSystem) -> Result<Self, String> {
        let folder = tempfile::Builder::new()
            .prefix("a disk ü ")
            .tempdir()
            .expect("a temporary folder");
        let disk = Self {
            machine,
            file_system,
            folder,
        };
        let image = std::fs::File::create(disk.image()).expect("a file");
        image.set_len(IMAGE_BYTES).expect("a sparse file");
        run(Command::new(format!("mkfs.{}", file_system.name()))
            .arg("-q")
            .arg(disk.image()))?;
        std::fs::create_dir(disk.mount()).expect("a folder");
        disk.switch_on()?;
        Ok(disk)
    }

    /// The data folder of the fleet that has this disk.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Where agents and persons have their home, on the disk.
    pub(super) fn home(&self) -> PathBuf {
        self.mount().join("home")
    }

    /// The processes that would go dark with it: who works in it, or has a file of it open.
    pub(super) fn users(&self) -> Vec<i32> {
        processes::using(&self.mount())
    }

    /// Cuts the power. `known` are those who surely go dark; who else uses the disk goes with them. Nobody of them runs
    /// on to see the disk fail: on a machine without power nobody does.
    pub(super) fn cut(&self, known: &[i32]) {
        let mut dark = known.to_vec();
        for pid in &dark {
            processes::signal(*pid, Signal::STOP);
        }
        loop {
            let mut others = self.users();
            others.retain(|pid| !dark.contains(pid));
            if others.is_empty() {
                break;
            }
            for pid in &others {
                processes::signal(*pid, Signal::STOP);
            }
            dark.extend(others);
        }
        self.shut_down().unwrap_or_else(|words| panic!("{words}"));
        for pid in dark {
            processes::signal(pid, Signal::KILL);
        }
    }

    /// Gives it power again: what it holds now is what was forced out, and what its journal had.
    pub(super) async fn restore(&self) {
        wait::until("the dark disk to be let go", LET_GO_BOUND, async || {
            self.switch_off()
        })
        .await;
        self.switch_on().unwrap_or_else(|words| panic!("{words}"));
    }

    /// The kernel's own way to pretend it: nothing more reaches the disk, the journal neither.
    fn shut_down(&self) -> Result<(), String> {
        run(Command::new("xfs_io")
            .args(["-x", "-c", "shutdown"])
            .arg(self.mount()))
    }

    fn switch_on(&self) -> Result<(), String> {
        run(Command::new("mount")
            .args(["-o", "loop", "-t", self.file_system.name()])
            .arg(self.image())
            .arg(self.mount()))?;
        for (from, to) in self.places() {
            for folder in [&from, &to] {
                std::fs::create_dir_all(folder).expect("a folder");
            }
            run(Command::new("mount").arg("--bind").arg(from).arg(to))?;
        }
        std::fs::create_dir_all(self.home()).expect("a folder");
        Ok(())
    }

    fn switch_off(&self) -> Result<(), String> {
        let places = self.places().into_iter().map(|(_, to)| to);
        for place in places.chain([self.mount()]) {
            if is_mounted(&place) {
                run(Command::new("umount").arg(place))?;
            }
        }
        // One that is still held would write what it was to forget, beneath the feet of the next.
        let output = Command::new("losetup").arg("-j").arg(self.image()).output();
        let held = output.map_or_else(|error| error.to_string(), |it| text(&it.stdout));
        if held.is_empty() {
            Ok(())
        } else {
            Err(format!("the disk is still held: {held}"))
        }
    }

    /// What is on the disk, and where the fleet finds it.
    fn places(&self) -> Vec<(PathBuf, PathBuf)> {
        if self.machine == Machine::All {
            return vec![(self.mount().join("data"), self.data())];
        }
        let folders = self.machine.folders().iter();
        folders
            .map(|name| (self.mount().join(name), self.data().join(name)))
            .collect()
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    fn mount(&self) -> PathBuf {
        self.folder.path().join("disk")
    }
}

impl Drop for PowerDisk {
    fn drop(&mut self) {
        for pid in self.users() {
            processes::signal(pid, Signal::KILL);
        }
        // Lazily: a process that is just ending may still hold a file.
        let places = self.places().into_iter().map(|(_, to)| to);
        for place in places.chain([self.mount()]) {
            if is_mounted(&place) {
                Command::new("umount").arg("-l").arg(place).status().ok();
            }
        }
    }
}

fn is_mounted(path: &Path) -> bool {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let path = path.to_string_lossy().replace(' ', "\\040");
    mounts
        .lines()
        .any(|line| line.split(' ').nth(4) == Some(&path))
}

fn run(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{program} {}", said(&output))),
        Err(error) => Err(format!(
            "could not run {program} (Debian: apt install e2fsprogs xfsprogs): {error}"
        )),
    }
}

fn said(output: &Output) -> String {
    format!("ended with {}: {}", output.status, text(&output.stderr))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rest of the house stands on it: a cut that forgot nothing would prove nothing.
    #[tokio::test]
    async fn a_cut_forgets_what_was_not_forced_out_and_nothing_else() {
        // Others cannot mount; a run of theirs lists the power cuts as not run.
        if !rustix::process::geteuid().is_root() {
            return;
        }
        for file_system in [FileSystem::Ext4, FileSystem::Xfs] {
            if let Some(words) = PowerDisk::obstacle(file_system) {
                panic!("no power can be cut on this machine: {words}");
            }
            let disk = PowerDisk::new(Machine::All, file_system);
            let file = |name: &str| disk.data().join(name);
            std::fs::write(file("forced"), "x").unwrap();
            std::fs::File::open(file("forced"))
                .unwrap()
                .sync_all()
                .unwrap();
            std::fs::File::open(disk.data())
                .unwrap()
                .sync_all()
                .unwrap();
            std::fs::write(file("not"), "x").unwrap();
            disk.cut(&[]);
            disk.restore().await;
            assert_eq!(std::fs::read_to_string(file("forced")).unwrap(), "x");
            let left = std::fs::read_to_string(file("not")).unwrap_or_default();
            assert_eq!(left, "", "{file_system:?} kept it all the same");
        }
    }
}
