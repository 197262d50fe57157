//! Subscriptions.

use crate::error;
use crate::runtime::waiting;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyString};
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use steadis::client::{By, Incoming};

static MESSAGE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static GAP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// A subscription for one thread at a time.
#[pyclass(subclass, frozen, weakref, module = "steadis._steadis")]
pub(crate) struct Subscription {
    core: Mutex<Option<steadis::client::blocking::Subscription>>,
    decode: bool,
}

impl Subscription {
    pub(crate) fn new(core: steadis::client::blocking::Subscription, decode: bool) -> Self {
        Self { core: Mutex::new(Some(core)), decode }
    }

    fn lock(
        &self,
        py: Python<'_>,
    ) -> PyResult<MutexGuard<'_, Option<steadis::client::blocking::Subscription>>> {
        match self.core.try_lock() {
            Ok(guard) => Ok(guard),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => {
                Err(error::usage(py, "another thread is waiting on this subscription"))
            }
        }
    }
}

#[pymethods]
impl Subscription {
    #[new]
    fn new_like(other: &Bound<'_, Self>) -> PyResult<Self> {
        let core = other.get().lock(other.py())?.take();
        Ok(Self { core: Mutex::new(core), decode: other.get().decode })
    }

    fn _change(&self, py: Python<'_>, by: &str, name: &[u8], wanted: bool) -> PyResult<()> {
        let mut core = self.lock(py)?;
        let Some(core) = core.as_mut() else { return Err(over(py)) };
        match wanted {
            true => core.add(by_name(by), name),
            false => core.remove(by_name(by), name),
        }
        Ok(())
    }

    fn _ready(&self, py: Python<'_>) -> PyResult<()> {
        let mut core = self.lock(py)?;
        let Some(core) = core.as_mut() else { return Err(over(py)) };
        waiting(py, |signals| core.ready(signals))
    }

    #[pyo3(signature = (timeout=None))]
    fn _next<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<f64>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let timeout = timeout.map(Duration::try_from_secs_f64).transpose();
        let timeout =
            timeout.map_err(|_| error::usage(py, "timeout is negative; give zero or more"))?;
        let mut core = self.lock(py)?;
        let Some(core) = core.as_mut() else { return Err(over(py)) };
        let incoming = waiting(py, |signals| core.next(timeout, signals))?;
        incoming.map(|incoming| value(py, &incoming, self.decode)).transpose()
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let core = self.lock(py)?.take();
        py.detach(|| drop(core));
        Ok(())
    }
}

fn over(py: Python<'_>) -> PyErr {
    error::raise(py, &steadis::Error::new(steadis::Kind::Closed, "the subscription was closed"))
}

pub(crate) fn by_name(name: &str) -> By {
    match name {
        "pattern" => By::Pattern,
        "shard" => By::Shard,
        _ => By::Channel,
    }
}

/// A message or a gap.
pub(crate) fn value<'py>(
    py: Python<'py>,
    incoming: &Incoming,
    decode: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let text = |bytes: &[u8]| match decode {
        true => PyString::from_bytes(py, bytes).map(Bound::into_any),
        false => Ok(PyBytes::new(py, bytes).into_any()),
    };
    match incoming {
        Incoming::Message { channel, pattern, data } => {
            let pattern = pattern.as_deref().map(text).transpose()?;
            let class = MESSAGE.import(py, "steadis._values", "Message")?;
            class.call1((text(channel)?, pattern, text(data)?))
        }
        Incoming::Gap { since, until } => {
            GAP.import(py, "steadis._values", "Gap")?.call1((seconds(*since), seconds(*until)))
        }
    }
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).map(|since| since.as_secs_f64()).unwrap_or_default()
}
