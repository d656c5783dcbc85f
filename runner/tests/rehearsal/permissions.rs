//! Tools: nothing without an answer, and exactly what was answered.

use serde_json::{Value, json};

use crate::process::{Place, result_text};

#[tokio::test]
async fn nothing_is_written_before_the_answer() {
    let place = Place::new();
    let mut agent = place.start(&[]);
    agent.prompt("u1", "write sub/a.txt one\\ntwo").await;
    let asked = agent.next("control_request").await;
    let file = place.work().join("sub/a.txt");
    let request = &asked["request"];
    assert_eq!(
        (&request["subtype"], &request["tool_name"]),
        (&json!("can_use_tool"), &json!("Write"))
    );
    assert_eq!(
        request["input"],
        json!({ "file_path": file, "content": "one\ntwo" })
    );
    let block = agent
        .heard
        .iter()
        .find(|line| line["type"] == "assistant")
        .expect("the wish was said");
    assert_eq!(block["message"]["content"][0]["id"], request["tool_use_id"]);
    assert!(!file.exists());

    agent.allow(&asked).await;
    let result = agent.next("user").await;
    assert_eq!(std::fs::read_to_string(&file).expect("written"), "one\ntwo");
    assert_eq!(result["tool_use_result"]["type"], "create");
    assert_eq!(
        result["message"]["content"][0]["tool_use_id"],
        request["tool_use_id"]
    );
}

#[tokio::test]
async fn the_changed_input_is_what_is_done() {
    let place = Place::new();
    std::fs::write(place.work().join("b.txt"), "old\n").expect("written");
    let mut agent = place.start(&[]);
    agent.prompt("u1", "write a.txt asked").await;
    let asked = agent.next("control_request").await;
    let input = json!({ "file_path": place.work().join("b.txt"), "content": "allowed\n" });
    agent
        .answer(
            &asked,
            json!({ "behavior": "allow", "updatedInput": input }),
        )
        .await;
    let result = agent.next("user").await;
    assert!(!place.work().join("a.txt").exists());
    assert_eq!(
        std::fs::read_to_string(place.work().join("b.txt")).expect("written"),
        "allowed\n"
    );
    assert_eq!(
        result["tool_use_result"]["structuredPatch"][0]["lines"],
        json!(["-old", "+allowed"])
    );
}

#[tokio::test]
async fn a_denial_is_passed_on_word_for_word_and_the_script_goes_on() {
    let place = Place::new();
    let mut agent = place.start(&[]);
    agent.prompt("u1", "run touch never\nsay after").await;
    let asked = agent.next("control_request").await;
    agent
        .answer(
            &asked,
            json!({ "behavior": "deny", "message": "No: keep it." }),
        )
        .await;
    let refused = agent.next("user").await;
    assert_eq!(result_text(&refused), "No: keep it.");
    assert_eq!(refused["message"]["content"][0]["is_error"], true);
    assert_eq!(refused["tool_use_result"], "Error: No: keep it.");
    let result = agent.next("result/success").await;
    assert_eq!(
        (
            &result["result"],
            &result["permission_denials"][0]["tool_name"]
        ),
        (&json!("after"), &json!("Bash"))
    );
    assert!(!place.work().join("never").exists());
}

#[tokio::test]
async fn a_denial_that_stops_ends_the_turn() {
    let place = Place::new();
    let mut agent = place.start(&[]);
    agent.prompt("u1", "run touch never\nsay after").await;
    let asked = agent.next("control_request").await;
    agent
        .answer(
            &asked,
            json!({ "behavior": "deny", "message": "stop", "interrupt": true }),
        )
        .await;
    let result = agent.next("result").await;
    assert_eq!(result["terminal_reason"], "aborted_tools");
    assert!(!place.work().join("never").exists());
}

#[tokio::test]
async fn whatever_is_not_a_yes_runs_nothing() {
    let place = Place::new();
    let mut agent = place.start(&[]);
    for (at, answer) in [
        json!({ "behavior": "allow" }),
        json!({ "behavior": "perhaps" }),
        Value::Null,
    ]
    .into_iter()
    .enumerate()
    {
        agent.prompt(&format!("u{at}"), "run touch never").await;
        let asked = agent.next("control_request").await;
        agent.answer(&asked, answer).await;
        let refused = agent
            .find("a result", |line| line["tool_use_result"].is_string())
            .await;
        assert!(
            result_text(&refused).starts_with("Tool permission request failed"),
            "{refused}"
        );
        agent.next("result/success").await;
    }
    assert!(!place.work().join("never").exists());
}

#[tokio::test]
async fn only_the_first_answer_counts_and_only_to_what_is_asked() {
    let place = Place::new();
    let mut agent = place.start(&[]);
    agent
        .prompt("u1", "run echo yes > file\nrun echo no > file")
        .await;
    let first = agent.next("control_request").await;
    agent
        .allow(&json!({ "request_id": "nobody", "request": { "input": {} } }))
        .await;
    agent
        .answer(&first, json!({ "behavior": "deny", "message": "no" }))
        .await;
    agent.allow(&first).await;
    let second = agent.next("control_request").await;
    assert!(!place.work().join("file").exists());
    assert_ne!(first["request_id"], second["request_id"]);
}

