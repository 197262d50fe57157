//! A session at home in one loop.

use super::bell::{self, Rope};
use super::waiter::{Told, Waiter, Wants};
use super::{Bell, Link, Reply};
use crate::{error, events};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;
use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant};
use steadis::client::hosted::{Action, Completion, LinkId, Session, Sink};
use steadis::config::{Config, Endpoint, Tls};
use steadis::lane::hosted::Token;
use steadis::{Error, Event, Result};

static CONNECT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// A session and the loop that it lives in.
#[pyclass(frozen, weakref, module = "steadis._steadis")]
pub(crate) struct Driver {
    event_loop: Py<PyAny>,
    create_future: Py<PyAny>,
    command_timeout: Duration,
    bell: Py<Bell>,
    /// Is called with each event of the deployment.
    listener: Py<PyAny>,
    state: Mutex<State>,
}

struct State {
    session: Session,
    waiting: HashMap<Token, Waiter>,
    /// Called whenever there is news for a subscription.
    heard: HashMap<Token, Py<PyAny>>,
    links: HashMap<LinkId, Py<Link>>,
    /// The loop will call `flush` in this turn.
    flushes: bool,
    /// When the loop will call `wake`, and by which handle.
    timer: Option<(Instant, Py<PyAny>)>,
    /// While somebody waits for a reply, the driver must not go.
    keeps_itself: Option<Py<Driver>>,
    events: Receiver<Event>,
}

/// The session, for a moment.
pub(super) struct Guard<'a>(MutexGuard<'a, State>);

impl Deref for Guard<'_> {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0.session
    }
}

impl DerefMut for Guard<'_> {
    fn deref_mut(&mut self) -> &mut Session {
        &mut self.0.session
    }
}

