//! `commands.d.ts`: the methods of the Node.js client.

use super::answer::either;
use super::scalar::Scalar;
use super::signature::{Parameter, Signature, Takes, spellings};
use super::variant::{Presence, Variant};
use super::{NOTE, title};
use steadis::command::{Form, Reply};

const HEAD: &str = r#"
export type Key = string | Uint8Array
export type Value = string | Uint8Array | number | bigint
export type Pairs = Readonly<Record<string, Value>> | ReadonlyMap<Value, Value> | Groups
export type Groups = readonly (Value | readonly Value[])[]
export type Places = Readonly<Record<string, readonly Value[]>> | ReadonlyMap<Value, readonly Value[]> | Groups
export type Streams = Readonly<Record<string, Value>> | ReadonlyMap<Value, Value> | readonly (readonly Value[])[]
/** Arguments as in the manual, words included. */
export type Words = (Value | readonly Value[])[]
export type WordsAndMaps = (Value | readonly Value[] | Pairs | Places | Streams)[]

/** Every data command; T is how text comes: string, or Buffer. */
"#;

const FOOT: &str = r#"
/** The same names in small letters: hgetall, xgroupcreate. */
export type LowerCaseCommands<T> = {
  [Name in keyof CamelCaseCommands<T> as Lowercase<Name & string>]: CamelCaseCommands<T>[Name]
}
"#;

pub(super) fn stub(signatures: &[Signature]) -> String {
    let mut text = format!("// {NOTE}\n{HEAD}export interface CamelCaseCommands<T> {{\n");
    for signature in signatures {
        text += &format!("  /** {} */\n", title(signature));
        let mut methods: Vec<String> = Vec::new();
        for variant in signature.variants(answer) {
            methods.push(method(signature, &variant, false));
            if variant.general && takes_words(signature) {
                methods.push(method(signature, &variant, true));
            }
        }
        text.extend(methods.iter().map(|method| format!("  {method}\n")));
    }
    text + "}\n" + FOOT
}

/// Whether arguments as in the manual can be more than the parameters.
fn takes_words(signature: &Signature) -> bool {
    !signature.options.is_empty()
        || signature.parameters.iter().any(|it| matches!(it.takes, Takes::Counted(_)))
}

fn method(signature: &Signature, variant: &Variant<'_>, words: bool) -> String {
    let mut parameters = Vec::new();
    let last = signature.parameters.len().saturating_sub(1);
    for (at, parameter) in signature.parameters.iter().enumerate() {
        let rest = at == last && parameter.takes.varies() && signature.options.is_empty();
        let presence = variant.parameter(parameter);
        if presence == Presence::Barred {
            continue;
        }
        let fixed = matches!(parameter.takes, Takes::One(_) | Takes::Word(_));
        if words && !(fixed && presence == Presence::Required) {
            break;
        }
        let name = match parameter.label() {
            name if name == "function" => "name".to_owned(),
            name => name,
        };
        let takes = takes(&parameter.takes);
        parameters.push(match presence {
            _ if rest && parameter.takes == Takes::Operations => format!("...{name}: Groups"),
            _ if rest => format!("...{name}: ({})[]", rest_of(&parameter.takes)),
            Presence::Optional => format!("{name}?: {takes} | null"),
            _ => format!("{name}: {takes}"),
        });
    }
    if words {
        let map = |it: &Parameter| matches!(it.takes, Takes::Groups(_) | Takes::Streams);
        let maps = signature.parameters.iter().any(map);
        parameters.push(format!("...words: Words{}", if maps { "AndMaps" } else { "" }));
    } else {
        parameters.extend(options(signature, variant));
    }
    let name = signature.command.camel;
    format!("{name}({}): Promise<{}>", parameters.join(", "), answer(&variant.replies))
}

/// The last parameter, an object.
fn options(signature: &Signature, variant: &Variant<'_>) -> Option<String> {
    let presence = |option: &Parameter| variant.option(option);
    let mark = match signature.options.iter().any(|it| presence(it) == Presence::Required) {
        true => "",
        false => "?",
    };
    let options: Vec<String> =
        signature.options.iter().map(|it| option(it, presence(it))).collect();
    (!options.is_empty()).then(|| format!("options{mark}: {{ {} }}", options.join("; ")))
}

fn option(option: &Parameter, presence: Presence) -> String {
    let name = option.key().to_uppercase();
    let takes = takes(&option.takes);
    match (&option.takes, presence) {
        (Takes::Flag, Presence::Required) => format!("{name}: true"),
        (_, Presence::Required) => format!("{name}: {takes}"),
        (_, Presence::Optional) => format!("{name}?: {takes} | null"),
        (Takes::Flag, Presence::Barred) => format!("{name}?: false | null"),
        (_, Presence::Barred) => format!("{name}?: null"),
    }
}

fn takes(kind: &Takes) -> String {
    match kind {
        Takes::Flag => "boolean".to_owned(),
        Takes::One(scalar) => value(*scalar).to_owned(),
        Takes::Word(words) => spellings(words, '\'').join(" | "),
        Takes::Several(all) => {
            let all: Vec<String> = all.iter().map(takes).collect();
            format!("readonly [{}]", all.join(", "))
        }
        Takes::Many(scalar) => many(*scalar),
        Takes::Counted(scalar) => many(*scalar),
        Takes::Groups(2) => "Pairs".to_owned(),
        Takes::Groups(_) => "Places".to_owned(),
        Takes::Operations => "Groups".to_owned(),
        Takes::Streams => "Streams".to_owned(),
    }
}

fn rest_of(kind: &Takes) -> String {
    match kind {
        Takes::Groups(_) => format!("Value | {}", takes(kind)),
        kind => takes(kind),
    }
}

fn many(scalar: Scalar) -> String {
    let value = value(scalar);
    match value.contains(' ') {
        true => format!("{value} | readonly ({value})[]"),
        false => format!("{value} | readonly {value}[]"),
    }
}

fn value(scalar: Scalar) -> &'static str {
    match scalar {
        Scalar::Key => "Key",
        Scalar::Integer => "number | bigint",
        Scalar::Double => "number",
        Scalar::Value => "Value",
    }
}

fn answer(replies: &[&Reply]) -> String {
    either(replies, form, "null")
}

fn form(of: &Form) -> String {
    match of {
        Form::Any => "any".to_owned(),
        Form::Integer | Form::Double => "number".to_owned(),
        Form::Boolean => "boolean".to_owned(),
        Form::Status => "'OK'".to_owned(),
        Form::Bytes => "T".to_owned(),
        Form::Nullable(of) => format!("{} | null", form(of)),
        // As in the other clients.
        Form::List(of) | Form::Set(of) => match **of {
            Form::Nullable(_) => format!("({})[]", form(of)),
            _ => format!("{}[]", form(of)),
        },
        Form::Map(_, of) => format!("Record<string, {}>", form(of)),
        Form::Tuple(all) => {
            format!("[{}]", all.iter().map(form).collect::<Vec<_>>().join(", "))
        }
    }
}
