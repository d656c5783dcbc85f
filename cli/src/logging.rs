//! Where log lines go and what they look like: for people on a terminal, for machines when asked.

use std::io::{self, IsTerminal as _};

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// How log lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For reading.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

impl Format {
    /// As it is written on a command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
        }
    }
}

/// Part of other commands' arguments, so it is no group of its own.
#[derive(Debug, Clone, Copy, clap::Args)]
#[group(skip)]
pub struct Arguments {
    /// How log lines are written.
    #[arg(long = "log-format", value_enum, default_value_t)]
    pub format: Format,
}

/// Logs to stderr what `RUST_LOG` asks for, and `quietest` when it asks for nothing.
pub fn start(format: Format, quietest: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(quietest));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    match format {
        Format::Human => lines.init(),
        Format::Json => lines.json().init(),
    }
}
