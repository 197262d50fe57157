//! What can be done to the servers of a lab.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::timeout;

use super::control::PATIENCE;
use super::deployment::Lab;
use super::error::{Error, Result};
use super::process::{Process, State};
use super::server::{Kind, Server};

/// Which commands CLIENT PAUSE holds up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PauseMode {
    /// All commands.
    #[default]
    All,
    /// Writes only.
    Write,
}

impl Lab {
    /// Kills a server with SIGKILL.
    pub async fn kill(&self, name: &str) -> Result<()> {
        self.process(name)?.kill().await
    }

    /// Stops a server with SIGSTOP: its sockets stay open and nothing answers.
    pub async fn freeze(&self, name: &str) -> Result<()> {
        self.process(name)?.freeze().await
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self, name: &str) -> Result<()> {
        self.process(name)?.thaw()
    }

    /// Starts a server that is down. A node comes back empty.
    pub async fn revive(&self, name: &str) -> Result<()> {
        match &self.haproxy {
            Some(haproxy) if name == "haproxy" => haproxy.start().await,
            _ => self.server(name)?.start().await,
        }
    }

    /// Starts a server again, after killing it if it still runs.
    pub async fn restart(&self, name: &str) -> Result<()> {
        if self.process(name)?.state() != State::Down {
            self.kill(name).await?;
        }
        self.revive(name).await
    }

    /// Has a Sentinel begin a planned failover; without a name the first that runs.
    pub async fn failover(&self, sentinel: Option<&str>) -> Result<()> {
        let sentinel = match sentinel {
            Some(name) => self.sentinel(name)?,
            None => {
                let mut running = self.sentinels.iter();
                let running = running.find(|sentinel| sentinel.process.state() == State::Running);
                running
                    .ok_or_else(|| Error::new("no Sentinel runs; start one with start-sentinel"))?
            }
        };
        sentinel.control.ask(&["SENTINEL", "FAILOVER", &self.options().primary_name]).await
    }

    /// Has a node sleep inside a command (DEBUG SLEEP), and returns once it has fallen silent.
    pub async fn stall(&self, name: &str, time: Duration) -> Result<()> {
        let node = self.node(name)?.clone();
        // A first answer shows that the node can be stalled at all.
        let _: () = node.control.ask(&["PING"]).await?;
        let sleeper = node.clone();
        let asleep = tokio::spawn(async move {
            let seconds = time.as_secs_f64().to_string();
            sleeper.control.call(&["DEBUG", "SLEEP", &seconds], time + PATIENCE).await
        });
        let silence = Duration::from_millis(20);
        while !asleep.is_finished()
            && timeout(silence, node.control.call(&["PING"], PATIENCE)).await.is_ok()
        {}
        if !asleep.is_finished() {
            return Ok(());
        }
        asleep.await.map_err(|error| Error::new(error.to_string()))?.map(drop)
    }

    /// Has a node hold up its clients' commands (CLIENT PAUSE).
    pub async fn pause(&self, name: &str, time: Duration, mode: PauseMode) -> Result<()> {
        let mode = match mode {
            PauseMode::All => "ALL",
            PauseMode::Write => "WRITE",
        };
        let time = time.as_millis().to_string();
        self.node(name)?.control.ask(&["CLIENT", "PAUSE", &time, mode]).await
    }

    /// Sets a configuration value: CONFIG SET on a node, SENTINEL SET of the primary on a Sentinel.
    pub async fn config(&self, name: &str, key: &str, value: &str) -> Result<()> {
        let server = self.server(name)?;
        match server.kind {
            Kind::Node => server.control.ask(&["CONFIG", "SET", key, value]).await,
            Kind::Sentinel => {
                let primary = &self.options().primary_name;
                server.control.ask(&["SENTINEL", "SET", primary, key, value]).await
            }
        }
    }

    /// Runs any command on a server and returns its reply.
    pub async fn call(
        &self,
        name: &str,
        command: &[&str],
        patience: Duration,
    ) -> Result<redis::Value> {
        if command.is_empty() {
            return Err(Error::new("the command is empty; write for example [\"GET\", \"key\"]"));
        }
        self.server(name)?.control.call(command, patience).await
    }

    /// The node that was promoted last.
    pub(crate) fn primary(&self) -> &Server {
        &self.nodes[self.roles.primary()]
    }

    /// A node by its name, `primary`, or `replica`: the first running node that is not the primary.
    pub(crate) fn node_index(&self, name: &str) -> Result<usize> {
        let primary = self.roles.primary();
        let found = match name {
            "primary" => Some(primary),
            "replica" => (0..self.nodes.len()).find(|&index| {
                index != primary && self.nodes[index].process.state() == State::Running
            }),
            _ => self.nodes.iter().position(|node| node.name() == name),
        };
        found.ok_or_else(|| self.unknown(name, "node"))
    }

    pub(crate) fn node(&self, name: &str) -> Result<&std::sync::Arc<Server>> {
        Ok(&self.nodes[self.node_index(name)?])
    }

    pub(crate) fn sentinel(&self, name: &str) -> Result<&std::sync::Arc<Server>> {
        let found = self.sentinels.iter().find(|sentinel| sentinel.name() == name);
        found.ok_or_else(|| self.unknown(name, "Sentinel"))
    }

    /// The Sentinel called `name`; for `all`, every one whose state fits.
    pub(crate) fn sentinels_named(
        &self,
        name: &str,
        fits: impl Fn(State) -> bool,
    ) -> Result<Vec<&str>> {
        if name != "all" {
            return Ok(vec![self.sentinel(name)?.name()]);
        }
        let fitting = self.sentinels.iter().filter(|sentinel| fits(sentinel.process.state()));
        Ok(fitting.map(|sentinel| sentinel.name()).collect())
    }

    pub(crate) fn server(&self, name: &str) -> Result<&std::sync::Arc<Server>> {
        self.sentinel(name).or_else(|_| self.node(name)).map_err(|_| self.unknown(name, "server"))
    }

    fn process(&self, name: &str) -> Result<&Process> {
        match &self.haproxy {
            Some(haproxy) if name == "haproxy" => Ok(haproxy.process()),
            _ => Ok(&self.server(name)?.process),
        }
    }

    fn unknown(&self, name: &str, what: &str) -> Error {
        let nodes = self.nodes.len();
        let sentinels = self.sentinels.len();
        Error::new(format!(
            "there is no {what} {name:?}; write node1 to node{nodes}, primary, replica \
             or sentinel1 to sentinel{sentinels}"
        ))
    }
}
