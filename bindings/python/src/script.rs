//! Lua scripts.

use crate::convert::with_list;
use crate::error;
use pyo3::prelude::*;
use std::sync::Arc;
use steadis::client::Exchange;

/// A script of a client, known to the server by its digest.
#[pyclass(frozen, module = "steadis._steadis")]
pub(crate) struct Script(Arc<steadis::client::Script>);

impl Script {
    pub(crate) fn new(
        source: &Bound<'_, PyAny>,
        add: impl FnOnce(&[u8]) -> Arc<steadis::client::Script>,
    ) -> PyResult<Self> {
        let text: Option<&str> = source.extract().ok();
        let bytes = text.map(str::as_bytes).or_else(|| source.extract().ok());
        let kind = source.get_type().name()?;
        let wrong = || error::usage(source.py(), format!("a script of type {kind}; give its text"));
        bytes.map(|bytes| Self(add(bytes))).ok_or_else(wrong)
    }

    pub(crate) fn exchange(
        &self,
        py: Python<'_>,
        keys: Option<&Bound<'_, PyAny>>,
        args: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Exchange> {
        with_list("evalsha", "keys", keys, |keys| {
            with_list("evalsha", "args", args, |args| {
                Exchange::script(&self.0, keys, args).map_err(|why| error::raise(py, &why))
            })
        })
    }
}

#[pymethods]
impl Script {
    #[getter]
    fn digest(&self) -> &str {
        self.0.digest()
    }
}
