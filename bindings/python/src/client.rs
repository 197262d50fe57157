//! The client for threads.

use crate::builder::Builder;
use crate::convert::{raw, with_list, words};
use crate::events::Events;
use crate::pipeline::{Pipeline, Queue};
use crate::pubsub::Subscription;
use crate::runtime::waiting;
use crate::scan::Scan;
use crate::script::Script;
use crate::terms::{Terms, take_decode};
use crate::watch::View;
use crate::{error, settings, values};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};
use steadis::client::Exchange;

/// A client for threads, or a view of one with other options.
#[pyclass(subclass, frozen, weakref, module = "steadis._steadis")]
pub(crate) struct Client {
    core: steadis::Client,
    terms: Terms,
}

impl Client {
    /// Executes a command that is encoded already.
    pub(crate) fn run<'py>(
        &self,
        py: Python<'py>,
        mut exchange: Exchange,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Terms { options, decode } = &self.terms;
        waiting(py, |signals| self.core.run(&mut exchange, options, signals))?;
        let answer = exchange.answer().map_err(|why| error::raise(py, &why))?;
        answer.build(&mut Builder { py, decode: *decode })
    }

    /// Another object of the same Python class, that shares everything but the terms.
    fn view<'py>(slf: &Bound<'py, Self>, terms: Terms) -> PyResult<Bound<'py, PyAny>> {
        let native = Bound::new(slf.py(), Self { core: slf.get().core.clone(), terms })?;
        slf.get_type().call1((native,))
    }
}

#[pymethods]
impl Client {
    #[new]
    #[pyo3(signature = (url=None, **options))]
    fn new(
        py: Python<'_>,
        url: Option<&Bound<'_, PyAny>>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        if let Some(other) = url.and_then(|it| it.cast::<Self>().ok()) {
            let Self { core, terms } = other.get();
            return Ok(Self { core: core.clone(), terms: *terms });
        }
        let (options, decode) = take_decode(options)?;
        let input = settings::input(url, options.as_ref())?;
        let core = steadis::Client::open(&input).map_err(|why| error::raise(py, &why))?;
        let terms = Terms { options: core.options(), decode: decode.unwrap_or_default() };
        Ok(Self { core, terms })
    }

    /// Any command, given by its arguments; its reply stays as the server sends it.
    #[pyo3(signature = (*args))]
    fn call<'py>(&self, args: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        self.run(args.py(), raw(args)?)
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

    #[pyo3(signature = (**options))]
    fn _ready(&self, py: Python<'_>, options: Option<&Bound<'_, PyDict>>) -> PyResult<()> {
        let usual = Terms { options: self.core.options(), decode: false };
        let Terms { options, .. } = usual.with(py, options)?;
        let mut ping = Exchange::raw(&["PING"]).map_err(|why| error::raise(py, &why))?;
        waiting(py, |signals| self.core.run(&mut ping, &options, signals))?;
        ping.answer().map(drop).map_err(|why| error::raise(py, &why))
    }

    /// What `pipeline` and `multi` are made of.
    fn _batch(
        &self,
        py: Python<'_>,
        class: &Bound<'_, PyType>,
        transaction: bool,
    ) -> PyResult<Py<PyAny>> {
        let Terms { options, decode } = self.terms;
        let pipeline = Pipeline { core: self.core.clone(), options, transaction };
        let native = PyClassInitializer::from(Queue::new(decode)).add_subclass(pipeline);
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
    fn _scan_page<'py>(&self, py: Python<'py>, scan: &Scan) -> PyResult<Bound<'py, PyAny>> {
        let Terms { options, decode } = &self.terms;
        let mut exchange = scan.request(py)?;
        waiting(py, |signals| self.core.run(&mut exchange, options, signals))?;
        let answer = exchange.answer().map_err(|why| error::raise(py, &why))?;
        scan.take(py, answer, *decode)
    }

    fn _script(&self, source: &Bound<'_, PyAny>) -> PyResult<Script> {
        Script::new(source, |source| self.core.script(source))
    }

    #[pyo3(signature = (script, keys=None, args=None))]
    fn _run_script<'py>(
        &self,
        py: Python<'py>,
        script: &Bound<'py, Script>,
        keys: Option<&Bound<'py, PyAny>>,
        args: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.run(py, script.get().exchange(py, keys, args)?)
    }

    fn _watch(&self, py: Python<'_>, keys: &Bound<'_, PyAny>) -> PyResult<View> {
        with_list("watch", "keys", Some(keys), |keys| {
            let keys = words(py, "watch", keys)?;
            let watch = self.core.watching(&keys, &self.terms.options);
            Ok(View::new(watch.map_err(|why| error::raise(py, &why))?, self.terms.decode))
        })
    }

    fn _subscription(&self) -> Subscription {
        Subscription::new(self.core.subscription(), self.terms.decode)
    }

    fn _topology<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        values::fields(py, waiting(py, |_| self.core.topology())?.fields())
    }

    fn _health<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        values::fields(py, waiting(py, |_| self.core.health())?.fields())
    }

    fn _stats(&self) -> Vec<(&'static str, u64)> {
        let figures = self.core.stats().figures();
        figures.into_iter().map(|(name, _, value)| (name, value)).collect()
    }

    fn _prometheus(&self) -> String {
        self.core.stats().prometheus()
    }

    fn _explain(&self) -> (String, Vec<(&'static str, String, String)>) {
        values::explanation(&self.core.explain())
    }

    fn _warnings(&self) -> Vec<String> {
        self.core.warnings().to_vec()
    }

    fn _listen(&self, py: Python<'_>, events: &Bound<'_, Events>) -> PyResult<u64> {
        self.core.on(events.get().listener()).map_err(|why| error::raise(py, &why))
    }

    fn _unlisten(&self, listener: u64) {
        self.core.off(listener);
    }

    #[getter]
    fn _eager(&self) -> bool {
        self.core.config().eager
    }

    #[getter]
    fn closed(&self) -> bool {
        self.core.is_closed()
    }

    fn _close(&self, py: Python<'_>) {
        py.detach(|| self.core.close());
    }

    /// Where it leads to; no password is part of that.
    fn __repr__(&self) -> String {
        values::repr("Client", self.core.config(), self.core.is_closed())
    }
}
