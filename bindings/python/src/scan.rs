//! Walks over all keys, or over all elements of one.

use crate::builder::Builder;
use crate::convert::with_args;
use crate::error;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::sync::{Mutex, MutexGuard, PoisonError};
use steadis::client::{Answer, Exchange};
use steadis::command::find;

/// Where a walk stands.
#[pyclass(frozen, module = "steadis._steadis")]
pub(crate) struct Scan(Mutex<steadis::client::Scan>);

impl Scan {
    pub(crate) fn new(
        name: &str,
        args: &Bound<'_, PyTuple>,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<Self> {
        let py = args.py();
        let command = find(&[name]);
        let command = command.ok_or_else(|| error::usage(py, format!("{name} is no command")))?;
        with_args(command.name, args, 0, Some(options), |args, options| {
            let scan = steadis::client::Scan::new(command, args, options);
            Ok(Self(Mutex::new(scan.map_err(|why| error::raise(py, &why))?)))
        })
    }

    fn core(&self) -> MutexGuard<'_, steadis::client::Scan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The command for the next page.
    pub(crate) fn request(&self, py: Python<'_>) -> PyResult<Exchange> {
        let request = self.core().request();
        request.map_err(|why| error::raise(py, &why))
    }

    /// The elements of a page; of a map they are its pairs.
    pub(crate) fn take<'py>(
        &self,
        py: Python<'py>,
        answer: Answer<'_>,
        decode: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let page = self.core().take(answer);
        let page = page.map_err(|why| error::raise(py, &why))?;
        let page = page.build(&mut Builder { py, decode })?;
        match page.cast::<PyDict>() {
            Ok(map) => Ok(map.items().into_any()),
            Err(_) => Ok(page),
        }
    }
}

#[pymethods]
impl Scan {
    /// All pages have been taken.
    #[getter]
    fn is_over(&self) -> bool {
        self.core().is_over()
    }
}
