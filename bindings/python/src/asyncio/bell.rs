//! Rung by the background thread, heard by the loop. It is a socket, so that the background thread
//! never waits for the interpreter's lock.

use super::Driver;
use pyo3::prelude::*;
use pyo3::types::PyWeakrefReference;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, OnceLock};

/// What the loop calls when the bell was rung. It does not keep the driver alive.
#[pyclass(frozen, module = "steadis._steadis")]
pub(crate) struct Bell {
    event_loop: Py<PyAny>,
    heard: UnixStream,
    driver: OnceLock<Py<PyWeakrefReference>>,
}

/// Rings.
#[derive(Clone)]
pub(super) struct Rope(Arc<UnixStream>);

impl Rope {
    pub(super) fn pull(&self) {
        // Full: it was rung already. Broken: nobody is there any more.
        let _ = (&*self.0).write(&[0]);
    }
}

/// The two ends.
pub(super) fn ends() -> io::Result<(Rope, UnixStream)> {
    let (rope, heard) = UnixStream::pair()?;
    rope.set_nonblocking(true)?;
    heard.set_nonblocking(true)?;
    Ok((Rope(Arc::new(rope)), heard))
}

impl Bell {
    pub(super) fn new(event_loop: &Bound<'_, PyAny>, heard: UnixStream) -> Self {
        Self { event_loop: event_loop.clone().unbind(), heard, driver: OnceLock::new() }
    }

    /// From now on the loop listens.
    pub(super) fn hang(bell: &Bound<'_, Self>, driver: &Bound<'_, Driver>) -> PyResult<()> {
        let this = bell.get();
        let weak = PyWeakrefReference::new(driver)?.unbind();
        this.driver.get_or_init(|| weak);
        let event_loop = this.event_loop.bind(bell.py());
        event_loop.call_method1("add_reader", (this.heard.as_raw_fd(), bell)).map(drop)
    }
}

#[pymethods]
impl Bell {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        let mut rings = [0; 64];
        while matches!((&self.heard).read(&mut rings), Ok(count) if count == rings.len()) {}
        let driver = self.driver.get().map(|driver| driver.bind(py).upgrade_as::<Driver>());
        match driver.transpose()?.flatten() {
            Some(driver) => Driver::rung(&driver),
            None => Ok(()),
        }
    }

    /// Takes it off the loop.
    pub(super) fn remove(&self, py: Python<'_>) -> PyResult<()> {
        let event_loop = self.event_loop.bind(py);
        if !event_loop.call_method0("is_closed")?.is_truthy()? {
            event_loop.call_method1("remove_reader", (self.heard.as_raw_fd(),))?;
        }
        Ok(())
    }
}
