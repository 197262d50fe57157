//! Only who is primary, for programs that keep their own client library.

use crate::events::Events;
use crate::runtime::waiting;
use crate::{error, settings, values};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::time::Duration;
use steadis::command;
use steadis::config::{Config, Credentials, Endpoint, Secrets};
use steadis::topology::decide::Trouble;

/// Host and port, or a path and `None`; and the epoch.
type Found = (String, Option<u16>, u64);

/// Finds the primary and says when it changes.
#[pyclass(subclass, frozen, weakref, module = "steadis._steadis")]
pub(crate) struct Resolver(steadis::Resolver);

#[pymethods]
impl Resolver {
    #[new]
    #[pyo3(signature = (url=None, **options))]
    fn new(
        py: Python<'_>,
        url: Option<&Bound<'_, PyAny>>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let input = settings::input(url, options)?;
        steadis::Resolver::open(&input).map(Self).map_err(|why| error::raise(py, &why))
    }

    fn _primary(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Found> {
        let timeout = timeout.map(Duration::try_from_secs_f64).transpose();
        let timeout =
            timeout.map_err(|_| error::usage(py, "timeout is negative; give zero or more"))?;
        Ok(found(&waiting(py, |signals| self.0.primary(timeout, signals))?))
    }

    /// What `_primary` would return at once.
    fn _current(&self, py: Python<'_>) -> PyResult<Option<Found>> {
        let current = self.0.current().map_err(|why| error::raise(py, &why))?;
        Ok(current.as_ref().map(found))
    }

    fn _replicas(&self, py: Python<'_>) -> PyResult<Vec<(String, Option<u16>)>> {
        let replicas = self.0.replicas().map_err(|why| error::raise(py, &why))?;
        Ok(replicas.into_iter().map(place).collect())
    }

    fn _topology<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let topology = self.0.topology().map_err(|why| error::raise(py, &why))?;
        values::fields(py, topology.fields())
    }

    fn _health<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let health = self.0.health().map_err(|why| error::raise(py, &why))?;
        values::fields(py, health.fields())
    }

    /// A connection of this epoch was lost, or gave no answer in time.
    fn _report_lost(&self, py: Python<'_>, epoch: u64, overdue: bool) -> PyResult<()> {
        let trouble = if overdue { Trouble::Overdue } else { Trouble::Unreachable };
        self.0.report(epoch, trouble).map_err(|why| error::raise(py, &why))
    }

    /// The node of this epoch said this; `True`: it is no primary to write to.
    fn _report_error(&self, py: Python<'_>, epoch: u64, line: &str) -> PyResult<bool> {
        self.0.report_error(epoch, line.as_bytes()).map_err(|why| error::raise(py, &why))
    }

    fn _listen(&self, py: Python<'_>, events: &Bound<'_, Events>) -> PyResult<(u64, u64)> {
        let changes = self.0.on_change(events.get().watcher());
        let changes = changes.map_err(|why| error::raise(py, &why))?;
        let events = self.0.on(events.get().listener()).map_err(|why| error::raise(py, &why))?;
        Ok((changes, events))
    }

    fn _unlisten(&self, listeners: (u64, u64)) {
        self.0.off(listeners.0);
        self.0.off(listeners.1);
    }

    /// What a client library needs to know besides the address, by the names of our options.
    fn _settings(&self) -> String {
        self.0.config().to_json(Secrets::Cut)
    }

    /// User and password as they are now.
    fn _login(&self, py: Python<'_>) -> PyResult<(Option<String>, Option<Vec<u8>>)> {
        let reveal = |_: &crate::runtime::Signals| {
            self.0.config().data.credentials.as_ref().map_or(Ok((None, None)), Credentials::reveal)
        };
        waiting(py, reveal)
    }

    #[getter]
    fn closed(&self) -> bool {
        self.0.is_closed()
    }

    fn _close(&self, py: Python<'_>) {
        py.detach(|| self.0.close());
    }

    fn __repr__(&self) -> String {
        let config: &Config = self.0.config();
        values::repr("Resolver", config, self.0.is_closed())
    }
}

/// Host and port, or the path of a socket.
pub(crate) fn place(endpoint: Endpoint) -> (String, Option<u16>) {
    match endpoint {
        Endpoint::Tcp(address) => (address.host, Some(address.port)),
        Endpoint::Unix(path) => (path.to_string_lossy().into_owned(), None),
    }
}

pub(crate) fn found(found: &steadis::Found) -> Found {
    let (host, port) = place(found.address.clone());
    (host, port, found.epoch)
}

/// Of a command: whether it can do harm to execute it once more, for it writes data, and at once;
/// whether it waits on the server; and whether it subscribes.
#[pyfunction]
#[pyo3(signature = (*words))]
pub(crate) fn _nature(words: &Bound<'_, PyTuple>) -> (bool, bool, bool) {
    let word = |index: usize| -> Vec<u8> {
        let word = words.get_item(index).and_then(|word| word.str()).ok();
        word.map(|word| word.to_string().into_bytes()).unwrap_or_default()
    };
    let known = command::find(&[word(0), word(1)]);
    known.map_or((true, false, false), |it| (it.harms_twice(), it.blocks, it.subscribes))
}
