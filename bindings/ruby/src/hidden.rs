//! What the tests of this tree look at: how calls and settings are converted, without a server.

use crate::convert::{Builder, items, with_args};
use crate::{error, settings};
use magnus::{Error, Object, RArray, RHash, RModule, RString, Ruby, Value, function};
use std::collections::HashMap;
use steadis::client::{Answer, Origin};
use steadis::command::{Command, Encoded, all};
use steadis::config::{Config, Environment, Secrets, Unit};
use steadis::proto::read::Frame;
use steadis::proto::scan::Limits;

fn encoded(
    ruby: &Ruby,
    name: &str,
    args: RArray,
    named: RHash,
) -> Result<(Encoded, Vec<u8>), Error> {
    let command: Option<&'static Command> = all().iter().find(|command| command.name == name);
    let missing = || error::usage(ruby, format!("{name} is no command of the table"));
    let command = command.ok_or_else(missing)?;
    with_args(ruby, name, items(&args), Some(named), |args, named| {
        let mut out = Vec::new();
        Ok((command.encode(args, named, &mut out)?, out))
    })
}

/// The bytes that a call is sent as.
fn encode(ruby: &Ruby, name: String, args: RArray, named: RHash) -> Result<RString, Error> {
    Ok(ruby.str_from_slice(&encoded(ruby, &name, args, named)?.1))
}

/// The value that a reply to a call becomes.
fn reply(
    ruby: &Ruby,
    name: String,
    args: RArray,
    named: RHash,
    bytes: RString,
) -> Result<Value, Error> {
    let (encoded, _) = encoded(ruby, &name, args, named)?;
    // SAFETY: the bytes are copied before Ruby gets to do anything.
    let bytes = unsafe { bytes.as_slice() }.to_vec();
    let frame = Frame::check(&bytes, Limits::default());
    let frame = frame.map_err(|why| error::usage(ruby, why))?;
    Answer { frame, shape: encoded.shape, origin: Origin::default() }.build(&mut Builder { ruby })
}

/// The configuration that environment, URL and options come to, as JSON, and what is odd.
fn configuration(
    ruby: &Ruby,
    environment: HashMap<String, String>,
    url: Value,
    milliseconds: bool,
    options: RHash,
) -> Result<(String, Vec<String>), Error> {
    let mut input = settings::input(ruby, url, options)?;
    input.environment = Environment::from_iter(environment);
    input.unit = if milliseconds { Unit::Milliseconds } else { Unit::Seconds };
    let resolved = Config::resolve(&input).map_err(|why| error::raise(ruby, &why))?;
    Ok((resolved.config.to_json(Secrets::Shown), resolved.warnings))
}

pub(crate) fn define(home: RModule) -> Result<(), Error> {
    home.define_singleton_method("_encode", function!(encode, 3))?;
    home.define_singleton_method("_reply", function!(reply, 4))?;
    home.define_singleton_method("_configuration", function!(configuration, 4))
}
