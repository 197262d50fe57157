//! The client for threads.

use crate::convert::{Builder, with_args, with_list};
use crate::events::Events;
use crate::pipeline::{Pipeline, Queue};
use crate::pubsub::Subscription;
use crate::runtime::waiting;
use crate::script::Script;
use crate::watch::View;
use crate::{error, settings, values};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};
use steadis::client::{CallOptions, Exchange};
use steadis::command::Arg;
use steadis::config::{OptionValue, Unit};

/// A client for threads, or a view of one with other options.
#[pyclass(subclass, frozen, weakref, module = "steadis._steadis")]
pub(crate) struct Client {
    pub(crate) core: steadis::Client,
    pub(crate) options: CallOptions,
    /// Text instead of bytes.
    pub(crate) decode: bool,
}

impl Client {
    /// Executes a command that is encoded already.
    pub(crate) fn run<'py>(
        &self,
        py: Python<'py>,
        mut exchange: Exchange,
    ) -> PyResult<Bound<'py, PyAny>> {
        waiting(py, |signals| self.core.run(&mut exchange, &self.options, signals))?;
        let answer = exchange.answer().map_err(|why| error::raise(py, &why))?;
        answer.build(&mut Builder { py, decode: self.decode })
    }

    /// Another object of the same Python class, that shares everything but the options.
    fn view<'py>(
        slf: &Bound<'py, Self>,
        options: CallOptions,
        decode: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let native = Self { core: slf.get().core.clone(), options, decode };
        let native = Bound::new(slf.py(), native)?;
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
            let Self { core, options, decode } = other.get();
            return Ok(Self { core: core.clone(), options: *options, decode: *decode });
        }
        let options = options.map(|options| options.copy()).transpose()?;
        let decode = take_decode(options.as_ref())?;
        let input = settings::input(url, options.as_ref())?;
        let core = steadis::Client::open(&input).map_err(|why| error::raise(py, &why))?;
        let options = core.options();
        Ok(Self { core, options, decode: decode.unwrap_or_default() })
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
        let (given, decode) = call_options(options)?;
        let Self { options, decode: usual, .. } = slf.get();
        let options = options.with(given, Unit::Seconds);
        let options = options.map_err(|why| error::raise(slf.py(), &why))?;
        Self::view(slf, options, decode.unwrap_or(*usual))
    }

    #[pyo3(signature = (**options))]
    fn replica<'py>(
        slf: &Bound<'py, Self>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let options = slf.get().options.replica(settings::pairs(options)?, Unit::Seconds);
        let options = options.map_err(|why| error::raise(slf.py(), &why))?;
        Self::view(slf, options, slf.get().decode)
    }

    #[pyo3(signature = (timeout=None))]
    fn _ready(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let mut options = self.core.options();
        if let Some(timeout) = timeout {
            let given = PyDict::new(py);
            given.set_item("timeout", timeout)?;
            let given = settings::pairs(Some(&given))?;
            let with = options.with(given, Unit::Seconds);
            options = with.map_err(|why| error::raise(py, &why))?;
        }
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
        let Self { core, options, decode } = self;
        let pipeline = Pipeline { core: core.clone(), options: *options, transaction };
        let native =
            Bound::new(py, PyClassInitializer::from(Queue::new(*decode)).add_subclass(pipeline))?;
        Ok(class.call1((native,))?.unbind())
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
            let watch = self.core.watching(&keys, &self.options);
            Ok(View::new(watch.map_err(|why| error::raise(py, &why))?, self.decode))
        })
    }

    fn _subscription(&self) -> Subscription {
        Subscription::new(self.core.subscription(), self.decode)
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

/// `decode_responses` is Python's own; the rest is the core's.
pub(crate) fn take_decode(options: Option<&Bound<'_, PyDict>>) -> PyResult<Option<bool>> {
    let Some(options) = options else { return Ok(None) };
    let Some(decode) = options.get_item("decode_responses")? else { return Ok(None) };
    options.del_item("decode_responses")?;
    let wrong = || error::usage(options.py(), "decode_responses is neither True nor False");
    if decode.is_none() { Ok(None) } else { decode.extract().map(Some).map_err(|_| wrong()) }
}

/// What `options` is given: the core's options, and Python's own.
type Given = (Vec<(String, OptionValue)>, Option<bool>);

pub(crate) fn call_options(options: Option<&Bound<'_, PyDict>>) -> PyResult<Given> {
    let options = options.map(|options| options.copy()).transpose()?;
    let decode = take_decode(options.as_ref())?;
    Ok((settings::pairs(options.as_ref())?, decode))
}

/// Any command, encoded.
pub(crate) fn raw(args: &Bound<'_, PyTuple>) -> PyResult<Exchange> {
    let py = args.py();
    with_args("call", args, 0, None, |args, _| {
        Exchange::raw(&words(py, "call", args)?).map_err(|why| error::raise(py, &why))
    })
}

/// Arguments as they are sent.
pub(crate) fn words(py: Python<'_>, method: &str, args: &[Arg<'_>]) -> PyResult<Vec<Vec<u8>>> {
    let word = |(index, arg): (usize, &Arg<'_>)| {
        arg.to_word().ok_or_else(|| {
            let why = format!(
                "argument {} of {method} is {arg:?}; give bytes, str, int or float",
                index + 1
            );
            error::usage(py, why)
        })
    };
    args.iter().enumerate().map(word).collect()
}
