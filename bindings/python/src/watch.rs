//! Optimistic transactions.

use crate::builder::Builder;
use crate::convert::raw;
use crate::error;
use crate::pipeline::{Queue, replies};
use crate::runtime::waiting;
use crate::script::Script;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use std::sync::{Mutex, MutexGuard, TryLockError};
use steadis::client::Exchange;
use steadis::client::blocking::Watch;

/// What `watch` hands over to read the watched keys with.
#[pyclass(subclass, frozen, module = "steadis._steadis")]
pub(crate) struct View {
    watch: Mutex<Option<Watch>>,
    decode: bool,
}

impl View {
    pub(crate) fn new(watch: Watch, decode: bool) -> Self {
        Self { watch: Mutex::new(Some(watch)), decode }
    }

    fn with<T: Send>(
        &self,
        py: Python<'_>,
        run: impl FnOnce(&mut Watch, &crate::runtime::Signals) -> steadis::Result<T> + Send,
    ) -> PyResult<T> {
        let mut guard: MutexGuard<'_, Option<Watch>> = match self.watch.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                return Err(error::usage(py, "a view belongs to the thread that watches"));
            }
        };
        let Some(watch) = guard.as_mut() else {
            return Err(error::usage(py, "the watch is over: use its view inside the function"));
        };
        waiting(py, |signals| run(watch, signals))
    }

    pub(crate) fn run<'py>(
        &self,
        py: Python<'py>,
        mut exchange: Exchange,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.with(py, |watch, signals| watch.run(&mut exchange, signals))?;
        let answer = exchange.answer().map_err(|why| error::raise(py, &why))?;
        answer.build(&mut Builder { py, decode: self.decode })
    }
}

#[pymethods]
impl View {
    #[new]
    fn new_like(other: &Bound<'_, Self>) -> Self {
        let Self { watch, decode } = other.get();
        let watch = watch.lock().ok().and_then(|mut watch| watch.take());
        Self { watch: Mutex::new(watch), decode: *decode }
    }

    #[pyo3(signature = (*args))]
    fn call<'py>(&self, args: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        self.run(args.py(), raw(args)?)
    }

    #[pyo3(signature = (script, keys=None, args=None))]
    fn _run_script<'py>(
        &self,
        py: Python<'py>,
        script: &Bound<'py, Script>,
        keys: Option<&Bound<'py, PyAny>>,
        args: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.run(py, script.get().exchange(py, keys, args)?)
    }

    fn _queue(&self) -> Queue {
        Queue::new(self.decode)
    }

    fn _begin(&self, py: Python<'_>) -> PyResult<()> {
        self.with(py, |watch, signals| watch.begin(signals))
    }

    /// `None`: somebody else has changed the keys.
    fn _commit<'py>(
        &self,
        py: Python<'py>,
        queue: &Bound<'py, Queue>,
    ) -> PyResult<Option<Bound<'py, PyList>>> {
        let batch = queue.get().take();
        let outcomes = self.with(py, |watch, signals| watch.commit(batch, signals))?;
        outcomes.map(|outcomes| replies(py, &outcomes, self.decode, true)).transpose()
    }

    /// Whether the last error came of a connection that was lost, so that the next attempt helps.
    fn _is_lost(&self, py: Python<'_>) -> PyResult<bool> {
        self.with(py, |watch, _| Ok(watch.is_lost()))
    }

    fn _end(&self) {
        let watch = self.watch.lock().ok().and_then(|mut watch| watch.take());
        drop(watch);
    }
}
