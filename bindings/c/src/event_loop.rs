//! What is behind the handle of an event loop.
//!
//! Callbacks may call back into the handle, so none of it is borrowed while they run: outcomes are
//! collected first and told afterwards.

use crate::block::Block;
use crate::convert::{answer, outcomes};
use crate::error::{self, steadis_error};
use crate::host::Host;
use crate::message;
use crate::reply::steadis_reply;
use crate::subscriber::Heard;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr::null;
use std::sync::Arc;
use steadis::client::hosted::{Completion, Session};
use steadis::config::Config;
use steadis::{Error, Kind, Result};

type Answered = unsafe extern "C" fn(*const steadis_reply, *const steadis_error, *mut c_void);

/// A session with its host, and who waits for what.
pub(crate) struct Loop {
    pub(crate) session: Session,
    pub(crate) host: Host,
    pub(crate) calls: HashMap<u64, (Answered, *mut c_void)>,
    pub(crate) subscriptions: HashMap<u64, (Heard, *mut c_void)>,
    /// What has happened and was not told yet.
    news: Vec<News>,
}

enum News {
    Reply(u64, Block<steadis_reply>),
    Failed(u64, Error),
    Heard(u64),
}

impl Loop {
    pub(crate) fn new(config: Arc<Config>) -> Result<Self> {
        let mut session = Session::new(config);
        let host = Host::new(session.config().clone()).map_err(broken)?;
        session.start(host.bell())?;
        let (calls, subscriptions) = (HashMap::new(), HashMap::new());
        Ok(Self { session, host, calls, subscriptions, news: Vec::new() })
    }

    /// Lets session and host work, and notes what comes of it.
    pub(crate) fn work(
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
    pub(crate) fn submitted(&mut self) -> Result<()> {
        if self.session.waiting() == 1 {
            self.work(|session, host, sink| host.pump(session, sink))?;
        }
        if !self.news.is_empty() || self.session.waiting() > 1 {
            (self.host.bell())();
        }
        Ok(())
    }

    /// Forgets who waits for this.
    pub(crate) fn cancel(&mut self, id: u64) {
        if self.calls.remove(&id).is_some() {
            self.session.cancel(id);
        }
        if self.subscriptions.remove(&id).is_some() {
            self.session.unsubscribe(id);
            (self.host.bell())();
        }
    }

    pub(crate) fn close(&mut self) {
        // What cannot be closed in good order goes with the handle.
        let _ = self.work(|session, host, sink| {
            session.close(sink);
            host.pump(session, sink)
        });
        (self.host.bell())();
    }

    pub(crate) fn ours(&self) -> Result<()> {
        let why = "this handle was made by the parent process; make another one after fork()";
        if self.session.is_ours() { Ok(()) } else { Err(Error::new(Kind::Closed, why)) }
    }
}

/// Calls back with what has happened, in order.
pub(crate) fn tell(all: &RefCell<Loop>) {
    let news = std::mem::take(&mut all.borrow_mut().news);
    for news in news {
        match news {
            News::Reply(token, reply) => {
                let call = all.borrow_mut().calls.remove(&token);
                if let Some((callback, user)) = call {
                    // SAFETY: the reply lives until the callback has returned.
                    unsafe { callback(reply.root(), null(), user) };
                }
            }
            News::Failed(token, error) => {
                let call = all.borrow_mut().calls.remove(&token);
                if let Some((callback, user)) = call {
                    let error = error::block(&error);
                    // SAFETY: the error lives until the callback has returned.
                    unsafe { callback(null(), error.root(), user) };
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
                Ok(Some(incoming)) => callback(message::block(&incoming).root(), null(), user),
                Err(error) => {
                    let over = error.kind() == Kind::Closed;
                    callback(null(), error::block(&error).root(), user);
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
