//! The language of a prompt: one step a line.
//!
//! ```text
//! say TEXT                      a block of text
//! stream N MS                   a block of N words, MS milliseconds apart
//! stamps N MS                   a block of N stamps of the clock, each taken when it is sent
//! think TEXT                    a block of thinking
//! sleep MS                      nothing, for a while, in the middle of the message
//! read PATH                     a tool call, as are all of these:
//! write PATH TEXT
//! edit PATH OLD NEW             (the agent wants the file read before)
//! run COMMAND
//! ask QUESTION | A | B          one choice; `Label: what it means` describes an option
//! askmany QUESTION | A | B      several choices
//! planmode                      goes into plan mode
//! plan TEXT                     writes the plan where the agent wants it, and presents it
//! agent PROMPT                  a subagent, as a model starts one by default
//! agentwait PROMPT              a subagent that is waited for
//! tool NAME JSON                any other tool
//! together … end                the tool calls between the two, in one message
//! error STATUS [TIMES]          refuses the request (every time, or so many times)
//! limit SECONDS                 refuses every request for so long, as an account at its limit is, once
//! cut                           breaks the stream in the middle of a block, once
//! cutafter                      breaks the stream after a finished block, once
//! ```
//!
//! A word with spaces stands in double quotes. `\n`, `\t` and `\\` in a TEXT, OLD, NEW or PROMPT are a
//! line end, a tab and a backslash; a COMMAND is left as it is. Lines that are no step are
//! prose and are passed over. Knows nothing of requests or of how an agent names its tools.

use std::time::Duration;

use serde_json::Value;

/// What one line asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Say(String),
    Stream { words: usize, apart: Duration },
    Stamps { count: usize, apart: Duration },
    Think(String),
    Sleep(Duration),
    Call(Call),
    Together(Vec<Call>),
    Refuse { status: u16, times: Option<usize> },
    Limit { seconds: u64 },
    Cut,
    CutAfter,
}

/// A tool call, before it is known what the agent calls the tool.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Call {
    Read {
        path: String,
    },
    Write {
        path: String,
        text: String,
    },
    Edit {
        path: String,
        old: String,
        new: String,
    },
    Run {
        command: String,
    },
    Ask {
        question: String,
        options: Vec<String>,
        several: bool,
    },
    PlanMode,
    Plan {
        text: String,
    },
    Agent {
        prompt: String,
        wait: bool,
    },
    Other {
        name: String,
        input: Value,
    },
}

/// The steps of a prompt in their order; none when it is prose.
pub(super) fn parse(prompt: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut together: Option<Vec<Call>> = None;
    for line in prompt.lines().map(str::trim) {
        if line == "together" {
            steps.extend(together.replace(Vec::new()).map(Step::Together));
        } else if line == "end" {
            steps.extend(together.take().map(Step::Together));
        } else if let Some(step) = parse_line(line) {
            match (step, &mut together) {
                (Step::Call(call), Some(calls)) => calls.push(call),
                (step, _) => steps.push(step),
            }
        }
    }
    // A forgotten `end` ends with the prompt.
    steps.extend(together.map(Step::Together));
    steps.retain(|step| !matches!(step, Step::Together(calls) if calls.is_empty()));
    steps
}

fn parse_line(line: &str) -> Option<Step> {
    let (verb, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    Some(match verb {
        "say" => Step::Say(text(rest)?),
        "stream" => {
            let (words, apart) = rest.split_once(' ')?;
            Step::Stream {
                words: words.parse().ok()?,
                apart: milliseconds(apart)?,
            }
        }
        "stamps" => {
            let (count, apart) = rest.split_once(' ')?;
            Step::Stamps {
                count: count.parse().ok()?,
                apart: milliseconds(apart)?,
            }
        }
        "think" => Step::Think(text(rest)?),
        "sleep" => Step::Sleep(milliseconds(rest)?),
        "limit" => Step::Limit {
            seconds: rest.parse().ok()?,
        },
        "error" => {
            let mut numbers = rest.split_whitespace();
            let status = numbers
                .next()?
                .parse()
                .ok()
                .filter(|status| (400..600).contains(status))?;
            Step::Refuse {
                status,
                times: numbers.next().map(str::parse).transpose().ok()?,
            }
        }
        "cut" if rest.is_empty() => Step::Cut,
        "cutafter" if rest.is_empty() => Step::CutAfter,
        verb => Step::Call(parse_call(verb, rest)?),
    })
}

fn parse_call(verb: &str, rest: &str) -> Option<Call> {
    Some(match verb {
        "read" => Call::Read {
            path: word(rest)?.0,
        },
        "write" => {
            let (path, rest) = word(rest)?;
            Call::Write {
                path,
                text: unescaped(rest),
            }
        }
        "edit" => {
            let (path, rest) = word(rest)?;
            let (old, rest) = word(rest)?;
            // The last one may go without quotes even when it has spaces.
            let new = if rest.starts_with('"') {
                word(rest)?.0
            } else {
                rest.to_owned()
            };
            Call::Edit {
                path,
                old: unescaped(&old),
                new: unescaped(&new),
            }
        }
        "run" if !rest.is_empty() => Call::Run {
            command: rest.to_owned(),
        },
        "ask" | "askmany" => {
            let mut parts = rest.split('|').map(|part| part.trim().to_owned());
            let question = parts.next().filter(|question| !question.is_empty())?;
            Call::Ask {
                question,
                options: parts.collect(),
                several: verb == "askmany",
            }
        }
        "planmode" if rest.is_empty() => Call::PlanMode,
        "plan" => Call::Plan { text: text(rest)? },
        "agent" | "agentwait" => Call::Agent {
            prompt: text(rest)?,
            wait: verb == "agentwait",
        },
        "tool" => {
            let (name, input) = word(rest)?;
            Call::Other {
                name,
                input: serde_json::from_str(input).ok()?,
            }
        }
        _ => return None,
    })
}

/// The first word, which may stand in double quotes, and what comes after it.
fn word(rest: &str) -> Option<(String, &str)> {
    let (word, rest) = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
    };
    (!word.is_empty()).then(|| (word.to_owned(), rest.trim_start()))
}

