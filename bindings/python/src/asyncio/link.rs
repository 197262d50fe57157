//! A connection, as asyncio sees it: a BufferedProtocol.

use super::Driver;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyMemoryView, PyWeakrefReference};
use std::cell::OnceCell;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use steadis::client::hosted::LinkId;
use steadis::{Error, Kind};

/// One connection of a driver, which it does not keep alive.
#[pyclass(frozen, weakref, module = "steadis._steadis")]
pub(crate) struct Link {
    driver: Py<PyWeakrefReference>,
    id: LinkId,
    carrier: Mutex<Carrier>,
}

/// As much as one read takes.
const ROOM: usize = 64 << 10;

thread_local! {
    /// Where the connections of this thread's loop read to. Each is asked for it, filled, and told
    /// before it is the next one's turn. Without it, asyncio asks the system for a quarter of a
    /// megabyte for each read, and gives it back.
    static BUFFER: OnceCell<Buffer> = const { OnceCell::new() };
}

struct Buffer {
    bytes: Py<PyByteArray>,
    /// What asyncio gets: with TLS it goes on filling a slice of it, which of a bytearray would be
    /// a copy.
    view: Py<PyMemoryView>,
}

impl Buffer {
    fn new(py: Python<'_>) -> PyResult<Self> {
        let bytes = PyByteArray::new(py, &[0; ROOM]);
        let view = PyMemoryView::from(&bytes)?.unbind();
        Ok(Self { bytes: bytes.unbind(), view })
    }

    /// This thread's.
    fn with<T>(py: Python<'_>, work: impl FnOnce(&Self) -> PyResult<T>) -> PyResult<T> {
        BUFFER.with(|buffer| match buffer.get() {
            Some(buffer) => work(buffer),
            None => {
                let made = Self::new(py)?;
                work(buffer.get_or_init(|| made))
            }
        })
    }
}

/// What carries the bytes.
enum Carrier {
    /// A task connects.
    Task(Py<PyAny>),
    Transport {
        transport: Py<PyAny>,
        write: Py<PyAny>,
    },
    None,
}

impl Link {
    pub(super) fn new(driver: &Bound<'_, Driver>, id: LinkId) -> PyResult<Self> {
        let driver = PyWeakrefReference::new(driver)?.unbind();
        Ok(Self { driver, id, carrier: Mutex::new(Carrier::None) })
    }

    fn replace(&self, carrier: Carrier) -> Carrier {
        let mut current = self.carrier.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut current, carrier)
    }

    pub(super) fn connecting(&self, task: Py<PyAny>) {
        self.replace(Carrier::Task(task));
    }

    /// What takes bytes, once it is connected.
    pub(super) fn writer(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        match &*self.carrier.lock().unwrap_or_else(PoisonError::into_inner) {
            Carrier::Transport { write, .. } => Some(write.clone_ref(py)),
            _ => None,
        }
    }

    fn driver<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, Driver>>> {
        self.driver.bind(py).upgrade_as::<Driver>()
    }

    fn over(&self, py: Python<'_>, why: &str) -> PyResult<()> {
        if matches!(self.replace(Carrier::None), Carrier::None) {
            return Ok(());
        }
        let Some(driver) = self.driver(py)? else { return Ok(()) };
        let why = Error::new(Kind::Unavailable, why);
        Driver::closed(&driver, self.id, why)
    }
}

#[pymethods]
impl Link {
    fn connection_made(&self, py: Python<'_>, transport: Py<PyAny>) -> PyResult<()> {
        let Some(driver) = self.driver(py)? else {
            return transport.call_method0(py, "abort").map(drop);
        };
        let write = transport.getattr(py, "write")?;
        if matches!(self.replace(Carrier::Transport { transport, write }), Carrier::None) {
            // It was given up while asyncio connected.
            return self.end(py);
        }
        let id = self.id;
        Driver::work(&driver, |session, sink| session.opened(id, Instant::now(), sink))
    }

    /// Where to read to.
    fn get_buffer(&self, py: Python<'_>, _hint: isize) -> PyResult<Py<PyMemoryView>> {
        Buffer::with(py, |buffer| Ok(buffer.view.clone_ref(py)))
    }

    /// So many bytes have come.
    fn buffer_updated(&self, py: Python<'_>, count: usize) -> PyResult<()> {
        let Some(driver) = self.driver(py)? else { return Ok(()) };
        let buffer = Buffer::with(py, |buffer| Ok(buffer.bytes.clone_ref(py)))?;
        // SAFETY: the buffer is this thread's; its view keeps it from being resized, and nobody
        // writes to it before its loop reads again, which happens after this.
        let bytes = unsafe { buffer.bind(py).as_bytes() };
        Driver::received(&driver, self.id, bytes.get(..count).unwrap_or(bytes))
    }

    /// Ends the connection, without a word to the driver.
    pub(super) fn end(&self, py: Python<'_>) -> PyResult<()> {
        match self.replace(Carrier::None) {
            Carrier::Task(task) => task.call_method0(py, "cancel").map(drop),
            Carrier::Transport { transport, .. } => transport.call_method0(py, "abort").map(drop),
            Carrier::None => Ok(()),
        }
    }

    fn eof_received(&self) -> bool {
        false
    }

    #[pyo3(signature = (error=None))]
    fn connection_lost(&self, py: Python<'_>, error: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        match error {
            Some(error) => self.over(py, &format!("the connection was lost: {error}")),
            None => self.over(py, "the server closed the connection"),
        }
    }

    /// The task could not connect.
    fn failed(&self, py: Python<'_>, why: &str) -> PyResult<()> {
        self.over(py, why)
    }

    /// The core bounds what waits, so a full transport needs no other brake.
    fn pause_writing(&self) {}

    fn resume_writing(&self) {}
}
