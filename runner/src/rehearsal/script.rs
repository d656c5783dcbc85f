//! The language of the script: one step a line.
//!
//! A prompt is a script when every line that is not empty is a step; any other prompt gets the tour. In the
//! text of a step `{answer}` stands for what was last answered to a question, and `\n` for a new line.

use std::path::Path;

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Say(String),
    /// So many words, so many milliseconds apart.
    Stream {
        words: u64,
        gap_ms: u64,
    },
    /// So many stamps of the clock, so many milliseconds apart: for measuring how long text is on its way.
    Stamps {
        count: u64,
        gap_ms: u64,
    },
    Read(String),
    Write {
        path: String,
        text: String,
    },
    Run(String),
    Ask {
        question: String,
        options: Vec<String>,
    },
    Plan(String),
    Sleep {
        ms: u64,
    },
    /// The account is used up for so many seconds.
    Limit {
        seconds: i64,
    },
    /// So many bytes of text, as fast as they are taken.
    Flood {
        bytes: usize,
    },
    /// Gone from one instant to the next, as by `kill -9`.
    Crash,
    /// Gone in the middle of a line.
    Half,
    /// One line of so many bytes.
    LongLine {
        bytes: usize,
    },
}

/// Nobody needs more from a rehearsal, and a slip of the keyboard should not fill a disk.
const BYTES_MAX: usize = 1 << 30;

/// A week, as the longest real one.
const LIMIT_SECONDS_MAX: i64 = 7 * 24 * 60 * 60;

/// The steps of a prompt.
pub(super) fn steps(prompt: &str, folder: &Path) -> Vec<Step> {
    let lines = prompt
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let steps: Option<Vec<Step>> = lines.map(step).collect();
    steps
        .filter(|steps| !steps.is_empty())
        .unwrap_or_else(|| tour(folder))
}

fn step(line: &str) -> Option<Step> {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim();
    let text = || (!rest.is_empty()).then(|| rest.replace("\\n", "\n"));
    match verb {
        "say" => text().map(Step::Say),
        "stream" => {
            let (words, gap_ms) = rest.split_once(' ')?;
            Some(Step::Stream {
                words: words.parse().ok()?,
                gap_ms: gap_ms.trim().parse().ok()?,
            })
        }
        "stamps" => {
            let (count, gap_ms) = rest.split_once(' ')?;
            Some(Step::Stamps {
                count: count.parse().ok()?,
                gap_ms: gap_ms.trim().parse().ok()?,
            })
        }
        "read" => text().map(Step::Read),
        "write" => {
            let (path, text) = rest.split_once(' ').unwrap_or((rest, ""));
            (!path.is_empty()).then(|| Step::Write {
                path: path.to_owned(),
                text: text.replace("\\n", "\n"),
            })
        }
        // Not unescaped: a backslash is the shell's.
        "run" => (!rest.is_empty()).then(|| Step::Run(rest.to_owned())),
        "ask" => ask(rest),
        "plan" => text().map(Step::Plan),
        "sleep" => rest.parse().ok().map(|ms| Step::Sleep { ms }),
        "limit" => rest
            .parse()
            .ok()
            .filter(|it| (0..=LIMIT_SECONDS_MAX).contains(it))
            .map(|seconds| Step::Limit { seconds }),
        "flood" => bytes(rest).map(|bytes| Step::Flood { bytes }),
        "longline" => bytes(rest).map(|bytes| Step::LongLine { bytes }),
        "crash" => rest.is_empty().then_some(Step::Crash),
        "half" => rest.is_empty().then_some(Step::Half),
        _ => None,
    }
}

/// `QUESTION | A | B`: one option at least, or there is nothing to choose.
fn ask(rest: &str) -> Option<Step> {
    let mut parts = rest.split('|').map(|part| part.trim().to_owned());
    let question = parts.next().filter(|question| !question.is_empty())?;
    let options: Vec<String> = parts.filter(|option| !option.is_empty()).collect();
    (!options.is_empty()).then_some(Step::Ask { question, options })
}

