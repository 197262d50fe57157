//! What a call in an event loop returns: a future of our own kind, because asyncio's costs more
//! than the rest of the call.

use super::Driver;
use super::progress::{Progress, cancelled};
use super::wake::{self, Woken};
use pyo3::exceptions::{PyBaseException, PyRuntimeError, PyStopIteration};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};
use smallvec::SmallVec;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use steadis::lane::hosted::Token;

static COPY_CONTEXT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// A reply on its way.
///
/// `await`, `gather`, `wait_for` and `shield` take it as the future that it is. `create_task`, task
/// groups and anyio insist on a coroutine, so it has a coroutine's methods too.
#[pyclass(frozen, weakref, module = "steadis.asyncio")]
pub(crate) struct Reply {
    event_loop: Py<PyAny>,
    progress: Mutex<Progress>,
    /// By this a task knows that a future was meant to be awaited.
    blocking: AtomicBool,
}

impl Reply {
    pub(super) fn new(driver: &Bound<'_, Driver>, token: Token) -> Self {
        let event_loop = driver.get().event_loop(driver.py()).clone().unbind();
        let driver = driver.clone().unbind();
        let progress = Progress::Waits { driver, token, callbacks: SmallVec::new() };
        Self { event_loop, progress: Mutex::new(progress), blocking: AtomicBool::new(false) }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the wait, if it has not ended: whom it has waited for, and those who are to be called.
    fn end(
        slf: &Bound<'_, Self>,
        with: Progress,
        woken: &mut Vec<Woken>,
    ) -> Option<(Py<Driver>, Token)> {
        let mut progress = slf.get().progress();
        if !matches!(*progress, Progress::Waits { .. }) {
            return None;
        }
        match std::mem::replace(&mut *progress, with) {
            Progress::Waits { driver, token, callbacks } => {
                woken.extend(callbacks.into_iter().map(|(callback, context)| Woken {
                    reply: slf.clone().unbind(),
                    callback,
                    context,
                }));
                Some((driver, token))
            }
            _ => None,
        }
    }

    /// Takes the outcome; those who are to be called for it. What was cancelled takes none.
    pub(super) fn settle(
        slf: &Bound<'_, Self>,
        outcome: PyResult<Bound<'_, PyAny>>,
        woken: &mut Vec<Woken>,
    ) {
        let with = match outcome {
            Ok(value) => Progress::Value(value.unbind()),
            Err(error) => Progress::Raised { error: error.into_value(slf.py()), heard: false },
        };
        Self::end(slf, with, woken);
    }

    fn outcome(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.progress().outcome(py)
    }

    fn is(&self, state: fn(&Progress) -> bool) -> bool {
        state(&self.progress())
    }
}

#[pymethods]
impl Reply {
    fn __await__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    /// Goes to the loop as long as it waits; then it is over, and its value is what was awaited.
    fn __next__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        let this = slf.get();
        if this.is(|it| matches!(it, Progress::Waits { .. })) {
            this.blocking.store(true, Ordering::Relaxed);
            return Ok(slf);
        }
        let value = this.outcome(slf.py())?;
        let bound = value.bind(slf.py());
        // Python takes a value as it is, without an exception around it, unless it could be taken
        // for arguments or for the exception.
        Err(if bound.is_instance_of::<PyTuple>() || bound.is_instance_of::<PyBaseException>() {
            PyStopIteration::new_err((value,))
        } else {
            PyStopIteration::new_err(value)
        })
    }

    fn send<'py>(slf: Bound<'py, Self>, _value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Self>> {
        Self::__next__(slf)
    }

