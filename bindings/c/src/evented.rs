//! The client inside a program's event loop.

use crate::client::{merge, steadis_call_options};
use crate::convert::with_arguments;
use crate::error::{steadis_error, steadis_status};
use crate::event_loop::{self, Loop};
use crate::options::{input, steadis_options};
use crate::pipeline::steadis_pipeline;
use crate::pubsub::how;
use crate::reply::steadis_reply;
use crate::runtime::{
    at_ease, bytes, giving, guard, handle, is_null, lent, lent_mut, take_back, tell,
};
use crate::subscriber::steadis_message_callback;
use std::cell::RefCell;
use std::ffi::{c_char, c_int, c_void};
use std::os::fd::AsRawFd;
use std::rc::Rc;
use std::time::Instant;
use steadis::Result;
use steadis::client::hosted::Session;
use steadis::client::{CallOptions, Exchange};
use steadis::config::Config;

/// A client for a program with an event loop. It makes no call wait: the program polls
/// steadis_async_fd for reading, calls steadis_async_process when it is readable, and that calls
/// back. One thread at a time may use it; callbacks may call all of its functions.
#[allow(missing_debug_implementations)] // C knows no Debug
pub struct steadis_async {
    all: Rc<RefCell<Loop>>,
}

/// Gets the reply of a call, or the error; the other one is NULL. Both are valid during the call
/// alone. It is called exactly once, unless the call was cancelled or the handle was freed.
pub type steadis_reply_callback = Option<
    unsafe extern "C" fn(
        reply: *const steadis_reply,
        error: *const steadis_error,
        user: *mut c_void,
    ),
>;

/// Makes a client for an event loop, of what `options` and the environment say (NULL: the
/// environment alone).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_async_new(
    options: *const steadis_options,
    out: *mut *mut steadis_async,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: pointers are checked for NULL, and else are what the header asks for.
    unsafe {
        giving(error, out, "out", || {
            let made = Loop::new(Config::resolve(&input(options))?.config)?;
            Ok(handle(steadis_async { all: Rc::new(RefCell::new(made)) }))
        })
    }
}

/// The descriptor to poll for reading; it stays the same, and is closed with the handle. -1 for
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_async_fd(handle: *const steadis_async) -> c_int {
    // SAFETY: as above.
    let handle = unsafe { handle.as_ref() };
    handle.map_or(-1, |handle| handle.all.borrow().host.descriptor().as_raw_fd())
}

/// Does what there is to do, without waiting, and calls back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_async_process(
    handle: *const steadis_async,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe {
        guard(error, || {
            // A callback may free the handle.
            let all = Rc::clone(&lent(handle, "handle")?.all);
            all.borrow().ours()?;
            all.borrow_mut().work(|session, host, sink| {
                host.turn(session, sink)?;
                host.pump(session, sink)
            })?;
            event_loop::tell(&all);
            all.borrow_mut().work(|session, host, sink| host.pump(session, sink))
        })
    }
}

/// Calls a command, given by its arguments as for steadis_call; `callback` gets what comes of it.
/// Options may be NULL. *id, which may be NULL too, is for steadis_async_cancel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_async_call(
    handle: *const steadis_async,
    options: *const steadis_call_options,
    argc: c_int,
    argv: *const *const c_char,
    lengths: *const usize,
    callback: steadis_reply_callback,
    user: *mut c_void,
    id: *mut u64,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe {
        submit(handle, options, callback, user, id, error, |session, options| {
            let exchange = with_arguments(argc, argv, lengths, |args| Exchange::words(args))?;
            session.submit(&exchange, options, Instant::now())
        })
    }
}

/// Sends the commands of a pipeline, which is empty afterwards; the reply is as from
/// steadis_pipeline_exec.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_async_pipeline(
    handle: *const steadis_async,
    options: *const steadis_call_options,
    pipeline: *mut steadis_pipeline,
    callback: steadis_reply_callback,
    user: *mut c_void,
    id: *mut u64,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe {
        submit(handle, options, callback, user, id, error, |session, options| {
            let batch = std::mem::take(&mut lent_mut(pipeline, "pipeline")?.batch);
            session.submit_pipeline(batch, options, Instant::now())
        })
    }
}

/// The same as a transaction; see steadis_transaction_exec.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_async_transaction(
    handle: *const steadis_async,
    options: *const steadis_call_options,
    pipeline: *mut steadis_pipeline,
    callback: steadis_reply_callback,
    user: *mut c_void,
    id: *mut u64,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe {
        submit(handle, options, callback, user, id, error, |session, options| {
            let batch = std::mem::take(&mut lent_mut(pipeline, "pipeline")?.batch);
            session.submit_transaction(batch, options, Instant::now())
        })
    }
}

/// Subscribes to a channel; `by` is a steadis_by. Messages, gaps and errors that end nothing go to
/// `callback` until steadis_async_cancel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_async_subscribe(
    handle: *const steadis_async,
    by: c_int,
    name: *const c_char,
    length: usize,
    callback: steadis_message_callback,
    user: *mut c_void,
    id: *mut u64,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe {
        guard(error, || {
            let handle = lent(handle, "handle")?;
            let (by, name) = (how(by)?, bytes(name, length, "name")?);
            let callback = callback.ok_or_else(|| is_null("callback"))?;
            let mut all = handle.all.borrow_mut();
            all.ours()?;
            let now = Instant::now();
            let token = all.session.subscribe(now);
            all.subscriptions.insert(token, (callback, user));
            all.session.subscription_add(token, by, name, now);
            all.work(|session, host, sink| host.pump(session, sink))?;
            tell(id, token);
            Ok(())
        })
    }
}

/// Forgets a call, or ends a subscription: its callback is not called any more. What was sent runs
/// all the same.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_async_cancel(handle: *const steadis_async, id: u64) {
    let cancel = |handle: &steadis_async| handle.all.borrow_mut().cancel(id);
    // SAFETY: as above.
    unsafe { at_ease(handle, cancel) }
}

/// Ends all connections. Calls that wait end with STEADIS_CLOSED in the next
/// steadis_async_process, as do later ones at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_async_close(handle: *const steadis_async) {
    // SAFETY: as above.
    unsafe { at_ease(handle, |handle| handle.all.borrow_mut().close()) }
}

/// Frees the handle; callbacks that were not called are forgotten. A callback may do so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_async_free(handle: *mut steadis_async) {
    // SAFETY: as above.
    unsafe { take_back(handle) }
}

/// # Safety
/// The pointers are what the functions above ask for.
unsafe fn submit(
    handle: *const steadis_async,
    options: *const steadis_call_options,
    callback: steadis_reply_callback,
    user: *mut c_void,
    id: *mut u64,
    error: *mut *mut steadis_error,
    submit: impl FnOnce(&mut Session, CallOptions) -> Result<u64>,
) -> steadis_status {
    // SAFETY: the caller's word.
    unsafe {
        guard(error, || {
            let handle = lent(handle, "handle")?;
            let callback = callback.ok_or_else(|| is_null("callback"))?;
            let mut all = handle.all.borrow_mut();
            all.ours()?;
            let options = merge(CallOptions::of(all.session.config()), options)?;
            let token = submit(&mut all.session, options)?;
            all.calls.insert(token, (callback, user));
            all.submitted()?;
            tell(id, token);
            Ok(())
        })
    }
}
