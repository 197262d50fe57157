//! Commands in a row for a client of an event loop.

use super::waiter::Wants;
use super::{AsyncClient, Driver, Home};
use crate::pipeline::Queue;
use pyo3::prelude::*;
use std::sync::Arc;
use std::time::Instant;
use steadis::client::CallOptions;
use steadis::client::hosted::Session;

/// Commands in a row, not sent yet.
#[pyclass(subclass, frozen, extends = Queue, module = "steadis._steadis")]
pub(crate) struct AsyncPipeline {
    home: Arc<Home>,
    options: CallOptions,
    /// They run together or not at all.
    transaction: bool,
}

impl AsyncPipeline {
    pub(super) fn new(client: AsyncClient, transaction: bool) -> Self {
        Self { home: client.home, options: client.options, transaction }
    }
}

#[pymethods]
impl AsyncPipeline {
    #[new]
    fn new_like(other: &Bound<'_, Self>) -> PyClassInitializer<Self> {
        let Self { home, options, transaction } = other.get();
        let same = Self { home: Arc::clone(home), options: *options, transaction: *transaction };
        PyClassInitializer::from(Queue::new_like(other.as_super())).add_subclass(same)
    }

    #[pyo3(signature = (raise_on_error=true))]
    fn execute<'py>(slf: &Bound<'py, Self>, raise_on_error: bool) -> PyResult<Bound<'py, PyAny>> {
        let (this, queue) = (slf.get(), slf.as_super().get());
        let (options, decode) = (this.options, queue.decode);
        let client = AsyncClient { home: Arc::clone(&this.home), options, decode };
        let driver = client.driver(slf.py())?;
        let batch = queue.take();
        let submit = |session: &mut Session| match this.transaction {
            true => session.submit_transaction(batch, options, Instant::now()),
            false => session.submit_pipeline(batch, options, Instant::now()),
        };
        let wants = Wants { decode, raises: raise_on_error };
        Driver::submit(&driver, wants, options.timeout, submit)
    }
}
