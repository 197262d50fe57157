//! Subscriptions.

use crate::client::steadis_client;
use crate::error::{steadis_error, steadis_status};
use crate::message::{Message, steadis_message};
use crate::runtime::{bytes, give, guard, lent, lent_mut, place, take_back};
use std::ffi::{c_char, c_int};
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
    pub(crate) subscription: Subscription,
}

/// Makes a subscription without channels. Add some, then call steadis_subscription_next.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_subscription_new(
    client: *const steadis_client,
    subscription: *mut *mut steadis_subscription,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: pointers are checked for NULL, and else are what the header asks for.
    unsafe {
        guard(error, || {
            let (client, out) = (lent(client, "client")?, place(subscription, "subscription")?);
            give(out, steadis_subscription { subscription: client.client.subscription() });
            Ok(())
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
            let subscription = lent_mut(subscription, "subscription")?;
            subscription.subscription.add(how(by)?, bytes(name, length, "name")?);
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
            let subscription = lent_mut(subscription, "subscription")?;
            subscription.subscription.remove(how(by)?, bytes(name, length, "name")?);
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
    unsafe { guard(error, || lent_mut(subscription, "subscription")?.subscription.ready(&())) }
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
        guard(error, || {
            let subscription = lent_mut(subscription, "subscription")?;
            let out = place(message, "message")?;
            let timeout = u64::try_from(timeout_ms).ok().map(Duration::from_millis);
            *out = match subscription.subscription.next(timeout, &())? {
                Some(incoming) => Box::into_raw(Box::new(Message::new(&incoming))).cast(),
                None => std::ptr::null_mut(),
            };
            Ok(())
        })
    }
}

/// Ends a subscription.
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
