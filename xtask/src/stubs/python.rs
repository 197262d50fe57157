//! `_commands.pyi`: the methods of the Python clients.

use super::answer::either;
use super::scalar::Scalar;
use super::signature::{Parameter, Signature, Takes, spellings};
use super::variant::{Presence, Variant};
use super::{NOTE, title};
use steadis::command::{Form, Reply};

const HEAD: &str = r#"
from collections.abc import Collection, Mapping
from typing import Any, AnyStr as AnyStr, Generic, Literal, Self, TypeAlias, overload

from steadis._steadis import Reply

Key: TypeAlias = str | bytes | bytearray | memoryview
Value: TypeAlias = str | bytes | bytearray | memoryview | int | float
Pairs: TypeAlias = Mapping[Any, Value] | Collection[Value | Collection[Value]]
Groups: TypeAlias = Mapping[Any, Collection[Value]] | Collection[Value | Collection[Value]]

# Methods of these classes have the same name.
_set: TypeAlias = set
"#;

/// What a method gives back.
#[derive(Clone, Copy)]
enum Gives {
    Answer,
    /// Something to await.
    Promise,
    /// The pipeline, for the next command.
    Itself,
}

pub(super) fn stub(signatures: &[Signature]) -> String {
    let mut text = format!("# {NOTE}\n{HEAD}");
    for (class, doc, gives) in [
        (
            "Commands(Generic[AnyStr])",
            "Every data command, answered with what the server sends.",
            Gives::Answer,
        ),
        ("AsyncCommands(Generic[AnyStr])", "The same for asyncio.", Gives::Promise),
        ("QueuedCommands", "The same for pipelines, to be answered together.", Gives::Itself),
    ] {
        text += &format!("\nclass {class}:\n    \"\"\"{doc}\"\"\"\n");
        for signature in signatures {
            let variants = signature.variants(answer);
            let several = variants.len() > 1;
            text += &format!("\n    # {}\n", title(signature));
            text.extend(variants.iter().map(|variant| {
                let overload = if several { "    @overload\n" } else { "" };
                format!("{overload}    {}\n", method(signature, variant, gives))
            }));
        }
    }
    text
}

fn method(signature: &Signature, variant: &Variant<'_>, gives: Gives) -> String {
    let mut parameters = vec!["self".to_owned()];
    let open = variant.general;
    let last = signature.parameters.len().saturating_sub(1);
    let mut starred = false;
    for (at, parameter) in signature.parameters.iter().enumerate() {
        let presence = variant.parameter(parameter);
        if presence == Presence::Barred {
            continue;
        }
        let name = parameter.label();
        if at == last && parameter.takes.varies() {
            starred = true;
            parameters.extend(star(&name, parameter));
            continue;
        }
        let takes = takes(&parameter.takes);
        parameters.push(match presence {
            Presence::Optional => format!("{name}: {takes} | None = ..."),
            _ => format!("{name}: {takes}"),
        });
    }
    let counted = signature.parameters.iter().any(|it| matches!(it.takes, Takes::Counted(_)));
    let options: Vec<String> =
        signature.options.iter().filter_map(|it| option(it, variant.option(it))).collect();
    if !starred && open && (counted || !signature.options.is_empty()) {
        parameters.push("*words: Value".to_owned());
    } else if !starred && !options.is_empty() {
        parameters.push("*".to_owned());
    }
    parameters.extend(options);
    let answer = answer(&variant.replies);
    let answer = match gives {
        Gives::Answer => answer,
        Gives::Promise => format!("Reply[{answer}]"),
        Gives::Itself => "Self".to_owned(),
    };
    let name = match signature.command.snake {
        "del" => "delete",
        name => name,
    };
    format!("def {name}({}) -> {answer}: ...", parameters.join(", "))
}

/// A last parameter that takes any number, and its name where people use it.
fn star(name: &str, parameter: &Parameter) -> Vec<String> {
    match &parameter.takes {
        Takes::Groups(size) => {
            let all = if *size == 2 { "Pairs" } else { "Groups" };
            vec![format!("*{name}: Value | {all}"), format!("mapping: {all} | None = ...")]
        }
        Takes::Many(scalar) if name == "args" => {
            let value = value(*scalar);
            let named = format!("args: Collection[{value}] | None = ...");
            vec![format!("*values: {value} | Collection[{value}]"), named]
        }
        Takes::Many(scalar) => {
            let value = value(*scalar);
            vec![format!("*{name}: {value} | Collection[{value}]")]
        }
        _ => vec![format!("*{name}: Value | Collection[Value | Collection[Value]]")],
    }
}

fn option(option: &Parameter, presence: Presence) -> Option<String> {
    let name = match option.name {
        "ASYNC" => "async_".to_owned(),
        _ => option.key(),
    };
    Some(match (&option.takes, presence) {
        (Takes::Flag, Presence::Required) => format!("{name}: Literal[True]"),
        (Takes::Flag, Presence::Optional) => format!("{name}: bool | None = ..."),
        (Takes::Flag, Presence::Barred) => format!("{name}: Literal[False] | None = ..."),
        (other, Presence::Required) => format!("{name}: {}", takes(other)),
        (other, Presence::Optional) => format!("{name}: {} | None = ...", takes(other)),
        (_, Presence::Barred) => format!("{name}: None = ..."),
    })
}

fn takes(kind: &Takes) -> String {
    match kind {
        Takes::Flag => "bool".to_owned(),
        Takes::One(scalar) => value(*scalar).to_owned(),
        Takes::Word(words) => format!("Literal[{}]", spellings(words, '"').join(", ")),
        Takes::Several(all) => {
            let all: Vec<String> = all.iter().map(takes).collect();
            format!("tuple[{}] | list[Any]", all.join(", "))
        }
        Takes::Many(scalar) => {
            format!("{} | Collection[{}]", value(*scalar), value(*scalar))
        }
        Takes::Counted(scalar) => {
            format!("int | {} | Collection[{}]", value(*scalar), value(*scalar))
        }
        Takes::Groups(2) => "Pairs".to_owned(),
        Takes::Groups(_) => "Groups".to_owned(),
        Takes::Operations => "Collection[Value | Collection[Value]]".to_owned(),
        Takes::Streams => "Mapping[Any, Value] | Collection[Collection[Value]]".to_owned(),
    }
}

fn value(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Key => "Key",
        Scalar::Integer => "int",
        Scalar::Double => "float",
        Scalar::Value => "Value",
    }
}

fn answer(replies: &[&Reply]) -> String {
    either(replies, form, "None")
}

fn form(of: &Form) -> String {
    match of {
        Form::Any => "Any".to_owned(),
        Form::Integer => "int".to_owned(),
        Form::Double => "float".to_owned(),
        Form::Boolean => "bool".to_owned(),
        Form::Status | Form::Bytes => "AnyStr".to_owned(),
        Form::Nullable(of) => format!("{} | None", form(of)),
        Form::List(of) => format!("list[{}]", form(of)),
        Form::Set(of) => format!("_set[{}]", form(of)),
        Form::Map(key, of) => format!("dict[{}, {}]", form(key), form(of)),
        Form::Tuple(all) => {
            let all: Vec<String> = all.iter().map(form).collect();
            format!("tuple[{}]", all.join(", "))
        }
    }
}
