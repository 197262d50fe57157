//! What a session asks of the loop: connections, and bytes on them.

use super::state::State;
use super::{Driver, Link};
use crate::resolver::place;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;
use std::path::PathBuf;
use steadis::client::hosted::Action;
use steadis::config::Tls;

static CONNECT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

impl State {
    /// Opens and closes connections.
    pub(super) fn connect(&mut self, driver: &Bound<'_, Driver>) -> PyResult<()> {
        let py = driver.py();
        while let Some(action) = self.session.poll_connections() {
            match action {
                Action::Open { link: id, to, tls, .. } => {
                    let link = Bound::new(py, Link::new(driver, id)?)?;
                    let connect = CONNECT.import(py, "steadis.asyncio._connect", "connect")?;
                    let event_loop = driver.get().event_loop(py);
                    let task = connect.call1((event_loop, &link, place(to), tls.map(files)))?;
                    link.get().connecting(task.unbind());
                    self.links.insert(id, link.unbind());
                }
                Action::Close { link } => {
                    if let Some(link) = self.links.remove(&link) {
                        link.get().end(py)?;
                    }
                }
                Action::Write { .. } => {}
            }
        }
        Ok(())
    }

    /// Hands everything that is to be written to the transports.
    pub(super) fn write(&mut self, py: Python<'_>) -> PyResult<()> {
        self.unwritten = 0;
        while let Some(Action::Write { link, bytes }) = self.session.poll() {
            if let Some(write) = self.links.get(&link).and_then(|link| link.get().writer(py)) {
                write.call1(py, (PyBytes::new(py, &bytes),))?;
            }
        }
        Ok(())
    }
}

type Files = (Option<String>, Option<String>, Option<String>, Option<String>);

fn files(tls: Tls) -> Files {
    let text = |path: Option<PathBuf>| path.map(|it| it.to_string_lossy().into_owned());
    (text(tls.ca), text(tls.cert), text(tls.key), tls.server_name)
}
