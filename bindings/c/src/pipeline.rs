//! Commands sent in one go.

use crate::client::{steadis_call_options, steadis_client};
use crate::convert::{outcomes, with_arguments};
use crate::error::{steadis_error, steadis_status};
use crate::reply::steadis_reply;
use crate::runtime::{giving, guard, handle, lent, lent_mut, take_back};
use std::ffi::{c_char, c_int};
use steadis::client::{Batch, CallOptions, Outcomes};
use steadis::{Client, Result};

/// Commands to be sent in one go: each for itself by steadis_pipeline_exec, or together or not at
/// all by steadis_transaction_exec. It belongs to one thread at a time.
#[derive(Debug, Default)]
pub struct steadis_pipeline {
    pub(crate) batch: Batch,
}

/// Makes a pipeline without commands.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_pipeline_new(
    pipeline: *mut *mut steadis_pipeline,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: pointers are checked for NULL, and else are what the header asks for.
    unsafe { giving(error, pipeline, "pipeline", || Ok(handle(steadis_pipeline::default()))) }
}

/// Adds a command, given by its arguments as for steadis_call, and copies them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_pipeline_add(
    pipeline: *mut steadis_pipeline,
    argc: c_int,
    argv: *const *const c_char,
    lengths: *const usize,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe {
        guard(error, || {
            let pipeline = lent_mut(pipeline, "pipeline")?;
            with_arguments(argc, argv, lengths, |args| pipeline.batch.add_words(args))
        })
    }
}

/// Sends the commands, waits for all replies, and leaves the pipeline empty. The reply is an array
/// with one element for each command, in order; those that failed are STEADIS_REPLY_ERROR, with
/// what became of the command in their `error`. Options may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_pipeline_exec(
    client: *const steadis_client,
    pipeline: *mut steadis_pipeline,
    options: *const steadis_call_options,
    reply: *mut *mut steadis_reply,
    error: *mut *mut steadis_error,
) -> steadis_status {
    let run = |client: &Client, batch, options: &_| client.run_pipeline(batch, options, &());
    // SAFETY: as above.
    unsafe { exec(client, pipeline, options, reply, error, run) }
}

/// The same as a transaction (MULTI, EXEC). An error of the whole is the status: nothing ran, or,
/// as STEADIS_MAYBE_EXECUTED, all of it may have.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_transaction_exec(
    client: *const steadis_client,
    pipeline: *mut steadis_pipeline,
    options: *const steadis_call_options,
    reply: *mut *mut steadis_reply,
    error: *mut *mut steadis_error,
) -> steadis_status {
    let run = |client: &Client, batch, options: &_| client.run_transaction(batch, options, &());
    // SAFETY: as above.
    unsafe { exec(client, pipeline, options, reply, error, run) }
}

/// Frees a pipeline; what was not executed is forgotten.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_pipeline_free(pipeline: *mut steadis_pipeline) {
    // SAFETY: as above.
    unsafe { take_back(pipeline) }
}

/// # Safety
/// The pointers are what the functions above ask for.
unsafe fn exec(
    client: *const steadis_client,
    pipeline: *mut steadis_pipeline,
    options: *const steadis_call_options,
    reply: *mut *mut steadis_reply,
    error: *mut *mut steadis_error,
    run: impl FnOnce(&Client, Batch, &CallOptions) -> Result<Outcomes>,
) -> steadis_status {
    // SAFETY: the caller's word.
    unsafe {
        giving(error, reply, "reply", || {
            let client = lent(client, "client")?;
            let pipeline = lent_mut(pipeline, "pipeline")?;
            let options = client.with(options)?;
            let batch = std::mem::take(&mut pipeline.batch);
            Ok(outcomes(&run(&client.client, batch, &options)?).into_raw())
        })
    }
}
