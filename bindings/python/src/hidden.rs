//! What the tests of this tree look at: how calls and settings are converted, without a server.

use crate::builder::Builder;
use crate::convert::with_args;
use crate::{error, settings};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::collections::HashMap;
use steadis::client::{Answer, Origin};
use steadis::command::{Command, all};
use steadis::config::{Config, Environment, Secrets, Unit};
use steadis::proto::read::Frame;
use steadis::proto::scan::Limits;

fn command(py: Python<'_>, name: &str) -> PyResult<&'static Command> {
    let found = all().iter().find(|command| command.name == name);
    found.ok_or_else(|| error::usage(py, format!("{name} is no command of the table")))
}

/// The bytes that a call is sent as.
#[pyfunction]
pub(crate) fn _encode<'py>(
    name: &str,
    args: &Bound<'py, PyTuple>,
    named: &Bound<'py, PyDict>,
) -> PyResult<Vec<u8>> {
    let py = args.py();
    let command = command(py, name)?;
    with_args(name, args, 0, Some(named), |args, named| {
        let mut out = Vec::new();
        command.encode(args, named, &mut out).map_err(|why| error::raise(py, &why))?;
        Ok(out)
    })
}

/// The value that a reply to a call becomes.
#[pyfunction]
pub(crate) fn _reply<'py>(
    name: &str,
    args: &Bound<'py, PyTuple>,
    named: &Bound<'py, PyDict>,
    reply: &[u8],
) -> PyResult<Bound<'py, PyAny>> {
    let py = args.py();
    let command = command(py, name)?;
    with_args(name, args, 0, Some(named), |args, named| {
        let encoded = command.encode(args, named, &mut Vec::new());
        let shape = encoded.map_err(|why| error::raise(py, &why))?.shape;
        let frame = Frame::check(reply, Limits::default());
        let frame = frame.map_err(|why| error::usage(py, why))?;
        Answer { frame, shape, origin: Origin::default() }.build(&mut Builder { py, decode: false })
    })
}

/// The configuration that environment, URL and options come to, as JSON, and what is odd.
#[pyfunction]
pub(crate) fn _configuration(
    py: Python<'_>,
    environment: HashMap<String, String>,
    url: Option<&Bound<'_, PyAny>>,
    milliseconds: bool,
    options: &Bound<'_, PyDict>,
) -> PyResult<(String, Vec<String>)> {
    let mut input = settings::input(url, Some(options))?;
    input.environment = Environment::from_iter(environment);
    input.unit = if milliseconds { Unit::Milliseconds } else { Unit::Seconds };
    let resolved = Config::resolve(&input).map_err(|why| error::raise(py, &why))?;
    Ok((resolved.config.to_json(Secrets::Shown), resolved.warnings))
}
