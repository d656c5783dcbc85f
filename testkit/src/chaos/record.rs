//! What a run has seen, a line of JSON for each thing, written as it is seen: a run that is broken off has not lost it,
//! and several runs can be told of in one report.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// One line.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Line {
    Run(Run),
    Round(Round),
    Missed(Missed),
    NotRun(NotRun),
    End(End),
}

/// A run begins: what it stands on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Run {
    /// Date and time.
    pub started: String,
    /// The commit that was built.
    pub commit: String,
    /// Programs and the machine, a line each.
    pub versions: Vec<String>,
    /// What was asked for, in words.
    pub settings: Vec<String>,
}

/// Which fault, at which moment, befell whose session. By name, so that a line outlives the code that wrote it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cell {
    pub agent: String,
    pub fault: String,
    pub moment: String,
}

/// A fault has struck once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Round {
    #[serde(flatten)]
    pub cell: Cell,
    pub round: usize,
    pub sessions: Vec<Seen>,
    /// Of the machine, over the last minute.
    pub load: f64,
    pub violations: Vec<String>,
}

/// What came of one session.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Seen {
    /// Allowed calls that ran exactly once.
    pub ran: usize,
    /// Denied calls that did not run.
    pub denied: usize,
    /// Calls whose agent died while they may have run.
    pub unknown: usize,
    /// Gates that were withdrawn, with a reason.
    pub withdrawn: usize,
    /// Requests that were refused, and sent again.
    #[serde(default)]
    pub refused: usize,
    /// Requests whose answer was cut off, and that were sent again.
    #[serde(default)]
    pub cut_off: usize,
    /// From the end of the fault to the session's rest. None when it did not come to rest.
    pub recovery_ms: Option<u64>,
}

/// A moment did not come, so nothing was struck.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Missed {
    #[serde(flatten)]
    pub cell: Cell,
    pub round: usize,
    pub words: String,
}

/// A fault that this machine does not let us make.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NotRun {
    pub fault: String,
    pub words: String,
}

/// A run has ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct End {
    pub elapsed_s: u64,
    /// Before it had done what was asked for.
    pub broken_off: bool,
}

/// The file in the folder of a run.
pub struct Journal {
    file: File,
}

impl Journal {
    /// Goes on at the end, when there is one already.
    pub fn open(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let file = File::options()
            .create(true)
            .append(true)
            .open(path(folder))?;
        Ok(Self { file })
    }

    pub fn write(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        self.file.write_all(text.as_bytes())
    }
}

/// Every line of a run, given its folder or its file. A last line that was cut off is left out.
pub fn read(from: &Path) -> io::Result<Vec<Line>> {
    let file = if from.is_dir() {
        path(from)
    } else {
        from.to_owned()
    };
    let lines = BufReader::new(File::open(file)?).lines();
    lines
        .filter_map(|line| match line {
            Ok(line) => serde_json::from_str(&line).ok().map(Ok),
            Err(error) => Some(Err(error)),
        })
        .collect()
}

fn path(folder: &Path) -> PathBuf {
    folder.join("rounds.jsonl")
}
