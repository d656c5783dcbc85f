use super::*;

fn conversation(prompt: &str, played: usize, tool_results: &[&str]) -> Conversation {
    Conversation {
        prompt: prompt.to_owned(),
        played,
        tool_results: tool_results
            .iter()
            .map(|&result| result.to_owned())
            .collect(),
        folder: Some("/work".to_owned()),
        ..Conversation::default()
    }
}

fn parts(reply: Reply) -> Vec<Part> {
    match reply {
        Reply::Message(parts) => parts,
        refusal => panic!("{refusal:?}"),
    }
}

/// What a message holds, in short: texts as they are, tools by name.
fn outline(reply: Reply) -> Vec<String> {
    let describe = |part| match part {
        Part::Text { pieces, .. } => pieces.concat(),
        Part::Tool { name, .. } => name,
        other => format!("{other:?}"),
    };
    parts(reply).into_iter().map(describe).collect()
}

#[test]
fn a_message_ends_with_its_call_and_the_next_goes_on_after_it() {
    let script = "say first\nread a\nsay second\nrun ls";
    assert_eq!(
        outline(play(&conversation(script, 0, &[]), 0)),
        ["first", "Read"]
    );
    assert_eq!(
        outline(play(&conversation(script, 1, &["x"]), 0)),
        ["second", "Bash"]
    );
    assert_eq!(
        outline(play(&conversation(script, 2, &["y"]), 0)),
        ["The tools answered: “y”"]
    );
}

#[test]
fn plain_talk_has_no_closing() {
    assert_eq!(
        outline(play(&conversation("say hello", 0, &[]), 0)),
        ["hello"]
    );
}

#[test]
fn the_last_words_of_a_script_come_before_the_quotation() {
    let reply = play(&conversation("read a\nsay done", 1, &["no, not that"]), 0);
    assert_eq!(
        outline(reply),
        ["done", "The tools answered: “no, not that”"]
    );
}

#[test]
fn prose_is_echoed() {
    let said = outline(play(&conversation("good morning", 0, &[]), 0));
    assert!(said[0].starts_with("You said: “good morning”."), "{said:?}");
}

#[test]
fn calls_together_are_in_one_message_and_can_be_told_apart() {
    let reply = parts(play(
        &conversation("together\nread a\nread b\nend", 0, &[]),
        0,
    ));
    let ids: Vec<&str> = reply
        .iter()
        .map(|part| {
            if let Part::Tool { id, .. } = part {
                id.as_str()
            } else {
                ""
            }
        })
        .collect();
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn a_refusal_with_a_number_is_over_after_so_many() {
    let script = conversation("error 529 2\nerror 500 1\nsay at last", 0, &[]);
    assert_eq!(play(&script, 0), Reply::Refuse { status: 529 });
    assert_eq!(play(&script, 1), Reply::Refuse { status: 529 });
    assert_eq!(play(&script, 2), Reply::Refuse { status: 500 });
    assert_eq!(outline(play(&script, 3)), ["at last"]);
    assert_eq!(
        play(&conversation("error 400", 0, &[]), 99),
        Reply::Refuse { status: 400 }
    );
}

#[test]
fn a_stream_breaks_once_and_goes_on_where_the_agent_wants_it() {
    let mut script = conversation("say a\ncut\nsay b", 0, &[]);
    assert_eq!(outline(play(&script, 0)), ["a", "Cut", "b"]);
    assert_eq!(outline(play(&script, 1)), ["a", "b"]);
    script.broken_off = true;
    assert_eq!(outline(play(&script, 1)), ["b"]);
}

#[test]
fn a_plan_is_written_first_where_the_agent_wants_it() {
    let mut script = conversation("plan build it", 0, &[]);
    assert_eq!(outline(play(&script, 0)), ["ExitPlanMode"]);
    script.plan_file = Some("/home/plans/x.md".to_owned());
    assert_eq!(outline(play(&script, 0)), ["Write"]);
    script.played = 1;
    assert_eq!(outline(play(&script, 0)), ["ExitPlanMode"]);
}

#[test]
fn a_long_answer_is_quoted_in_part() {
    let long = "ü".repeat(QUOTE_CHARACTERS_MAX + 1);
    let said = outline(play(&conversation("read a", 1, &[&long]), 0));
    assert!(said[0].ends_with("ü…”"));
}

#[test]
fn what_the_user_said_meanwhile_is_acknowledged() {
    let mut script = conversation("read a", 1, &["x"]);
    script.steered = vec!["not so fast".to_owned()];
    assert_eq!(
        outline(play(&script, 0)),
        ["The tools answered: “x”\nMeanwhile you said: “not so fast”"]
    );
}

#[test]
fn a_notice_is_answered_instead_of_the_script() {
    let mut script = conversation("say hello", 0, &[]);
    script.notice = Some("all built".to_owned());
    assert_eq!(
        outline(play(&script, 0)),
        ["A task in the background reported: “all built”"]
    );
}

#[test]
fn a_limit_is_met_once() {
    let script = conversation("limit 5\nsay on", 0, &[]);
    assert_eq!(play(&script, 0), Reply::Limit { seconds: 5 });
    assert_eq!(outline(play(&script, 1)), ["on"]);
}
