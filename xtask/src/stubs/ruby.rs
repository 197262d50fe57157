//! `commands.rbs`: the methods of the Ruby client.

use super::answer::forms;
use super::scalar::Scalar;
use super::signature::{Parameter, Signature, Takes};
use super::variant::{Presence, Variant};
use super::{NOTE, title};
use steadis::command::{Form, Reply};

const HEAD: &str = r#"
module Steadis
  # Every data command, answered with what the server sends.
  module Commands
    type key = String | Symbol
    type number = Integer | Float
    type value = String | Symbol | number
    type groups = Array[value | Array[value]]
    type pairs = Hash[value, value] | groups
    type places = Hash[value, Array[value]] | groups
    type streams = Hash[value, value] | Array[Array[value]]
"#;

pub(super) fn stub(signatures: &[Signature]) -> String {
    let mut text = format!("# {NOTE}\n{HEAD}");
    for signature in signatures {
        let variants = signature.variants(answer);
        let methods: Vec<String> =
            variants.iter().map(|variant| method(signature, variant)).collect();
        let name = signature.command.snake;
        let between = format!("\n{}| ", " ".repeat("    def : ".len() + name.len() - 2));
        text += &format!("\n    # {}\n    def {name}: ", title(signature));
        text += &(methods.join(&between) + "\n");
    }
    text + "  end\nend\n"
}

fn method(signature: &Signature, variant: &Variant<'_>) -> String {
    let mut parameters = Vec::new();
    let last = signature.parameters.len().saturating_sub(1);
    let mut starred = false;
    for (at, parameter) in signature.parameters.iter().enumerate() {
        let presence = variant.parameter(parameter);
        if presence == Presence::Barred {
            continue;
        }
        let name = parameter.label();
        let takes = takes(&parameter.takes);
        // Some names are words of the language.
        parameters.push(if at == last && parameter.takes.varies() {
            starred = true;
            match parameter.takes {
                Takes::Groups(_) => format!("*(value | {takes}) {name}"),
                _ => format!("*{} {name}", grouped(takes)),
            }
        } else if presence == Presence::Optional {
            format!("?{}? {name}_", grouped(takes))
        } else {
            format!("{} {name}_", grouped(takes))
        });
    }
    let counted = signature.parameters.iter().any(|it| matches!(it.takes, Takes::Counted(_)));
    if !starred && variant.general && (counted || !signature.options.is_empty()) {
        parameters.push("*value words".to_owned());
    }
    parameters.extend(named(signature));
    parameters.extend(signature.options.iter().map(|it| option(it, variant.option(it))));
    format!("({}) -> {}", parameters.join(", "), answer(&variant.replies))
}

/// Keywords for what repeats, where people use them.
fn named(signature: &Signature) -> Option<String> {
    let last = signature.parameters.last()?;
    match (&last.takes, last.name) {
        (Takes::Groups(_), _) => Some(format!("?mapping: {}?", takes(&last.takes))),
        (Takes::Many(_), "arg") => Some("?args: Array[value]?, ?argv: Array[value]?".to_owned()),
        _ => None,
    }
}

fn option(option: &Parameter, presence: Presence) -> String {
    let name = option.key();
    let takes = takes(&option.takes);
    match (&option.takes, presence) {
        (Takes::Flag, Presence::Required) => format!("{name}: true"),
        (_, Presence::Required) => format!("{name}: {takes}"),
        (_, Presence::Optional) => format!("?{name}: {}?", grouped(takes)),
        (Takes::Flag, Presence::Barred) => format!("?{name}: false?"),
        (_, Presence::Barred) => format!("?{name}: nil"),
    }
}

fn takes(kind: &Takes) -> String {
    match kind {
        Takes::Flag => "bool".to_owned(),
        Takes::One(scalar) => value(*scalar).to_owned(),
        Takes::Word(_) => "String | Symbol".to_owned(),
        Takes::Several(all) => {
            let all: Vec<String> = all.iter().map(takes).collect();
            format!("[{}]", all.join(", "))
        }
        Takes::Many(scalar) => format!("{0} | Array[{0}]", value(*scalar)),
        Takes::Counted(scalar) => format!("Integer | {0} | Array[{0}]", value(*scalar)),
        Takes::Groups(2) => "pairs".to_owned(),
        Takes::Groups(_) => "places".to_owned(),
        Takes::Operations => "value | groups".to_owned(),
        Takes::Streams => "streams".to_owned(),
    }
}

/// In parentheses, if it needs them.
fn grouped(takes: String) -> String {
    if takes.contains(" | ") && !takes.starts_with('[') { format!("({takes})") } else { takes }
}

fn value(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Key => "key",
        Scalar::Integer => "Integer",
        Scalar::Double => "number",
        Scalar::Value => "value",
    }
}

fn answer(replies: &[&Reply]) -> String {
    let (all, nullable) = forms(replies, form);
    match (all.as_slice(), nullable) {
        ([one], false) => one.clone(),
        ([one], true) => format!("{one}?"),
        (all, false) => format!("({})", all.join(" | ")),
        (all, true) => format!("({})?", all.join(" | ")),
    }
}

fn form(of: &Form) -> String {
    match of {
        Form::Any => "untyped".to_owned(),
        Form::Integer => "Integer".to_owned(),
        Form::Double => "Float".to_owned(),
        Form::Boolean => "bool".to_owned(),
        Form::Status | Form::Bytes => "String".to_owned(),
        Form::Nullable(of) => format!("{}?", form(of)),
        // As in the other clients.
        Form::List(of) | Form::Set(of) => format!("Array[{}]", form(of)),
        Form::Map(key, of) => format!("Hash[{}, {}]", form(key), form(of)),
        Form::Tuple(all) => {
            format!("[{}]", all.iter().map(form).collect::<Vec<_>>().join(", "))
        }
    }
}