#[tokio::test]
async fn a_command_reports_output_exit_code_and_what_is_beyond_the_limit() {
    let mut agent = Place::new().start(&[]);
    agent.prompt("u1", "run echo out; echo err >&2\nrun echo bad; exit 3\nrun head -c 100000 /dev/zero | tr '\\0' x").await;
    let mut results = Vec::new();
    for _ in 0..3 {
        let asked = agent.next("control_request").await;
        agent.allow(&asked).await;
        results.push(
            agent
                .find("a result", |line| !line["tool_use_result"].is_null())
                .await,
        );
    }
    assert_eq!(results[0]["tool_use_result"]["stdout"], "out\n");
    assert_eq!(results[0]["tool_use_result"]["stderr"], "err\n");
    assert_eq!(result_text(&results[0]), "out\nerr");
    assert_eq!(result_text(&results[1]), "Exit code 3\nbad");
    assert!(result_text(&results[2]).ends_with("… 70000 bytes more"));
}

#[tokio::test]
async fn what_a_command_leaves_behind_ends_with_its_step() {
    let place = Place::new();
    let mut agent = place.start(&[]);
    agent.prompt("u1", "run sleep 1000 & echo $! > pid").await;
    let asked = agent.next("control_request").await;
    agent.allow(&asked).await;
    agent.next("result/success").await;
    let left = place.written_pid("pid").await;
    Place::gone(left).await;
}

#[tokio::test]
async fn a_question_takes_a_label_or_any_text_and_its_answer_can_be_used() {
    let place = Place::new();
    let mut agent = place.start(&[]);
    agent
        .prompt("u1", "ask Which? | A | B\nsay It is {answer}.")
        .await;
    let asked = agent.next("control_request").await;
    let mut input = asked["request"]["input"].clone();
    assert_eq!(asked["request"]["tool_name"], "AskUserQuestion");
    assert_eq!(input["questions"][0]["options"][1]["label"], "B");
    input["answers"] = json!({ "Which?": "neither" });
    agent
        .answer(
            &asked,
            json!({ "behavior": "allow", "updatedInput": input }),
        )
        .await;
    let answered = agent.next("user").await;
    assert_eq!(
        answered["tool_use_result"]["answers"],
        json!({ "Which?": "neither" })
    );
    assert!(result_text(&answered).contains("\"Which?\"=\"neither\""));
    assert_eq!(
        agent.next("result/success").await["result"],
        "It is neither."
    );
}

#[tokio::test]
async fn a_plan_is_approved_or_edited() {
    let mut agent = Place::new().start(&[]);
    agent.prompt("u1", "plan # Plan\\nfirst this").await;
    let asked = agent.next("control_request").await;
    assert_eq!(asked["request"]["tool_name"], "ExitPlanMode");
    assert_eq!(asked["request"]["input"]["plan"], "# Plan\nfirst this");
    agent
        .answer(
            &asked,
            json!({ "behavior": "allow", "updatedInput": { "plan": "# Better" } }),
        )
        .await;
    let approved = agent.next("user").await;
    assert_eq!(approved["tool_use_result"]["planWasEdited"], true);
    assert!(result_text(&approved).contains("# Better"));
}

#[tokio::test]
async fn a_file_is_read_with_numbers_and_a_missing_one_is_an_error() {
    let place = Place::new();
    std::fs::write(place.work().join("a.txt"), "one\ntwo\n").expect("written");
    let mut agent = place.start(&[]);
    agent.prompt("u1", "read a.txt\nread b.txt").await;
    let asked = agent.next("control_request").await;
    agent.allow(&asked).await;
    let read = agent.next("user").await;
    assert_eq!(result_text(&read), "     1\tone\n     2\ttwo");
    assert_eq!(read["tool_use_result"]["file"]["content"], "one\ntwo\n");
    let asked = agent.next("control_request").await;
    agent.allow(&asked).await;
    assert_eq!(
        result_text(&agent.next("user").await),
        "File does not exist."
    );
}

#[tokio::test]
async fn any_other_prompt_gets_the_tour_which_says_that_it_is_no_model() {
    let place = Place::new();
    std::fs::write(place.work().join("README.md"), "# Shop\n").expect("written");
    let mut agent = place.start(&[]);
    agent.prompt("u1", "Please fix the login bug").await;
    let words = agent.next("assistant").await;
    assert!(
        words["message"]["content"][0]["text"]
            .as_str()
            .is_some_and(|text| text.contains("not a model"))
    );
    let mut tools = Vec::new();
    for _ in 0..4 {
        let asked = agent.next("control_request").await;
        let tool = asked["request"]["tool_name"]
            .as_str()
            .expect("a name")
            .to_owned();
        let mut input = asked["request"]["input"].clone();
        if tool == "AskUserQuestion" {
            let question = input["questions"][0]["question"]
                .as_str()
                .expect("a question")
                .to_owned();
            input["answers"] = json!({ question: "Approvals work" });
        }
        agent
            .answer(
                &asked,
                json!({ "behavior": "allow", "updatedInput": input }),
            )
            .await;
        tools.push(tool);
    }
    assert_eq!(tools, ["Read", "AskUserQuestion", "Write", "Bash"]);
    agent.next("result/success").await;
    let note = std::fs::read_to_string(place.work().join("REHEARSAL.md")).expect("written");
    assert!(note.contains("Approvals work"), "{note}");
}
