//! Errors of the core, and Python's, become one another.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use steadis::{Error, Kind};

static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The exception for an error of the core.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    value(py, error).map_or_else(|why| why, PyErr::from_value)
}

/// The same as an object, for a list of outcomes or a future.
pub(crate) fn value<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let details = PyDict::new(py);
    details.set_item("retryable", error.retryable())?;
    details.set_item("maybe_executed", error.maybe_executed())?;
    details.set_item("code", error.code())?;
    details.set_item("command", error.command())?;
    details.set_item("address", error.address())?;
    MAKE.import(py, "steadis._errors", "make")?
        .call((error.kind().name(), error.to_string()), Some(&details))
}

/// An error in what the caller hands over.
pub(crate) fn usage(py: Python<'_>, message: impl Display) -> PyErr {
    raise(py, &Error::usage(message.to_string()))
}

/// Runs what must not take the process down with it.
pub(crate) fn guarded<T>(run: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().map(|it| (*it).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Err(Error::new(Kind::Internal, format!("a mistake in Steadis, please report it: {said}")))
    })
}

/// An exception that a Python function has raised while the core called it.
pub(crate) fn of_callback(py: Python<'_>, what: &str, error: &PyErr) -> Error {
    let kind = if error.is_instance_of::<PyException>(py) { Kind::Config } else { Kind::Internal };
    // Its words could hold the password.
    let name = error.get_type(py).to_string();
    Error::new(kind, format!("{what} raised {name}; make it return text"))
}
