//! The client inside a program's event loop.
//!
//! Callbacks may call back into the handle, so none of it is borrowed while they run: outcomes are
//! collected first and told afterwards.

use crate::client::{merge, steadis_call_options};
use crate::convert::{answer, outcomes, with_arguments};
use crate::error::{Owned, steadis_error, steadis_status};
use crate::host::Host;
use crate::message::Message;
use crate::options::{input, steadis_options};
use crate::pipeline::steadis_pipeline;
use crate::pubsub::how;
use crate::reply::{steadis_reply, steadis_reply_free};
use crate::runtime::{bytes, give, guard, is_null, lent, lent_mut, place, quietly, take_back};
use crate::subscriber::steadis_message_callback;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{c_char, c_int, c_void};
use std::os::fd::AsRawFd;
use std::ptr::null;
use std::rc::Rc;
use std::time::Instant;
use steadis::client::hosted::{Completion, Session};
use steadis::client::{CallOptions, Exchange};
use steadis::config::Config;
use steadis::{Error, Kind, Result};

/// A client for a program with an event loop. It makes no call wait: the program polls
/// steadis_async_fd for reading, calls steadis_async_process when it is readable, and that calls
/// back. One thread at a time may use it; callbacks may call all of its functions.
#[derive(Debug)]
pub struct steadis_async {
    loop_: Rc<RefCell<Loop>>,
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

type Reply = unsafe extern "C" fn(*const steadis_reply, *const steadis_error, *mut c_void);
type Heard =
    unsafe extern "C" fn(*const crate::message::steadis_message, *const steadis_error, *mut c_void);

#[derive(Debug)]
struct Loop {
    session: Session,
    host: Host,
    calls: HashMap<u64, (Reply, *mut c_void)>,
    subscriptions: HashMap<u64, (Heard, *mut c_void)>,
    /// What has happened and was not told yet.
    news: Vec<News>,
}

#[derive(Debug)]
enum News {
    Reply(u64, *mut steadis_reply),
    Failed(u64, Error),
    Heard(u64),
}

impl Loop {
    fn new(config: Config) -> Result<Self> {
        let mut session = Session::new(config);
        let host = Host::new(session.config().clone()).map_err(broken)?;
        session.start(host.bell())?;
        let (calls, subscriptions) = (HashMap::new(), HashMap::new());
        Ok(Self { session, host, calls, subscriptions, news: Vec::new() })
    }

    /// Lets session and host work, and notes what comes of it.
    fn work(
        &mut self,
        work: impl FnOnce(
            &mut Session,
            &mut Host,
            &mut dyn FnMut(u64, Completion<'_>),
        ) -> std::io::Result<()>,
    ) -> Result<()> {
        let Self { session, host, news, .. } = self;
        let worked = work(session, host, &mut |token, completion| {
            news.push(match completion {
                Completion::Reply(reply) => News::Reply(token, answer(reply)),
                Completion::Outcomes(all) => News::Reply(token, outcomes(&all)),
                Completion::Failed(error) => News::Failed(token, error),
                Completion::Heard | Completion::Ready | Completion::Again => News::Heard(token),
            });
        });
        worked.map_err(broken)
    }

    /// What is submitted leaves at once if nothing else is under way, else with all that comes in
    /// this turn of the program's loop.
    fn submitted(&mut self) -> Result<()> {
        if self.session.waiting() == 1 {
            self.work(|session, host, sink| host.pump(session, sink))?;
        }
        if !self.news.is_empty() || self.session.waiting() > 1 {
            (self.host.bell())();
        }
        Ok(())
    }

    fn ours(&self) -> Result<()> {
        let why = "this handle was made by the parent process; make another one after fork()";
        if self.session.is_ours() { Ok(()) } else { Err(Error::new(Kind::Closed, why)) }
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        for news in self.news.drain(..) {
            if let News::Reply(_, reply) = news {
                // SAFETY: nobody was told of it.
                unsafe { steadis_reply_free(reply) };
            }
        }
    }
}

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
        guard(error, || {
            let out = place(out, "out")?;
            let made = Loop::new(Config::resolve(&input(options))?.config)?;
            give(out, steadis_async { loop_: Rc::new(RefCell::new(made)) });
            Ok(())
        })
    }
}

