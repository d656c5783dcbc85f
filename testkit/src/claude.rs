//! Where the pinned, real Claude Code is, and the environment it runs in.
//!
//! Does not know its protocol: that belongs to who runs it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The newest version that Flotilla is tested with.
pub const VERSION: &str = "2.1.329";
/// The oldest one.
pub const OLDER_VERSION: &str = "2.1.197";

/// Talks in lines of JSON, and asks for every tool: as a runner starts it, but for the conversation.
pub const ARGUMENTS: [&str; 15] = [
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
    "default",
    "--settings",
    r#"{"disableAllHooks":true,"permissions":{"ask":["*"]}}"#,
    "--strict-mcp-config",
];

/// The binary named in `FLOTILLA_CLAUDE`, else the pinned one of [`VERSION`].
pub fn path() -> PathBuf {
    if let Some(named) = std::env::var_os("FLOTILLA_CLAUDE") {
        let named = PathBuf::from(named);
        assert!(
            named.is_file(),
            "FLOTILLA_CLAUDE names {}, and there is no file",
            named.display()
        );
        return named;
    }
    newest_path()
}

/// The pinned binary of [`VERSION`], whatever is named elsewhere: for what only that version does.
pub fn newest_path() -> PathBuf {
    pinned("@anthropic-ai", VERSION)
}

/// The pinned binary of [`OLDER_VERSION`].
pub fn older_path() -> PathBuf {
    pinned(
        "claude-code-2.1.197/node_modules/@anthropic-ai",
        OLDER_VERSION,
    )
}

/// All that it needs and nothing else: no credential, a home of its own, the scripted model.
///
/// To be set on a cleared environment. `home` is where it keeps its transcripts and settings.
pub fn scrubbed_environment(home: &Path, endpoint: &str) -> BTreeMap<String, String> {
    let home = home
        .to_str()
        .expect("temporary folders have readable names");
    let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".to_owned());
    let variables = [
        ("HOME", home.to_owned()),
        ("PATH", path),
        ("CLAUDE_CONFIG_DIR", format!("{home}/.claude")),
        ("ANTHROPIC_API_KEY", "no-credential".to_owned()),
        ("ANTHROPIC_BASE_URL", endpoint.to_owned()),
        ("DISABLE_AUTOUPDATER", "1".to_owned()),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".to_owned()),
        ("CLAUDE_CODE_ENTRYPOINT", "flotilla".to_owned()),
        ("CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS", "1".to_owned()),
        (
            "CLAUDE_CODE_ENABLE_SDK_FILE_CHECKPOINTING",
            "true".to_owned(),
        ),
    ];
    variables
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// `[agents.claude]` of a configuration: the pinned program, at the scripted model, with a home of its own.
pub fn section(home: &Path, endpoint: &str) -> String {
    let text = |text: &str| toml::Value::from(text);
    let environment: toml::Table = scrubbed_environment(home, endpoint)
        .into_iter()
        .filter(|(name, _)| name != "PATH")
        .map(|(name, value)| (name, value.into()))
        .collect();
    let section = toml::Table::from_iter([
        ("command".to_owned(), text(&path().to_string_lossy())),
        ("home".to_owned(), text(&home.to_string_lossy())),
        ("env".to_owned(), environment.into()),
    ]);
    let agents = toml::Table::from_iter([("claude".to_owned(), section.into())]);
    toml::Table::from_iter([("agents".to_owned(), agents.into())]).to_string()
}

/// The vendor packs one binary per platform; npm installs the one that fits this machine.
fn pinned(scope: &str, version: &str) -> PathBuf {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => panic!(
            "the vendor of Claude Code builds nothing for {other}: name a binary in FLOTILLA_CLAUDE"
        ),
    };
    let scope = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("agents/node_modules")
        .join(scope);
    ["", "-musl"]
        .map(|libc| scope.join(format!("claude-code-linux-{architecture}{libc}/claude")))
        .into_iter()
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| {
            panic!("these tests run the real Claude Code {version}, and it is not in {}: `make agents` fetches it", scope.display())
        })
}
