//! Questions and plans: what a person answers is what the model hears.

use nats::event::{Decision, GateKind, ToolOutcome, Verdict};
use runner::agent::AgentEvent;
use serde_json::json;
use testkit::model_endpoint::ModelEndpoint;

use crate::driver::Agent;
use crate::transcript::plain;

#[tokio::test]
async fn one_label_several_labels_and_words_of_ones_own_reach_the_model() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    agent
        .say(
            "ask Which database? | SQLite: embedded | Postgres\naskmany Which parts? | Wheels | Doors | Roof\n\
             ask Which colour? | Red | Blue\nask Anything else? | Yes | No",
        )
        .await;
    let ask = agent.asked().await;
    assert_eq!((ask.kind, ask.questions.len()), (GateKind::Question, 1));
    let choice = &ask.questions[0];
    assert_eq!(
        (choice.question.as_str(), choice.several),
        ("Which database?", false)
    );
    assert_eq!(
        (
            choice.options[0].label.as_str(),
            choice.options[0].description.as_str()
        ),
        ("SQLite", "embedded")
    );
    agent
        .choose(&ask, &[("Which database?", json!("Postgres"))])
        .await;

    let ask = agent.asked().await;
    assert!(model.last_tool_results()[0].contains("\"Which database?\"=\"Postgres\""));
    assert!(ask.questions[0].several);
    agent
        .choose(&ask, &[("Which parts?", json!(["Wheels", "Roof"]))])
        .await;

    let ask = agent.asked().await;
    assert!(model.last_tool_results()[0].contains("\"Which parts?\"=\"Wheels, Roof\""));
    agent
        .choose(&ask, &[("Which colour?", json!("something like \"dusk\""))])
        .await;

    let ask = agent.asked().await;
    assert!(
        model.last_tool_results()[0].contains("something like \"dusk\""),
        "{:?}",
        model.last_tool_results()
    );
    let word = Decision {
        reason: Some("Leave it at that.".to_owned()),
        ..plain(Verdict::Answer)
    };
    agent.decide(&ask, word).await;
    agent.ended().await;
    assert!(
        model.last_tool_results()[0].contains("Leave it at that."),
        "{:?}",
        model.last_tool_results()
    );
}

#[tokio::test]
async fn a_question_can_be_refused() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    agent.say("ask Which? | A | B").await;
    let ask = agent.asked().await;
    agent.deny(&ask, "Decide yourself.").await;
    agent.ended().await;
    assert_eq!(model.last_tool_results(), ["Decide yourself."]);
    let denied = |event: &AgentEvent| {
        matches!(
            event,
            AgentEvent::ToolFinished {
                outcome: ToolOutcome::Denied,
                ..
            }
        )
    };
    assert!(agent.said.iter().any(denied));
}

#[tokio::test]
async fn a_plan_is_shown_and_sent_back_and_changed_by_a_person() {
    let model = ModelEndpoint::start().await;
    let mut agent = Agent::start(&model).await;
    agent
        .say(
            "planmode\nplan # Build it\\n\\nfirst this\nplan # Build it\\n\\nfirst that\nsay begun",
        )
        .await;
    let mut plans = Vec::new();
    while plans.len() < 2 {
        let ask = agent.asked().await;
        if ask.kind != GateKind::Plan {
            agent.allow(&ask).await;
            continue;
        }
        plans.push(ask.plan.clone().unwrap_or_default());
        if plans.len() == 1 {
            agent.deny(&ask, "First that, please.").await;
        } else {
            let mut input = ask.input.clone();
            input["plan"] = json!("# Build it\n\nfirst that, and then stop");
            agent
                .decide(
                    &ask,
                    Decision {
                        input: Some(input),
                        ..plain(Verdict::Allow)
                    },
                )
                .await;
        }
    }
    agent.ended_with_all_allowed().await;
    assert!(
        plans[0].contains("first this") && plans[1].contains("first that"),
        "{plans:?}"
    );
    assert!(
        model.saw_text("First that, please."),
        "the reason is what the plan is revised by"
    );
    assert!(
        model.saw_text("first that, and then stop"),
        "the model gets the plan as the person left it"
    );
}
