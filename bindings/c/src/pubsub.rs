//! Subscriptions.

use crate::client::steadis_client;
use crate::error::{steadis_error, steadis_status};
use crate::message::{self, steadis_message};
use crate::runtime::{bytes, giving, guard, handle, is_null, lent, lent_mut, take_back};
use crate::subscriber::{Subscriber, steadis_message_callback};
use std::ffi::{c_char, c_int, c_void};
use std::ptr::null_mut;
use std::time::Duration;
use steadis::client::By;
use steadis::client::blocking::Subscription;
use steadis::{Error, Result};

/// How a channel is wanted.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum steadis_by {
    STEADIS_CHANNEL = 0,
    STEADIS_PATTERN = 1,
    /// Of a shard (Redis 7).
    STEADIS_SHARD = 2,
}

/// A subscription, which survives failover. One thread at a time may use it.
#[derive(Debug)]
pub struct steadis_subscription {
    /// Until it is handed to a callback.
    polled: Option<Subscription>,
    subscriber: Option<Subscriber>,
}

impl steadis_subscription {
    fn polled(&mut self) -> Result<&mut Subscription> {
        let why = "this subscription was given to a callback; make another one";
        self.polled.as_mut().ok_or_else(|| Error::usage(why))
    }
}

/// Makes a subscription without channels. Add some; then call steadis_subscription_next for each
/// message, or steadis_subscribe once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_subscription_new(
    client: *const steadis_client,
    subscription: *mut *mut steadis_subscription,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: pointers are checked for NULL, and else are what the header asks for.
    unsafe {
        giving(error, subscription, "subscription", || {
            let polled = Some(lent(client, "client")?.client.subscription());
            Ok(handle(steadis_subscription { polled, subscriber: None }))
        })
    }
}

/// Wants one more channel; `by` is a steadis_by.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_subscription_add(
    subscription: *mut steadis_subscription,
    by: c_int,
    name: *const c_char,
    length: usize,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe {
        guard(error, || {
            let subscription = lent_mut(subscription, "subscription")?.polled()?;
            subscription.add(how(by)?, bytes(name, length, "name")?);
            Ok(())
        })
    }
}

/// Wants a channel no more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_subscription_remove(
    subscription: *mut steadis_subscription,
    by: c_int,
    name: *const c_char,
    length: usize,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe {
        guard(error, || {
            let subscription = lent_mut(subscription, "subscription")?.polled()?;
            subscription.remove(how(by)?, bytes(name, length, "name")?);
            Ok(())
        })
    }
}

/// Waits until the server has confirmed every channel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_subscription_ready(
    subscription: *mut steadis_subscription,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe { guard(error, || lent_mut(subscription, "subscription")?.polled()?.ready(&())) }
}

/// Waits for the next message, `timeout_ms` at the most; 0 only looks, a negative number waits for
/// ever. *message is NULL if none came. An error ends nothing: the next call tries again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_subscription_next(
    subscription: *mut steadis_subscription,
    timeout_ms: i64,
    message: *mut *mut steadis_message,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above.
    unsafe {
        giving(error, message, "message", || {
            let subscription = lent_mut(subscription, "subscription")?.polled()?;
            let timeout = u64::try_from(timeout_ms).ok().map(Duration::from_millis);
            let incoming = subscription.next(timeout, &())?;
            Ok(incoming.map_or(null_mut(), |incoming| message::block(&incoming).into_raw()))
        })
    }
}

/// Has a thread of the library's call `callback` with what comes, until steadis_subscription_free.
/// The thread takes no signals. From now on the subscription can only be freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_subscribe(
    subscription: *mut steadis_subscription,
    callback: steadis_message_callback,
    user: *mut c_void,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above; `user` is the program's to share between threads.
    unsafe {
        guard(error, || {
            let handle = lent_mut(subscription, "subscription")?;
            let callback = callback.ok_or_else(|| is_null("callback"))?;
            handle.polled()?;
            if let Some(subscription) = handle.polled.take() {
                handle.subscriber = Some(Subscriber::start(subscription, callback, user)?);
            }
            Ok(())
        })
    }
}

/// Ends a subscription, and waits until its callback has returned; called by that callback, it does
/// not wait.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_subscription_free(subscription: *mut steadis_subscription) {
    // SAFETY: as above.
    unsafe { take_back(subscription) }
}

pub(crate) fn how(by: c_int) -> Result<By> {
    match by {
        0 => Ok(By::Channel),
        1 => Ok(By::Pattern),
        2 => Ok(By::Shard),
        _ => Err(Error::usage(format!("by is {by}; write a steadis_by"))),
    }
}