fn bytes(rest: &str) -> Option<usize> {
    rest.parse().ok().map(|bytes: usize| bytes.min(BYTES_MAX))
}

/// What a prompt that is no script gets: a little of everything that an agent does.
fn tour(folder: &Path) -> Vec<Step> {
    let say = |text: &str| Step::Say(text.to_owned());
    let mut steps = vec![say(
        "This is a rehearsal, not a model: a small program that follows a script, so that you can see approvals, \
         files and commands at work without an account. It did not read your prompt for its meaning.\n\n\
         Each of the next steps waits for your approval.",
    )];
    let known = ["README.md", "README", "Cargo.toml", "package.json"];
    if let Some(name) = known.into_iter().find(|name| folder.join(name).is_file()) {
        steps.push(say("First I read a file."));
        steps.push(Step::Read(name.to_owned()));
    }
    steps.extend([
        say("Now a question. Your answer goes into a file."),
        Step::Ask {
            question: "What should the note say?".to_owned(),
            options: vec!["Hello from the fleet".to_owned(), "Approvals work".to_owned()],
        },
        Step::Write {
            path: "REHEARSAL.md".to_owned(),
            text: "# A rehearsal was here\n\n{answer}\n".to_owned(),
        },
        say("Last a command, to see what changed."),
        Step::Run("git status --short || ls".to_owned()),
        say(
            "That was the tour. To rehearse something else, send a script, one step a line:\n\n\
             ```\nsay TEXT\nstream WORDS MS\nread PATH\nwrite PATH TEXT\nrun COMMAND\nask QUESTION | A | B\nplan TEXT\nsleep MS\n\
             flood BYTES\nlimit SECONDS\ncrash\n```",
        ),
    ]);
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(prompt: &str) -> Vec<Step> {
        steps(prompt, Path::new("/nowhere"))
    }

    #[test]
    fn every_line_is_a_step() {
        let script = "say hello there\nstream 3 20\n\nread a.txt\nwrite b/c.txt one\\ntwo\nrun printf 'a\\nb'\n\
                      ask Which? | A | B\nplan # Plan\\nfirst\nsleep 5\nflood 1000\nlimit 5\ncrash";
        assert_eq!(
            parse(script),
            vec![
                Step::Say("hello there".into()),
                Step::Stream {
                    words: 3,
                    gap_ms: 20
                },
                Step::Read("a.txt".into()),
                Step::Write {
                    path: "b/c.txt".into(),
                    text: "one\ntwo".into()
                },
                Step::Run("printf 'a\\nb'".into()),
                Step::Ask {
                    question: "Which?".into(),
                    options: vec!["A".into(), "B".into()]
                },
                Step::Plan("# Plan\nfirst".into()),
                Step::Sleep { ms: 5 },
                Step::Flood { bytes: 1000 },
                Step::Limit { seconds: 5 },
                Step::Crash,
            ]
        );
    }

    #[test]
    fn anything_else_gets_the_tour_that_says_what_it_is() {
        for prompt in [
            "Please fix the bug",
            "",
            "say",
            "stream lots",
            "crash now",
            "say hi\nand then fix it",
        ] {
            let steps = parse(prompt);
            let Some(Step::Say(first)) = steps.first() else {
                unreachable!("the tour begins with words")
            };
            assert!(first.contains("not a model"), "{prompt}");
            let (asks, writes, runs) =
                steps
                    .iter()
                    .fold((0, 0, 0), |(asks, writes, runs), step| match step {
                        Step::Ask { .. } => (asks + 1, writes, runs),
                        Step::Write { .. } => (asks, writes + 1, runs),
                        Step::Run(_) => (asks, writes, runs + 1),
                        _ => (asks, writes, runs),
                    });
            assert_eq!((asks, writes, runs), (1, 1, 1), "{prompt}");
        }
    }
}
