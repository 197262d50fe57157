//! Optimistic transactions in an event loop.

use super::outcome::Wants;
use super::{Driver, Reply};
use crate::convert::raw;
use crate::pipeline::Queue;
use crate::script::Script;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::time::Instant;
use steadis::client::Exchange;
use steadis::client::hosted::{Session, WatchId};
use steadis::lane::hosted::Token;

/// What `watch` hands over to read the watched keys with.
#[pyclass(subclass, frozen, module = "steadis._steadis")]
pub(crate) struct AsyncView {
    driver: Py<Driver>,
    id: WatchId,
    decode: bool,
}

impl AsyncView {
    pub(super) fn new(driver: Py<Driver>, id: WatchId, decode: bool) -> Self {
        Self { driver, id, decode }
    }

    fn step<'py>(
        &self,
        py: Python<'py>,
        step: impl FnOnce(&mut Session, WatchId, Instant) -> steadis::Result<Token>,
    ) -> PyResult<Bound<'py, Reply>> {
        let (id, wants) = (self.id, Wants::one(self.decode));
        Driver::submit(self.driver.bind(py), wants, None, |session, now| step(session, id, now))
    }

    pub(crate) fn submit<'py>(
        &self,
        py: Python<'py>,
        exchange: &Exchange,
    ) -> PyResult<Bound<'py, Reply>> {
        self.step(py, |session, id, now| session.watch_run(id, exchange, now))
    }
}

#[pymethods]
impl AsyncView {
    #[new]
    fn new_like(other: &Bound<'_, Self>) -> Self {
        let Self { driver, id, decode } = other.get();
        Self { driver: driver.clone_ref(other.py()), id: *id, decode: *decode }
    }

    #[pyo3(signature = (*args))]
    fn call<'py>(&self, args: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, Reply>> {
        self.submit(args.py(), &raw(args)?)
    }

    #[pyo3(signature = (script, keys=None, args=None))]
    fn _run_script<'py>(
        &self,
        py: Python<'py>,
        script: &Bound<'py, Script>,
        keys: Option<&Bound<'py, PyAny>>,
        args: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Reply>> {
        self.submit(py, &script.get().exchange(py, keys, args)?)
    }

    fn _queue(&self) -> Queue {
        Queue::new(self.decode)
    }

    fn _begin<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Reply>> {
        self.step(py, |session, id, now| session.watch_begin(id, now))
    }

    /// Its future's result is `None` where somebody else has changed the keys.
    fn _commit<'py>(
        &self,
        py: Python<'py>,
        queue: &Bound<'py, Queue>,
    ) -> PyResult<Bound<'py, Reply>> {
        let batch = queue.get().take();
        self.step(py, |session, id, now| session.watch_commit(id, batch, now))
    }

    fn _is_lost(&self, py: Python<'_>) -> PyResult<bool> {
        Ok(self.driver.get().session(py)?.watch_is_lost(self.id))
    }

    fn _end(&self, py: Python<'_>) -> PyResult<()> {
        let driver = self.driver.bind(py);
        let id = self.id;
        Driver::work(driver, |session, _| session.watch_close(id))
    }
}
