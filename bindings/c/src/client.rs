//! Connect, call, close.

use crate::convert::{exchanged, with_arguments};
use crate::error::{steadis_error, steadis_status};
use crate::options::{input, steadis_options};
use crate::reply::steadis_reply;
use crate::runtime::{at_ease, giving, guard, handle, lent, take_back, text, timeout};
use std::ffi::{c_char, c_int};
use steadis::client::{CallOptions, Exchange};
use steadis::config::{ReadFrom, RetryWrites};
use steadis::{Client, Result};

/// A client. Any number of threads may use it at once.
#[derive(Debug)]
pub struct steadis_client {
    pub(crate) client: Client,
    pub(crate) options: CallOptions,
}

/// What may differ from call to call. Zero and NULL stand for what the client has; begin with
/// all of it zero: steadis_call_options options = {0}.
#[repr(C)]
#[derive(Debug)]
pub struct steadis_call_options {
    /// For the whole call, waiting for a primary included.
    pub timeout_ms: i64,
    /// "unsent" or "always".
    pub retry_writes: *const c_char,
    /// "primary", "prefer_replica", "replica", "nearest" or "round_robin".
    pub read_from: *const c_char,
    /// How far behind a replica may be that is read from.
    pub max_lag_ms: i64,
    /// For later versions; zero.
    pub reserved: [u64; 4],
}

impl steadis_client {
    /// The options of a call.
    ///
    /// # Safety
    /// `asked` is NULL, or its texts end with a NUL.
    pub(crate) unsafe fn with(&self, asked: *const steadis_call_options) -> Result<CallOptions> {
        // SAFETY: the caller's word.
        unsafe { merge(self.options, asked) }
    }
}

/// # Safety
/// As [`steadis_client::with`].
pub(crate) unsafe fn merge(
    mut options: CallOptions,
    asked: *const steadis_call_options,
) -> Result<CallOptions> {
    // SAFETY: the caller's word.
    unsafe {
        let Some(asked) = asked.as_ref() else { return Ok(options) };
        options.timeout = timeout(asked.timeout_ms, "timeout_ms")?.or(options.timeout);
        options.max_lag = timeout(asked.max_lag_ms, "max_lag_ms")?.or(options.max_lag);
        if !asked.retry_writes.is_null() {
            options.retry_writes = RetryWrites::parse(text(asked.retry_writes, "retry_writes")?)?;
        }
        if !asked.read_from.is_null() {
            options.read_from = ReadFrom::parse(text(asked.read_from, "read_from")?)?;
        }
    }
    Ok(options)
}

/// Makes a client of what `options` and the environment say (NULL: the environment alone). Wrong
/// settings fail here; the network is touched at the first command, or by steadis_ready.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_connect(
    options: *const steadis_options,
    client: *mut *mut steadis_client,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: pointers are checked for NULL, and else are what the header asks for.
    unsafe {
        giving(error, client, "client", || {
            let client = Client::open(&input(options))?;
            let options = client.options();
            Ok(handle(steadis_client { client, options }))
        })
    }
}

/// Waits until the primary is verified, `timeout_ms` at the most (0: the client's timeouts).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_ready(
    client: *const steadis_client,
    timeout_ms: i64,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe {
        guard(error, || {
            let client = lent(client, "client")?;
            let limit = timeout(timeout_ms, "timeout_ms")?;
            let options = CallOptions { timeout: limit, ..client.client.options() };
            let mut exchange = Exchange::raw(&["PING"])?;
            client.client.run(&mut exchange, &options, &())?;
            exchange.answer().map(drop)
        })
    }
}

/// Calls a command, given by its arguments, and waits for its reply, which has the shape of the
/// command in RESP3 whatever the server speaks: HGETALL gives a map. An error of the server is
/// STEADIS_SERVER, not a reply. `lengths` may be NULL if no argument holds a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_call(
    client: *const steadis_client,
    argc: c_int,
    argv: *const *const c_char,
    lengths: *const usize,
    reply: *mut *mut steadis_reply,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe { steadis_call_with(client, std::ptr::null(), argc, argv, lengths, reply, error) }
}

/// The same with options for this call (NULL: none).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_call_with(
    client: *const steadis_client,
    options: *const steadis_call_options,
    argc: c_int,
    argv: *const *const c_char,
    lengths: *const usize,
    reply: *mut *mut steadis_reply,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe {
        giving(error, reply, "reply", || {
            let client = lent(client, "client")?;
            let options = client.with(options)?;
            let exchange = with_arguments(argc, argv, lengths, |args| Exchange::words(args))?;
            exchanged(exchange, |exchange| client.client.run(exchange, &options, &()))
        })
    }
}

/// Makes a client that only reads, from replicas as `options` say (NULL: "prefer_replica"). It
/// shares everything else with the other, and is freed on its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_replica(
    client: *const steadis_client,
    options: *const steadis_call_options,
    replica: *mut *mut steadis_client,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe {
        giving(error, replica, "replica", || {
            let client = lent(client, "client")?;
            let preferred = CallOptions { read_from: ReadFrom::PreferReplica, ..client.options };
            let options = merge(preferred, options)?;
            let options = options.reading_from(options.read_from, options.max_lag);
            Ok(handle(steadis_client { client: client.client.clone(), options }))
        })
    }
}

/// Ends all connections, those of its replicas too. Calls that wait end with STEADIS_CLOSED, as
/// do later ones; the handle stays valid until it is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_close(client: *const steadis_client) {
    // SAFETY: as above.
    unsafe { at_ease(client, |client| client.client.close()) }
}

/// Frees a client. Its connections end with the last handle that shares them: replicas, scripts,
/// pipelines and subscriptions hold them too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_client_free(client: *mut steadis_client) {
    // SAFETY: as above.
    unsafe { take_back(client) }
}

/// The version of the library, such as "0.1.0".
#[unsafe(no_mangle)]
pub extern "C" fn steadis_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
