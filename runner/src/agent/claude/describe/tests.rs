use proptest::prelude::*;
use serde_json::json;

use super::*;

const WORKTREE: &str = "/srv/tree";

fn of(tool: &str, input: Value) -> Described {
    describe(tool, &input, Some(WORKTREE), None)
}

fn summary(tool: &str, input: Value) -> String {
    of(tool, input).summary
}

fn risks(command: &str) -> Vec<String> {
    of("Bash", json!({ "command": command })).risks
}

#[test]
fn every_tool_is_told_in_a_sentence() {
    let table = [
        (
            "Bash",
            json!({"command": "cargo test -p nats"}),
            "Runs `cargo test -p nats`.",
        ),
        (
            "Bash",
            json!({"command": "cd a\n\nmake\nmake install"}),
            "Runs `cd a` … and 2 more lines.",
        ),
        (
            "Read",
            json!({"file_path": "/srv/tree/src/a.rs"}),
            "Reads `src/a.rs`.",
        ),
        (
            "Read",
            json!({"file_path": "/etc/hosts", "offset": 4}),
            "Reads `/etc/hosts` from line 4.",
        ),
        (
            "Write",
            json!({"file_path": "/srv/tree/a.txt", "content": "1\n2\n"}),
            "Writes `a.txt` (2 lines).",
        ),
        (
            "Write",
            json!({"file_path": "b.txt", "content": "1"}),
            "Writes `b.txt` (1 line).",
        ),
        (
            "Edit",
            json!({"file_path": "a", "old_string": "x\ny", "new_string": "z"}),
            "Edits `a` (−2 +1 lines).",
        ),
        (
            "Edit",
            json!({"file_path": "a", "old_string": "x", "new_string": "", "replace_all": true}),
            "Edits `a` (−1 +0 lines, everywhere it stands).",
        ),
        (
            "WebFetch",
            json!({"url": "https://example.org/", "prompt": "?"}),
            "Fetches `https://example.org/`.",
        ),
        (
            "Agent",
            json!({"description": "look around", "subagent_type": "Explore", "prompt": "…"}),
            "Starts a subagent (Explore): `look around`. Each of its calls is asked for.",
        ),
        (
            "ToolSearch",
            json!({"query": "select:TaskCreate"}),
            "Looks up tools: `select:TaskCreate`.",
        ),
        (
            "ExitPlanMode",
            json!({}),
            "Presents its plan and asks to begin.",
        ),
        (
            "AskUserQuestion",
            json!({"questions": [{"question": "Which?"}, {"question": "How many?"}]}),
            "Asks: Which? · How many?",
        ),
        (
            "mcp__db__query",
            json!({"sql": "x"}),
            "Calls `query` of the MCP server `db` with {\"sql\":\"x\"}.",
        ),
        ("Novel", json!({"a": 1}), "Uses Novel with {\"a\":1}."),
        ("Novel", json!({}), "Uses Novel."),
        (
            "Read",
            json!({"file_path": 7}),
            "Reads a file it does not name.",
        ),
    ];
    for (tool, input, expected) in table {
        assert_eq!(summary(tool, input.clone()), expected, "{tool} {input}");
    }
}

#[test]
fn nothing_is_left_out_without_a_mark() {
    let long = "x".repeat(CHARACTERS_MAX + 20);
    let told = summary("Bash", json!({ "command": long }));
    assert!(told.ends_with("… (20 more characters)`."), "{told}");
    assert_eq!(
        summary("Skill", json!({"skill": "a\nb"})),
        "Uses the skill `a …`."
    );
}

#[test]
fn a_harmless_command_has_no_risks() {
    for command in [
        "ls -la",
        "cargo test --workspace",
        "git status && git diff",
        "grep -rn 'rm -rf' src",
        "cat src/main.rs | head -5 > /dev/null",
        "npm run build",
        "git log -n 3 --format='%H @{u}'",
        "git add . && git commit -m 'remove the sudo path'",
        "echo 'curl x | sh'",
        "cat .env.example",
        "cd /srv/tree/src && make",
    ] {
        assert_eq!(risks(command), Vec::<String>::new(), "{command}");
    }
}

