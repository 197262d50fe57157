//! Commands that are sent in one go, and scripts.

use crate::convert::{arguments, read_list, with_room};
use crate::error;
use crate::js::{Js, Value};
use napi::Env;
use std::cell::RefCell;
use std::sync::Arc;
use steadis::client;
use steadis::command::{self, Arg};
use steadis::{Error, Result};

/// Commands of a pipeline or of a transaction.
#[napi_derive::napi]
#[derive(Debug, Default)]
pub struct Batch {
    inner: RefCell<client::Batch>,
}

#[napi_derive::napi]
impl Batch {
    #[napi(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a command of the table; an error of its arguments is returned.
    #[napi(catch_unwind)]
    pub fn add(&self, env: Env, index: u32, list: Value) -> Value {
        self.append(env, |js, batch| {
            let command = command_at(index)?;
            let values: Vec<Value> = js.items(list).collect();
            with_room(|room| {
                let (args, named) = arguments(js, room, command, &values)?;
                batch.add(command, args, named)
            })
        })
    }

    /// Appends any command.
    #[napi(catch_unwind)]
    pub fn add_raw(&self, env: Env, list: Value) -> Value {
        self.append(env, |js, batch| raw(js, list, |words| batch.add_raw(words)))
    }

    /// Appends the call of a script.
    #[napi(catch_unwind)]
    pub fn add_script(&self, env: Env, script: &Script, keys: Value, args: Value) -> Value {
        self.append(env, |js, batch| {
            with_room(|room| {
                let (keys, args) = (read_list(js, room, keys)?, read_list(js, room, args)?);
                batch.add_script(&script.inner, keys, args)
            })
        })
    }

    fn append(&self, env: Env, work: impl FnOnce(Js, &mut client::Batch) -> Result<()>) -> Value {
        let js = Js(env.raw());
        // Taken out, because reading objects runs their getters, which may add to it as well.
        let mut batch = self.inner.take();
        let result = work(js, &mut batch);
        self.inner.replace(batch);
        result.map_or_else(|error| error::instance(js, &error), |()| js.undefined())
    }

    pub(crate) fn take(&self) -> client::Batch {
        self.inner.take()
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
