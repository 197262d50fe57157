//! Who waits for a call, and what it gets.

use crate::convert::Builder;
use crate::error;
use crate::pipeline::replies;
use pyo3::intern;
use pyo3::prelude::*;
use steadis::client::hosted::Completion;

/// What a caller makes of its reply.
#[derive(Clone, Copy)]
pub(super) struct Wants {
    /// Text instead of bytes.
    pub(super) decode: bool,
    /// The first error among several outcomes is raised; else they stand in the list.
    pub(super) raises: bool,
}

/// A call without an outcome.
pub(super) struct Waiter {
    pub(super) future: Py<PyAny>,
    pub(super) wants: Wants,
    /// We are told when the future is cancelled.
    pub(super) watched: bool,
}

/// A call with its outcome, to be told once the session is at rest.
pub(super) struct Told<'py> {
    future: Bound<'py, PyAny>,
    outcome: PyResult<Bound<'py, PyAny>>,
}

impl<'py> Told<'py> {
    pub(super) fn of(py: Python<'py>, waiter: &Waiter, completion: Completion<'_>) -> Self {
        let Wants { decode, raises } = waiter.wants;
        let outcome = match completion {
            Completion::Reply(answer) => answer.build(&mut Builder { py, decode }),
            Completion::Outcomes(outcomes) => {
                replies(py, &outcomes, decode, raises).map(Bound::into_any)
            }
            Completion::Failed(why) => Err(error::raise(py, &why)),
            _ => Ok(py.None().into_bound(py)),
        };
        Self { future: waiter.future.bind(py).clone(), outcome }
    }

    /// A future that was cancelled takes no outcome, and that is well.
    pub(super) fn tell(self) {
        let py = self.future.py();
        let told = match self.outcome {
            Ok(value) => self.future.call_method1(intern!(py, "set_result"), (value,)),
            Err(why) => {
                self.future.call_method1(intern!(py, "set_exception"), (why.into_value(py),))
            }
        };
        drop(told);
    }
}
