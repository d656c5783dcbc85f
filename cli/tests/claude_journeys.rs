//! The main job with the real Claude Code against a scripted model on loopback. Contracts pinned here: every tool is
//! gated (reading too), decisions reach the model as a person gave them, files change in the session's own worktree
//! and nowhere else, and killing the runner or the coordinator is never noticed by the agent.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use serde_json::{Value, json};
use testkit::fleet::{Fleet, Options};
use testkit::model_endpoint::ModelEndpoint;
use testkit::repository::Repository;

struct Journey {
    fleet: Fleet,
    model: ModelEndpoint,
    shop: Repository,
    _home: tempfile::TempDir,
}

impl Journey {
    async fn start() -> Self {
        let shop = Repository::new("a shop é")
            .file("README.md", "# Shop\nopen daily\n")
            .file("src/till.rs", "fn main() {}\n")
            .commit();
        let model = ModelEndpoint::start().await;
        let home = tempfile::tempdir().unwrap();
        let environment = testkit::claude::scrubbed_environment(home.path(), &model.url());
        let env: toml::Table = environment
            .into_iter()
            .filter(|(name, _)| name != "PATH")
            .map(|(name, value)| (name, value.into()))
            .collect();
        let mut claude = toml::Table::new();
        claude.insert(
            "command".into(),
            testkit::claude::path().display().to_string().into(),
        );
        claude.insert("home".into(), home.path().display().to_string().into());
        claude.insert("env".into(), env.into());
        let agents: toml::Table = [(
            "agents".to_owned(),
            toml::Table::from_iter([("claude".to_owned(), claude.into())]).into(),
        )]
        .into_iter()
        .collect();
        let options = Options {
            projects: vec![shop.path().to_owned()],
            agents: agents.to_string(),
            ..Options::default()
        };
        Self {
            fleet: Fleet::start(options).await,
            model,
            shop,
            _home: home,
        }
    }

    async fn send(&self, session: &str, text: &str) {
        self.fleet
            .post(
                &format!("/api/sessions/{session}/messages"),
                json!({"text": text}),
            )
            .await;
    }

    async fn allow(&self, session: &str, tool: &str) -> Value {
        let gate = self.fleet.gate(session).await;
        assert_eq!(gate["tool"], tool, "{gate}");
        self.fleet
            .decide(
                &gate,
                json!({"decision": "allow", "input_hash": gate["input_hash"]}),
            )
            .await;
        gate
    }

