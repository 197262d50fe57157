//! What a call in an event loop returns: a future that can also be what `create_task` asks for.

use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyTuple};
use std::sync::{Mutex, PoisonError};

/// A reply on its way.
///
/// `await`, `gather`, `wait_for` and `shield` take it as the future that it is. `create_task`, task
/// groups and anyio insist on a coroutine, so it has a coroutine's methods too.
#[pyclass(frozen, weakref, module = "steadis.asyncio")]
pub(crate) struct Reply {
    future: Py<PyAny>,
    /// The way of a coroutine, once it was begun.
    steps: Mutex<Option<Py<PyIterator>>>,
}

impl Reply {
    pub(super) fn new(future: Bound<'_, PyAny>) -> Self {
        Self { future: future.unbind(), steps: Mutex::new(None) }
    }

    fn future<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.future.bind(py)
    }

    fn steps<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(steps) = &*steps {
            return Ok(steps.bind(py).clone());
        }
        let fresh = self.future(py).try_iter()?;
        *steps = Some(fresh.clone().unbind());
        Ok(fresh)
    }
}

#[pymethods]
impl Reply {
    fn __await__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.future(py).try_iter()
    }

    fn send<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.steps(value.py())?.call_method1(intern!(value.py(), "send"), (value,))
    }

    #[pyo3(signature = (*raised))]
    fn throw<'py>(&self, raised: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        self.steps(raised.py())?.call_method1(intern!(raised.py(), "throw"), raised)
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.future(py).call_method0("cancel").map(drop)
    }

    /// By this asyncio knows a future.
    #[getter]
    fn _asyncio_future_blocking(&self) -> bool {
        false
    }

    #[pyo3(signature = (*args, **named))]
    fn add_done_callback<'py>(
        &self,
        args: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.future(args.py()).call_method("add_done_callback", args, named)
    }

    fn remove_done_callback<'py>(
        &self,
        callback: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.future(callback.py()).call_method1("remove_done_callback", (callback,))
    }

    #[pyo3(signature = (*args, **named))]
    fn cancel<'py>(
        &self,
        args: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.future(args.py()).call_method("cancel", args, named)
    }

    fn cancelled<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.future(py).call_method0("cancelled")
    }

    fn done<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.future(py).call_method0("done")
    }

    fn result<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.future(py).call_method0("result")
    }

    fn exception<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.future(py).call_method0("exception")
    }

    fn get_loop<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.future(py).call_method0("get_loop")
    }

    #[getter]
    fn _loop<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.future(py).getattr("_loop")
    }

    fn _make_cancelled_error<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.future(py).call_method0("_make_cancelled_error")
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyRuntimeError::new_err("a reply on its way cannot be pickled"))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<reply {}>", self.future(py).repr()?))
    }
}
