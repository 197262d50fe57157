//! On what terms calls are made.

use crate::{error, settings};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use steadis::client::CallOptions;
use steadis::config::Unit;

/// What a client, or a view of one, does with its calls.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) options: CallOptions,
    /// Text instead of bytes.
    pub(crate) decode: bool,
}

impl Terms {
    /// The same but for what is given.
    pub(crate) fn with(self, py: Python<'_>, given: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let (given, decode) = take_decode(given)?;
        let options = self.options.with(settings::pairs(given.as_ref())?, Unit::Seconds);
        let options = options.map_err(|why| error::raise(py, &why))?;
        Ok(Self { options, decode: decode.unwrap_or(self.decode) })
    }

    /// The same, but from replicas.
    pub(crate) fn replica(
        self,
        py: Python<'_>,
        given: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let options = self.options.replica(settings::pairs(given)?, Unit::Seconds);
        let options = options.map_err(|why| error::raise(py, &why))?;
        Ok(Self { options, ..self })
    }
}

/// What is given, less `decode_responses`: that is Python's own, and the rest is the core's.
pub(crate) fn take_decode<'py>(
    given: Option<&Bound<'py, PyDict>>,
) -> PyResult<(Option<Bound<'py, PyDict>>, Option<bool>)> {
    let Some(given) = given.map(|given| given.copy()).transpose()? else { return Ok((None, None)) };
    let Some(decode) = given.get_item("decode_responses")? else { return Ok((Some(given), None)) };
    given.del_item("decode_responses")?;
    let wrong = || error::usage(given.py(), "decode_responses is neither True nor False");
    let decode = decode.extract().map_err(|_| wrong())?;
    Ok((Some(given), decode))
}
