//! Lua scripts.

use crate::client::{steadis_call_options, steadis_client};
use crate::convert::{exchanged, with_arguments};
use crate::error::{steadis_error, steadis_status};
use crate::pipeline::steadis_pipeline;
use crate::reply::steadis_reply;
use crate::runtime::{bytes, count, giving, guard, handle, lent, lent_mut, take_back};
use std::ffi::{c_char, c_int};
use std::sync::Arc;
use steadis::client::{Exchange, Script};
use steadis::command::Arg;
use steadis::{Error, Result};

/// A script of a client, called by its digest, and by its source where the server does not know
/// it. Every new primary learns it before it gets commands, while anybody holds it.
#[derive(Debug)]
pub struct steadis_script {
    script: Arc<Script>,
}

/// Makes a script of its source.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_script_new(
    client: *const steadis_client,
    source: *const c_char,
    length: usize,
    script: *mut *mut steadis_script,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: pointers are checked for NULL, and else are what the header asks for.
    unsafe {
        giving(error, script, "script", || {
            let client = lent(client, "client")?;
            let script = client.client.script(bytes(source, length, "source")?);
            Ok(handle(steadis_script { script }))
        })
    }
}

/// Runs a script. The first `keys` of its arguments are keys. Options may be NULL, as may lengths
/// if no argument holds a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_script_call(
    client: *const steadis_client,
    script: *const steadis_script,
    options: *const steadis_call_options,
    keys: c_int,
    argc: c_int,
    argv: *const *const c_char,
    lengths: *const usize,
    reply: *mut *mut steadis_reply,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe {
        giving(error, reply, "reply", || {
            let (client, script) = (lent(client, "client")?, lent(script, "script")?);
            let options = client.with(options)?;
            let exchange = with_arguments(argc, argv, lengths, |args| {
                parted(keys, args, |keys, args| Exchange::script(&script.script, keys, args))
            })?;
            exchanged(exchange, |exchange| client.client.run(exchange, &options, &()))
        })
    }
}

/// Adds the call of a script to a pipeline.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_pipeline_add_script(
    pipeline: *mut steadis_pipeline,
    script: *const steadis_script,
    keys: c_int,
    argc: c_int,
    argv: *const *const c_char,
    lengths: *const usize,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe {
        guard(error, || {
            let (pipeline, script) = (lent_mut(pipeline, "pipeline")?, lent(script, "script")?);
            with_arguments(argc, argv, lengths, |args| {
                parted(keys, args, |keys, args| {
                    pipeline.batch.add_script(&script.script, keys, args)
                })
            })
        })
    }
}

/// Frees a script.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_script_free(script: *mut steadis_script) {
    // SAFETY: as above.
    unsafe { take_back(script) }
}

/// Keys and arguments of a script, apart.
fn parted<T>(
    keys: c_int,
    args: &[&[u8]],
    work: impl FnOnce(&[Arg<'_>], &[Arg<'_>]) -> Result<T>,
) -> Result<T> {
    let args: Vec<Arg<'_>> = args.iter().map(|arg| Arg::Bytes(arg)).collect();
    let (keys, args) = args.split_at_checked(count(keys, "keys")?).ok_or_else(|| {
        Error::usage(format!("keys is {keys}, but there are {} arguments", args.len()))
    })?;
    work(keys, args)
}
