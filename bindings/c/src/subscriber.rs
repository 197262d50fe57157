//! Subscriptions with a callback.

use crate::error::{Owned, steadis_error, steadis_status};
use crate::message::{Message, steadis_message};
use crate::pubsub::steadis_subscription;
use crate::runtime::{give, guard, is_null, lent_mut, place, quietly, take_back};
use std::ffi::c_void;
use std::ptr::null;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use steadis::client::blocking::Subscription;
use steadis::lane::call::Host;
use steadis::{Error, Kind};

/// Gets each message, or an error that ends nothing; the other one is NULL. Both are valid during
/// the call alone.
pub type steadis_message_callback = Option<
    unsafe extern "C" fn(
        message: *const steadis_message,
        error: *const steadis_error,
        user: *mut c_void,
    ),
>;

/// A subscription with a callback.
#[derive(Debug)]
pub struct steadis_subscriber {
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    process: u32,
}

/// Hands a subscription over to a thread of its own, which calls `callback` with what comes until
/// steadis_subscriber_free. The thread takes no signals. `*subscription` is gone afterwards, also
/// if this fails, and becomes NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_subscribe(
    subscription: *mut *mut steadis_subscription,
    callback: steadis_message_callback,
    user: *mut c_void,
    subscriber: *mut *mut steadis_subscriber,
    error: *mut *mut steadis_error,
) -> steadis_status {
    // SAFETY: as above; `user` is the program's to share between threads.
    unsafe {
        guard(error, || {
            let handle = lent_mut(subscription, "subscription")?;
            let out = place(subscriber, "subscriber")?;
            let callback = callback.ok_or_else(|| is_null("callback"))?;
            place(*handle, "*subscription")?;
            let subscription = Box::from_raw(std::mem::replace(handle, std::ptr::null_mut()));
            let stopped = Arc::new(AtomicBool::new(false));
            let listener = Listener { callback, user, stopped: Arc::clone(&stopped) };
            let thread = std::thread::Builder::new()
                .name("steadis-sub".to_owned())
                .spawn(move || quietly((), || listener.listen(subscription.subscription)))
                .map_err(|why| {
                    Error::new(Kind::Unavailable, format!("cannot start a thread: {why}"))
                })?;
            let process = std::process::id();
            give(out, steadis_subscriber { stopped, thread: Some(thread), process });
            Ok(())
        })
    }
}

/// Ends a subscription with a callback, and waits until the callback has returned; called by the
/// callback itself, it does not wait.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_subscriber_free(subscriber: *mut steadis_subscriber) {
    // SAFETY: as above.
    unsafe { take_back(subscriber) }
}

impl Drop for steadis_subscriber {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        let Some(thread) = self.thread.take() else { return };
        if self.process != std::process::id() {
            // The thread stayed with the parent: here there is nobody to wait for.
            std::mem::forget(thread);
        } else if thread.thread().id() != std::thread::current().id() {
            // Its panics have been silenced where they happened.
            let _ = thread.join();
        }
    }
}

/// Where messages go. As a host of the core's it also ends the waits once nobody listens.
struct Listener {
    callback: unsafe extern "C" fn(*const steadis_message, *const steadis_error, *mut c_void),
    user: *mut c_void,
    stopped: Arc<AtomicBool>,
}

// SAFETY: the pointer is the program's, which knows that another thread calls back.
unsafe impl Send for Listener {}

impl Host for Listener {
    fn interrupted(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }
}

impl Listener {
    fn listen(self, mut subscription: Subscription) {
        steadis::block_signals();
        while !self.interrupted() {
            match subscription.next(None, &self) {
                Ok(Some(incoming)) => {
                    let message = Message::new(&incoming);
                    // SAFETY: the message lives until the callback has returned.
                    unsafe { (self.callback)(&message.public, null(), self.user) };
                }
                Ok(None) => {}
                Err(_) if self.interrupted() => return,
                Err(error) => {
                    let over = error.kind() == Kind::Closed;
                    let error = Owned::new(&error);
                    // SAFETY: the error lives until the callback has returned.
                    unsafe { (self.callback)(null(), error.public(), self.user) };
                    if over {
                        return;
                    }
                }
            }
        }
    }
}
