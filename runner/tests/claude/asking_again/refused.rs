//! Calls that cannot be asked again as they were: that is said, nothing is written, and the conversation carries on.

use runner::agent::{AgentEvent, AskAgainError};
use testkit::model_endpoint::ModelEndpoint;

use super::{both, carries_on, waiting};

#[tokio::test]
async fn several_calls_without_an_answer_are_refused_and_the_conversation_carries_on() {
    for program in both() {
        let model = ModelEndpoint::start().await;
        let script = "together\nread README.md\nread README.md\nend\nsay both";
        let (mut agent, first) = waiting(&model, program, script).await;
        let second = agent.asked().await;
        agent.stop_after_writing(&second.tool_use).await;
        for ask in [&first, &second] {
            let error = agent.ask_again(ask).unwrap_err();
            assert!(
                matches!(error, AskAgainError::Several { calls: 2 }),
                "{error}"
            );
        }
        carries_on(&model, &mut agent).await;
    }
}

#[tokio::test]
async fn a_call_that_others_wait_behind_is_refused_though_only_it_was_asked_for() {
    for program in both() {
        let model = ModelEndpoint::start().await;
        let script = "together\nread README.md\nwrite one.txt one\nend\nsay both";
        let (mut agent, ask) = waiting(&model, program, script).await;
        agent.stop_after_writing("one.txt").await;
        let error = agent.ask_again(&ask).unwrap_err();
        assert!(
            matches!(error, AskAgainError::Several { calls: 2 }),
            "{error}"
        );
        carries_on(&model, &mut agent).await;
    }
}

#[tokio::test]
async fn a_kill_at_the_first_instant_leaves_nothing_to_ask_and_nothing_broken() {
    for program in both() {
        let model = ModelEndpoint::start().await;
        let (mut agent, ask) = waiting(&model, program, "write one.txt one\nsay done").await;
        agent.stop().await;
        // The call is written a few milliseconds after it was asked for; it is not on the disk but by accident.
        if agent.has_written(&ask.tool_use) {
            agent.ask_again(&ask).unwrap();
            continue;
        }
        let before = agent.transcript().map(|path| std::fs::read(path).unwrap());
        let error = agent.ask_again(&ask).unwrap_err();
        let expected = if before.is_some() {
            matches!(error, AskAgainError::NotAtTheEnd)
        } else {
            matches!(error, AskAgainError::NoTranscript)
        };
        assert!(expected, "{error}");
        let after = agent.transcript().map(|path| std::fs::read(path).unwrap());
        assert_eq!(after, before);
        carries_on(&model, &mut agent).await;
        assert!(!agent.path("one.txt").exists());
    }
}

#[tokio::test]
async fn a_call_of_a_subagent_is_refused_and_the_conversation_carries_on() {
    for program in both() {
        let model = ModelEndpoint::start().await;
        let (mut agent, outer) =
            waiting(&model, program, "agent write below.txt x\nsay done").await;
        agent.allow(&outer).await;
        let inner = agent
            .until("the inner call", |event| {
                matches!(event, AgentEvent::Asked(_))
            })
            .await;
        let AgentEvent::Asked(inner) = inner else {
            unreachable!()
        };
        assert_eq!(inner.parent.as_ref(), Some(&outer.tool_use));
        agent.stop_after_writing(&outer.tool_use).await;
        let error = agent.ask_again(&inner).unwrap_err();
        assert!(matches!(error, AskAgainError::NotAtTheEnd), "{error}");
        carries_on(&model, &mut agent).await;
        assert!(!agent.path("below.txt").exists());
    }
}

#[tokio::test]
async fn a_command_is_not_asked_again_for_another_folder() {
    for program in both() {
        let model = ModelEndpoint::start().await;
        let script = "run mkdir below && cd below\nrun touch made";
        let (mut agent, ask) = waiting(&model, program, script).await;
        agent.allow(&ask).await;
        let ask = agent.asked().await;
        agent.stop_after_writing(&ask.tool_use).await;
        let error = agent.ask_again(&ask).unwrap_err();
        assert!(matches!(error, AskAgainError::Elsewhere { .. }), "{error}");
        carries_on(&model, &mut agent).await;
        assert!(!agent.path("made").exists() && !agent.path("below/made").exists());
    }
}
