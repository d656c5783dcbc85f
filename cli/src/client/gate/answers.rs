//! Answers on the command line, matched with a gate's questions.

use std::collections::BTreeMap;

use nats::event::Choice;
use serde_json::Value;

use crate::client::exit::Error;

/// One answer for each question, in their order.
pub(super) fn matched(
    questions: &[Choice],
    answers: &[String],
) -> Result<BTreeMap<String, Value>, Error> {
    if questions.len() != answers.len() {
        let asked: Vec<&str> = questions
            .iter()
            .map(|choice| choice.question.as_str())
            .collect();
        return Err(Error::Usage {
            message: format!(
                "{} answers for {} questions",
                answers.len(),
                questions.len()
            ),
            hint: Some(format!("one argument for each of: {}", asked.join(" · "))),
        });
    }
    Ok(questions
        .iter()
        .zip(answers)
        .map(|(choice, answer)| (choice.question.clone(), value(choice, answer)))
        .collect())
}

/// Where several may be chosen, labels separated by commas are a list; anything else is a label or free text.
fn value(choice: &Choice, answer: &str) -> Value {
    let is_label = |text: &str| choice.options.iter().any(|option| option.label == text);
    let parts: Vec<&str> = answer.split(',').map(str::trim).collect();
    if choice.several && !is_label(answer) && parts.iter().all(|part| is_label(part)) {
        return parts.into();
    }
    answer.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn several_labels_are_a_list_and_free_text_is_text() {
        let questions: Vec<Choice> = serde_json::from_value(json!([
            { "question": "Which DB?", "options": [{ "label": "SQLite" }, { "label": "A, B" }] },
            { "question": "Which features?", "several": true, "options": [{ "label": "A" }, { "label": "B" }] },
        ]))
        .expect("two questions");
        let answers = |first: &str, second: &str| {
            matched(&questions, &[first.to_owned(), second.to_owned()])
                .map(|it| json!(it))
                .ok()
        };
        assert_eq!(
            answers("SQLite", "A, B"),
            Some(json!({ "Which DB?": "SQLite", "Which features?": ["A", "B"] }))
        );
        assert_eq!(
            answers("a flat file", "A, but later"),
            Some(json!({ "Which DB?": "a flat file", "Which features?": "A, but later" }))
        );
        assert!(matches!(
            matched(&questions, &["one".to_owned()]),
            Err(Error::Usage { .. })
        ));
    }
}
