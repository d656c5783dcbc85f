//! Text of an agent on a person's terminal: everything that could hide or move text is shown instead.
//!
//! An escape sequence in a command could erase the part that matters from the screen of whoever approves it.

/// The text with its control and direction characters spelled out. New lines and tabs stay.
pub(super) fn visible(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut shown, character| {
            if is_plain(character) {
                shown.push(character);
            } else {
                shown.push_str(&character.escape_unicode().to_string());
            }
            shown
        })
}

/// As [`visible`], in one line.
pub(super) fn one_line(text: &str) -> String {
    visible(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Cuts to so many characters, with a mark.
pub(super) fn shortened(text: &str, characters_max: usize) -> String {
    if text.chars().count() <= characters_max {
        return text.to_owned();
    }
    let kept: String = text
        .chars()
        .take(characters_max.saturating_sub(1))
        .collect();
    format!("{}…", kept.trim_end())
}

fn is_plain(character: char) -> bool {
    let moves_text = matches!(character,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{2028}' | '\u{2029}');
    matches!(character, '\n' | '\t') || !(character.is_control() || moves_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_hide_text_is_shown() {
        assert_eq!(
            visible("rm -rf /\u{1b}[2K\rls"),
            "rm -rf /\\u{1b}[2K\\u{d}ls"
        );
        assert_eq!(visible("a\u{202e}b\u{200b}c"), "a\\u{202e}b\\u{200b}c");
        assert_eq!(visible("grüße\n\tok"), "grüße\n\tok");
    }

    #[test]
    fn a_cut_is_marked() {
        assert_eq!(shortened("exactly", 7), "exactly");
        assert_eq!(shortened("one more", 7), "one mo…");
    }
}
