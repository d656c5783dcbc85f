//! What `flotilla runner enrol` can be told.

use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Where the coordinator is, as the command you were given says.
    #[arg(value_name = "URL")]
    pub(super) url: String,
    /// The token you were given. It serves once, for the host it names.
    #[arg(value_name = "TOKEN")]
    pub(super) token: String,
    /// The folder for this host's key, sessions and worktrees; `$XDG_DATA_HOME/flotilla` when not given.
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// A git repository that sessions may work on. May be given several times; a small demo is made when there is none.
    #[arg(long = "project", value_name = "PATH")]
    pub(super) projects: Vec<PathBuf>,
    /// Run the runner at once, until it is stopped.
    #[arg(long)]
    pub(super) start: bool,
}