    #[pyo3(signature = (*raised))]
    fn throw<'py>(slf: &Bound<'py, Self>, raised: &Bound<'py, PyTuple>) -> PyResult<()> {
        Self::close(slf);
        // Either an exception, or its class, its value and its trace.
        let (first, second) = (raised.get_item(0)?, raised.get_item(1).ok());
        let given = second.filter(|it| it.is_instance_of::<PyBaseException>());
        Err(PyErr::from_value(given.unwrap_or(first)))
    }

    /// Nobody awaits it any more.
    fn close(slf: &Bound<'_, Self>) {
        // A loop that is closed calls nobody back, and needs not.
        let _ = Self::cancel(slf, None);
    }

    #[getter]
    fn _asyncio_future_blocking(&self) -> bool {
        self.blocking.load(Ordering::Relaxed)
    }

    #[setter(_asyncio_future_blocking)]
    fn set_blocking(&self, blocking: bool) {
        self.blocking.store(blocking, Ordering::Relaxed);
    }

    #[pyo3(signature = (callback, *, context=None))]
    fn add_done_callback(
        slf: &Bound<'_, Self>,
        callback: Py<PyAny>,
        context: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let py = slf.py();
        let context = match context {
            Some(context) => context,
            None => COPY_CONTEXT.import(py, "contextvars", "copy_context")?.call0()?.unbind(),
        };
        if let Progress::Waits { callbacks, .. } = &mut *slf.get().progress() {
            callbacks.push((callback, context));
            return Ok(());
        }
        Woken { reply: slf.clone().unbind(), callback, context }.soon(py)
    }

    /// How many were removed.
    fn remove_done_callback(&self, callback: &Bound<'_, PyAny>) -> PyResult<usize> {
        let mut removed = SmallVec::<[_; 1]>::new();
        if let Progress::Waits { callbacks, .. } = &mut *self.progress() {
            let py = callback.py();
            let (gone, stays) = std::mem::take(callbacks)
                .into_iter()
                .partition(|(known, _)| known.bind(py).eq(callback).unwrap_or_default());
            (removed, *callbacks) = (gone, stays);
        }
        Ok(removed.len())
    }

    /// Ends this call alone; `False`: it had ended.
    #[pyo3(signature = (msg=None))]
    fn cancel(slf: &Bound<'_, Self>, msg: Option<Py<PyAny>>) -> PyResult<bool> {
        let (py, mut woken) = (slf.py(), Vec::new());
        let Some((driver, token)) = Self::end(slf, Progress::Cancelled(msg), &mut woken) else {
            return Ok(false);
        };
        let forgotten = Driver::forget(driver.bind(py), token);
        wake::all_soon(py, woken).and(forgotten).map(|()| true)
    }

    fn cancelled(&self) -> bool {
        self.is(|it| matches!(it, Progress::Cancelled(_)))
    }

    fn done(&self) -> bool {
        !self.is(|it| matches!(it, Progress::Waits { .. }))
    }

    fn result(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.outcome(py)
    }

    fn exception(&self, py: Python<'_>) -> PyResult<Option<Py<PyBaseException>>> {
        if let Progress::Raised { error, heard } = &mut *self.progress() {
            *heard = true;
            return Ok(Some(error.clone_ref(py)));
        }
        self.outcome(py).map(|_| None)
    }

    pub(super) fn get_loop<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.event_loop.bind(py)
    }

    #[getter]
    fn _loop<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.event_loop.bind(py)
    }

    fn _make_cancelled_error<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match &*self.progress() {
            Progress::Cancelled(reason) => cancelled(py, reason.as_ref()),
            _ => cancelled(py, None),
        }
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(PyRuntimeError::new_err("a reply on its way cannot be pickled"))
    }

    fn __repr__(&self) -> &'static str {
        match *self.progress() {
            Progress::Waits { .. } => "<reply on its way>",
            Progress::Value(_) => "<reply that has come>",
            Progress::Raised { .. } => "<reply that is an error>",
            Progress::Cancelled(_) => "<reply nobody waits for>",
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)?;
        // Held by whoever changes it just now: then it is not garbage.
        let Ok(progress) = self.progress.try_lock() else { return Ok(()) };
        progress.visit(&visit)
    }

    fn __clear__(&self) {
        let gone = std::mem::replace(&mut *self.progress(), Progress::Cancelled(None));
        drop(gone);
    }
}

impl Drop for Reply {
    /// An error that nobody has heard of is told to the loop, as asyncio's futures do.
    fn drop(&mut self) {
        let progress = self.progress.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Progress::Raised { error, heard: false } = progress {
            Python::try_attach(|py| {
                // What is being raised just now goes on afterwards.
                let raised = PyErr::take(py);
                let told = PyDict::new(py);
                let _ = told.set_item("message", "a reply was an error, and nobody awaited it");
                let _ = told.set_item("exception", &*error);
                let handler = intern!(py, "call_exception_handler");
                let _ = self.event_loop.call_method1(py, handler, (told,));
                if let Some(raised) = raised {
                    raised.restore(py);
                }
            });
        }
    }
}
