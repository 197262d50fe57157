//! Conversion alone, for tests.

use crate::batch::command_at;
use crate::convert::{named, read_list, with_room};
use crate::error;
use crate::js::{Js, Value};
use crate::options::options;
use crate::reply::{Mode, build};
use napi::Env;
use napi::bindgen_prelude::Buffer;
use steadis::client::{Answer, Origin};
use steadis::command::{Arg, Encoded, Wait};
use steadis::config::{Config, Environment, Input, Resolved, Secrets, Unit};
use steadis::proto::read::Frame;
use steadis::proto::scan::Limits;
use steadis::{Error, Result};

/// The configuration and the warnings that this comes to, as JSON; or the error.
#[napi_derive::napi(js_name = "_config", catch_unwind)]
pub fn config(env: Env, variables: Value, url: Option<String>, given: Value, ms: bool) -> Value {
    let js = Js(env.raw());
    let text = |(name, value): (String, _)| match value {
        steadis::config::OptionValue::Text(text) => (name, text),
        _ => (name, String::new()),
    };
    let unit = if ms { Unit::Milliseconds } else { Unit::Seconds };
    let resolved = options(js, variables).and_then(|variables| {
        let environment: Environment = variables.into_iter().map(text).collect();
        Config::resolve(&Input { environment, url, options: options(js, given)?, unit })
    });
    answer(js, resolved, |Resolved { config, warnings, .. }| {
        let json = js.text(config.to_json(Secrets::Shown).as_bytes());
        let warnings: Vec<Value> = warnings.iter().map(|it| js.text(it.as_bytes())).collect();
        js.list(&[json, js.list(&warnings)])
    })
}

/// What a call becomes: its bytes, and what is known of it; or the error.
#[napi_derive::napi(js_name = "_encode", catch_unwind)]
pub fn encode(env: Env, index: u32, args: Value, given: Value) -> Value {
    let js = Js(env.raw());
    let mut out = Vec::new();
    answer(js, encoded(js, index, args, given, &mut out), |encoded| {
        let wait = match encoded.wait {
            Wait::No => js.text(b"no"),
            Wait::Forever => js.text(b"forever"),
            Wait::For(time) => js.double(time.as_secs_f64() * 1000.0),
        };
        let effect = format!("{:?}", encoded.effect).to_lowercase();
        let idempotent = js.boolean(encoded.idempotent);
        js.list(&[js.buffer(&out), js.text(effect.as_bytes()), idempotent, wait])
    })
}

/// What a reply to that call becomes; or the error.
#[napi_derive::napi(js_name = "_shape", catch_unwind)]
pub fn shape(
    env: Env,
    index: u32,
    args: Value,
    given: Value,
    reply: Buffer,
    buffers: bool,
) -> Value {
    let js = Js(env.raw());
    let encoded = encoded(js, index, args, given, &mut Vec::new());
    let shaped = encoded.and_then(|encoded| {
        let malformed = |why| Error::usage(format!("this is no reply: {why}"));
        let frame = Frame::check(&reply, Limits::default()).map_err(malformed)?;
        Ok(Answer { frame, shape: encoded.shape, origin: Origin::default() })
    });
    answer(js, shaped, |answer| build(js, Mode { buffers, bigints: true }, answer))
}

fn encoded(js: Js, index: u32, args: Value, given: Value, out: &mut Vec<u8>) -> Result<Encoded> {
    with_room(|room| {
        let args = read_list(js, room, args)?;
        let given = read_list(js, room, given)?;
        let named = match given {
            [Arg::Map(pairs)] => named(room, pairs),
            _ => &[],
        };
        command_at(index)?.encode(args, named, out)
    })
}

fn answer<T>(js: Js, result: Result<T>, make: impl FnOnce(T) -> Value) -> Value {
    match result {
        Ok(value) => make(value),
        Err(error) => error::instance(js, &error),
    }
}
