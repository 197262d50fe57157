//! Whoever waits for a reply is called.

use super::Reply;
use pyo3::exceptions::{PyKeyboardInterrupt, PySystemExit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

/// `Context.run`.
static RUN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static CURRENT_TASK: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Somebody to call because a reply has come, mostly a task that goes on.
pub(super) struct Woken {
    pub(super) reply: Py<Reply>,
    pub(super) callback: Py<PyAny>,
    pub(super) context: Py<PyAny>,
}

impl Woken {
    /// In the next turn of the loop, as the rules of asyncio say.
    pub(super) fn soon(self, py: Python<'_>) -> PyResult<()> {
        let named = PyDict::new(py);
        named.set_item(intern!(py, "context"), self.context)?;
        let event_loop = self.reply.get().get_loop(py);
        let call = (self.callback, &self.reply);
        event_loop.call_method(intern!(py, "call_soon"), call, Some(&named)).map(drop)
    }

    /// At once. Only the loop itself may ask for that, when nothing else runs in it; it spares
    /// everybody a turn.
    fn now(&self, py: Python<'_>) -> PyResult<()> {
        let Self { reply, callback, context } = self;
        // The method of the class: that of the object would be an object too.
        let run = RUN.get_or_try_init(py, || {
            context.bind(py).get_type().getattr(intern!(py, "run")).map(Bound::unbind)
        })?;
        let Err(raised) = run.call1(py, (context, callback, reply)) else { return Ok(()) };
        if raised.is_instance_of::<PyKeyboardInterrupt>(py)
            || raised.is_instance_of::<PySystemExit>(py)
        {
            return Err(raised);
        }
        // A task keeps what it raises, so this is a callback of the user's.
        let told = PyDict::new(py);
        told.set_item("message", "a callback of a reply has failed")?;
        told.set_item("exception", raised)?;
        let event_loop = reply.get().get_loop(py);
        event_loop.call_method1(intern!(py, "call_exception_handler"), (told,)).map(drop)
    }
}

/// Whether no task runs in the loop: one inside another is forbidden. A transport that reads while
/// it is written to would bring that about.
pub(super) fn may_call(event_loop: &Bound<'_, PyAny>) -> PyResult<bool> {
    let current = CURRENT_TASK.import(event_loop.py(), "asyncio", "current_task")?;
    Ok(current.call1((event_loop,))?.is_none())
}

/// Calls them all. If one ends the program, the others are left to the next turn.
pub(super) fn all_now(py: Python<'_>, woken: Vec<Woken>) -> PyResult<()> {
    let mut rest = woken.into_iter();
    while let Some(woken) = rest.next() {
        if let Err(raised) = woken.now(py) {
            all_soon(py, rest.collect())?;
            return Err(raised);
        }
    }
    Ok(())
}

/// Calls them all in the next turn.
pub(super) fn all_soon(py: Python<'_>, woken: Vec<Woken>) -> PyResult<()> {
    woken.into_iter().try_for_each(|woken| woken.soon(py))
}
