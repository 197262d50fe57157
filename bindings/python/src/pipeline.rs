//! Commands that are sent in one go.

use crate::builder::Builder;
use crate::convert::raw;
use crate::error;
use crate::runtime::waiting;
use crate::script::Script;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};
use std::sync::{Mutex, MutexGuard, PoisonError};
use steadis::client::{Batch, CallOptions, Outcomes};

/// Commands in a row, not sent yet.
#[pyclass(subclass, frozen, module = "steadis._steadis")]
pub(crate) struct Queue {
    batch: Mutex<Batch>,
    pub(crate) decode: bool,
}

impl Queue {
    pub(crate) fn new(decode: bool) -> Self {
        Self { batch: Mutex::default(), decode }
    }

    fn batch(&self) -> MutexGuard<'_, Batch> {
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(
        &self,
        py: Python<'_>,
        add: impl FnOnce(&mut Batch) -> steadis::Result<()>,
    ) -> PyResult<()> {
        let added = add(&mut self.batch());
        added.map_err(|why| error::raise(py, &why))
    }

    /// All of it, to be sent.
    pub(crate) fn take(&self) -> Batch {
        std::mem::take(&mut self.batch())
    }
}

#[pymethods]
impl Queue {
    #[new]
    pub(crate) fn new_like(other: &Bound<'_, Self>) -> Self {
        let queue = Self::new(other.get().decode);
        *queue.batch() = other.get().take();
        queue
    }

    /// Appends any command, given by its arguments.
    #[pyo3(signature = (*args))]
    fn call<'py>(slf: Bound<'py, Self>, args: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, Self>> {
        let exchange = raw(args)?;
        slf.get().batch().add_exchange(&exchange);
        Ok(slf)
    }

    #[pyo3(signature = (script, keys=None, args=None))]
    fn _run_script<'py>(
        slf: Bound<'py, Self>,
        script: &Bound<'py, Script>,
        keys: Option<&Bound<'py, PyAny>>,
        args: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Self>> {
        let exchange = script.get().exchange(slf.py(), keys, args)?;
        slf.get().batch().add_exchange(&exchange);
        Ok(slf)
    }

    /// Forgets all commands.
    fn reset(&self) {
        self.batch().clear();
    }

    fn __len__(&self) -> usize {
        self.batch().len()
    }

    /// An empty one is no less of an object.
    fn __bool__(&self) -> bool {
        true
    }
}

/// Commands in a row for a client of threads.
#[pyclass(subclass, frozen, extends = Queue, module = "steadis._steadis")]
pub(crate) struct Pipeline {
    pub(crate) core: steadis::Client,
    pub(crate) options: CallOptions,
    /// They run together or not at all.
    pub(crate) transaction: bool,
}

#[pymethods]
impl Pipeline {
    #[new]
    fn new_like(other: &Bound<'_, Self>) -> PyClassInitializer<Self> {
        let Self { core, options, transaction } = other.get();
        let same = Self { core: core.clone(), options: *options, transaction: *transaction };
        PyClassInitializer::from(Queue::new_like(other.as_super())).add_subclass(same)
    }

    #[pyo3(signature = (raise_on_error=true))]
    fn execute<'py>(slf: &Bound<'py, Self>, raise_on_error: bool) -> PyResult<Bound<'py, PyList>> {
        let Self { core, options, transaction } = slf.get();
        let batch = slf.as_super().get().take();
        let outcomes = waiting(slf.py(), |signals| match transaction {
            true => core.run_transaction(batch, options, signals),
            false => core.run_pipeline(batch, options, signals),
        })?;
        replies(slf.py(), &outcomes, slf.as_super().get().decode, raise_on_error)
    }
}

/// What came of each command. The first error is raised, or all stand in the list.
pub(crate) fn replies<'py>(
    py: Python<'py>,
    outcomes: &Outcomes,
    decode: bool,
    raise_on_error: bool,
) -> PyResult<Bound<'py, PyList>> {
    let mut builder = Builder { py, decode };
    if raise_on_error && let Some(error) = outcomes.iter().find_map(Result::err) {
        return Err(error::raise(py, error));
    }
    let all = outcomes.iter().map(|outcome| match outcome {
        Ok(answer) => answer.build(&mut builder),
        Err(error) => error::value(py, error),
    });
    PyList::new(py, all.collect::<PyResult<Vec<_>>>()?)
}