    fn events_of<'a>(events: &'a [Value], tag: &str) -> Vec<&'a Value> {
        events.iter().filter(|event| event["type"] == tag).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_tool_is_gated_and_files_change_in_the_sessions_worktree_only() {
    let journey = Journey::start().await;
    let fleet = &journey.fleet;
    let before = journey.shop.snapshot();
    let session = fleet
        .start_session("claude", "say I look around first\nrun ls\nread README.md\nwrite notes.txt hello\nrun cat notes.txt")
        .await;
    journey.allow(&session, "Bash").await;
    journey.allow(&session, "Read").await;
    let worktree = fleet.worktree(&session).await;
    let write = fleet.gate(&session).await;
    assert_eq!(write["tool"], "Write");
    assert!(
        !worktree.join("notes.txt").exists(),
        "nothing runs undecided"
    );
    fleet.decide(&write, json!({"decision": "allow"})).await;
    journey.allow(&session, "Bash").await;
    fleet.wait_state(&session, &["idle"]).await;
    assert_eq!(
        std::fs::read_to_string(worktree.join("notes.txt")).unwrap(),
        "hello"
    );
    assert!(fleet.said(&session).await.contains("I look around first"));
    let changed = fleet
        .wait_event(&session, "the file change", |event| {
            event["type"] == "file.changed"
        })
        .await;
    assert_eq!(changed["data"]["path"], "notes.txt");
    assert_eq!(
        before.differences(&journey.shop.snapshot()),
        Vec::<String>::new(),
        "the checkout was written"
    );
    fleet.assert_contiguous(&session).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denial_and_an_answer_reach_the_model_word_for_word() {
    let journey = Journey::start().await;
    let fleet = &journey.fleet;
    let session = fleet
        .start_session(
            "claude",
            "write a.txt no\nask Which database? | SQLite | Postgres",
        )
        .await;
    let gate = fleet.gate(&session).await;
    fleet
        .decide(
            &gate,
            json!({"decision": "deny", "reason": "Not there, use src/ instead — \"please\""}),
        )
        .await;
    let question = fleet.gate(&session).await;
    assert_eq!(question["kind"], "question");
    fleet
        .decide(
            &question,
            json!({"decision": "answer", "answers": {"Which database?": "SQLite"}}),
        )
        .await;
    fleet.wait_state(&session, &["idle"]).await;
    assert!(
        journey
            .model
            .saw_text("Not there, use src/ instead — \"please\"")
    );
    assert!(journey.model.saw_text("\"Which database?\"=\"SQLite\""));
    assert!(!fleet.worktree(&session).await.join("a.txt").exists());
    let finished = fleet
        .wait_event(&session, "the denied tool", |event| {
            event["type"] == "tool.finished"
        })
        .await;
    assert_eq!(finished["data"]["outcome"], "denied");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_input_runs_in_place_of_the_one_that_was_asked() {
    let journey = Journey::start().await;
    let fleet = &journey.fleet;
    let session = fleet.start_session("claude", "write a.txt one").await;
    let gate = fleet.gate(&session).await;
    let mut input = gate["input"].clone();
    input["content"] = json!("two");
    fleet
        .decide(&gate, json!({"decision": "allow", "input": input}))
        .await;
    fleet.wait_state(&session, &["idle"]).await;
    assert_eq!(
        std::fs::read_to_string(fleet.worktree(&session).await.join("a.txt")).unwrap(),
        "two"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_ends_the_turn_and_the_conversation_goes_on() {
    let journey = Journey::start().await;
    let fleet = &journey.fleet;
    let session = fleet.start_session("claude", "stream 5000 20").await;
    fleet
        .wait_event(&session, "the message to be taken up", |event| {
            event["type"] == "message.delivered"
        })
        .await;
    fleet
        .post(&format!("/api/sessions/{session}/interrupt"), json!({}))
        .await;
    let finished = fleet
        .wait_event(&session, "the turn to end", |event| {
            event["type"] == "turn.finished"
        })
        .await;
    assert_eq!(finished["data"]["outcome"], "interrupted");
    journey
        .send(&session, "say And now for something else")
        .await;
    fleet
        .wait_event(&session, "the next answer", |event| {
            event["type"] == "message.assistant"
                && event["data"]["text"]
                    .as_str()
                    .is_some_and(|text| text.contains("something else"))
        })
        .await;
    fleet.wait_state(&session, &["idle"]).await;
    let last = journey.model.requests().pop().unwrap().to_string();
    assert!(
        last.contains("stream 5000 20"),
        "the conversation goes on with what was said before"
    );
    let events = fleet.events(&session).await;
    assert!(
        Journey::events_of(&events, "agent.exited").is_empty(),
        "it is the same agent"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_tool_calls_give_a_gate_each() {
    let journey = Journey::start().await;
    let fleet = &journey.fleet;
    let session = fleet
        .start_session(
            "claude",
            "together\nread README.md\nread src/till.rs\nwrite a.txt one\nend",
        )
        .await;
    assert_eq!(fleet.allow_all(&session).await, 3);
    let events = fleet.events(&session).await;
    let gates = Journey::events_of(&events, "gate.opened");
    let calls: std::collections::BTreeSet<_> = gates
        .iter()
        .map(|gate| gate["data"]["tool_use"].to_string())
        .collect();
    assert_eq!(calls.len(), 3);
    assert!(fleet.worktree(&session).await.join("a.txt").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subagent_asks_for_its_tools_and_a_plan_is_approved() {
    let journey = Journey::start().await;
    let fleet = &journey.fleet;
    let session = fleet
        .start_session(
            "claude",
            "agentwait run echo inside\nplanmode\nplan First this, then that",
        )
        .await;
    let gates = fleet.allow_all(&session).await;
    assert!(
        gates >= 3,
        "the agent call, its command and the plan each ask; {gates} did: {}",
        fleet.said(&session).await
    );
    let events = fleet.events(&session).await;
    let gates = Journey::events_of(&events, "gate.opened");
    let inner = gates
        .iter()
        .find(|gate| gate["data"]["input"]["command"] == "echo inside")
        .unwrap();
    assert!(inner["data"]["parent"].is_string(), "{inner}");
    let plan = gates
        .iter()
        .find(|gate| gate["data"]["kind"] == "plan")
        .unwrap();
    assert!(
        plan["data"]["plan"]
            .as_str()
            .unwrap()
            .contains("First this, then that"),
        "{plan}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_runner_and_coordinator_is_never_noticed_by_the_agent() {
    let journey = Journey::start().await;
    let fleet = &journey.fleet;
    let session = fleet
        .start_session(
            "claude",
            "stream 300 5\nrun echo ran >> ledger.txt\nsay all done",
        )
        .await;
    fleet
        .wait_event(&session, "the message to be taken up", |event| {
            event["type"] == "message.delivered"
        })
        .await;
    fleet.kill("runner").await;
    let gate = fleet.gate(&session).await;
    fleet.kill("coordinator").await;
    fleet.kill("runner").await;
    let again = fleet.gate(&session).await;
    assert_eq!(again["id"], gate["id"]);
    fleet.decide(&again, json!({"decision": "allow"})).await;
    fleet.wait_state(&session, &["idle"]).await;
    let ledger = fleet.worktree(&session).await.join("ledger.txt");
    assert_eq!(
        std::fs::read_to_string(ledger).unwrap(),
        "ran\n",
        "a tool runs once"
    );
    fleet.assert_contiguous(&session).await;
    let events = fleet.events(&session).await;
    assert!(Journey::events_of(&events, "agent.exited").is_empty());
    assert_eq!(Journey::events_of(&events, "gate.opened").len(), 1);
    let streamed = events
        .iter()
        .find(|event| event["type"] == "message.assistant")
        .unwrap();
    let words = streamed["data"]["text"]
        .as_str()
        .unwrap()
        .split_whitespace()
        .count();
    assert_eq!(words, 300, "no line was lost or doubled");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_model_is_told_and_the_session_lives_on() {
    let journey = Journey::start().await;
    let fleet = &journey.fleet;
    let session = fleet.start_session("claude", "error 400").await;
    let finished = fleet
        .wait_event(&session, "the turn to end", |event| {
            event["type"] == "turn.finished"
        })
        .await;
    assert_eq!(finished["data"]["outcome"], "failed", "{finished}");
    assert!(
        finished["data"]["error"].as_str().unwrap().contains("400"),
        "{finished}"
    );
    journey.send(&session, "say better now").await;
    fleet
        .wait_event(&session, "the next answer", |event| {
            event["data"]["text"]
                .as_str()
                .is_some_and(|text| text.contains("better now"))
                && event["type"] == "message.assistant"
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn text_with_a_slash_or_an_at_sign_is_text() {
    let journey = Journey::start().await;
    let fleet = &journey.fleet;
    let session = fleet
        .start_session("claude", "/cost of @README.md please")
        .await;
    fleet.wait_state(&session, &["idle"]).await;
    let asked = journey
        .model
        .requests()
        .iter()
        .map(Value::to_string)
        .collect::<String>();
    assert!(asked.contains("cost of"), "it reached the model as text");
    assert!(
        !asked.contains("open daily"),
        "no file was read without a gate"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_existing_login_just_works() {
    let shop = Repository::new("shop")
        .file("README.md", "# Shop\n")
        .commit();
    let model = ModelEndpoint::start().await;
    // What a person has who uses Claude Code in a terminal: the program on PATH, and their own settings.
    let (home, bin) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::os::unix::fs::symlink(testkit::claude::path(), bin.path().join("claude")).unwrap();
    let mut settings = testkit::claude::scrubbed_environment(home.path(), &model.url());
    settings.retain(|name, _| name.starts_with("ANTHROPIC_"));
    std::fs::create_dir(home.path().join(".claude")).unwrap();
    let text = json!({"env": settings}).to_string();
    std::fs::write(home.path().join(".claude/settings.json"), &text).unwrap();
    let fleet = Fleet::start(Options {
        projects: vec![shop.path().to_owned()],
        path_first: Some(bin.path().to_owned()),
        home: Some(home.path().to_owned()),
        ..Options::default()
    })
    .await;
    fleet.project().await;
    let agents = fleet.get("/api/agents").await;
    let claude = agents["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|agent| agent["name"] == "claude")
        .unwrap();
    assert_eq!(claude["available"], true, "{claude}");
    assert!(
        claude["hosts"][0]["version"]
            .as_str()
            .unwrap()
            .starts_with(testkit::claude::VERSION),
        "{claude}"
    );

    let session = fleet.start_session("claude", "say It works\nrun ls").await;
    assert_eq!(fleet.allow_all(&session).await, 1);
    assert!(fleet.said(&session).await.contains("It works"));
    let settings = std::fs::read_to_string(home.path().join(".claude/settings.json")).unwrap();
    assert_eq!(settings, text, "a person's settings are theirs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subagent_in_the_background_waits_for_a_person_when_its_turn_is_over() {
    let journey = Journey::start().await;
    let fleet = &journey.fleet;
    let session = fleet
        .start_session("claude", "agent run echo ran >> ledger.txt")
        .await;
    journey.allow(&session, "Agent").await;
    // The agent call returns at once: the turn ends without waiting for the subagent, which asks shortly before or after.
    fleet
        .wait_event(&session, "the turn to end", |event| {
            event["type"] == "turn.finished"
        })
        .await;
    let gate = journey.allow(&session, "Bash").await;
    assert!(gate["parent"].is_string(), "{gate}");
    let ledger = fleet.worktree(&session).await.join("ledger.txt");
    testkit::wait::until("the command to run", testkit::fleet::BOUND, async || {
        std::fs::read_to_string(&ledger).map_err(|error| error.to_string())
    })
    .await;
    fleet.wait_state(&session, &["idle"]).await;
    fleet.assert_contiguous(&session).await;
}
