//! Options of clients and of calls.

use crate::convert::{DEEP, DEEPEST, FUNCTION, entries, number};
use crate::js::{Js, Value};
use napi::sys::ValueType;
use steadis::command::Arg;
use steadis::config::{OptionValue, find_option, nearest};
use steadis::{Error, Result};

/// Reads the value of an option of the client, or says what it is instead.
fn option(js: Js, value: Value, depth: usize) -> Result<OptionValue, &'static str> {
    Ok(match js.kind(value) {
        ValueType::napi_undefined | ValueType::napi_null => OptionValue::Null,
        ValueType::napi_boolean => OptionValue::Bool(js.to_bool(value)),
        ValueType::napi_number => match number(js.to_double(value)) {
            Ok(Arg::Int(number)) => OptionValue::Int(number),
            _ => OptionValue::Float(js.to_double(value)),
        },
        ValueType::napi_bigint => match js.to_integer(value) {
            Some(number) => OptionValue::Int(number),
            None => OptionValue::Text(js.to_text(js.spell(value))),
        },
        ValueType::napi_string => OptionValue::Text(js.to_text(value)),
        ValueType::napi_object => {
            if let Some(bytes) = js.with_bytes(value, <[u8]>::to_vec) {
                return Ok(OptionValue::Bytes(bytes));
            }
            let deeper = depth.checked_sub(1).ok_or(DEEP)?;
            if js.is_array(value) {
                let items = js.items(value).map(|item| option(js, item, deeper));
                return items.collect::<Result<_, _>>().map(OptionValue::List);
            }
            let entries = entries(js, value)?;
            if js.kind(entries) == ValueType::napi_string {
                return Ok(OptionValue::Text(js.to_text(entries)));
            }
            OptionValue::Map(named_options(js, entries, deeper).map_err(|(_, what)| what)?)
        }
        ValueType::napi_symbol => return Err("a symbol"),
        ValueType::napi_function => return Err(FUNCTION),
        _ => return Err("no value for an option"),
    })
}

/// Names and values in turn; where one is none, its name and what it is instead.
fn named_options(
    js: Js,
    entries: Value,
    depth: usize,
) -> Result<Vec<(String, OptionValue)>, (String, &'static str)> {
    let mut options = Vec::new();
    for pair in 0..js.length(entries) / 2 {
        let name = js.to_text(js.item(entries, pair * 2));
        match option(js, js.item(entries, pair * 2 + 1), depth) {
            Ok(value) => options.push((name, value)),
            // Other clients take functions for what is done by itself here.
            Err(FUNCTION) if find_option(&name).is_none() => {}
            Err(what) => return Err((name, what)),
        }
    }
    Ok(options)
}

/// Reads an object of options.
pub(crate) fn options(js: Js, object: Value) -> Result<Vec<(String, OptionValue)>> {
    let entries = entries(js, object)
        .map_err(|what| Error::config(format!("the options are {what}; write a plain object")))?;
    named_options(js, entries, DEEPEST).map_err(|(name, what)| {
        let hint = "write text, a number, true or false, or a list or object of these";
        Error::config(format!("the option {name} is {what}; {hint}"))
    })
}

/// Options as core spells them; whoever mistypes one of `known` is told which was meant.
pub(crate) fn spelled(
    given: Vec<(String, OptionValue)>,
    known: &[&str],
) -> Result<Vec<(String, OptionValue)>> {
    let plain = |name: &str| name.to_lowercase().replace('_', "");
    let spell = |(name, value): (String, OptionValue)| match known
        .iter()
        .find(|known| plain(known) == plain(&name))
    {
        Some(known) => Ok((snake(known), value)),
        None => {
            let near = match nearest(&name, known.iter().copied()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("there are {}", known.join(", ")),
            };
            Err(Error::usage(format!("a call has no option {name}; {near}")))
        }
    };
    given.into_iter().map(spell).collect()
}

fn snake(camel: &str) -> String {
    let mut snake = String::with_capacity(camel.len() + 2);
    for letter in camel.chars() {
        if letter.is_uppercase() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// Takes a flag out of options.
pub(crate) fn take_flag(
    given: &mut Vec<(String, OptionValue)>,
    name: &str,
) -> Result<Option<bool>> {
    let Some(place) = given.iter().position(|(known, _)| known == name) else { return Ok(None) };
    match given.remove(place).1 {
        OptionValue::Null => Ok(None),
        OptionValue::Bool(flag) => Ok(Some(flag)),
        _ => Err(Error::usage(format!("{name} is neither true nor false; write one of them"))),
    }
}
