//! How Claude Code is started: so that it asks for everything, and runs nothing that the repository brings along.
//!
//! Owns the command line, the environment and the question whether a conversation is already there to resume. It
//! starts nothing, and knows neither shim nor socket.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::mode::{self, Mode};
use super::transcript;
use crate::agent::{AgentConfiguration, Launch, LaunchRequest};

/// Every tool asks, in every mode, whatever a repository allows; hooks of a repository, which could answer in our
/// place, do not run.
const SETTINGS: &str = r#"{"disableAllHooks":true,"permissions":{"ask":["*"]}}"#;

/// Taken from the runner's environment. Everything else stays behind: credentials, tokens of the host, and the marks
/// by which one agent tells another that it runs inside of it.
const PASSED_ON: [&str; 21] = [
    "PATH",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "USER",
    "LOGNAME",
    "SHELL",
    "TERM",
    "COLORTERM",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
];

/// Ours, unless the configuration says otherwise. `CLAUDE_CODE_SUBPROCESS_ENV_SCRUB=1`, which keeps a configured key
/// from the commands that the agent runs, is left to the configuration: with it, newer builds do not start on a
/// machine without bubblewrap.
const SET: [(&str, &str); 5] = [
    ("DISABLE_AUTOUPDATER", "1"),
    ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
    ("CLAUDE_CODE_ENTRYPOINT", "flotilla"),
    ("CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS", "1"),
    // Rewinding to an earlier message needs it from the first one on.
    ("CLAUDE_CODE_ENABLE_SDK_FILE_CHECKPOINTING", "true"),
];

const CONFIGURATION_FOLDER: &str = "CLAUDE_CONFIG_DIR";

/// Where the rehearsal agent remembers, in its home.
const REHEARSAL_MEMORY: &str = ".flotilla-rehearsal";

/// How many characters of a folder's name the agent keeps for its transcripts; then comes a mark of its own making.
const SLUG_CHARACTERS_MAX: usize = 200;

/// Program, arguments and the whole environment. A conversation that is on the disk goes on, another one begins.
#[must_use]
pub fn launch(request: &LaunchRequest<'_>) -> Launch {
    let transcript = transcript::find(
        &configuration_folder(request.configuration, request.home),
        request.session,
    );
    // Said aloud, because a repository may set another one, and a process does not take over that of the last one.
    let mode = transcript.as_deref().map_or(Mode::Default, mode::of);
    let mut args = request.configuration.args.clone();
    args.extend(
        [
            "-p",
            "--input-format",
            "stream-json",
            "--output-format",
            "stream-json",
            "--verbose",
            "--include-partial-messages",
            "--replay-user-messages",
            "--permission-prompt-tool",
            "stdio",
            "--permission-mode",
            mode.name(),
            "--settings",
            SETTINGS,
            // Without it the programs of a repository's `.mcp.json` are started, unasked.
            "--strict-mcp-config",
        ]
        .map(str::to_owned),
    );
    args.extend(opening(request, transcript.as_deref()));
    Launch {
        program: request.program.to_owned(),
        args,
        env: environment(request),
        cwd: request.worktree.to_owned(),
    }
}

/// Where the agent keeps transcripts, plans and its login.
#[must_use]
pub fn configuration_folder(configuration: &AgentConfiguration, home: &Path) -> PathBuf {
    configuration
        .env
        .get(CONFIGURATION_FOLDER)
        .map_or_else(|| home.join(".claude"), PathBuf::from)
}

/// The id of the session is the id of the conversation. The agent refuses to begin one that it knows, and to resume
/// one that it does not.
fn opening(request: &LaunchRequest<'_>, transcript: Option<&Path>) -> [String; 2] {
    let id = request.session.uuid().to_string();
    match transcript {
        // It looks an id up in the folder of its worktree only; from elsewhere it takes the file.
        Some(path) if !is_of(path, request.worktree) => {
            ["--resume".to_owned(), path.display().to_string()]
        }
        Some(_) => ["--resume".to_owned(), id],
        None if is_rehearsed(request) => ["--resume".to_owned(), id],
        None => ["--session-id".to_owned(), id],
    }
}

/// Whether it is a rehearsal's conversation, and it has begun.
pub(super) fn is_rehearsed(request: &LaunchRequest<'_>) -> bool {
    let memory = request.home.join(REHEARSAL_MEMORY);
    memory
        .join(format!("{}.jsonl", request.session.uuid()))
        .is_file()
}

/// Whether it is the transcript of a process that was started in this folder.
pub(super) fn is_of(transcript: &Path, worktree: &Path) -> bool {
    let worktree = worktree
        .canonicalize()
        .unwrap_or_else(|_| worktree.to_owned());
    let slug: String = worktree
        .to_string_lossy()
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character
            } else {
                '-'
            }
        })
        .collect();
    let folder = transcript
        .parent()
        .and_then(Path::file_name)
        .map(|folder| folder.to_string_lossy());
    match (folder, slug.get(..SLUG_CHARACTERS_MAX)) {
        (Some(folder), Some(start)) if slug.len() > SLUG_CHARACTERS_MAX => {
            folder.starts_with(start)
        }
        (Some(folder), _) => folder == slug,
        (None, _) => false,
    }
}

fn environment(request: &LaunchRequest<'_>) -> BTreeMap<String, String> {
    let passed_on = |name: &str| PASSED_ON.contains(&name) || name.starts_with("LC_");
    let mut environment: BTreeMap<String, String> = request
        .environment
        .iter()
        .filter(|(name, _)| passed_on(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    environment.insert("HOME".to_owned(), request.home.display().to_string());
    environment.extend(SET.map(|(name, value)| (name.to_owned(), value.to_owned())));
    environment.extend(request.configuration.env.clone());
    environment
}

#[cfg(test)]
mod tests;
