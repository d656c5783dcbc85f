//! A shell command taken apart into simple commands and their words, as far as its letters tell.
//!
//! Knows quotes, substitutions and groups, and which programs run another one; no variables, no aliases.

/// What a program that runs another one runs.
pub(super) fn wrapped<'a, 'b>(name: &str, arguments: &'a [&'b str]) -> Option<&'a [&'b str]> {
    let takes_a_value: &[&str] = match name {
        "sudo" | "doas" => &["-u", "-g", "-h", "-p"],
        "timeout" => &["-s", "-k"],
        "nice" => &["-n"],
        "xargs" => &["-n", "-I", "-P", "-L", "-d"],
        "env" => &["-u", "-C"],
        "nohup" | "time" | "exec" | "command" | "builtin" | "setsid" | "stdbuf" | "then" | "do"
        | "else" | "if" | "while" | "until" | "!" | "{" => &[],
        _ => return None,
    };
    let mut at = 0;
    while let Some(word) = arguments.get(at) {
        if takes_a_value.contains(word) {
            at += 2;
        } else if word.starts_with('-') {
            at += 1;
        } else {
            break;
        }
    }
    // `timeout 5 program`
    if name == "timeout" {
        at += 1;
    }
    arguments.get(at..).filter(|rest| !rest.is_empty())
}

pub(super) fn is_shell(name: &str) -> bool {
    matches!(
        name.rsplit('/').next(),
        Some("sh" | "bash" | "zsh" | "dash" | "fish" | "ksh")
    )
}

pub(super) fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !name.starts_with(|c: char| c.is_ascii_digit())
    })
}

/// Simple commands as lists of words without their quotes. Substitutions and groups are commands of their own.
pub(super) fn split(command: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word = String::new();
    let mut quote = None;
    let mut characters = command.chars().peekable();
    let end_word = |word: &mut String, commands: &mut Vec<Vec<String>>, end_command: bool| {
        if !word.is_empty()
            && let Some(last) = commands.last_mut()
        {
            last.push(std::mem::take(word));
        }
        if end_command && commands.last().is_some_and(|last| !last.is_empty()) {
            commands.push(Vec::new());
        }
    };
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (Some('\''), _) => word.push(character),
            (_, '\\') => word.extend(characters.next().filter(|next| *next != '\n')),
            (_, '$') if characters.peek() == Some(&'(') => {
                characters.next();
                end_word(&mut word, &mut commands, true);
            }
            (_, '`') => end_word(&mut word, &mut commands, true),
            (Some(_), _) => word.push(character),
            (None, '"' | '\'') => quote = Some(character),
            (None, ';' | '|' | '&' | '\n' | '(' | ')') => end_word(&mut word, &mut commands, true),
            (None, '<' | '>') => {
                end_word(&mut word, &mut commands, false);
            }
            (None, _) if character.is_whitespace() => end_word(&mut word, &mut commands, false),
            (None, _) => word.push(character),
        }
    }
    end_word(&mut word, &mut commands, true);
    commands.retain(|words| !words.is_empty());
    commands
}
