//! The worktree, seen from its session: made once, looked at whenever something may have changed.

use std::path::PathBuf;

use nats::command::SessionStart;
use nats::event::FileChanged;
use nats::ids::SessionId;

use super::machine::{Input, Opened};
use super::perform::Done;
use super::task::Task;
use crate::host::Host;
use crate::worktree::{self, Change, Changes, Created, Project, Snapshot, Store, Worktree};

pub struct Looked {
    changes: Changes,
    snapshot: Snapshot,
}

/// One look at a time, and another when something happened meanwhile.
#[derive(Default)]
pub struct Files {
    looking: bool,
    look_again: bool,
}

impl Task {
    pub(super) fn open_worktree(&mut self) {
        let host = self.parts.host.clone();
        let start = self.saved.machine.start().clone();
        let session = self.identity.session;
        self.background
            .spawn_blocking(move || Done::Opened(open(&host, session, &start)));
    }

    pub(super) fn look_at_files(&mut self, tool_use: Option<String>) {
        if self.files.looking {
            self.files.look_again = true;
            return;
        }
        self.files.looking = true;
        let host = self.parts.host.clone();
        let project = self.saved.machine.start().project.clone();
        let session = self.identity.session;
        let before = self.saved.snapshot.clone();
        self.background.spawn_blocking(move || Done::Files {
            looked: look(&host, session, &project, before).map_err(|error| crate::chain(&error)),
            tool_use,
        });
    }

    pub(super) async fn files_looked(
        &mut self,
        looked: Result<Looked, String>,
        tool_use: Option<String>,
    ) {
        self.files.looking = false;
        match looked {
            Ok(Looked { changes, snapshot }) => {
                // Recorded with the events that tell of it, so that a change is told once.
                self.saved.snapshot = Some(snapshot);
                let inputs = inputs(changes, tool_use.as_ref());
                if !inputs.is_empty() {
                    self.step(inputs, None).await;
                }
            }
            Err(reason) => tracing::warn!(
                reason,
                tool_use,
                "could not see what changed in the worktree"
            ),
        }
        if std::mem::take(&mut self.files.look_again) {
            self.look_at_files(None);
        }
    }
}

fn open(host: &Host, session: SessionId, start: &SessionStart) -> Result<Opened, String> {
    let Some(checkout) = host.checkout(&start.project) else {
        return Err(format!("this host has no project `{}`", start.project));
    };
    create(host, session, start, &checkout).map_err(|error| crate::chain(&error))
}

fn create(
    host: &Host,
    session: SessionId,
    start: &SessionStart,
    checkout: &std::path::Path,
) -> Result<Opened, worktree::Error> {
    let project = Project::recognise(checkout)?;
    let store = Store::open(&host.stores, &project.id)?;
    let path = host.worktree(&start.project, session);
    let created = match Worktree::create(
        &store,
        &project,
        &path,
        &session.short(),
        start.base.as_deref(),
    ) {
        // Made by a runner that ended before it could say so. It appeared by a rename, so it is complete.
        Err(worktree::Error::WorktreeExists(_)) => {
            let worktree = Worktree::open(&store, &path, &session.short())?;
            let (branch, base) = (worktree.branch(), worktree.base()?);
            Created {
                worktree,
                branch,
                base,
                uncommitted: project.uncommitted,
            }
        }
        other => other?,
    };
    Ok(Opened {
        branch: created.branch,
        base: created.base,
        worktree: path.display().to_string(),
        uncommitted: created.uncommitted,
    })
}

fn look(
    host: &Host,
    session: SessionId,
    project: &str,
    before: Option<Snapshot>,
) -> Result<Looked, worktree::Error> {
    let store = Store::open(&host.stores, project)?;
    let path: PathBuf = host.worktree(project, session);
    let worktree = Worktree::open(&store, &path, &session.short())?;
    match before {
        Some(before) => match worktree.changes_since(&before) {
            Ok((changes, snapshot)) => Ok(Looked { changes, snapshot }),
            // Lost in a power cut: told twice is better than never told again.
            Err(error) => {
                tracing::warn!(error = %crate::chain(&error), "what was seen before is lost; everything is told anew");
                first_look(&worktree)
            }
        },
        None => first_look(&worktree),
    }
}

/// Everything that differs from where the session started.
fn first_look(worktree: &Worktree) -> Result<Looked, worktree::Error> {
    Ok(Looked {
        snapshot: worktree.snapshot()?,
        changes: worktree.diff()?,
    })
}

fn inputs(changes: Changes, tool_use: Option<&String>) -> Vec<Input> {
    let mut inputs = Vec::new();
    if !changes.files.is_empty() {
        let changes = changes
            .files
            .into_iter()
            .map(|file| event(file, tool_use.cloned()))
            .collect();
        inputs.push(Input::FilesChanged { changes });
    }
    if changes.unlisted > 0 {
        inputs.push(Input::Warning {
            code: "many_files_changed".to_owned(),
            message: format!("{} more files changed and are not listed", changes.unlisted),
            hint: Some("ask for the session's diff to see them".to_owned()),
        });
    }
    inputs
}

fn event(file: worktree::FileChange, tool_use: Option<String>) -> FileChanged {
    FileChanged {
        path: file.path,
        old_path: file.old_path,
        change: match file.change {
            Change::Created => nats::event::FileChange::Created,
            Change::Modified => nats::event::FileChange::Modified,
            Change::Deleted => nats::event::FileChange::Deleted,
            Change::Renamed => nats::event::FileChange::Renamed,
        },
        added: u32::try_from(file.added).unwrap_or(u32::MAX),
        removed: u32::try_from(file.removed).unwrap_or(u32::MAX),
        patch: file.patch,
        binary: file.binary,
        truncated: file.truncated,
        tool_use,
    }
}
