//! Python around a call that waits: the interpreter is free, and Ctrl-C is heard.

use crate::error;
use pyo3::prelude::*;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use steadis::lane::call::Host;

/// Runs signal handlers while a call waits, and remembers what they raise.
#[derive(Default)]
pub(crate) struct Signals(Mutex<Option<PyErr>>);

/// Counts forks: the thread that forks is the main thread of the child.
static FORKS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Whether this is the main thread, and after how many forks that was found out.
    static IS_MAIN: Cell<Option<(u64, bool)>> = const { Cell::new(None) };
}

impl Host for Signals {
    fn interrupted(&self) -> bool {
        // Python runs signal handlers in its main thread alone.
        if known_to_be_main() == Some(false) {
            return false;
        }
        // `None`: the interpreter is ending, and so is this thread.
        let handled = Python::try_attach(|py| {
            // Whatever runs Python's code can run a handler.
            if find_out(py)? { py.check_signals() } else { Ok(()) }
        });
        let raised = handled.and_then(PyResult::err);
        let ends = raised.is_some();
        if ends {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = raised;
        }
        ends
    }
}

fn known_to_be_main() -> Option<bool> {
    let forks = FORKS.load(Ordering::Relaxed);
    IS_MAIN.get().filter(|(known, _)| *known == forks).map(|(_, is_main)| is_main)
}

fn find_out(py: Python<'_>) -> PyResult<bool> {
    if let Some(is_main) = known_to_be_main() {
        return Ok(is_main);
    }
    let threading = py.import("threading")?;
    let main = threading.call_method0("main_thread")?.getattr("ident")?;
    let is_main = threading.call_method0("get_ident")?.eq(main)?;
    IS_MAIN.set(Some((FORKS.load(Ordering::Relaxed), is_main)));
    Ok(is_main)
}

/// What a forked child does first.
#[pyfunction]
pub(crate) fn _in_child() {
    FORKS.fetch_add(1, Ordering::Relaxed);
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
