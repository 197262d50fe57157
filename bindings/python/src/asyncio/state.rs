//! What changes in a driver.

use super::outcome::Wants;
use super::{Driver, Link, Reply};
use pyo3::intern;
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::MutexGuard;
use std::sync::mpsc::Receiver;
use std::time::Instant;
use steadis::Event;
use steadis::client::hosted::{LinkId, Session};
use steadis::lane::hosted::Token;

/// The session, and what the loop has to do with it.
pub(super) struct State {
    pub(super) session: Session,
    pub(super) waiting: BTreeMap<Token, (Py<Reply>, Wants)>,
    /// Called whenever there is news for a subscription.
    pub(super) heard: BTreeMap<Token, Py<PyAny>>,
    pub(super) links: BTreeMap<LinkId, Py<Link>>,
    pub(super) writes: Writes,
    /// Calls since the last write.
    pub(super) unwritten: usize,
    /// When the loop will call `wake`, and by which handle.
    pub(super) timer: Option<(Instant, Py<PyAny>)>,
    pub(super) events: Receiver<Event>,
}

/// When the next command is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Writes {
    /// By whoever submits it, if nobody else waits.
    AtOnce,
    /// The loop will call `flush` in this turn.
    InThisTurn,
    /// Those who got their replies are being called, and may have more to say.
    AfterThese,
}

impl State {
    pub(super) fn new(session: Session, events: Receiver<Event>) -> Self {
        Self {
            session,
            waiting: BTreeMap::new(),
            heard: BTreeMap::new(),
            links: BTreeMap::new(),
            writes: Writes::AtOnce,
            unwritten: 0,
            timer: None,
            events,
        }
    }

    /// Has the loop call `due` when a deadline passes.
    pub(super) fn set_timer(&mut self, driver: &Bound<'_, Driver>) -> PyResult<()> {
        let py = driver.py();
        let next = self.session.next_deadline();
        if self.timer.as_ref().map(|(at, _)| *at) == next {
            return Ok(());
        }
        if let Some((_, timer)) = self.timer.take() {
            timer.call_method0(py, intern!(py, "cancel"))?;
        }
        if let Some(at) = next {
            let delay = at.saturating_duration_since(Instant::now()).as_secs_f64();
            let due = driver.getattr(intern!(py, "due"))?;
            let event_loop = driver.get().event_loop(py);
            let timer = event_loop.call_method1(intern!(py, "call_later"), (delay, due))?;
            self.timer = Some((at, timer.unbind()));
        }
        Ok(())
    }
}

/// The session, for a moment.
pub(super) struct Guard<'a>(pub(super) MutexGuard<'a, State>);

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
