//! What a client tells of its own accord.

use crate::{resolver, values};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use steadis::{Event, Found};

static EVENT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Events on their way from the background thread to one of Python's. The background thread never
/// waits for the interpreter's lock.
#[pyclass(frozen, module = "steadis._steadis")]
pub(crate) struct Events {
    sender: Sender<Option<News>>,
    receiver: Mutex<Receiver<Option<News>>>,
}

enum News {
    Event(Event),
    /// The primary of a resolver has changed; `None`: there is none to write to.
    Primary(Option<Found>),
}

impl Events {
    pub(crate) fn listener(&self) -> impl Fn(&Event) + Send + Sync + 'static {
        let sender = self.sender.clone();
        move |event| {
            // Nobody listens any more when this fails.
            let _ = sender.send(Some(News::Event(event.clone())));
        }
    }

    pub(crate) fn watcher(&self) -> impl Fn(Option<&Found>) + Send + Sync + 'static {
        let sender = self.sender.clone();
        move |found| {
            let _ = sender.send(Some(News::Primary(found.cloned())));
        }
    }
}

#[pymethods]
impl Events {
    #[new]
    fn new() -> Self {
        let (sender, receiver) = channel();
        Self { sender, receiver: Mutex::new(receiver) }
    }

    /// Waits for the next one; `None` after `stop`.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let wait = || {
            let receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner);
            receiver.recv().ok().flatten()
        };
        let news = py.detach(wait).map(|news| match news {
            News::Event(event) => value(py, &event),
            News::Primary(found) => {
                let details = PyDict::new(py);
                details.set_item("found", found.as_ref().map(resolver::found))?;
                EVENT.import(py, "steadis._events", "Event")?.call(("primary",), Some(&details))
            }
        });
        news.transpose()
    }

    fn stop(&self) {
        // Fails only when there is nobody to stop.
        let _ = self.sender.send(None);
    }
}

/// An event as Python sees it.
pub(crate) fn value<'py>(py: Python<'py>, event: &Event) -> PyResult<Bound<'py, PyAny>> {
    let details = values::fields(py, event.fields())?;
    EVENT.import(py, "steadis._events", "Event")?.call((event.name(),), Some(&details))
}
