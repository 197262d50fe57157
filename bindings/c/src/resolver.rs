//! Who is primary, for programs that keep a client library of their own.

use crate::convert::{give_reply, value};
use crate::error::{steadis_error, steadis_status};
use crate::inspect::Shared;
use crate::options::{input, steadis_options};
use crate::reply::steadis_reply;
use crate::runtime::{give, guard, is_null, lent, place, quietly, take_back, text, timeout};
use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr::null;
use steadis::config::Endpoint;
use steadis::{Error, Found, Resolver, Result, Trouble};

/// Finds the primary and says when it changes. Any number of threads may use it at once.
#[derive(Debug)]
pub struct steadis_resolver {
    resolver: Resolver,
}

/// A verified primary. Later versions may append members.
#[repr(C)]
#[derive(Debug)]
pub struct steadis_primary {
    /// A name or an address; the path if it is a unix socket.
    pub host: *const c_char,
    /// 0 for a unix socket.
    pub port: u16,
    /// Grows with every new primary: close connections of an older epoch.
    pub epoch: u64,
}

/// A primary with the text that it points to.
#[repr(C)]
struct Primary {
    /// In the first place, so that a pointer to it is a pointer to all.
    public: steadis_primary,
    _host: CString,
}

impl Primary {
    fn new(found: &Found) -> Self {
        let (host, port) = match &found.address {
            Endpoint::Tcp(address) => (address.host.clone(), address.port),
            Endpoint::Unix(path) => (path.to_string_lossy().into_owned(), 0),
        };
        let host = CString::new(host).unwrap_or_default();
        Self {
            public: steadis_primary { host: host.as_ptr(), port, epoch: found.epoch },
            _host: host,
        }
    }
}

/// What a connection met.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum steadis_trouble {
    /// It was refused, reset, or not answered.
    STEADIS_UNREACHABLE = 1,
    /// The node said that it is no primary (READONLY, ...).
    STEADIS_NOT_PRIMARY = 2,
    /// A reply is overdue.
    STEADIS_OVERDUE = 3,
}

/// Makes a resolver of what `options` and the environment say (NULL: the environment alone). The
/// network is touched when it is first asked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_resolver_new(
    options: *const steadis_options,
    resolver: *mut *mut steadis_resolver,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: pointers are checked for NULL, and else are what the header asks for.
    unsafe {
        guard(error, || {
            let out = place(resolver, "resolver")?;
            give(out, steadis_resolver { resolver: Resolver::open(&input(options))? });
            Ok(())
        })
    }
}

/// The primary, now or within `timeout_ms` (0: the option failover_timeout). It waits while none
/// is verified, and while a failover is announced. Free it with steadis_primary_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_resolver_primary(
    resolver: *const steadis_resolver,
    timeout_ms: i64,
    primary: *mut *mut steadis_primary,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe {
        guard(error, || {
            let (resolver, out) = (lent(resolver, "resolver")?, place(primary, "primary")?);
            let limit = timeout(timeout_ms, "timeout_ms")?;
            let found = resolver.resolver.primary(limit, &())?;
            *out = Box::into_raw(Box::new(Primary::new(&found))).cast();
            Ok(())
        })
    }
}

/// What is known of the deployment, as from steadis_topology.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_resolver_topology(
    resolver: *const steadis_resolver,
    reply: *mut *mut steadis_reply,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe {
        guard(error, || {
            let (resolver, out) = (lent(resolver, "resolver")?, place(reply, "reply")?);
            give_reply(out, value(&crate::picture::fields(resolver.resolver.topology()?.fields())))
        })
    }
}

/// A connection to the primary of this epoch met `trouble` (a steadis_trouble): the primary is
/// looked for at once, and steadis_resolver_primary returns what is known after that, never before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_resolver_report(
    resolver: *const steadis_resolver,
    epoch: u64,
    trouble: c_int,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe {
        guard(error, || {
            let resolver = lent(resolver, "resolver")?;
            let trouble = match trouble {
                1 => Trouble::Unreachable,
                2 => Trouble::NotPrimary,
                3 => Trouble::Overdue,
                _ => {
                    let why = format!("trouble is {trouble}; write a steadis_trouble");
                    return Err(Error::usage(why));
                }
            };
            resolver.resolver.report(epoch, trouble)
        })
    }
}

/// The node of this epoch answered a command with an error, such as the `str` of a hiredis reply.
/// *over tells whether it says that it is no primary to write to: close the connection then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_resolver_report_error(
    resolver: *const steadis_resolver,
    epoch: u64,
    line: *const c_char,
    over: *mut bool,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe {
        guard(error, || {
            let (resolver, out) = (lent(resolver, "resolver")?, place(over, "over")?);
            *out = resolver.resolver.report_error(epoch, text(line, "line")?.as_bytes())?;
            Ok(())
        })
    }
}

/// Gets the new primary, or NULL when it is lost or about to be replaced; valid during the call
/// alone. It is called on the library's own thread, which must not be kept waiting, and must not
/// call the resolver.
pub type steadis_primary_callback =
    Option<unsafe extern "C" fn(primary: *const steadis_primary, user: *mut c_void)>;

/// Calls `callback` whenever the primary changes, until steadis_resolver_off. *id may be NULL. The
/// callback can still be running when that returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_resolver_on_change(
    resolver: *const steadis_resolver,
    callback: steadis_primary_callback,
    user: *mut c_void,
    id: *mut u64,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above; callback and user may be used on another thread.
    unsafe {
        guard(error, || {
            let resolver = lent(resolver, "resolver")?;
            let number = resolver.resolver.on_change(listener(callback, user)?)?;
            if let Some(id) = id.as_mut() {
                *id = number;
            }
            Ok(())
        })
    }
}

/// Ends what steadis_resolver_on_change began.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_resolver_off(resolver: *const steadis_resolver, id: u64) {
    // SAFETY: as above.
    if let Some(resolver) = unsafe { resolver.as_ref() } {
        quietly((), || resolver.resolver.off(id));
    }
}

/// Frees a primary.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_primary_free(primary: *mut steadis_primary) {
    // SAFETY: every primary that is given away is a `Primary`.
    unsafe { take_back(primary.cast::<Primary>()) }
}

/// Ends the watch and frees a resolver.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_resolver_free(resolver: *mut steadis_resolver) {
    // SAFETY: as above.
    unsafe {
        if let Some(resolver) = resolver.as_ref() {
            quietly((), || resolver.resolver.close());
        }
        take_back(resolver);
    }
}

fn listener(
    callback: steadis_primary_callback,
    user: *mut c_void,
) -> Result<impl Fn(Option<&Found>) + Send + Sync + 'static> {
    let callback = callback.ok_or_else(|| is_null("callback"))?;
    let user = Shared(user);
    Ok(move |found: Option<&Found>| {
        quietly((), || {
            let primary = found.map(Primary::new);
            let primary = primary.as_ref().map_or(null(), |it| &raw const it.public);
            // SAFETY: the primary lives until the callback has returned.
            unsafe { callback(primary, user.get()) };
        });
    })
}
