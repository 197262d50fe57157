//! Python around a call that waits: the interpreter is free, and Ctrl-C is heard.

use crate::error;
use pyo3::prelude::*;
use std::sync::{Mutex, PoisonError};
use steadis::lane::call::Host;

/// Runs signal handlers while a call waits, and remembers what they raise.
#[derive(Default)]
pub(crate) struct Signals(Mutex<Option<PyErr>>);

impl Host for Signals {
    fn interrupted(&self) -> bool {
        // `None`: the interpreter is ending, and so is this thread.
        let raised = Python::try_attach(|py| py.check_signals().err()).flatten();
        let ends = raised.is_some();
        if ends {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = raised;
        }
        ends
    }
}

/// Runs what may wait, without the interpreter's lock. What a signal handler has raised goes
/// before whatever came of it.
pub(crate) fn waiting<T: Send>(
    py: Python<'_>,
    run: impl FnOnce(&Signals) -> steadis::Result<T> + Send,
) -> PyResult<T> {
    let signals = Signals::default();
    let result = py.detach(|| error::guarded(|| run(&signals)));
    match signals.0.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(raised) => Err(raised),
        None => result.map_err(|why| error::raise(py, &why)),
    }
}
