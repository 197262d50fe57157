//! Options of clients and of calls.

use crate::convert::{DEEP, DEEPEST, FUNCTION, entries, number};
use crate::js::{Js, Value};
use napi::sys::ValueType;
use std::time::Duration;
use steadis::client::CallOptions;
use steadis::command::Arg;
use steadis::config::{Config, Environment, Input, OptionValue, Unit, find_option, nearest};
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

/// Call options by name. The ones that a client has too are read as those are.
pub(crate) fn call_options(
    base: CallOptions,
    mut given: Vec<(String, OptionValue)>,
) -> Result<CallOptions> {
    let mut options = base;
    if let Some(place) = given.iter().position(|(name, _)| name == "timeout") {
        options.timeout = match given.remove(place).1 {
            OptionValue::Null => None,
            OptionValue::Int(ms) if ms > 0 => Some(Duration::from_millis(ms.unsigned_abs())),
            OptionValue::Float(ms) if ms > 0.0 && ms < 1e15 => {
                Some(Duration::from_secs_f64(ms / 1000.0))
            }
            _ => {
                let why = "timeout is no number of milliseconds above zero; write one such as 200";
                return Err(Error::usage(why));
            }
        };
    }
    if given.is_empty() {
        return Ok(options);
    }
    let names: Vec<String> =
        given.iter().map(|(name, _)| name.to_lowercase().replace('_', "")).collect();
    if let Some(odd) = names.iter().position(|name| !CALL_OPTIONS.contains(&name.as_str())) {
        let odd = &given[odd].0;
        let known =
            ["timeout", "signal", "retryWrites", "readFrom", "maxLag", "buffers", "bigints"];
        let near = match nearest(odd, known.into_iter()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("there are {}", known.join(", ")),
        };
        return Err(Error::usage(format!("a call has no option {odd}; {near}")));
    }
    let (environment, url) = (Environment::none(), None);
    let given = given.into_iter().chain([("host".to_owned(), "127.0.0.1".into())]).collect();
    let input = Input { environment, url, options: given, unit: Unit::Milliseconds };
    let read = CallOptions::of(&Config::resolve(&input)?.config);
    for name in names {
        match name.as_str() {
            "retrywrites" => options.retry_writes = read.retry_writes,
            "readfrom" => options.read_from = read.read_from,
            _ => options.max_lag = read.max_lag,
        }
    }
    Ok(options)
}

const CALL_OPTIONS: [&str; 3] = ["retrywrites", "readfrom", "maxlag"];

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
