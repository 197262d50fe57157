//! Python around a call that waits: the interpreter is free, and Ctrl-C is heard.

use crate::error;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use steadis::lane::call::Host;
use steadis::lane::door::{Door, Outing};

/// Runs signal handlers while a call waits, and remembers what they raise.
pub(crate) struct Signals {
    raised: Mutex<Option<PyErr>>,
    /// `None`: a build of Python in which threads need not take turns.
    outing: Option<Outing>,
}

/// Counts forks: the thread that forks is the main thread of the child.
static FORKS: AtomicU64 = AtomicU64::new(0);

static TAKES_TURNS: PyOnceLock<bool> = PyOnceLock::new();

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
            *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = raised;
        }
        ends
    }

    fn outing(&self) -> Option<&Outing> {
        self.outing.as_ref()
    }
}

/// Whether one thread runs Python's code at a time.
fn takes_turns(py: Python<'_>) -> bool {
    *TAKES_TURNS.get_or_init(py, || {
        // Python before 3.13 does not know the question.
        let asked = py.import("sys").and_then(|sys| sys.call_method0("_is_gil_enabled"));
        asked.and_then(|answer| answer.extract()).unwrap_or(true)
    })
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
    let outing = takes_turns(py).then(|| Outing::new(Door::of_this_process()));
    let signals = Signals { raised: Mutex::default(), outing };
    let outing = signals.outing.as_ref();
    let result = py.detach(|| {
        outing.inspect(|outing| outing.leave());
        let result = error::guarded(|| run(&signals));
        outing.inspect(|outing| outing.knock());
        result
    });
    outing.inspect(|outing| outing.enter());
    match signals.raised.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(raised) => Err(raised),
        None => result.map_err(|why| error::raise(py, &why)),
    }
}
