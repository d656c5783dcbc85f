//! Which agents this machine has.
//!
//! What is configured counts as configured; what is on PATH is found without configuration; the rehearsal is always
//! there. Runs nothing but `--version`, with an empty hand: no credential, no more time than it needs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::configuration::{AgentConfiguration, Dialect};
use super::launch::{REHEARSAL, REHEARSE, is_this_program};

/// An agent that sessions may ask for by its name, there or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub name: String,
    /// What people call it.
    pub title: String,
    /// What it says of itself; none when it is not there, or did not say.
    pub version: Option<String>,
    /// Resolved and absolute; none when there is no such program.
    pub program: Option<PathBuf>,
    pub dialect: Dialect,
    /// Whether a session can be started with it.
    pub available: bool,
    /// What to do about it when it is not available.
    pub hint: Option<String>,
}

const CLAUDE: &str = "claude";

/// The first start of a large program from a cold disk takes seconds; one that hangs must not hold up the others.
const VERSION_TIMEOUT: Duration = Duration::from_secs(10);

/// Everything configured, `claude` and `rehearsal`, by name. `flotilla_program` is this program.
pub async fn discover(
    configurations: &BTreeMap<String, AgentConfiguration>,
    flotilla_program: &Path,
) -> Vec<Found> {
    // PATH, and what a program needs to say its version; looked at anew each time, as is everything here.
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| ENVIRONMENT.contains(&name.as_str()))
        .collect();
    let here = Here {
        flotilla_program,
        environment,
    };
    here.discover(configurations).await
}

/// All that `--version` gets to see.
const ENVIRONMENT: [&str; 4] = ["PATH", "HOME", "LANG", "TMPDIR"];

struct Here<'a> {
    flotilla_program: &'a Path,
    environment: BTreeMap<String, String>,
}

impl Here<'_> {
    async fn discover(&self, configurations: &BTreeMap<String, AgentConfiguration>) -> Vec<Found> {
        let mut configurations = configurations.clone();
        configurations.entry(CLAUDE.to_owned()).or_default();
        configurations.entry(REHEARSAL.to_owned()).or_default();
        let looks = configurations
            .iter()
            .map(|(name, configuration)| self.look(name, configuration));
        futures::future::join_all(looks).await
    }

    async fn look(&self, name: &str, configuration: &AgentConfiguration) -> Found {
        let rehearses = is_this_program(name, configuration);
        let command = match &configuration.command {
            Some(command) => command.clone(),
            None if rehearses => self.flotilla_program.display().to_string(),
            None => name.to_owned(),
        };
        let program = self.resolve(&command);
        let version = match &program {
            Some(program) => self.version(program, configuration, rehearses).await,
            None => None,
        };
        Found {
            name: name.to_owned(),
            title: title(name),
            hint: program.is_none().then(|| hint(name, &command)),
            available: program.is_some(),
            dialect: Dialect::Claude,
            version,
            program,
        }
    }

    /// A command with a slash is a path; another one is looked up on PATH.
    fn resolve(&self, command: &str) -> Option<PathBuf> {
        let candidates: Vec<PathBuf> = if command.contains('/') {
            vec![PathBuf::from(command)]
        } else {
            let path = self
                .environment
                .get("PATH")
                .map(String::as_str)
                .unwrap_or_default();
            std::env::split_paths(path)
                .map(|folder| folder.join(command))
                .collect()
        };
        let found = candidates
            .into_iter()
            .find(|candidate| is_program(candidate))?;
        std::path::absolute(found).ok()
    }

    /// The first word with a digit in front, of the first line that it prints: `2.1.329 (Claude Code)`.
    async fn version(
        &self,
        program: &Path,
        configuration: &AgentConfiguration,
        rehearses: bool,
    ) -> Option<String> {
        let mut command = Command::new(program);
        command
            .args(rehearses.then_some(REHEARSE))
            .args(&configuration.args)
            .arg("--version")
            .env_clear()
            .envs(&self.environment)
            .env("DISABLE_AUTOUPDATER", "1")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let output = tokio::time::timeout(VERSION_TIMEOUT, command.output())
            .await
            .ok()?
            .ok()?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = printed.lines().next().filter(|_| output.status.success())?;
        let word = line
            .split_whitespace()
            .find(|word| word.starts_with(|first: char| first.is_ascii_digit()));
        Some(word.unwrap_or(line).to_owned()).filter(|version| !version.is_empty())
    }
}

