//! What calls have in common: the session, and the options of the view they come through.

use crate::desk::Desk;
use crate::error;
use crate::js::{Js, Value};
use crate::reply::Mode;
use crate::scan::Walk;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;
use steadis::Result;
use steadis::client::hosted::{Completion, Session};
use steadis::client::{CallOptions, Exchange};
use steadis::config::Resolved;
use steadis::lane::hosted::Token;

/// A client, or one with other options for its calls.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) inner: Rc<RefCell<Inner>>,
    pub(crate) options: CallOptions,
    pub(crate) mode: Mode,
}

/// What all views of a client share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) session: Session,
    pub(crate) desk: Desk,
    pub(crate) resolved: Resolved,
    /// It shares its connections with no other client.
    pub(crate) private: bool,
}

/// Takes outcomes in.
type Sink<'a> = dyn FnMut(Token, Completion<'_>) + 'a;

impl View {
    /// Takes a command on; JavaScript gets its place, or an error.
    pub(crate) fn take_on(&self, js: Js, exchange: Result<Exchange>) -> Value {
        match exchange {
            Ok(exchange) => {
                self.place(js, |session| session.submit(&exchange, self.options, Instant::now()))
            }
            Err(error) => error::instance(js, &error),
        }
    }

    /// Twice the place, and one more if JavaScript has more to do than to write.
    pub(crate) fn place(
        &self,
        js: Js,
        submit: impl FnOnce(&mut Session) -> Result<Token>,
    ) -> Value {
        self.place_for(js, None, submit)
    }

    /// The same for a page of a walk.
    pub(crate) fn place_page(
        &self,
        js: Js,
        walk: Walk,
        submit: impl FnOnce(&mut Session) -> Result<Token>,
    ) -> Value {
        self.place_for(js, Some(walk), submit)
    }

    fn place_for(
        &self,
        js: Js,
        walk: Option<Walk>,
        submit: impl FnOnce(&mut Session) -> Result<Token>,
    ) -> Value {
        let Inner { session, desk, .. } = &mut *self.inner.borrow_mut();
        match submit(session) {
            Ok(token) => {
                let place = desk.take_on(token, self.mode, walk);
                js.small(place << 1 | u32::from(session.needs_host()))
            }
            Err(error) => error::instance(js, &error),
        }
    }

    /// Tells the session what happened, and JavaScript what that settled: codes and values in
    /// turn, and something at the end if there is more to do.
    pub(crate) fn tell(&self, js: Js, work: impl FnOnce(&mut Session, &mut Sink<'_>)) -> Value {
        let inner = &mut *self.inner.borrow_mut();
        inner.tell(js, work);
        inner.report(js)
    }
}

impl Inner {
    pub(crate) fn tell(&mut self, js: Js, work: impl FnOnce(&mut Session, &mut Sink<'_>)) {
        let Self { session, desk, .. } = self;
        work(session, &mut |token, completion| desk.settle(js, token, completion));
    }

    /// What was settled since the last time, for JavaScript.
    pub(crate) fn report(&mut self, js: Js) -> Value {
        let Self { session, desk, .. } = self;
        desk.report(js, session.needs_host() || session.has_output())
    }
}
