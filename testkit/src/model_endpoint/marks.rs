//! What an agent says in its user's name, or beside it.
//!
//! Claude Code puts words of its own into the conversation: reminders, notes beside a tool's
//! result, marks of what happened. None of them is a prompt, or the play would stop at them. The
//! only place of the scripted model that knows these phrases.

/// The mark of an interruption.
const INTERRUPTED: &str = "[Request interrupted";
/// The word to go on after a resume.
const RESUMED: &str = "Continue from where you left off.";
/// The word to go on after a stream that broke.
const BROKEN_OFF: &str = "Your response above was cut off mid-stream.";
/// Around what the user said while a turn was running.
const STEERED: [&str; 2] = [
    "The user sent a new message while you were working:\n",
    "\n\n",
];
/// Around what a task in the background came to.
const NOTICE: [&str; 2] = ["<task-notification>", "</task-notification>"];
const REMINDER: [&str; 2] = ["<system-reminder>", "</system-reminder>"];

pub(super) fn is_interruption(text: &str) -> bool {
    text.starts_with(INTERRUPTED)
}

pub(super) fn is_broken_off(text: &str) -> bool {
    text.starts_with(BROKEN_OFF)
}

/// What the user said while a turn was running.
pub(super) fn steered(text: &str) -> Option<&str> {
    between(text, STEERED[0], STEERED[1])
}

/// What a task in the background came to: its result, or else whatever is told of it.
pub(super) fn notice(text: &str) -> Option<&str> {
    let notice = between(text, NOTICE[0], NOTICE[1])?;
    between(notice, "<result>", "</result>").or(Some(notice))
}

/// What remains of a text of the user's when all that is the agent's own is taken away.
pub(super) fn without_the_agents_own(text: &str) -> Option<String> {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, reminder)) = rest.split_once(REMINDER[0]) {
        kept.push_str(before);
        rest = reminder
            .split_once(REMINDER[1])
            .map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    let kept = kept.trim();
    let is_mark = [INTERRUPTED, RESUMED, BROKEN_OFF, STEERED[0], NOTICE[0]]
        .iter()
        .any(|mark| kept.starts_with(mark));
    (!kept.is_empty() && !is_mark).then(|| kept.to_owned())
}

/// The folder that an agent says it works in.
pub(super) fn folder(text: &str) -> Option<&str> {
    between(text, "Primary working directory: ", "\n")
}

/// The file that an agent in plan mode wants the plan in.
pub(super) fn plan_file(text: &str) -> Option<&str> {
    let new = between(text, "create your plan at ", " using the Write tool");
    new.or_else(|| between(text, "A plan file already exists at ", ". You can read it"))
}

/// The text after the last `open` up to `close`, or up to the end.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let (_, rest) = text.rsplit_once(open)?;
    let told = rest.split_once(close).map_or(rest, |(told, _)| told).trim();
    (!told.is_empty()).then_some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reminders_and_marks_are_not_the_users() {
        assert_eq!(
            without_the_agents_own("<system-reminder>\nsay no\n</system-reminder>\n"),
            None
        );
        assert_eq!(
            without_the_agents_own("say a<system-reminder>x</system-reminder> b").as_deref(),
            Some("say a b")
        );
        assert_eq!(
            without_the_agents_own("say a<system-reminder>never closed").as_deref(),
            Some("say a")
        );
        for mark in ["[Request interrupted by user]", RESUMED, BROKEN_OFF, " \n"] {
            assert_eq!(without_the_agents_own(mark), None, "{mark}");
        }
    }

    #[test]
    fn what_the_agent_tells_is_found() {
        let steer = "The user sent a new message while you were working:\nstop that\n\nThis is how it is told.";
        assert_eq!(steered(steer), Some("stop that"));
        assert_eq!(
            notice("<task-notification>\n<result>done</result>\n</task-notification>"),
            Some("done")
        );
        assert_eq!(
            notice("<task-notification>failed</task-notification>"),
            Some("failed")
        );
        assert_eq!(
            folder(" - Primary working directory: /tmp/a b\n - Platform: linux"),
            Some("/tmp/a b")
        );
        let plan = "You should create your plan at /a b/plans/x.md using the Write tool.";
        assert_eq!(plan_file(plan), Some("/a b/plans/x.md"));
        let plan = "A plan file already exists at /plans/x.md. You can read it and more.";
        assert_eq!(plan_file(plan), Some("/plans/x.md"));
    }
}