impl Driver {
    pub(super) fn start<'py>(
        py: Python<'py>,
        event_loop: &Bound<'py, PyAny>,
        config: &Config,
        listener: &Py<PyAny>,
    ) -> PyResult<Bound<'py, Self>> {
        let (rope, heard) = bell::ends()?;
        let mut session = Session::new(config.clone());
        let (sender, events) = channel();
        let ring = Rope::clone(&rope);
        session.start(move || ring.pull()).map_err(|why| error::raise(py, &why))?;
        session.on_event(move |event| {
            // Nobody listens any more when this fails.
            if sender.send(event.clone()).is_ok() {
                rope.pull();
            }
        });
        let state = State {
            session,
            waiting: HashMap::new(),
            heard: HashMap::new(),
            links: HashMap::new(),
            flushes: false,
            timer: None,
            keeps_itself: None,
            events,
        };
        let bell = Bound::new(py, Bell::new(event_loop, heard))?;
        let driver = Self {
            event_loop: event_loop.clone().unbind(),
            create_future: event_loop.getattr("create_future")?.unbind(),
            command_timeout: config.command_timeout,
            bell: bell.clone().unbind(),
            listener: listener.clone_ref(py),
            state: Mutex::new(state),
        };
        let driver = Bound::new(py, driver)?;
        Bell::hang(&bell, &driver)?;
        Ok(driver)
    }

    pub(super) fn runs_in(&self, running: &Bound<'_, PyAny>) -> bool {
        self.event_loop.is(running)
    }

    /// Whether its loop can still serve it: it was not closed, nor inherited through a fork.
    pub(super) fn lives(&self, py: Python<'_>) -> PyResult<bool> {
        let closed: bool = self.event_loop.call_method0(py, "is_closed")?.extract(py)?;
        Ok(!closed && self.state(py)?.session.is_ours())
    }

    /// Nobody else is at the state but code that a finaliser runs while a reply is converted.
    fn state(&self, py: Python<'_>) -> PyResult<MutexGuard<'_, State>> {
        match self.state.try_lock() {
            Ok(state) => Ok(state),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {
                Err(error::usage(py, "a finaliser cannot call the client that it interrupts"))
            }
        }
    }

    pub(super) fn session(&self, py: Python<'_>) -> PyResult<Guard<'_>> {
        self.state(py).map(Guard)
    }

    /// Takes a call on; the future of its outcome.
    pub(super) fn submit<'py>(
        slf: &Bound<'py, Self>,
        wants: Wants,
        timeout: Option<Duration>,
        submit: impl FnOnce(&mut Session) -> Result<Token>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let driver = slf.get();
        let future = driver.create_future.bind(py).call0()?;
        let mut state = driver.state(py)?;
        let idle = state.waiting.is_empty();
        let token = submit(&mut state.session).map_err(|why| error::raise(py, &why))?;
        let watched = state.session.cancelling_helps(token);
        state.waiting.insert(token, Waiter { future: future.clone().unbind(), wants, watched });
        if idle {
            state.keeps_itself = Some(slf.clone().unbind());
        }
        if watched {
            watch(slf, &future, token)?;
        }
        let due = Instant::now() + timeout.unwrap_or(driver.command_timeout);
        Self::connect(slf, &mut state)?;
        if idle {
            Self::write(py, &mut state)?;
        } else if !state.flushes {
            state.flushes = true;
            let flush = slf.getattr(intern!(py, "flush"))?;
            driver.event_loop.bind(py).call_method1(intern!(py, "call_soon"), (flush,))?;
        }
        if state.timer.as_ref().is_none_or(|(at, _)| *at > due) {
            Self::set_timer(slf, &mut state)?;
        }
        drop(state);
        Ok(Bound::new(py, Reply::new(future))?.into_any())
    }

    /// Bytes have come: the busiest way of all.
    pub(super) fn received(slf: &Bound<'_, Self>, link: LinkId, data: &[u8]) -> PyResult<()> {
        Self::tell(slf, |session, sink| session.received(link, data, Instant::now(), sink))
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
    pub(super) fn wake(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::work(slf, |session, sink| session.wake(Instant::now(), sink))
    }

    /// Lets the session do what can take calls back to where cancelling them helps.
    pub(super) fn work(
        slf: &Bound<'_, Self>,
        work: impl FnOnce(&mut Session, &mut Sink<'_>),
    ) -> PyResult<()> {
        Self::drop_cancelled(slf)?;
        Self::tell(slf, work)?;
        let mut state = slf.get().state(slf.py())?;
        Self::set_timer(slf, &mut state)
    }

    /// Lets the session work, does what it asks for, and tells those whose calls have ended.
    fn tell(slf: &Bound<'_, Self>, work: impl FnOnce(&mut Session, &mut Sink<'_>)) -> PyResult<()> {
        let py = slf.py();
        let mut told = Vec::new();
        let mut heard = Vec::new();
        let mut state = slf.get().state(py)?;
        let State { session, waiting, heard: listeners, .. } = &mut *state;
        work(session, &mut |token, completion| match completion {
            Completion::Heard => {
                heard.extend(listeners.get(&token).map(|listener| listener.clone_ref(py)));
            }
            completion => {
                if let Some(waiter) = waiting.remove(&token) {
                    told.push(Told::of(py, &waiter, completion));
                }
            }
        });
        Self::connect(slf, &mut state)?;
        Self::write(py, &mut state)?;
        let rests = state.waiting.is_empty().then(|| state.keeps_itself.take());
        drop(state);
        told.into_iter().for_each(Told::tell);
        for listener in heard {
            listener.call0(py)?;
        }
        drop(rests);
        Ok(())
    }

    /// Opens and closes connections.
    fn connect(slf: &Bound<'_, Self>, state: &mut State) -> PyResult<()> {
        let py = slf.py();
        while let Some(action) = state.session.poll_connections() {
            match action {
                Action::Open { link: id, to, tls } => {
                    let link = Bound::new(py, Link::new(slf, id)?)?;
                    let connect = CONNECT.import(py, "steadis.asyncio._connect", "connect")?;
                    let task = connect.call1((
                        slf.get().event_loop.bind(py),
                        &link,
                        place(to),
                        tls.map(files),
                    ))?;
                    link.get().connecting(task.unbind());
                    state.links.insert(id, link.unbind());
                }
                Action::Close { link } => {
                    if let Some(link) = state.links.remove(&link) {
                        link.get().end(py)?;
                    }
                }
                Action::Write { .. } => {}
            }
        }
        Ok(())
    }

    /// Hands everything that is to be written to the transports.
    fn write(py: Python<'_>, state: &mut State) -> PyResult<()> {
        while let Some(Action::Write { link, bytes }) = state.session.poll() {
            if let Some(write) = state.links.get(&link).and_then(|link| link.get().writer(py)) {
                write.call1(py, (PyBytes::new(py, &bytes),))?;
            }
        }
        Ok(())
    }

    fn set_timer(slf: &Bound<'_, Self>, state: &mut State) -> PyResult<()> {
        let py = slf.py();
        let next = state.session.next_deadline();
        if state.timer.as_ref().map(|(at, _)| *at) == next {
            return Ok(());
        }
        if let Some((_, timer)) = state.timer.take() {
            timer.call_method0(py, intern!(py, "cancel"))?;
        }
        if let Some(at) = next {
            let delay = at.saturating_duration_since(Instant::now()).as_secs_f64();
            let due = slf.getattr(intern!(py, "due"))?;
            let event_loop = slf.get().event_loop.bind(py);
            let timer = event_loop.call_method1(intern!(py, "call_later"), (delay, due))?;
            state.timer = Some((at, timer.unbind()));
        }
        Ok(())
    }

    /// Drops the calls whose futures were cancelled, and listens to the others from now on.
    fn drop_cancelled(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        let mut state = slf.get().state(py)?;
        let State { session, waiting, .. } = &mut *state;
        let mut gone = Vec::new();
        for (token, waiter) in waiting.iter_mut().filter(|(_, waiter)| !waiter.watched) {
            let future = waiter.future.bind(py);
            if future.call_method0(intern!(py, "cancelled"))?.is_truthy()? {
                session.cancel(*token);
                gone.push(*token);
            } else {
                waiter.watched = true;
                watch(slf, future, *token)?;
            }
        }
        for token in gone {
            waiting.remove(&token);
        }
        Ok(())
    }

    pub(super) fn close(slf: &Bound<'_, Self>) -> PyResult<()> {
        let py = slf.py();
        Self::tell(slf, |session, sink| session.close(sink))?;
        let mut state = slf.get().state(py)?;
        if let Some((_, timer)) = state.timer.take() {
            timer.call_method0(py, "cancel")?;
        }
        let heard: Vec<_> = state.heard.drain().map(|(_, listener)| listener).collect();
        drop(state);
        for listener in heard {
            listener.call0(py)?;
        }
        slf.get().bell.get().remove(py)
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
    fn flush(slf: &Bound<'_, Self>) -> PyResult<()> {
        let mut state = slf.get().state(slf.py())?;
        state.flushes = false;
        Self::write(slf.py(), &mut state)
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
            let Ok(mut state) = self.state(py) else { return };
            if state.session.is_ours() {
                for (_, link) in state.links.drain() {
                    soon(self.event_loop.bind(py), link.getattr(py, "end"));
                }
                if let Some((_, timer)) = state.timer.take() {
                    soon(self.event_loop.bind(py), timer.getattr(py, "cancel"));
                }
                soon(self.event_loop.bind(py), self.bell.getattr(py, "remove"));
            }
        });
    }
}

