//! The Python module `steadis._steadis`: values are converted, and the core does the rest.
//!
//! | file | what it holds |
//! |---|---|
//! | `client`, `pipeline`, `script`, `scan`, `watch`, `pubsub` | the client for threads |
//! | `asyncio` | the client for event loops |
//! | `events` | what a client tells of its own accord |
//! | `method` | a command of the table as a method |
//! | `convert`, `builder` | arguments and replies |
//! | `resolver` | only who is primary |
//! | `settings`, `terms` | options of `connect`, and of calls |
//! | `values` | topology, health, settings |
//! | `error`, `runtime` | exceptions, signals, and the interpreter's lock |
//! | `hidden` | for the tests of this tree |

mod asyncio;
mod builder;
mod client;
mod convert;
mod error;
mod events;
mod hidden;
mod method;
mod pipeline;
mod pubsub;
mod resolver;
mod runtime;
mod scan;
mod script;
mod settings;
mod terms;
mod values;
mod watch;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _steadis {
    use pyo3::exceptions::PyImportError;
    use pyo3::ffi::{PyInterpreterState_Get, PyInterpreterState_GetID};
    use pyo3::prelude::*;
    use std::sync::atomic::{AtomicI64, Ordering};

    #[pymodule_export]
    use super::asyncio::{AsyncClient, AsyncPipeline, AsyncSubscription, AsyncView, Reply};
    #[pymodule_export]
    use super::client::Client;
    #[pymodule_export]
    use super::events::Events;
    #[pymodule_export]
    use super::hidden::{_configuration, _encode, _reply};
    #[pymodule_export]
    use super::method::{Method, methods};
    #[pymodule_export]
    use super::pipeline::{Pipeline, Queue};
    #[pymodule_export]
    use super::pubsub::Subscription;
    #[pymodule_export]
    use super::resolver::{_nature, Resolver};
    #[pymodule_export]
    use super::runtime::_in_child;
    #[pymodule_export]
    use super::scan::Scan;
    #[pymodule_export]
    use super::script::Script;
    #[pymodule_export]
    use super::watch::View;
    #[pymodule_export]
    #[expect(non_upper_case_globals, reason = "this is what Python calls it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");

    /// What is made once for a process, such as classes, cannot serve a second interpreter in it.
    #[pymodule_init]
    fn init(_module: &Bound<'_, PyModule>) -> PyResult<()> {
        static FIRST: AtomicI64 = AtomicI64::new(-1);
        // SAFETY: `_module` shows that this thread is attached to an interpreter.
        let ours = unsafe { PyInterpreterState_GetID(PyInterpreterState_Get()) };
        match FIRST.compare_exchange(-1, ours, Ordering::SeqCst, Ordering::SeqCst) {
            Err(first) if first != ours => {
                let why = "steadis works in one interpreter of a process, not in subinterpreters";
                Err(PyImportError::new_err(why))
            }
            _ => Ok(()),
        }
    }
}
