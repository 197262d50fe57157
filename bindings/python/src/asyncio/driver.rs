//! A session at home in one loop.

use super::bell::{self, Rope};
use super::outcome::Wants;
use super::state::{Guard, State, Writes};
use super::wake::{self, Woken};
use super::{Bell, Reply};
use crate::{error, events};
use pyo3::intern;
use pyo3::prelude::*;
use std::cell::Cell;
use std::ptr;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant};
use steadis::client::hosted::{Completion, LinkId, Session, Sink};
use steadis::config::Config;
use steadis::lane::hosted::Token;
use steadis::{Error, Event, Result};

/// So many commands of one turn are not kept for its end: while the others are being made, the
/// server answers these.
const MANY: usize = 32;

thread_local! {
    /// The driver for which this thread's loop calls those who got their replies.
    static SERVED: Cell<*const Driver> = const { Cell::new(ptr::null()) };
}

/// A session and the loop that it lives in.
#[pyclass(frozen, weakref, module = "steadis._steadis")]
pub(crate) struct Driver {
    event_loop: Py<PyAny>,
    command_timeout: Duration,
    bell: Py<Bell>,
    /// Is called with each event of the deployment.
    listener: Py<PyAny>,
    state: Mutex<State>,
}

impl Driver {
    pub(super) fn start<'py>(
        py: Python<'py>,
        event_loop: &Bound<'py, PyAny>,
        config: &Arc<Config>,
        listener: &Py<PyAny>,
    ) -> PyResult<Bound<'py, Self>> {
        let (rope, heard) = bell::ends()?;
        let mut session = Session::new(Arc::clone(config));
        let (sender, events) = channel();
        let ring = Rope::clone(&rope);
        session.start(move || ring.pull()).map_err(|why| error::raise(py, &why))?;
        session.on_event(move |event| {
            // Nobody listens any more when this fails.
            if sender.send(event.clone()).is_ok() {
                rope.pull();
            }
        });
        let state = State::new(session, events);
        let bell = Bound::new(py, Bell::new(event_loop, heard))?;
        let driver = Self {
            event_loop: event_loop.clone().unbind(),
            command_timeout: config.command_timeout,
            bell: bell.clone().unbind(),
            listener: listener.clone_ref(py),
            state: Mutex::new(state),
        };
        let driver = Bound::new(py, driver)?;
        Bell::hang(&bell, &driver)?;
        Ok(driver)
    }

    pub(super) fn event_loop<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.event_loop.bind(py)
    }

    /// Whether its loop, in this thread, calls those who got their replies: then nobody needs to
    /// ask which loop runs here.
    pub(super) fn serves(&self) -> bool {
        ptr::eq(SERVED.get(), self)
    }

    pub(super) fn runs_in(&self, running: &Bound<'_, PyAny>) -> bool {
        self.event_loop.is(running)
    }

    /// Whether its loop can still serve it: it was not closed, nor inherited through a fork.
    pub(super) fn lives(&self, py: Python<'_>) -> PyResult<bool> {
        let closed: bool = self.event_loop.call_method0(py, "is_closed")?.extract(py)?;
        // Whoever is at its state just now is in its loop.
        Ok(!closed && self.state_if_free().is_none_or(|state| state.session.is_ours()))
    }

    /// Nobody else is at the state but code that a finaliser runs while a reply is converted, or
    /// a thread that has no loop of this client's.
    fn state(&self, py: Python<'_>) -> PyResult<MutexGuard<'_, State>> {
        self.state_if_free().ok_or_else(|| {
            error::usage(
                py,
                "the client is at work: a finaliser cannot call it, nor another thread",
            )
        })
    }

    fn state_if_free(&self) -> Option<MutexGuard<'_, State>> {
        match self.state.try_lock() {
            Ok(state) => Some(state),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    pub(super) fn session(&self, py: Python<'_>) -> PyResult<Guard<'_>> {
        self.state(py).map(Guard)
    }

    /// Takes a call on; its reply, to be awaited.
    pub(super) fn submit<'py>(
        slf: &Bound<'py, Self>,
        wants: Wants,
        timeout: Option<Duration>,
        submit: impl FnOnce(&mut Session, Instant) -> Result<Token>,
    ) -> PyResult<Bound<'py, Reply>> {
        let (py, driver, now) = (slf.py(), slf.get(), Instant::now());
        let mut state = driver.state(py)?;
        let idle = state.waiting.is_empty();
        let token = submit(&mut state.session, now).map_err(|why| error::raise(py, &why))?;
        let reply = Bound::new(py, Reply::new(slf, token))?;
        state.waiting.insert(token, (reply.clone().unbind(), wants));
        state.connect(slf)?;
        state.unwritten += 1;
        match state.writes {
            Writes::AtOnce if idle => state.write(py)?,
            Writes::AtOnce => {
                state.writes = Writes::InThisTurn;
                let flush = slf.getattr(intern!(py, "flush"))?;
                driver.event_loop.call_method1(py, intern!(py, "call_soon"), (flush,))?;
            }
            Writes::InThisTurn | Writes::AfterThese if state.unwritten >= MANY => {
                state.write(py)?
            }
            Writes::InThisTurn | Writes::AfterThese => {}
        }
        let due = now + timeout.unwrap_or(driver.command_timeout);
        if state.timer.as_ref().is_none_or(|(at, _)| *at > due) {
            state.set_timer(slf)?;
        }
        Ok(reply)
    }

    /// Nobody waits for this call any more.
    pub(super) fn forget(slf: &Bound<'_, Self>, token: Token) -> PyResult<()> {
        // What is being told just now is over anyway.
        let Some(mut state) = slf.get().state_if_free() else { return Ok(()) };
        let gone = state.waiting.remove(&token);
        state.session.cancel(token);
        // What blocked on the server has a connection to close.
        state.connect(slf)?;
        drop((state, gone));
        Ok(())
    }

    /// Bytes have come: the busiest way of all. The loop itself calls this, so that whoever has
    /// waited goes on at once, and what all of them say then is written together.
    pub(super) fn received(slf: &Bound<'_, Self>, link: LinkId, data: &[u8]) -> PyResult<()> {
        let (py, driver) = (slf.py(), slf.get());
        let now = Instant::now();
        let work = |session: &mut Session, sink: &mut Sink<'_>| {
            session.received(link, data, now, sink);
        };
        Self::tell(slf, work, |woken| {
            if !wake::may_call(driver.event_loop(py))? {
                return wake::all_soon(py, woken);
            }
            driver.state(py)?.writes = Writes::AfterThese;
            SERVED.set(driver);
            let called = wake::all_now(py, woken);
            SERVED.set(ptr::null());
            driver.flush(py)?;
            called
        })
    }

    pub(super) fn closed(slf: &Bound<'_, Self>, link: LinkId, why: Error) -> PyResult<()> {
        slf.get().state(slf.py())?.links.remove(&link);
        Self::work(slf, |session, sink| session.closed(link, 0, why, Instant::now(), sink))
    }

    /// The bell was rung: there are events, or the topology has changed.
    pub(super) fn rung(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::wake(slf)?;
        let py = slf.py();
        let news: Vec<Event> = slf.get().state(py)?.events.try_iter().collect();
        for event in news {
            slf.get().listener.call1(py, (events::value(py, &event)?,))?;
        }
        Ok(())
    }

    /// The topology has changed, or a deadline has passed.
    fn wake(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::work(slf, |session, sink| session.wake(Instant::now(), sink))
    }

    /// Lets the session work; those whose calls have ended go on in the next turn.
    pub(super) fn work(
        slf: &Bound<'_, Self>,
        work: impl FnOnce(&mut Session, &mut Sink<'_>),
    ) -> PyResult<()> {
        let py = slf.py();
        let worked = Self::tell(slf, work, |woken| wake::all_soon(py, woken));
        let mut state = slf.get().state(py)?;
        worked.and(state.set_timer(slf))
    }

    /// Lets the session work, does what it asks for, settles the calls that have ended and wakes
    /// whoever waits for them. One thing that fails keeps no other from being done.
    fn tell(
        slf: &Bound<'_, Self>,
        work: impl FnOnce(&mut Session, &mut Sink<'_>),
        wake: impl FnOnce(Vec<Woken>) -> PyResult<()>,
    ) -> PyResult<()> {
        let py = slf.py();
        let (mut woken, mut heard, mut settled) = (Vec::new(), Vec::new(), Vec::new());
        let mut state = slf.get().state(py)?;
        let State { session, waiting, heard: listeners, .. } = &mut *state;
        work(session, &mut |token, completion| match completion {
            Completion::Heard => {
                heard.extend(listeners.get(&token).map(|listener| listener.clone_ref(py)));
            }
            completion => {
                if let Some((reply, wants)) = waiting.remove(&token) {
                    let outcome = wants.take(py, completion);
                    Reply::settle(reply.bind(py), outcome, &mut woken);
                    settled.push(reply);
                }
            }
        });
        let mut result = state.connect(slf).and(state.write(py));
        drop(state);
        // One that nobody has awaited may have something to say, now that we can be called.
        drop(settled);
        if !woken.is_empty() {
            result = result.and(wake(woken));
        }
        heard.iter().fold(result, |result, listener| result.and(listener.call0(py).map(drop)))
    }

    pub(super) fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let close = |session: &mut Session, sink: &mut Sink<'_>| session.close(sink);
        let closed = Self::tell(slf, close, |woken| wake::all_soon(py, woken));
        let mut state = slf.get().state(py)?;
        if let Some((_, timer)) = state.timer.take() {
            timer.call_method0(py, "cancel")?;
        }
        let heard = std::mem::take(&mut state.heard);
        drop(state);
        for listener in heard.into_values() {
            listener.call0(py)?;
        }
        closed.and(slf.get().bell.get().remove(py))
    }

    pub(super) fn listen(&self, py: Python<'_>, heard: Py<PyAny>) -> PyResult<Token> {
        let mut state = self.state(py)?;
        let id = state.session.subscribe(Instant::now());
        state.heard.insert(id, heard);
        Ok(id)
    }

    pub(super) fn stop_listening(&self, py: Python<'_>, id: Token) -> PyResult<()> {
        self.state(py)?.heard.remove(&id);
        Ok(())
    }
}

#[pymethods]
impl Driver {
    /// Writes what has gathered in this turn of the loop.
    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        let mut state = self.state(py)?;
        state.writes = Writes::AtOnce;
        state.write(py)
    }

    /// The timer has run out.
    fn due(slf: &Bound<'_, Self>) -> PyResult<()> {
        slf.get().state(slf.py())?.timer = None;
        Self::wake(slf)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Nobody waits and nobody can ask any more: the connections go without a word. This may
        // be any thread.
        Python::try_attach(|py| {
            let Some(mut state) = self.state_if_free() else { return };
            if state.session.is_ours() {
                for link in std::mem::take(&mut state.links).into_values() {
                    self.soon(py, link.getattr(py, "end"));
                }
                if let Some((_, timer)) = state.timer.take() {
                    self.soon(py, timer.getattr(py, "cancel"));
                }
                self.soon(py, self.bell.getattr(py, "remove"));
            }
        });
    }
}

impl Driver {
    /// In the loop's own thread; a loop that is closed has ended everything itself.
    fn soon(&self, py: Python<'_>, call: PyResult<Py<PyAny>>) {
        if let Ok(call) = call {
            let _ = self.event_loop.call_method1(py, "call_soon_threadsafe", (call,));
        }
    }
}