/// In its own thread; a loop that is closed has ended everything itself.
fn soon(event_loop: &Bound<'_, PyAny>, call: PyResult<Py<PyAny>>) {
    if let Ok(call) = call {
        let _ = event_loop.call_method1("call_soon_threadsafe", (call,));
    }
}

/// Has the loop tell us when a future is cancelled.
fn watch(driver: &Bound<'_, Driver>, future: &Bound<'_, PyAny>, token: Token) -> PyResult<()> {
    let done = Bound::new(driver.py(), Done { driver: driver.clone().unbind(), token })?;
    future.call_method1(intern!(driver.py(), "add_done_callback"), (done,))?;
    Ok(())
}

/// What a future calls when it is done.
#[pyclass(frozen, module = "steadis._steadis")]
struct Done {
    driver: Py<Driver>,
    token: Token,
}

#[pymethods]
impl Done {
    fn __call__(&self, future: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = future.py();
        if future.call_method0("cancelled")?.is_truthy()? {
            let driver = self.driver.bind(py);
            let gone = {
                let mut state = driver.get().state(py)?;
                state.session.cancel(self.token);
                state.waiting.remove(&self.token)
            };
            drop(gone);
            // What blocked on the server has a connection to close.
            Driver::tell(driver, |_, _| {})?;
        }
        Ok(())
    }
}

/// Host and port, or the path of a socket.
fn place(to: Endpoint) -> (String, Option<u16>) {
    match to {
        Endpoint::Tcp(address) => (address.host, Some(address.port)),
        Endpoint::Unix(path) => (path.to_string_lossy().into_owned(), None),
    }
}

type Files = (Option<String>, Option<String>, Option<String>, Option<String>);

fn files(tls: Tls) -> Files {
    let text = |path: Option<std::path::PathBuf>| path.map(|it| it.to_string_lossy().into_owned());
    (text(tls.ca), text(tls.cert), text(tls.key), tls.server_name)
}
