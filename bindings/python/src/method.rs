//! The methods of all receivers: one object for each command of the table.

use crate::asyncio::{AsyncClient, AsyncView};
use crate::client::Client;
use crate::convert::with_args;
use crate::error;
use crate::pipeline::Queue;
use crate::watch::View;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};
use steadis::client::Exchange;
use steadis::command::{Arg, Command, all};
use steadis::policy::Effect;

static METHOD_TYPE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

// A command as a method: of clients, of pipelines, and of what `watch` hands over. As a doc
// comment this would be what `help` shows for every one of them.
#[pyclass(frozen, module = "steadis", name = "Command")]
pub(crate) struct Method {
    command: &'static Command,
}

#[pymethods]
impl Method {
    #[pyo3(signature = (*args, **named))]
    fn __call__<'py>(
        &self,
        args: &Bound<'py, PyTuple>,
        named: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let receiver = args.get_borrowed_item(0)?;
        let command = self.command;
        let exchange = |args: &[Arg<'_>], named: &[(&str, Arg<'_>)]| {
            Exchange::new(command, args, named).map_err(|why| error::raise(receiver.py(), &why))
        };
        if let Ok(client) = receiver.cast::<Client>() {
            let exchange = with_args(command.name, args, 1, named, exchange)?;
            client.get().run(client.py(), exchange)
        } else if let Ok(client) = receiver.cast::<AsyncClient>() {
            let exchange = with_args(command.name, args, 1, named, exchange)?;
            client.get().submit(client.py(), &exchange).map(Bound::into_any)
        } else if let Ok(queue) = receiver.cast::<Queue>() {
            let batch = |args: &[Arg<'_>], named: &[(&str, Arg<'_>)]| {
                queue.get().add(queue.py(), |batch| batch.add(command, args, named))
            };
            with_args(command.name, args, 1, named, batch)?;
            Ok(receiver.to_owned())
        } else if let Ok(view) = receiver.cast::<View>() {
            let exchange = with_args(command.name, args, 1, named, exchange)?;
            view.get().run(view.py(), exchange)
        } else if let Ok(view) = receiver.cast::<AsyncView>() {
            let exchange = with_args(command.name, args, 1, named, exchange)?;
            view.get().submit(view.py(), &exchange).map(Bound::into_any)
        } else {
            let name = receiver.get_type().name()?;
            Err(error::usage(args.py(), format!("{} is no method of {name}", command.snake)))
        }
    }

    fn __get__<'py>(
        slf: Bound<'py, Self>,
        object: Option<Bound<'py, PyAny>>,
        _class: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match object {
            Some(object) => {
                METHOD_TYPE.import(slf.py(), "types", "MethodType")?.call1((slf, object))
            }
            None => Ok(slf.into_any()),
        }
    }

    #[getter]
    fn __name__(&self) -> &'static str {
        self.command.snake
    }

    #[getter]
    fn __qualname__(&self) -> String {
        format!("Commands.{}", self.command.snake)
    }

    #[getter]
    fn __module__(&self) -> &'static str {
        "steadis"
    }

    #[getter]
    fn __doc__(&self) -> String {
        let Command { name, usage, reply, effect, .. } = self.command;
        let name = name.replace('|', " ").to_uppercase();
        let does = match effect {
            Effect::Reads => "Only reads.",
            Effect::Writes => "Writes.",
            Effect::Runs => "Runs code.",
        };
        format!("{}\n\nReply: {}. {does}", format!("{name} {usage}").trim_end(), reply.phrase)
    }

    fn __repr__(&self) -> String {
        format!("<command {}>", self.command.snake)
    }
}

/// Every command that can be a method, by its name in Python.
#[pyfunction]
pub(crate) fn methods() -> Vec<(&'static str, Method)> {
    let plain = all().iter().filter(|command| !command.administers && !command.subscribes);
    plain.map(|command| (command.snake, Method { command })).collect()
}
