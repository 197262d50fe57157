//! Commands in a row for a client of an event loop.

use super::outcome::Wants;
use super::{AsyncClient, Driver, Reply};
use crate::pipeline::Queue;
use crate::terms::Terms;
use pyo3::prelude::*;
use std::sync::Arc;

/// Commands in a row, not sent yet.
#[pyclass(subclass, frozen, extends = Queue, module = "steadis._steadis")]
pub(crate) struct AsyncPipeline {
    client: AsyncClient,
    /// They run together or not at all.
    transaction: bool,
}

impl AsyncPipeline {
    pub(super) fn new(client: AsyncClient, transaction: bool) -> Self {
        Self { client, transaction }
    }
}

#[pymethods]
impl AsyncPipeline {
    #[new]
    fn new_like(other: &Bound<'_, Self>) -> PyClassInitializer<Self> {
        let Self { client, transaction } = other.get();
        let client = AsyncClient { home: Arc::clone(&client.home), terms: client.terms };
        let queue = Queue::new_like(other.as_super());
        PyClassInitializer::from(queue).add_subclass(Self::new(client, *transaction))
    }

    #[pyo3(signature = (raise_on_error=true))]
    fn execute<'py>(slf: &Bound<'py, Self>, raise_on_error: bool) -> PyResult<Bound<'py, Reply>> {
        let Self { client, transaction } = slf.get();
        let Terms { options, decode } = client.terms;
        let driver = client.driver(slf.py())?;
        let batch = slf.as_super().get().take();
        let wants = Wants { raises: raise_on_error, ..Wants::one(decode) };
        Driver::submit(&driver, wants, options.timeout, |session, now| match transaction {
            true => session.submit_transaction(batch, options, now),
            false => session.submit_pipeline(batch, options, now),
        })
    }
}
