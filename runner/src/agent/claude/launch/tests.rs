use std::fs;

use nats::ids::SessionId;

use super::*;

struct Home {
    folder: tempfile::TempDir,
    configuration: AgentConfiguration,
    session: SessionId,
    environment: BTreeMap<String, String>,
}

impl Home {
    fn new() -> Self {
        let environment = [
            ("PATH", "/usr/bin"),
            ("LC_ALL", "C.UTF-8"),
            ("HOME", "/home/other"),
            ("CLAUDECODE", "1"),
            ("CLAUDE_CODE_SESSION_ID", "x"),
            ("ANTHROPIC_API_KEY", "secret"),
            ("SSH_AUTH_SOCK", "/run/agent"),
            ("NODE_OPTIONS", "--require=x"),
            ("https_proxy", "http://proxy:3128"),
        ];
        Self {
            folder: tempfile::tempdir().unwrap(),
            configuration: AgentConfiguration::default(),
            session: SessionId::new(),
            environment: environment
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        }
    }

    fn worktree(&self) -> PathBuf {
        let worktree = self.folder.path().canonicalize().unwrap().join("a tree");
        fs::create_dir_all(&worktree).unwrap();
        worktree
    }

    fn launch(&self) -> Launch {
        launch(&LaunchRequest {
            session: self.session,
            configuration: &self.configuration,
            program: Path::new("/opt/claude"),
            worktree: &self.worktree(),
            home: self.folder.path(),
            environment: &self.environment,
        })
    }

    fn opening(&self) -> [String; 2] {
        let args = self.launch().args;
        [args[args.len() - 2].clone(), args[args.len() - 1].clone()]
    }

    fn write_transcript(&self, folder: &str) -> PathBuf {
        let folder = self.folder.path().join(".claude/projects").join(folder);
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{}.jsonl", self.session.uuid()));
        fs::write(&path, "{}\n").unwrap();
        path
    }
}

#[test]
fn the_environment_is_an_allow_list_and_what_the_configuration_adds() {
    let mut home = Home::new();
    home.configuration.env.insert(
        "ANTHROPIC_BASE_URL".to_owned(),
        "http://127.0.0.1:9".to_owned(),
    );
    home.configuration
        .env
        .insert("DISABLE_AUTOUPDATER".to_owned(), "0".to_owned());
    let environment = home.launch().env;
    let names: Vec<&str> = environment.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "ANTHROPIC_BASE_URL",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
            "CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS",
            "CLAUDE_CODE_ENABLE_SDK_FILE_CHECKPOINTING",
            "CLAUDE_CODE_ENTRYPOINT",
            "DISABLE_AUTOUPDATER",
            "HOME",
            "LC_ALL",
            "PATH",
            "https_proxy",
        ]
    );
    assert_eq!(
        environment["HOME"],
        home.folder.path().display().to_string()
    );
    assert_eq!(
        environment["DISABLE_AUTOUPDATER"], "0",
        "the configuration has the last word"
    );
}

#[test]
fn the_command_line_asks_for_everything_and_comes_after_the_configured_arguments() {
    let mut home = Home::new();
    home.configuration.args = vec!["--verbose-too".to_owned()];
    let launch = home.launch();
    assert_eq!(launch.args[0], "--verbose-too");
    for pair in [
        ["--permission-prompt-tool", "stdio"],
        ["--permission-mode", "default"],
        [
            "--settings",
            r#"{"disableAllHooks":true,"permissions":{"ask":["*"]}}"#,
        ],
    ] {
        assert!(
            launch.args.windows(2).any(|window| window == pair),
            "{pair:?}"
        );
    }
    assert!(launch.args.contains(&"--strict-mcp-config".to_owned()));
    assert_eq!(launch.cwd, home.worktree());
}

#[test]
fn a_first_start_chooses_the_id_and_a_later_one_resumes_it() {
    let home = Home::new();
    let id = home.session.uuid().to_string();
    assert_eq!(home.opening(), ["--session-id".to_owned(), id.clone()]);
    let slug: String = home
        .worktree()
        .display()
        .to_string()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    home.write_transcript(&slug);
    assert_eq!(home.opening(), ["--resume".to_owned(), id]);
}

#[test]
fn a_transcript_of_another_folder_is_resumed_by_its_path() {
    let home = Home::new();
    let path = home.write_transcript("-another-host-a-tree");
    assert_eq!(
        home.opening(),
        ["--resume".to_owned(), path.display().to_string()]
    );
}

#[test]
fn a_conversation_in_plan_mode_goes_on_in_plan_mode() {
    let home = Home::new();
    let path = home.write_transcript("-another-host-a-tree");
    let prompt = r#"{"type":"user","permissionMode":"plan","message":{"content":"think first"}}"#;
    fs::write(path, format!("{prompt}\n")).unwrap();
    let mode = ["--permission-mode", "plan"];
    assert!(home.launch().args.windows(2).any(|window| window == mode));
}

#[test]
fn a_rehearsal_that_remembers_is_resumed() {
    let home = Home::new();
    let memory = home.folder.path().join(REHEARSAL_MEMORY);
    fs::create_dir_all(&memory).unwrap();
    fs::write(memory.join(format!("{}.jsonl", home.session.uuid())), "").unwrap();
    assert_eq!(home.opening()[0], "--resume");
}

#[test]
fn a_configured_folder_holds_transcripts_and_plans() {
    let mut configuration = AgentConfiguration::default();
    assert_eq!(
        configuration_folder(&configuration, Path::new("/home/a")),
        Path::new("/home/a/.claude")
    );
    configuration
        .env
        .insert("CLAUDE_CONFIG_DIR".to_owned(), "/srv/claude".to_owned());
    assert_eq!(
        configuration_folder(&configuration, Path::new("/home/a")),
        Path::new("/srv/claude")
    );
}
