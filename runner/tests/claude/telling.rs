//! Agent events as text that a person can check: one line each, deltas of a block together.

use std::fmt::Write;

use runner::agent::{AgentEvent, Ask};

pub(crate) fn tell(events: &[AgentEvent]) -> String {
    let mut told = String::new();
    let mut rest = events;
    while let Some((event, after)) = rest.split_first() {
        rest = after;
        if let AgentEvent::Delta {
            message,
            block,
            kind,
            text,
        } = event
        {
            let mut text = text.clone();
            while let Some((
                AgentEvent::Delta {
                    message: m,
                    block: b,
                    text: more,
                    ..
                },
                after,
            )) = rest.split_first()
                && (m, b) == (message, block)
            {
                text.push_str(more);
                rest = after;
            }
            writeln!(told, "delta      {message} {block} {kind:?} {text:?}").unwrap();
        } else {
            told.push_str(&one(event));
        }
    }
    told
}

fn one(event: &AgentEvent) -> String {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let under = |parent: &Option<String>| {
        parent
            .as_ref()
            .map(|it| format!(" (under {it})"))
            .unwrap_or_default()
    };
    match event {
        AgentEvent::Ready { version, model } => {
            format!("READY      {} {}\n", or_none(version), or_none(model))
        }
        AgentEvent::MessageTaken { command } => format!("taken      {command}\n"),
        AgentEvent::TurnBegan => "TURN\n".to_owned(),
        AgentEvent::Delta { .. } => unreachable!("gathered above"),
        AgentEvent::Block {
            message,
            block,
            kind,
            text,
            parent,
        } if text.is_empty() => {
            format!("given up   {message} {block} {kind:?}{}\n", under(parent))
        }
        AgentEvent::Block {
            message,
            block,
            kind,
            text,
            parent,
        } => {
            format!(
                "block      {message} {block} {kind:?} {text:?}{}\n",
                under(parent)
            )
        }
        AgentEvent::ToolRequested {
            tool_use,
            tool,
            input,
            parent,
        } => {
            format!("wants      {tool_use} {tool} {input}{}\n", under(parent))
        }
        AgentEvent::Asked(ask) => asked(ask),
        AgentEvent::AskWithdrawn { request } => format!("withdrawn  {request}\n"),
        AgentEvent::ToolFinished {
            tool_use,
            outcome,
            output,
            files,
        } => {
            format!(
                "{outcome:<10} {tool_use} {output:?} files: {files:?}\n",
                outcome = format!("{outcome:?}")
            )
        }
        AgentEvent::Retrying {
            attempt,
            attempts_max,
            delay_ms,
            status,
            error,
        } => {
            format!("retrying   {attempt} of {attempts_max} in {delay_ms} ms: {error} {status:?}\n")
        }
        AgentEvent::TurnFinished {
            outcome,
            error,
            duration_ms,
            tokens,
            cost_usd_of_process,
            context_tokens,
            context_tokens_max,
        } => format!(
            "END        {outcome:?} {} in {duration_ms} ms, {} in {} out, ${cost_usd_of_process:.4} so far, context {context_tokens:?} of {context_tokens_max:?}\n",
            or_none(error),
            tokens.input,
            tokens.output,
        ),
        AgentEvent::WorksInBackground(works) => format!("background {works}\n"),
        AgentEvent::LimitReached { message, resets_at } => {
            format!("limit      {message} until {resets_at:?}\n")
        }
        AgentEvent::Notice {
            code,
            message,
            hint,
        } => format!("notice     {code}: {message} [{}]\n", or_none(hint)),
        AgentEvent::Reply(input) => format!(
            "reply      {} {}",
            input.id,
            String::from_utf8_lossy(&input.bytes)
        ),
    }
}

fn asked(ask: &Ask) -> String {
    let mut told = format!(
        "ASKED      {} {:?} {}: {}\n",
        ask.tool_use, ask.kind, ask.request, ask.summary
    );
    let mut add = |what: &str, text: &str| writeln!(told, "           {what}: {text}").unwrap();
    add("input", &ask.input.to_string());
    for risk in &ask.risks {
        add("risk", risk);
    }
    for choice in &ask.questions {
        let labels: Vec<&str> = choice
            .options
            .iter()
            .map(|option| option.label.as_str())
            .collect();
        let several = if choice.several { " (several)" } else { "" };
        add(
            "question",
            &format!(
                "{}: {} — {}{several}",
                choice.header,
                choice.question,
                labels.join(" | ")
            ),
        );
    }
    if let Some(plan) = &ask.plan {
        add("plan", &format!("{plan:?}"));
    }
    if let Some(parent) = &ask.parent {
        add("under", parent);
    }
    told
}
