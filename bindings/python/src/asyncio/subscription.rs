//! Subscriptions in an event loop.

use super::Driver;
use crate::error;
use crate::pubsub::{by_name, value};
use pyo3::prelude::*;
use std::time::Instant;
use steadis::lane::hosted::Token;

/// A subscription; a function is called whenever there is something to take.
#[pyclass(subclass, frozen, weakref, module = "steadis._steadis")]
pub(crate) struct AsyncSubscription {
    driver: Py<Driver>,
    id: Token,
    decode: bool,
}

impl AsyncSubscription {
    pub(super) fn new(
        driver: &Bound<'_, Driver>,
        heard: Py<PyAny>,
        decode: bool,
    ) -> PyResult<Self> {
        let id = driver.get().listen(driver.py(), heard)?;
        Ok(Self { driver: driver.clone().unbind(), id, decode })
    }
}

#[pymethods]
impl AsyncSubscription {
    fn change(&self, py: Python<'_>, by: &str, name: &[u8], wanted: bool) -> PyResult<()> {
        let (id, by) = (self.id, by_name(by));
        Driver::work(self.driver.bind(py), |session, _| match wanted {
            true => session.subscription_add(id, by, name, Instant::now()),
            false => session.subscription_remove(id, by, name),
        })
    }

    /// What has come; `None`: nothing yet.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let incoming = self.driver.get().session(py)?.subscription_next(self.id);
        let incoming = incoming.map_err(|why| error::raise(py, &why))?;
        incoming.map(|incoming| value(py, &incoming, self.decode)).transpose()
    }

    /// Whether every channel is confirmed.
    fn ready(&self, py: Python<'_>) -> PyResult<bool> {
        let mut session = self.driver.get().session(py)?;
        if let Some(why) = session.subscription_error(self.id) {
            return Err(error::raise(py, &why));
        }
        Ok(session.subscription_ready(self.id))
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let id = self.id;
        self.driver.get().stop_listening(py, id)?;
        Driver::work(self.driver.bind(py), |session, _| session.unsubscribe(id))
    }
}
