//! Looking at a client: topology, health, figures, settings, events.

use crate::client::steadis_client;
use crate::convert::value;
use crate::error::{steadis_error, steadis_status};
use crate::picture::{fields, list, map, text};
use crate::reply::steadis_reply;
use crate::runtime::{giving, guard, is_null, lent, quietly, tell, text as text_of};
use std::ffi::{CString, c_char, c_void};
use steadis::config::Secrets;
use steadis::{Client, Error, Event, Reply, Result};

/// What is known of the deployment, as a map: "epoch", "phase", "primary" (nil: none), "replicas",
/// "sentinels" (each a map of "address", "up", "says") and "reason". Asks nobody.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_topology(
    client: *const steadis_client,
    reply: *mut *mut steadis_reply,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: pointers are checked for NULL, and else are what the header asks for.
    unsafe { look(client, reply, error, |client| Ok(fields(client.topology()?.fields()))) }
}

/// How the deployment fares, as a map: "state" ("ready", "degraded", "failing_over" or "down"),
/// "primary", "replicas" (how many), "sentinels_up", "sentinels" and "reason". Asks nobody.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_health(
    client: *const steadis_client,
    reply: *mut *mut steadis_reply,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe { look(client, reply, error, |client| Ok(fields(client.health()?.fields()))) }
}

/// What the client has counted, as a map: "figures" (a map of integers, such as "calls") and
/// "prometheus" (the same as text for a scraper).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_stats(
    client: *const steadis_client,
    reply: *mut *mut steadis_reply,
    error: *mut *mut steadis_error,
) -> steadis_status {
    let picture = |client: &Client| {
        let stats = client.stats();
        let figures = stats.figures().into_iter();
        let figures = figures.map(|(name, _, count)| (name, Reply::Integer(count as i64)));
        let prometheus = text(&stats.prometheus());
        Ok(map([("figures", map(figures)), ("prometheus", prometheus)]))
    };
    // SAFETY: as above.
    unsafe { look(client, reply, error, picture) }
}

/// Which setting came from where, passwords cut, as a map: "settings" (each a map of "name",
/// "value" and "source"), "warnings", "text" (a table for people) and "json" (the options that
/// lead to this configuration).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_explain(
    client: *const steadis_client,
    reply: *mut *mut steadis_reply,
    error: *mut *mut steadis_error,
) -> steadis_status {
    let picture = |client: &Client| {
        let explanation = client.explain();
        let rows = explanation.rows.iter().map(|row| {
            let (value, source) = (text(&row.value), text(&row.source()));
            map([("name", text(row.name)), ("value", value), ("source", source)])
        });
        Ok(map([
            ("settings", list(rows)),
            ("warnings", list(client.warnings().iter().map(|it| text(it)))),
            ("text", text(&explanation.to_string())),
            ("json", text(&client.config().to_json(Secrets::Cut))),
        ]))
    };
    // SAFETY: as above.
    unsafe { look(client, reply, error, picture) }
}

/// Gets an event: its name, and what there is to say about it as a map with the members that
/// docs/c.md lists. Both are valid during the call alone. It is called on the library's own
/// thread, which must not be kept waiting, and must not call the client.
pub type steadis_event_callback = Option<
    unsafe extern "C" fn(event: *const c_char, details: *const steadis_reply, user: *mut c_void),
>;

/// Calls `callback` with events of this name ("failover", "hold", "resume", "sentinel",
/// "replicas", "warning"; NULL: all) until steadis_off. *id may be NULL. The callback can still be
/// running when steadis_off returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_on(
    client: *const steadis_client,
    event: *const c_char,
    callback: steadis_event_callback,
    user: *mut c_void,
    id: *mut u64,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe {
        guard(error, || {
            let client = lent(client, "client")?;
            let listener = listener(event, callback, user)?;
            let number = client.client.on(listener)?;
            tell(id, number);
            Ok(())
        })
    }
}

/// Ends what steadis_on began.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_off(
    client: *const steadis_client,
    id: u64,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe {
        guard(error, || {
            lent(client, "client")?.client.off(id);
            Ok(())
        })
    }
}

/// A listener of the core's that calls back.
///
/// # Safety
/// `event` is NULL or ends with a NUL; callback and user may be used on another thread.
unsafe fn listener(
    event: *const c_char,
    callback: steadis_event_callback,
    user: *mut c_void,
) -> Result<impl Fn(&Event) + Send + Sync + 'static> {
    let callback = callback.ok_or_else(|| is_null("callback"))?;
    let wanted = match event.is_null() {
        true => None,
        // SAFETY: the caller's word.
        false => Some(known(unsafe { text_of(event, "event") }?)?),
    };
    let user = Shared(user);
    Ok(move |event: &Event| {
        if wanted.is_none_or(|wanted| wanted == event.name()) {
            quietly((), || {
                let name = CString::new(event.name()).unwrap_or_default();
                let details = value(&fields(event.fields()));
                // SAFETY: both live until the callback has returned.
                unsafe { callback(name.as_ptr(), details.root(), user.get()) };
            });
        }
    })
}

fn known(name: &str) -> Result<&'static str> {
    Event::NAMES.into_iter().find(|known| *known == name).ok_or_else(|| {
        Error::usage(format!("there is no event {name:?}; there are {}", Event::NAMES.join(", ")))
    })
}

/// A pointer that the program shares between its threads.
#[derive(Clone, Copy)]
pub(crate) struct Shared(pub(crate) *mut c_void);

// SAFETY: it is never followed here, only handed back to the program.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// A closure that asks for it takes all of it along, and not the bare pointer.
    pub(crate) fn get(&self) -> *mut c_void {
        self.0
    }
}

/// # Safety
/// The pointers are what the functions above ask for.
unsafe fn look(
    client: *const steadis_client,
    reply: *mut *mut steadis_reply,
    error: *mut *mut steadis_error,
    picture: impl FnOnce(&Client) -> Result<Reply>,
) -> steadis_status {
    // SAFETY: the caller's word.
    unsafe {
        giving(error, reply, "reply", || {
            Ok(value(&picture(&lent(client, "client")?.client)?).into_raw())
        })
    }
}