fn is_program(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

fn title(name: &str) -> String {
    match name {
        CLAUDE => "Claude Code".to_owned(),
        REHEARSAL => "Rehearsal (a script, no model)".to_owned(),
        other => other.to_owned(),
    }
}

fn hint(name: &str, command: &str) -> String {
    match name {
        CLAUDE if command == CLAUDE => {
            "install it with `npm install -g @anthropic-ai/claude-code`, and run `claude` once to log in".to_owned()
        }
        _ => format!("there is no program `{command}`: set `command` in `[agents.{name}]`"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn program(folder: &Path, name: &str, script: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn here<'a>(path: &Path, flotilla_program: &'a Path) -> Here<'a> {
        let path = format!("{}:/usr/bin:/bin", path.display());
        Here {
            flotilla_program,
            environment: BTreeMap::from([("PATH".to_owned(), path)]),
        }
    }

    #[tokio::test]
    async fn what_is_on_the_path_is_found_and_asked_for_its_version_with_an_empty_hand() {
        let folder = tempfile::tempdir().unwrap();
        let claude = program(
            folder.path(),
            "claude",
            r#"echo "2.1.329$CARGO_MANIFEST_DIR (Claude Code)""#,
        );
        let flotilla = program(
            folder.path(),
            "flotilla",
            r#"[ "$1 $2" = "rehearse --version" ] && echo 0.1.0"#,
        );
        let found = here(folder.path(), &flotilla)
            .discover(&BTreeMap::new())
            .await;
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].name.as_str(), found[0].version.as_deref()),
            ("claude", Some("2.1.329"))
        );
        assert_eq!(found[0].program.as_deref(), Some(claude.as_path()));
        assert!(found[0].available && found[0].hint.is_none());
        assert_eq!(
            (found[1].name.as_str(), found[1].version.as_deref()),
            ("rehearsal", Some("0.1.0"))
        );
    }

    #[tokio::test]
    async fn what_is_not_there_says_how_to_get_it() {
        let folder = tempfile::tempdir().unwrap();
        let mine = AgentConfiguration {
            command: Some("/nowhere/agent".to_owned()),
            ..AgentConfiguration::default()
        };
        let configured = BTreeMap::from([("mine".to_owned(), mine)]);
        let flotilla = folder.path().join("flotilla");
        let environment =
            BTreeMap::from([("PATH".to_owned(), folder.path().display().to_string())]);
        let found = Here {
            flotilla_program: &flotilla,
            environment,
        }
        .discover(&configured)
        .await;
        let hints: Vec<(&str, &str)> = found
            .iter()
            .map(|it| (it.name.as_str(), it.hint.as_deref().unwrap_or_default()))
            .collect();
        assert!(
            hints[0]
                .1
                .contains("npm install -g @anthropic-ai/claude-code"),
            "{hints:?}"
        );
        assert_eq!(
            hints[1].1,
            "there is no program `/nowhere/agent`: set `command` in `[agents.mine]`"
        );
        assert!(found.iter().all(|it| !it.available && it.version.is_none()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_program_that_hangs_is_there_without_a_version() {
        let folder = tempfile::tempdir().unwrap();
        let command = program(folder.path(), "slow", "exec sleep 600")
            .display()
            .to_string();
        let configuration = AgentConfiguration {
            command: Some(command),
            ..AgentConfiguration::default()
        };
        let found = here(folder.path(), Path::new("/none"))
            .look("slow", &configuration)
            .await;
        assert_eq!((found.available, found.version), (true, None));
    }
}
