//! The client for event loops.

use super::outcome::Wants;
use super::{AsyncPipeline, AsyncSubscription, AsyncView, Driver, Reply};
use crate::convert::{raw, with_list, words};
use crate::pipeline::Queue;
use crate::scan::Scan;
use crate::script::Script;
use crate::terms::{Terms, take_decode};
use crate::{error, settings, values};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyType};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use steadis::Stats;
use steadis::client::{CallOptions, Exchange};
use steadis::config::{Config, Resolved};
use steadis::topology::Topology;

static LISTENERS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static RUNNING_LOOP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// A client for one event loop, or a view of one with other options.
#[pyclass(subclass, frozen, weakref, module = "steadis._steadis")]
pub(crate) struct AsyncClient {
    pub(super) home: Arc<Home>,
    pub(super) terms: Terms,
}

/// What all views of a client share.
pub(super) struct Home {
    resolved: Resolved,
    driver: Mutex<Option<Py<Driver>>>,
    closed: AtomicBool,
    /// Is called with each event, in the loop.
    listener: Py<PyAny>,
}

impl Home {
    fn config(&self) -> &Arc<Config> {
        &self.resolved.config
    }

    fn driver(&self) -> MutexGuard<'_, Option<Py<Driver>>> {
        self.driver.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known<'py>(&self, py: Python<'py>) -> Option<Bound<'py, Driver>> {
        self.driver().as_ref().map(|driver| driver.bind(py).clone())
    }
}

impl AsyncClient {
    /// Its driver in the running loop, made at the first call. No lock is held while Python's code
    /// runs: it may let another thread run, or a finaliser, that asks for the same.
    pub(super) fn driver<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, Driver>> {
        let known = self.home.known(py);
        if let Some(driver) = known.as_ref().filter(|driver| driver.get().serves()) {
            return Ok(driver.clone());
        }
        let running = RUNNING_LOOP.import(py, "asyncio", "get_running_loop")?.call0();
        let running = running.map_err(|_| no_loop(py))?;
        if let Some(driver) = &known {
            if driver.get().runs_in(&running) {
                return Ok(driver.clone());
            }
            if driver.get().lives(py)? {
                let why = "the client belongs to another event loop; make one for each loop";
                return Err(error::usage(py, why));
            }
        }
        if self.home.closed.load(Ordering::Acquire) {
            return Err(closed(py));
        }
        let driver = Driver::start(py, &running, self.home.config(), &self.home.listener)?;
        let mut home = self.home.driver();
        let open = !self.home.closed.load(Ordering::Acquire);
        if open && home.as_ref().map(Py::as_ptr) == known.as_ref().map(Bound::as_ptr) {
            let before = home.replace(driver.clone().unbind());
            drop(home);
            drop(before);
            return Ok(driver);
        }
        drop(home);
        // Another thread was quicker.
        Driver::close(&driver)?;
        self.driver(py)
    }

    /// Takes a command on; its reply, to be awaited.
    pub(crate) fn submit<'py>(
        &self,
        py: Python<'py>,
        exchange: &Exchange,
    ) -> PyResult<Bound<'py, Reply>> {
        self.submit_for(py, exchange, Wants::one(self.terms.decode))
    }

    fn submit_for<'py>(
        &self,
        py: Python<'py>,
        exchange: &Exchange,
        wants: Wants,
    ) -> PyResult<Bound<'py, Reply>> {
        let options = self.terms.options;
        Driver::submit(&self.driver(py)?, wants, options.timeout, |session, now| {
            session.submit(exchange, options, now)
        })
    }

    /// What is known, even before the first call.
    fn topology(&self, py: Python<'_>) -> PyResult<Arc<Topology>> {
        let driver = self.home.known(py);
        let session = driver.as_ref().map(|driver| driver.get().session(py)).transpose()?;
        let topology = session.and_then(|session| session.topology());
        Ok(topology.unwrap_or_else(|| Arc::new(Topology::unknown())))
    }

    /// Since the first call in the loop that it belongs to.
    fn figures(&self, py: Python<'_>) -> PyResult<Stats> {
        let driver = self.home.known(py);
        let session = driver.as_ref().map(|driver| driver.get().session(py)).transpose()?;
        Ok(session.map(|session| session.stats()).unwrap_or_default())
    }

    fn view<'py>(slf: &Bound<'py, Self>, terms: Terms) -> PyResult<Bound<'py, PyAny>> {
        let native = Self { home: Arc::clone(&slf.get().home), terms };
        slf.get_type().call1((Bound::new(slf.py(), native)?,))
    }
}

