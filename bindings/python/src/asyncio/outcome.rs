//! What a caller makes of what came of its call.

use crate::builder::Builder;
use crate::error;
use crate::pipeline::replies;
use crate::scan::Scan;
use pyo3::prelude::*;
use steadis::client::hosted::Completion;

/// What a caller wants to have.
pub(super) struct Wants {
    /// Text instead of bytes.
    pub(super) decode: bool,
    /// The first error among several outcomes is raised; else they stand in the list.
    pub(super) raises: bool,
    /// The reply is a page of this walk.
    pub(super) scan: Option<Py<Scan>>,
}

impl Wants {
    pub(super) fn one(decode: bool) -> Self {
        Self { decode, raises: true, scan: None }
    }

    /// The value, or what is raised.
    pub(super) fn take<'py>(
        &self,
        py: Python<'py>,
        completion: Completion<'_>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Self { decode, raises, ref scan } = *self;
        match (completion, scan) {
            (Completion::Reply(answer), Some(scan)) => scan.get().take(py, answer, decode),
            (Completion::Reply(answer), None) => answer.build(&mut Builder { py, decode }),
            (Completion::Outcomes(outcomes), _) => {
                replies(py, &outcomes, decode, raises).map(Bound::into_any)
            }
            (Completion::Failed(why), _) => Err(error::raise(py, &why)),
            _ => Ok(py.None().into_bound(py)),
        }
    }
}
