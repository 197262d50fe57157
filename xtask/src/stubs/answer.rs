//! What a method answers, as all languages say it.

use steadis::command::{Form, Reply};

/// The types that these replies have, each once, and whether null is one of them. What can be
/// anything can be null without a word.
pub(super) fn forms(replies: &[&Reply], form: fn(&Form) -> String) -> (Vec<String>, bool) {
    let mut all: Vec<String> = Vec::new();
    for reply in replies {
        let form = form(&reply.form);
        if !all.contains(&form) {
            all.push(form);
        }
    }
    let anything = replies.iter().all(|reply| reply.form == Form::Any);
    (all, !anything && replies.iter().any(|reply| reply.nullable))
}

/// The same as one type, for languages that write "or" as a bar.
pub(super) fn either(replies: &[&Reply], form: fn(&Form) -> String, null: &str) -> String {
    let (mut all, nullable) = forms(replies, form);
    all.extend(nullable.then(|| null.to_owned()));
    all.join(" | ")
}