fn text(rest: &str) -> Option<String> {
    (!rest.is_empty()).then(|| unescaped(rest))
}

fn milliseconds(text: &str) -> Option<Duration> {
    text.trim().parse().ok().map(Duration::from_millis)
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('\\') | None => out.push('\\'),
            Some(other) => out.extend(['\\', other]),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> Step {
        let mut steps = parse(line);
        assert_eq!(steps.len(), 1, "{line}: {steps:?}");
        steps.remove(0)
    }

    #[test]
    fn every_step_is_understood() {
        let apart = Duration::from_millis(20);
        assert_eq!(one("say hello\\nthere"), Step::Say("hello\nthere".into()));
        assert_eq!(one("  stream 5 20 "), Step::Stream { words: 5, apart });
        assert_eq!(one("stamps 5 20"), Step::Stamps { count: 5, apart });
        assert_eq!(one("think hm"), Step::Think("hm".into()));
        assert_eq!(one("sleep 20"), Step::Sleep(apart));
        assert_eq!(
            one("read \"a b.txt\""),
            Step::Call(Call::Read {
                path: "a b.txt".into()
            })
        );
        assert_eq!(
            one("write a.txt one two"),
            Step::Call(Call::Write {
                path: "a.txt".into(),
                text: "one two".into()
            })
        );
        assert_eq!(
            one("run grep '\\n' a"),
            Step::Call(Call::Run {
                command: "grep '\\n' a".into()
            })
        );
        assert_eq!(
            one("edit a.txt \"old one\" new one"),
            Step::Call(Call::Edit {
                path: "a.txt".into(),
                old: "old one".into(),
                new: "new one".into()
            })
        );
        assert_eq!(
            one("askmany Which? | A | B: the other"),
            Step::Call(Call::Ask {
                question: "Which?".into(),
                options: vec!["A".into(), "B: the other".into()],
                several: true
            })
        );
        assert_eq!(one("planmode"), Step::Call(Call::PlanMode));
        assert_eq!(
            one("plan first this"),
            Step::Call(Call::Plan {
                text: "first this".into()
            })
        );
        assert_eq!(
            one("agent run ls"),
            Step::Call(Call::Agent {
                prompt: "run ls".into(),
                wait: false
            })
        );
        assert_eq!(
            one("tool WebFetch {\"url\":\"x\"}"),
            Step::Call(Call::Other {
                name: "WebFetch".into(),
                input: serde_json::json!({"url": "x"})
            })
        );
        assert_eq!(
            one("error 529"),
            Step::Refuse {
                status: 529,
                times: None
            }
        );
        assert_eq!(
            one("error 500 2"),
            Step::Refuse {
                status: 500,
                times: Some(2)
            }
        );
        assert_eq!(one("limit 5"), Step::Limit { seconds: 5 });
        assert_eq!(one("cut"), Step::Cut);
        assert_eq!(one("cutafter"), Step::CutAfter);
    }

    #[test]
    fn calls_between_together_and_end_are_one_step() {
        let steps = parse("say first\ntogether\nread a\nrun ls\nend\nsay last");
        assert_eq!(steps.len(), 3);
        assert!(matches!(&steps[1], Step::Together(calls) if calls.len() == 2));
        assert_eq!(
            parse("together\nread a").len(),
            1,
            "a forgotten end ends with the prompt"
        );
        assert_eq!(parse("together\nend"), []);
    }

    #[test]
    fn prose_is_no_step() {
        for prose in [
            "hello there",
            "sleep well",
            "error in line 3",
            "limit yourself",
            "stream of thought",
            "cut it out",
            "run",
            "tool X {",
            "",
        ] {
            assert_eq!(parse(prose), [], "{prose}");
        }
    }

    #[test]
    fn prose_between_steps_is_passed_over() {
        assert_eq!(
            parse("Please do this:\nsay hi\nThank you!"),
            [Step::Say("hi".into())]
        );
    }
}
