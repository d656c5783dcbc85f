//! The processes of a fleet, as an administrator finds them: by what `/proc` says.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};

/// The shim of a session and the agent beneath it, each as far as it runs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Held {
    pub shim: Option<i32>,
    pub agent: Option<i32>,
}

/// Finds what holds each of `sessions` of the fleet whose data lies in `data`.
pub(crate) fn held(data: &Path, sessions: &[String]) -> Vec<Held> {
    let all = all();
    let found = sessions.iter().map(|session| {
        let folder = data.join("sessions").join(session);
        let folder = folder.to_string_lossy();
        let shim = all
            .iter()
            .find(|process| {
                process.is("shim") && process.words.iter().any(|word| word.contains(&*folder))
            })
            .map(|process| process.pid);
        let agent = all
            .iter()
            .find(|process| Some(process.parent) == shim && !process.is("flotilla-keeper"))
            .map(|process| process.pid);
        Held { shim, agent }
    });
    found.collect()
}

/// What a shim runs beside its agent.
pub(crate) fn keepers(shim: i32) -> Vec<i32> {
    all()
        .iter()
        .filter(|process| process.parent == shim && process.is("flotilla-keeper"))
        .map(|process| process.pid)
        .collect()
}

/// Every process with a word that contains `text`.
pub(crate) fn speaking_of(text: &str) -> Vec<i32> {
    let speaks = |process: &Process| process.words.iter().any(|word| word.contains(text));
    all()
        .iter()
        .filter(|process| speaks(process))
        .map(|process| process.pid)
        .collect()
}

/// Sends a signal; a process that is gone already is none of our business.
pub(crate) fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        kill_process(pid, signal).ok();
    }
}

/// Who works in the file system that is mounted at `folder`, or has a file of it open.
pub(crate) fn using(folder: &Path) -> Vec<i32> {
    let device = |path: &Path| std::fs::metadata(path).ok().map(|it| it.dev());
    let Some(wanted) = device(folder) else {
        return Vec::new();
    };
    let uses = |pid: &i32| {
        let process = PathBuf::from(format!("/proc/{pid}"));
        let files = std::fs::read_dir(process.join("fd"));
        let files = files.into_iter().flatten().flatten().map(|it| it.path());
        files
            .chain(["cwd", "root", "exe"].map(|name| process.join(name)))
            .any(|path| device(&path) == Some(wanted))
    };
    ids().filter(uses).collect()
}

struct Process {
    pid: i32,
    parent: i32,
    words: Vec<String>,
}

impl Process {
    fn is(&self, word: &str) -> bool {
        self.words.iter().any(|it| it == word)
    }
}

fn all() -> Vec<Process> {
    ids().filter_map(read).collect()
}

fn ids() -> impl Iterator<Item = i32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// None for one that has ended meanwhile, or is a zombie without words.
fn read(pid: i32) -> Option<Process> {
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let words: Vec<String> = words
        .split(|byte| *byte == 0)
        .filter(|word| !word.is_empty())
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let parent = status
        .lines()
        .find_map(|line| line.strip_prefix("PPid:"))?
        .trim()
        .parse()
        .ok()?;
    (!words.is_empty()).then_some(Process { pid, parent, words })
}
