//! `steadis_commands.h`: wrappers for the plain forms of commands, without options.

use super::scalar::Scalar;
use super::signature::{Parameter, Signature, Takes};
use super::{NOTE, title};
use steadis::command::{Syntax, syntax::counts};

/// Not for printf, which writes a comma in some locales.
const DOUBLE: &str = "double";
const HEAD: &str = include_str!("head.h");

pub(super) fn header(signatures: &[Signature]) -> String {
    let wrappers: String = signatures.iter().filter_map(wrapper).collect();
    HEAD.replace("{{note}}", NOTE).replace("{{commands}}\n", &wrappers)
}

/// What is passed and sent for a part of a syntax.
#[derive(Default)]
struct Parts {
    /// The parameters of the function.
    parameters: Vec<String>,
    /// Statements that write numbers.
    statements: Vec<String>,
    /// Arguments before the array, and behind it: an expression and its length.
    before: Vec<(String, String)>,
    after: Vec<(String, String)>,
    /// There is an array.
    many: bool,
}

impl Parts {
    fn push(&mut self, expression: String, length: String) {
        let side = if self.many { &mut self.after } else { &mut self.before };
        side.push((expression, length));
    }

    fn word(&mut self, word: &str) {
        self.push(format!("\"{word}\""), word.len().to_string());
    }
}

/// `None` for a command that says nothing without options.
fn wrapper(signature: &Signature) -> Option<String> {
    let command = signature.command;
    let mut parts = Parts::default();
    command.title().split(' ').for_each(|word| parts.word(word));
    let mut required = signature.parameters.iter().filter(|it| it.group.is_none());
    let mut syntax = command.syntax.parts().iter().peekable();
    while let Some(part) = syntax.next() {
        match part {
            Syntax::Word(word) => parts.word(word.text),
            Syntax::Option(_) => {}
            Syntax::Optional(part) => {
                if begins_with_count(part) {
                    return None;
                }
            }
            Syntax::Value(name) if counts(name.text) => {
                let size = match syntax.next()? {
                    Syntax::Repeated(part) => part.parts().len().max(1),
                    // What is counted can be left out: there is none of it.
                    _ => {
                        parts.word("0");
                        continue;
                    }
                };
                number(&mut parts, "number", "%zu", &quotient(size));
                many(&mut parts, required.next()?);
            }
            Syntax::Repeated(_) if matches!(syntax.peek(), Some(Syntax::Repeated(_))) => {
                return None;
            }
            Syntax::Repeated(_) => many(&mut parts, required.next()?),
            Syntax::Value(_) => one(&mut parts, required.next()?),
            Syntax::Choice(choice) if choice.iter().any(is_single) => {
                match choice.iter().find(|part| matches!(part, Syntax::Value(_))) {
                    Some(Syntax::Value(name)) => text(&mut parts, name.text),
                    _ => one(&mut parts, required.next()?),
                }
                // An id that can be made up is an option elsewhere, and a parameter here.
                if matches!(&choice[..], [Syntax::Word(_), Syntax::Value(_)]) {
                    continue;
                }
            }
            Syntax::Choice(_) | Syntax::Sequence(_) => return None,
        }
    }
    Some(function(signature, &parts))
}

fn is_single(part: &Syntax) -> bool {
    matches!(part, Syntax::Word(_) | Syntax::Value(_))
}

fn begins_with_count(part: &Syntax) -> bool {
    matches!(part.parts().first(), Some(Syntax::Value(name)) if counts(name.text))
}

fn quotient(size: usize) -> String {
    if size == 1 { "count".to_owned() } else { format!("count / {size}") }
}

fn many(parts: &mut Parts, parameter: &Parameter) {
    parts.parameters.push("size_t count".to_owned());
    parts.parameters.push(format!("const char *const *{}", parameter.label()));
    parts.parameters.push("const size_t *lens".to_owned());
    parts.many = true;
}

fn one(parts: &mut Parts, parameter: &Parameter) {
    let name = identifier(parameter.name);
    match parameter.takes {
        Takes::One(Scalar::Integer) => {
            parts.parameters.push(format!("long long {name}"));
            number(parts, &name, "%lld", &name);
        }
        Takes::One(Scalar::Double) => {
            parts.parameters.push(format!("double {name}"));
            number(parts, &name, DOUBLE, &name);
        }
        // What is stored can hold any bytes.
        _ if matches!(parameter.name, "value" | "element" | "message" | "serialized-value") => {
            parts.parameters.push(format!("const void *{name}, size_t {name}_len"));
            parts.push(format!("(const char *){name}"), format!("{name}_len"));
        }
        _ => text(parts, parameter.name),
    }
}

fn text(parts: &mut Parts, name: &str) {
    let name = identifier(name);
    parts.parameters.push(format!("const char *{name}"));
    parts.push(name.clone(), format!("strlen({name})"));
}

fn number(parts: &mut Parts, name: &str, format: &str, value: &str) {
    let text = format!("{name}_text");
    let length = match format {
        DOUBLE => format!("steadis_commands_double({text}, sizeof {text}, {value})"),
        format => format!("(size_t)snprintf({text}, sizeof {text}, \"{format}\", {value})"),
    };
    parts.statements.push(format!("char {text}[32];"));
    parts.statements.push(format!("size_t {name}_len = {length};"));
    parts.push(text, format!("{name}_len"));
}

fn function(signature: &Signature, parts: &Parts) -> String {
    let array = |name: &str, side: &[(String, String)]| {
        let column =
            |of: fn(&(String, String)) -> &str| side.iter().map(of).collect::<Vec<_>>().join(", ");
        let (texts, lengths) = (column(|it| &it.0), column(|it| &it.1));
        format!(
            "    const char *{name}[] = {{{texts}}};\n    size_t {name}_lens[] = {{{lengths}}};\n"
        )
    };
    let mut body: String =
        parts.statements.iter().map(|statement| format!("    {statement}\n")).collect();
    body += &array("head", &parts.before);
    let sent = parts.before.len();
    body += &match (parts.many, parts.after.len()) {
        (false, _) => {
            format!("    return steadis_call(client, {sent}, head, head_lens, reply, error);\n")
        }
        (true, after) => {
            let tail = if after > 0 { "tail, tail_lens" } else { "NULL, NULL" };
            let declared = if after > 0 { array("tail", &parts.after) } else { String::new() };
            let items = signature.parameters.iter().find(|it| it.group.is_none() && holds_many(it));
            let items = items.map_or_else(String::new, Parameter::label);
            format!(
                "{declared}    return steadis_commands_call(client, {sent}, head, head_lens, \
                 count, {items}, lens,\n                                 {after}, {tail}, reply, \
                 error);\n"
            )
        }
    };
    let parameters: String = parts.parameters.iter().map(|it| format!("{it}, ")).collect();
    format!(
        "\n/* {} */\nSTEADIS_COMMAND int steadis_{}(steadis_client *client, {parameters}\
         steadis_reply **reply, steadis_error **error)\n{{\n{body}}}\n",
        title(signature),
        signature.command.snake,
    )
}

fn holds_many(parameter: &Parameter) -> bool {
    parameter.takes.varies() || matches!(parameter.takes, Takes::Counted(_))
}

/// A name that neither C nor C++ has for itself.
fn identifier(name: &str) -> String {
    match name {
        "index" | "function" => format!("{name}_"),
        name => name.replace('-', "_"),
    }
}