#[pymethods]
impl AsyncClient {
    #[new]
    #[pyo3(signature = (url=None, **options))]
    fn new(
        py: Python<'_>,
        url: Option<&Bound<'_, PyAny>>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        if let Some(other) = url.and_then(|it| it.cast::<Self>().ok()) {
            let Self { home, terms } = other.get();
            return Ok(Self { home: Arc::clone(home), terms: *terms });
        }
        let (options, decode) = take_decode(options)?;
        let input = settings::input(url, options.as_ref())?;
        let resolved = Config::resolve(&input).map_err(|why| error::raise(py, &why))?;
        let options = CallOptions::of(&resolved.config);
        let terms = Terms { options, decode: decode.unwrap_or_default() };
        let listener = LISTENERS.import(py, "steadis._events", "Listeners")?.call0()?.unbind();
        let (driver, closed) = (Mutex::default(), AtomicBool::new(false));
        Ok(Self { home: Arc::new(Home { resolved, driver, closed, listener }), terms })
    }

    /// Any command, given by its arguments; its reply stays as the server sends it.
    #[pyo3(signature = (*args))]
    fn call<'py>(&self, args: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, Reply>> {
        self.submit(args.py(), &raw(args)?)
    }

    #[pyo3(signature = (**options))]
    fn options<'py>(
        slf: &Bound<'py, Self>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Self::view(slf, slf.get().terms.with(slf.py(), options)?)
    }

    #[pyo3(signature = (**options))]
    fn replica<'py>(
        slf: &Bound<'py, Self>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Self::view(slf, slf.get().terms.replica(slf.py(), options)?)
    }

    fn _batch(
        &self,
        py: Python<'_>,
        class: &Bound<'_, PyType>,
        transaction: bool,
    ) -> PyResult<Py<PyAny>> {
        let client = Self { home: Arc::clone(&self.home), terms: self.terms };
        let queue = Queue::new(self.terms.decode);
        let pipeline = AsyncPipeline::new(client, transaction);
        let native = PyClassInitializer::from(queue).add_subclass(pipeline);
        Ok(class.call1((Bound::new(py, native)?,))?.unbind())
    }

    fn _scan(
        &self,
        command: &str,
        args: &Bound<'_, PyTuple>,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<Scan> {
        Scan::new(command, args, options)
    }

    /// The next elements of a walk.
    fn _scan_page<'py>(
        &self,
        py: Python<'py>,
        scan: &Bound<'py, Scan>,
    ) -> PyResult<Bound<'py, Reply>> {
        let exchange = scan.get().request(py)?;
        let scan = Some(scan.clone().unbind());
        self.submit_for(py, &exchange, Wants { scan, ..Wants::one(self.terms.decode) })
    }

    fn _script(&self, py: Python<'_>, source: &Bound<'_, PyAny>) -> PyResult<Script> {
        let driver = self.driver(py)?;
        let session = driver.get().session(py)?;
        Script::new(source, |source| session.script(source))
    }

    #[pyo3(signature = (script, keys=None, args=None))]
    fn _run_script<'py>(
        &self,
        py: Python<'py>,
        script: &Bound<'py, Script>,
        keys: Option<&Bound<'py, PyAny>>,
        args: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, Reply>> {
        self.submit(py, &script.get().exchange(py, keys, args)?)
    }

    fn _watch(&self, py: Python<'_>, keys: &Bound<'_, PyAny>) -> PyResult<AsyncView> {
        let driver = self.driver(py)?;
        with_list("watch", "keys", Some(keys), |keys| {
            let keys = words(py, "watch", keys)?;
            let id =
                driver.get().session(py)?.watch_open(&keys, self.terms.options, Instant::now());
            let id = id.map_err(|why| error::raise(py, &why))?;
            Ok(AsyncView::new(driver.clone().unbind(), id, self.terms.decode))
        })
    }

    fn _subscription(&self, py: Python<'_>, heard: Py<PyAny>) -> PyResult<AsyncSubscription> {
        let driver = self.driver(py)?;
        AsyncSubscription::new(&driver, heard, self.terms.decode)
    }

    fn _topology<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        values::fields(py, self.topology(py)?.fields())
    }

    fn _health<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        values::fields(py, self.topology(py)?.health().fields())
    }

    fn _stats(&self, py: Python<'_>) -> PyResult<Vec<(&'static str, u64)>> {
        let figures = self.figures(py)?.figures();
        Ok(figures.into_iter().map(|(name, _, value)| (name, value)).collect())
    }

    fn _prometheus(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.figures(py)?.prometheus())
    }

    fn _explain(&self) -> (String, Vec<(&'static str, String, String)>) {
        values::explanation(&self.home.resolved.explain())
    }

    fn _warnings(&self) -> Vec<String> {
        self.home.resolved.warnings.clone()
    }

    #[getter]
    fn _listeners(&self, py: Python<'_>) -> Py<PyAny> {
        self.home.listener.clone_ref(py)
    }

    #[getter]
    fn _eager(&self) -> bool {
        self.home.config().eager
    }

    #[getter]
    fn closed(&self) -> bool {
        self.home.closed.load(Ordering::Acquire)
    }

    fn _close(&self, py: Python<'_>) -> PyResult<()> {
        self.home.closed.store(true, Ordering::Release);
        let driver = self.home.driver().take();
        match driver {
            Some(driver) => Driver::close(driver.bind(py)),
            None => Ok(()),
        }
    }

    fn __repr__(&self) -> String {
        values::repr("asyncio.Client", self.home.config(), self.closed())
    }
}

fn closed(py: Python<'_>) -> PyErr {
    error::raise(py, &steadis::Error::new(steadis::Kind::Closed, "the client is closed"))
}

fn no_loop(py: Python<'_>) -> PyErr {
    let why = "no asyncio event loop is running here; call it from a coroutine under asyncio.run \
               (trio has no such loop), or use steadis.connect";
    error::usage(py, why)
}
