//! Optimistic transactions.

use crate::client::{steadis_call_options, steadis_client};
use crate::convert::{exchanged, outcomes, with_arguments};
use crate::error::{steadis_error, steadis_status};
use crate::pipeline::steadis_pipeline;
use crate::reply::steadis_reply;
use crate::runtime::{giving, is_null, lent, lent_mut};
use std::ffi::{c_char, c_int, c_void};
use std::ptr::null_mut;
use steadis::client::Exchange;
use steadis::client::blocking::Watch;

/// The data while it is being watched; valid in the callback alone.
#[derive(Debug)]
pub struct steadis_view {
    watch: Watch,
}

/// Reads by steadis_view_call and adds to `transaction` what shall run. Returns 0 to have it run,
/// anything else to give up.
pub type steadis_watch_callback = Option<
    unsafe extern "C" fn(
        view: *mut steadis_view,
        transaction: *mut steadis_pipeline,
        user: *mut c_void,
    ) -> c_int,
>;

/// Watches keys, has `callback` read and decide, and runs the transaction if no key was changed
/// meanwhile; else, and after a failover in between, all of it again from the start, so the
/// callback may be called several times, always on the calling thread. *reply is what the
/// transaction came to, as from steadis_transaction_exec, or NULL if the callback gave up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_watch(
    client: *const steadis_client,
    options: *const steadis_call_options,
    keyc: c_int,
    keyv: *const *const c_char,
    lengths: *const usize,
    callback: steadis_watch_callback,
    user: *mut c_void,
    reply: *mut *mut steadis_reply,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: pointers are checked for NULL, and else are what the header asks for.
    unsafe {
        giving(error, reply, "reply", || {
            let client = lent(client, "client")?;
            let options = client.with(options)?;
            let callback = callback.ok_or_else(|| is_null("callback"))?;
            let watching = |keys: &[&[u8]]| client.client.watching(keys, &options);
            let watch = with_arguments(keyc, keyv, lengths, watching)?;
            let mut view = steadis_view { watch };
            loop {
                view.watch.begin(&())?;
                let mut queued = steadis_pipeline::default();
                let well = callback(&raw mut view, &raw mut queued, user) == 0;
                if !well && !view.watch.is_lost() {
                    return Ok(null_mut());
                }
                if well && let Some(found) = view.watch.commit(queued.batch, &())? {
                    return Ok(outcomes(&found).into_raw());
                }
            }
        })
    }
}

/// Reads on the connection that watches. What writes belongs into the transaction.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_view_call(
    view: *mut steadis_view,
    argc: c_int,
    argv: *const *const c_char,
    lengths: *const usize,
    reply: *mut *mut steadis_reply,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe {
        giving(error, reply, "reply", || {
            let view = lent_mut(view, "view")?;
            let exchange = with_arguments(argc, argv, lengths, |args| Exchange::words(args))?;
            exchanged(exchange, |exchange| view.watch.run(exchange, &()))
        })
    }
}
