//! Who is primary, for programs that keep a client library of their own.

use crate::block::{Arena, Block, free};
use crate::convert::value;
use crate::error::{steadis_error, steadis_status};
use crate::inspect::Shared;
use crate::options::{input, steadis_options};
use crate::reply::steadis_reply;
use crate::runtime::{
    at_ease, giving, guard, handle, is_null, lent, place, quietly, take_back, tell, text, timeout,
};
use std::ffi::{c_char, c_int, c_void};
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

/// A primary with its text.
fn block(found: &Found) -> Block<steadis_primary> {
    let (host, port) = match &found.address {
        Endpoint::Tcp(address) => (address.host.clone(), address.port),
        Endpoint::Unix(path) => (path.to_string_lossy().into_owned(), 0),
    };
    let mut arena = Arena::new(size_of::<steadis_primary>() + host.len() + 1);
    let place: *mut steadis_primary = arena.take(1);
    let public = steadis_primary { host: arena.text(host.as_bytes()), port, epoch: found.epoch };
    // SAFETY: a primary was taken first, and is written here.
    unsafe {
        place.write(public);
        arena.block()
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
        giving(error, resolver, "resolver", || {
            Ok(handle(steadis_resolver { resolver: Resolver::open(&input(options))? }))
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
        giving(error, primary, "primary", || {
            let resolver = lent(resolver, "resolver")?;
            let limit = timeout(timeout_ms, "timeout_ms")?;
            Ok(block(&resolver.resolver.primary(limit, &())?).into_raw())
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
        giving(error, reply, "reply", || {
            let topology = lent(resolver, "resolver")?.resolver.topology()?;
            Ok(value(&crate::picture::fields(topology.fields())).into_raw())
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
            tell(id, number);
            Ok(())
        })
    }
}

/// Ends what steadis_resolver_on_change began.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_resolver_off(resolver: *const steadis_resolver, id: u64) {
    // SAFETY: as above.
    unsafe { at_ease(resolver, |resolver| resolver.resolver.off(id)) }
}

/// Frees a primary.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_primary_free(primary: *mut steadis_primary) {
    // SAFETY: every primary that is given away is a block.
    unsafe { free(primary) }
}

/// Ends the watch and frees a resolver.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_resolver_free(resolver: *mut steadis_resolver) {
    // SAFETY: as above.
    unsafe {
        at_ease(resolver, |resolver| resolver.resolver.close());
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
            let primary = found.map(block);
            let primary = primary.as_ref().map_or(null(), Block::root);
            // SAFETY: the primary lives until the callback has returned.
            unsafe { callback(primary, user.get()) };
        });
    })
}
