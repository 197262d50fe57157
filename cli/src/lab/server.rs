//! A Redis node or a Sentinel of the lab.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::control::{Control, PATIENCE};
use super::credentials::Login;
use super::error::{Doing, Result};
use super::events::Events;
use super::place::Place;
use super::process::Process;

/// What kind of server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Node,
    Sentinel,
}

/// One `redis-server`: where it is, its process, and the lab's way in.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) kind: Kind,
    pub(crate) place: Place,
    pub(crate) process: Process,
    pub(crate) control: Control,
}

impl Server {
    /// A server that does not run yet and keeps its files in `home`.
    pub(crate) fn new(
        kind: Kind,
        place: Place,
        program: &Path,
        home: &Path,
        configuration: &str,
        login: &Login,
        events: Arc<Events>,
    ) -> Result<Self> {
        let file = home.join("redis.conf");
        fs::create_dir_all(home)
            .and_then(|()| fs::write(&file, configuration))
            .doing(format_args!("write {}", file.display()))?;
        let mut arguments = vec![file.into_os_string()];
        if kind == Kind::Sentinel {
            arguments.push("--sentinel".into());
        }
        let name = &place.name;
        let log = home.join("log");
        let process = Process::new(name, program.into(), arguments, log, events);
        let control = Control::new(name, &home.join("socket"), login)?;
        Ok(Self { kind, place, process, control })
    }

    /// Its name in the lab.
    pub(crate) fn name(&self) -> &str {
        &self.place.name
    }

    /// Starts it and waits until it answers.
    pub(crate) async fn start(&self) -> Result<()> {
        let answers = async {
            while self.control.call(&["PING"], PATIENCE).await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        self.process.start_until(answers).await
    }
}
