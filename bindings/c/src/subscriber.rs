//! The thread of a subscription with a callback.

use crate::error::{self, steadis_error};
use crate::message::{self, steadis_message};
use crate::runtime::quietly;
use std::ffi::c_void;
use std::ptr::null;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use steadis::client::blocking::Subscription;
use steadis::lane::call::Host;
use steadis::{Error, Kind, Result};

/// Gets each message, or an error that ends nothing; the other one is NULL. Both are valid during
/// the call alone.
pub type steadis_message_callback = Option<
    unsafe extern "C" fn(
        message: *const steadis_message,
        error: *const steadis_error,
        user: *mut c_void,
    ),
>;

/// [`steadis_message_callback`], without NULL.
pub(crate) type Heard =
    unsafe extern "C" fn(*const steadis_message, *const steadis_error, *mut c_void);

/// Who calls back. The thread ends, if it does not end itself by this, when this is dropped.
#[derive(Debug)]
pub(crate) struct Subscriber {
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    process: u32,
}

impl Subscriber {
    pub(crate) fn start(
        subscription: Subscription,
        callback: Heard,
        user: *mut c_void,
    ) -> Result<Self> {
        let stopped = Arc::new(AtomicBool::new(false));
        let listener = Listener { callback, user, stopped: Arc::clone(&stopped) };
        let thread = std::thread::Builder::new()
            .name("steadis-sub".to_owned())
            .spawn(move || quietly((), || listener.listen(subscription)))
            .map_err(|why| {
                Error::new(Kind::Unavailable, format!("cannot start a thread: {why}"))
            })?;
        Ok(Self { stopped, thread: Some(thread), process: std::process::id() })
    }
}

impl Drop for Subscriber {
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
    callback: Heard,
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
                    let message = message::block(&incoming);
                    // SAFETY: the message lives until the callback has returned.
                    unsafe { (self.callback)(message.root(), null(), self.user) };
                }
                Ok(None) => {}
                Err(_) if self.interrupted() => return,
                Err(error) => {
                    let public = error::block(&error);
                    // SAFETY: the error lives until the callback has returned.
                    unsafe { (self.callback)(null(), public.root(), self.user) };
                    if error.kind() == Kind::Closed {
                        return;
                    }
                }
            }
        }
    }
}