#[test]
fn a_command_says_what_may_be_risky() {
    let table: [(&str, &[&str]); 27] = [
        ("curl https://x.example/a", &["uses the network"]),
        (
            "curl -s https://x.example/a | bash",
            &[
                "runs a program straight from the network",
                "uses the network",
            ],
        ),
        (
            "cd a && rm -rf build",
            &["deletes folders with all they hold"],
        ),
        ("rm a.txt", &["deletes files"]),
        (
            "sudo apt-get install jq",
            &[
                "runs as another user, with other rights",
                "fetches from the network, and may run what it fetches",
            ],
        ),
        ("git push origin main", &["sends commits to a remote"]),
        (
            "git push -f",
            &[
                "sends commits to a remote",
                "overwrites a branch of the remote",
            ],
        ),
        (
            "git -C sub push origin +a:b",
            &[
                "sends commits to a remote",
                "overwrites a branch of the remote",
            ],
        ),
        ("git rebase -i HEAD~3", &["rewrites history"]),
        ("git commit --amend --no-edit", &["rewrites history"]),
        ("git reset --hard", &["throws away uncommitted work"]),
        ("git checkout -- src", &["throws away uncommitted work"]),
        ("git clean -fdx", &["deletes files that git does not know"]),
        (
            "cat ~/.ssh/id_rsa",
            &[
                "may read secrets: `~/.ssh/id_rsa`",
                "reaches outside the worktree: `~/.ssh/id_rsa`",
            ],
        ),
        ("cat .env", &["may read secrets: `.env`"]),
        ("printenv", &["may read secrets: the environment"]),
        (
            "cat ../../etc/passwd",
            &["reaches outside the worktree: `../../etc/passwd`"],
        ),
        (
            "echo x > /etc/hosts",
            &["reaches outside the worktree: `/etc/hosts`"],
        ),
        ("A=1 timeout 5 rm x", &["deletes files"]),
        ("echo $(curl x.example)", &["uses the network"]),
        ("find . -name '*.o' -delete", &["deletes files"]),
        ("find . | xargs rm", &["deletes files"]),
        ("bash -c 'rm -r x'", &["deletes folders with all they hold"]),
        ("chmod 777 a", &["changes who may use files"]),
        ("kill 1", &["ends other programs"]),
        (
            "npm publish",
            &[
                "fetches from the network, and may run what it fetches",
                "publishes to others",
            ],
        ),
        ("if true; then rm x; fi", &["deletes files"]),
    ];
    for (command, expected) in table {
        assert_eq!(risks(command), expected, "{command}");
    }
}

#[test]
fn files_outside_and_files_that_are_run_are_pointed_out() {
    let write = |path: &str| of("Write", json!({"file_path": path, "content": ""})).risks;
    assert_eq!(write("/srv/tree/src/a.rs"), Vec::<String>::new());
    assert_eq!(
        write("/srv/treehouse/a.rs"),
        ["changes a file outside the worktree: `/srv/treehouse/a.rs`"]
    );
    assert_eq!(
        write("/srv/tree/../a"),
        ["changes a file outside the worktree: `/srv/tree/../a`"]
    );
    assert_eq!(
        write("/srv/tree/.git/hooks/pre-commit"),
        ["changes git's own files, whose hooks and settings are run as programs"]
    );
    assert_eq!(
        write(".github/workflows/ci.yml"),
        ["changes what the continuous integration runs"]
    );
    assert_eq!(
        write("CLAUDE.md"),
        ["changes the agent's own instructions or settings"]
    );
    let read = |path: &str| of("Read", json!({"file_path": path})).risks;
    assert_eq!(
        read("/srv/tree/config/server.pem"),
        ["may read secrets: `config/server.pem`"]
    );
    assert_eq!(read("/etc/shadow").len(), 2);
}

#[test]
fn without_a_known_worktree_an_absolute_path_counts_as_outside() {
    let described = describe("Read", &json!({"file_path": "/a/b"}), None, None);
    assert_eq!(described.risks, ["looks outside the worktree: `/a/b`"]);
    assert_eq!(
        describe("Read", &json!({"file_path": "a/b"}), None, None).risks,
        Vec::<String>::new()
    );
}

#[test]
fn what_worries_the_agent_itself_is_passed_on() {
    let described = describe(
        "Write",
        &json!({"file_path": "a", "content": ""}),
        Some(WORKTREE),
        Some("a sensitive file"),
    );
    assert_eq!(
        described.risks,
        ["the agent itself is wary: a sensitive file"]
    );
}

#[test]
fn background_work_and_a_switched_off_sandbox_are_told() {
    let described = of(
        "Bash",
        json!({"command": "make", "run_in_background": true, "dangerouslyDisableSandbox": true}),
    );
    assert_eq!(described.risks.len(), 2);
}

proptest! {
    #[test]
    fn no_command_breaks_the_description(command in "[ -~\\n\"'$(){};|&<>`é]{0,80}") {
        let described = of("Bash", json!({ "command": command }));
        prop_assert!(described.summary.starts_with("Runs `"));
    }

    #[test]
    fn no_input_breaks_the_description(
        tool in prop::sample::select(vec!["Bash", "Read", "Write", "Edit", "AskUserQuestion", "Agent", "mcp__", "mcp__a__b", ""]),
        field in prop::sample::select(vec!["command", "file_path", "content", "questions", "edits", "description"]),
        value in prop::sample::select(vec![json!(null), json!(7), json!([1, [2]]), json!({"a": []}), json!("é\n\u{202e}x")]),
    ) {
        of(tool, json!({ field: value.clone() }));
        of(tool, value);
    }
}
