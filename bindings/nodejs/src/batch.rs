//! Commands that are sent in one go, and scripts.

use crate::client::Native;
use crate::convert::{arguments, read_list, with_room};
use crate::error;
use crate::js::{Js, Value};
use napi::Env;
use std::cell::RefCell;
use std::sync::Arc;
use steadis::client;
use steadis::command::{self, Arg};
use steadis::{Error, Result};

/// The commands of a pipeline or of a transaction, behind a value of JavaScript.
type Commands = RefCell<client::Batch>;

/// No commands yet.
pub(crate) fn batch(js: Js) -> Value {
    js.wrap(Commands::default())
}

/// Appends a command of the table: its number, then its arguments. An error is returned.
pub(crate) fn add(js: Js, args: &[Value]) -> Value {
    let [commands, index, args @ ..] = args else { return js.undefined() };
    let added = command_at(js.to_double(*index) as u32).and_then(|command| {
        with_room(|room| {
            let (args, named) = arguments(js, room, command, args)?;
            commands_of(js, *commands)?.borrow_mut().add(command, args, named)
        })
    });
    told(js, added)
}

/// Takes the commands out, to be sent.
pub(crate) fn take(js: Js, commands: Value) -> client::Batch {
    commands_of(js, commands).map(RefCell::take).unwrap_or_default()
}

fn commands_of<'a>(js: Js, value: Value) -> Result<&'a Commands> {
    js.unwrap(value).ok_or_else(|| Error::usage("this is no batch: call pipeline() or multi()"))
}

fn told(js: Js, result: Result<()>) -> Value {
    result.map_or_else(|error| error::instance(js, &error), |()| js.undefined())
}

#[napi_derive::napi]
impl Native {
    /// Appends any command to a batch; an error of its arguments is returned.
    #[napi(catch_unwind)]
    pub fn add_words(&self, env: Env, commands: Value, list: Value) -> Value {
        let js = Js(env.raw());
        let add = |words: &[Vec<u8>]| commands_of(js, commands)?.borrow_mut().add_raw(words);
        told(js, raw(js, list, add))
    }

    /// Appends the call of a script to a batch.
    #[napi(catch_unwind)]
    pub fn add_script(
        &self,
        env: Env,
        commands: Value,
        script: &Script,
        keys: Value,
        args: Value,
    ) -> Value {
        let js = Js(env.raw());
        let added = with_room(|room| {
            let (keys, args) = (read_list(js, room, keys)?, read_list(js, room, args)?);
            commands_of(js, commands)?.borrow_mut().add_script(&script.inner, keys, args)
        });
        told(js, added)
    }
}

/// A script that every new primary learns before it gets commands.
#[napi_derive::napi]
#[derive(Debug)]
pub struct Script {
    pub(crate) inner: Arc<client::Script>,
}

#[napi_derive::napi]
impl Script {
    /// What EVALSHA calls it.
    #[napi(getter)]
    pub fn digest(&self) -> &str {
        self.inner.digest()
    }
}

/// The command of this number.
pub(crate) fn command_at(index: u32) -> Result<&'static command::Command> {
    let command = command::all().get(index as usize);
    command.ok_or_else(|| Error::usage(format!("there is no command number {index}")))
}

/// Reads the words of any command.
pub(crate) fn raw<T>(js: Js, list: Value, work: impl FnOnce(&[Vec<u8>]) -> Result<T>) -> Result<T> {
    with_room(|room| {
        let args = read_list(js, room, list)?;
        let words = args.iter().enumerate().map(|(index, arg)| {
            arg.to_word().ok_or_else(|| {
                let what = match arg {
                    Arg::Null => "null or undefined",
                    Arg::Bool(_) => "true or false",
                    _ => "a list or an object",
                };
                let number = index + 1;
                let hint = "write text, a number or a Buffer";
                Error::usage(format!("argument {number} is {what}; {hint}"))
            })
        });
        work(&words.collect::<Result<Vec<_>>>()?)
    })
}
