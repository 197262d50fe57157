//! Keyword arguments become options of the core.

use crate::error;
use crate::runtime::in_ruby;
use magnus::r_hash::ForEach;
use magnus::value::{Opaque, ReprValue};
use magnus::{Error, Float, Integer, RArray, RHash, RString, Ruby, Symbol, Value};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use steadis::Kind;
use steadis::config::{Environment, Input, OptionValue, Secret};

/// What `connect` is given.
pub(crate) fn input(ruby: &Ruby, url: Value, options: RHash) -> Result<Input, Error> {
    let mut input = Input::new(Environment::process());
    match value_of(ruby, "url", url)? {
        OptionValue::Null => {}
        OptionValue::Text(url) => input = input.url(url),
        _ => return Err(unfit(ruby, "url", url)),
    }
    for (name, value) in pairs(ruby, options)? {
        input = input.option(name, value);
    }
    Ok(input)
}

/// Names and values.
pub(crate) fn pairs(ruby: &Ruby, options: RHash) -> Result<Vec<(String, OptionValue)>, Error> {
    let mut all = Vec::new();
    options.foreach(|name: Value, value: Value| {
        let name = name.to_string();
        let value = value_of(ruby, &name, value)?;
        all.push((name, value));
        Ok(ForEach::Continue)
    })?;
    Ok(all)
}

pub(crate) fn value_of(ruby: &Ruby, name: &str, value: Value) -> Result<OptionValue, Error> {
    Ok(if value.is_nil() {
        OptionValue::Null
    } else if value.is_kind_of(ruby.class_true_class())
        || value.is_kind_of(ruby.class_false_class())
    {
        OptionValue::Bool(value.to_bool())
    } else if let Some(number) = Integer::from_value(value) {
        // What is beyond 64 bits is beyond every limit, too.
        number.to_i64().map_or(OptionValue::Float(f64::INFINITY), OptionValue::Int)
    } else if let Some(number) = Float::from_value(value) {
        OptionValue::Float(number.to_f64())
    } else if let Some(text) = RString::from_value(value) {
        // SAFETY: the bytes are copied before Ruby gets to do anything.
        let bytes = unsafe { text.as_slice() }.to_vec();
        String::from_utf8(bytes)
            .map_or_else(|not_text| OptionValue::Bytes(not_text.into_bytes()), OptionValue::Text)
    } else if let Some(symbol) = Symbol::from_value(value) {
        OptionValue::Text(symbol.name()?.into_owned())
    } else if let Some(items) = RArray::from_value(value) {
        let items: Vec<Value> = items.into_iter().collect();
        let items = items.into_iter().map(|item| value_of(ruby, name, item));
        OptionValue::List(items.collect::<Result<_, _>>()?)
    } else if let Some(map) = RHash::from_value(value) {
        OptionValue::Map(pairs(ruby, map)?)
    } else if value.respond_to("call", false)? {
        OptionValue::Secret(secret(ruby, name, value)?)
    } else if value.respond_to("to_path", false)? {
        OptionValue::Text(value.funcall("to_path", ())?)
    } else {
        return Err(unfit(ruby, name, value));
    })
}

/// Seconds to wait.
pub(crate) fn span(ruby: &Ruby, seconds: Option<f64>) -> Result<Option<Duration>, Error> {
    let wrong = |seconds| {
        error::usage(ruby, format!("timeout cannot be {seconds}; give seconds, zero or more"))
    };
    let span = |seconds| Duration::try_from_secs_f64(seconds).map_err(|_| wrong(seconds));
    seconds.map(span).transpose()
}

fn unfit(ruby: &Ruby, name: &str, value: Value) -> Error {
    // SAFETY: the name is copied at once.
    let class = unsafe { value.classname() }.into_owned();
    error::usage(ruby, format!("{name} cannot be an object of class {class}"))
}

type Login = (Option<String>, String);

/// A callable that returns the password, or a pair of user and password. Ruby's code cannot run on
/// the background thread; that one is given what was answered last.
fn secret(ruby: &Ruby, name: &str, callable: Value) -> Result<Secret, Error> {
    ruby.gc_register_mark_object(callable);
    let callable = Opaque::from(callable);
    let last = Mutex::new(ask(ruby, name, callable)?);
    let name = name.to_owned();
    Ok(Secret::ask(move || {
        let asked = in_ruby(|ruby| ask(ruby, &name, callable));
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        match asked {
            None => {}
            Some(Some(login)) => *last = login,
            // The caller gets the exception itself, and others ask for themselves.
            Some(None) => {
                let why = format!("{name} has raised instead of answering");
                return Err(steadis::Error::new(Kind::Unavailable, why));
            }
        }
        Ok(last.clone())
    }))
}

fn ask(ruby: &Ruby, name: &str, callable: Opaque<Value>) -> Result<Login, Error> {
    let answer: Value = ruby.get_inner(callable).funcall("call", ())?;
    let text = |value: Value| {
        let text = RString::from_value(value).ok_or_else(|| unfit(ruby, name, value))?;
        text.to_string()
    };
    match RArray::from_value(answer) {
        Some(pair) if pair.len() == 2 => Ok((Some(text(pair.entry(0)?)?), text(pair.entry(1)?)?)),
        _ => Ok((None, text(answer)?)),
    }
}
