//! How far a reply has come.

use super::Driver;
use pyo3::exceptions::PyBaseException;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use smallvec::SmallVec;
use steadis::lane::hosted::Token;

static CANCELLED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static NOT_READY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

pub(super) enum Progress {
    /// A reply that nobody has any more use for is told to the driver, which it keeps alive.
    Waits {
        driver: Py<Driver>,
        token: Token,
        /// Mostly one: the task that awaits it.
        callbacks: SmallVec<[(Py<PyAny>, Py<PyAny>); 1]>,
    },
    Value(Py<PyAny>),
    /// Somebody should hear of it.
    Raised {
        error: Py<PyBaseException>,
        heard: bool,
    },
    /// With what was given as the reason.
    Cancelled(Option<Py<PyAny>>),
}

impl Progress {
    /// What it has come to; an error has been heard then.
    pub(super) fn outcome(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self {
            Progress::Value(value) => Ok(value.clone_ref(py)),
            Progress::Raised { error, heard } => {
                *heard = true;
                Err(PyErr::from_value(error.bind(py).clone().into_any()))
            }
            Progress::Cancelled(reason) => Err(PyErr::from_value(cancelled(py, reason.as_ref())?)),
            Progress::Waits { .. } => {
                let class = NOT_READY.import(py, "asyncio", "InvalidStateError")?;
                Err(PyErr::from_value(class.call1(("the reply has not come yet",))?))
            }
        }
    }

    /// What it keeps alive.
    pub(super) fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Progress::Waits { driver, callbacks, .. } => {
                visit.call(driver)?;
                callbacks.iter().try_for_each(|(callback, context)| {
                    visit.call(callback)?;
                    visit.call(context)
                })
            }
            Progress::Value(value) => visit.call(value),
            Progress::Raised { error, .. } => visit.call(error),
            Progress::Cancelled(reason) => visit.call(reason),
        }
    }
}

/// What is raised where a reply was cancelled.
pub(super) fn cancelled<'py>(
    py: Python<'py>,
    reason: Option<&Py<PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let class = CANCELLED.import(py, "asyncio", "CancelledError")?;
    match reason {
        Some(reason) => class.call1((reason,)),
        None => class.call0(),
    }
}