/// The descriptor to poll for reading; it stays the same, and is closed with the handle. -1 for
/// NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_async_fd(handle: *const steadis_async) -> c_int {
    // SAFETY: as above.
    let handle = unsafe { handle.as_ref() };
    handle.map_or(-1, |handle| handle.loop_.borrow().host.descriptor().as_raw_fd())
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
            let all = Rc::clone(&lent(handle, "handle")?.loop_);
            all.borrow().ours()?;
            all.borrow_mut().work(|session, host, sink| {
                host.turn(session, sink)?;
                host.pump(session, sink)
            })?;
            tell(&all);
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

/// Forgets a call: its callback is not called. What was sent runs all the same.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_async_cancel(handle: *const steadis_async, id: u64) {
    // SAFETY: as above.
    if let Some(handle) = unsafe { handle.as_ref() } {
        quietly((), || {
            let mut all = handle.loop_.borrow_mut();
            if all.calls.remove(&id).is_some() {
                all.session.cancel(id);
            }
        });
    }
}

/// Subscribes to a channel; `by` is a steadis_by. Messages, gaps and errors that end nothing go to
/// `callback` until steadis_async_unsubscribe.
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
            let mut all = handle.loop_.borrow_mut();
            all.ours()?;
            let now = Instant::now();
            let token = all.session.subscribe(now);
            all.subscriptions.insert(token, (callback, user));
            all.session.subscription_add(token, by, name, now);
            all.work(|session, host, sink| host.pump(session, sink))?;
            if let Some(id) = id.as_mut() {
                *id = token;
            }
            Ok(())
        })
    }
}

/// Ends a subscription.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_async_unsubscribe(handle: *const steadis_async, id: u64) {
    // SAFETY: as above.
    if let Some(handle) = unsafe { handle.as_ref() } {
        quietly((), || {
            let mut all = handle.loop_.borrow_mut();
            if all.subscriptions.remove(&id).is_some() {
                all.session.unsubscribe(id);
                (all.host.bell())();
            }
        });
    }
}

/// Ends all connections. Calls that wait end with STEADIS_CLOSED in the next
/// steadis_async_process, as do later ones at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn steadis_async_close(handle: *const steadis_async) {
    // SAFETY: as above.
    if let Some(handle) = unsafe { handle.as_ref() } {
        quietly((), || {
            let mut all = handle.loop_.borrow_mut();
            // What cannot be closed in good order goes with the handle.
            let _ = all.work(|session, host, sink| {
                session.close(sink);
                host.pump(session, sink)
            });
            (all.host.bell())();
        });
    }
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
            let mut all = handle.loop_.borrow_mut();
            all.ours()?;
            let options = merge(CallOptions::of(all.session.config()), options)?;
            let token = submit(&mut all.session, options)?;
            all.calls.insert(token, (callback, user));
            all.submitted()?;
            if let Some(id) = id.as_mut() {
                *id = token;
            }
            Ok(())
        })
    }
}

/// Calls back with what has happened, in order.
fn tell(all: &RefCell<Loop>) {
    let news = std::mem::take(&mut all.borrow_mut().news);
    for news in news {
        match news {
            News::Reply(token, reply) => {
                let call = all.borrow_mut().calls.remove(&token);
                // SAFETY: the reply lives until the callback has returned.
                unsafe {
                    if let Some((callback, user)) = call {
                        callback(reply, null(), user);
                    }
                    steadis_reply_free(reply);
                }
            }
            News::Failed(token, error) => {
                let call = all.borrow_mut().calls.remove(&token);
                if let Some((callback, user)) = call {
                    let error = Owned::new(&error);
                    // SAFETY: the error lives until the callback has returned.
                    unsafe { callback(null(), error.public(), user) };
                }
            }
            News::Heard(token) => hear(all, token),
        }
    }
}

/// Passes on everything that a subscription has.
fn hear(all: &RefCell<Loop>, token: u64) {
    loop {
        let (callback, user, next) = {
            let mut all = all.borrow_mut();
            // Its callback may have ended it.
            let Some(&(callback, user)) = all.subscriptions.get(&token) else { return };
            (callback, user, all.session.subscription_next(token))
        };
        // SAFETY: message and error live until the callback has returned.
        unsafe {
            match next {
                Ok(None) => return,
                Ok(Some(incoming)) => callback(&Message::new(&incoming).public, null(), user),
                Err(error) => {
                    let over = error.kind() == Kind::Closed;
                    callback(null(), Owned::new(&error).public(), user);
                    if over {
                        return;
                    }
                }
            }
        }
    }
}

fn broken(error: std::io::Error) -> Error {
    Error::new(Kind::Unavailable, format!("the event loop's descriptor fails: {error}"))
}
