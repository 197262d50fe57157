//! What the lab looks like right now.

use std::net::SocketAddr;

use serde::Serialize;

use super::deployment::Lab;
use super::fixtures::Fake;
use super::process::State;
use super::proxy::Traffic;
use super::roles::Role;
use super::server::Server;

/// Everything in the lab.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The name of the node that was promoted last.
    pub primary: String,
    /// The Redis nodes.
    pub nodes: Vec<NodeStatus>,
    /// The Sentinels.
    pub sentinels: Vec<ServerStatus>,
    /// The HAProxy, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub haproxy: Option<ServerStatus>,
    /// The addresses made to deceive clients.
    pub fixtures: Vec<FixtureStatus>,
}

/// A node and what it answered to ROLE last.
#[derive(Clone, Debug, Serialize)]
pub struct NodeStatus {
    /// What every server has.
    #[serde(flatten)]
    pub server: ServerStatus,
    /// Its role.
    pub role: Role,
}

/// A server.
#[derive(Clone, Debug, Serialize)]
pub struct ServerStatus {
    /// Its name in the lab.
    pub name: String,
    /// Where applications reach it.
    pub address: SocketAddr,
    /// Where it says it is; different behind a NAT.
    pub announced: SocketAddr,
    /// Whether it runs.
    pub state: State,
    /// Its process, while there is one.
    pub pid: Option<i32>,
}

/// An address made to deceive clients.
#[derive(Clone, Debug, Serialize)]
pub struct FixtureStatus {
    /// Name and address.
    #[serde(flatten)]
    pub fake: Fake,
    /// What has passed, if it is a proxy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Traffic>,
}

impl Status {
    /// The name of the server that announces this address.
    pub fn name_of(&self, address: &str) -> Option<String> {
        let mut servers = self.nodes.iter().map(|node| &node.server).chain(&self.sentinels);
        let found = servers.find(|server| server.announced.to_string() == address)?;
        Some(found.name.clone())
    }
}

impl Lab {
    /// What everything looks like right now.
    pub fn status(&self) -> Status {
        let node = |(index, node): (usize, &std::sync::Arc<Server>)| NodeStatus {
            server: status(node),
            role: self.roles.of(index),
        };
        let fixture = |fake: Fake| FixtureStatus { traffic: self.traffic(&fake.name), fake };
        Status {
            primary: self.primary().name().into(),
            nodes: self.nodes.iter().enumerate().map(node).collect(),
            sentinels: self.sentinels.iter().map(|sentinel| status(sentinel)).collect(),
            haproxy: self.haproxy.as_ref().map(|haproxy| ServerStatus {
                name: "haproxy".into(),
                address: haproxy.address(),
                announced: haproxy.address(),
                state: haproxy.process().state(),
                pid: haproxy.process().pid(),
            }),
            fixtures: self.fixtures_now().into_iter().map(fixture).collect(),
        }
    }
}

fn status(server: &Server) -> ServerStatus {
    ServerStatus {
        name: server.name().into(),
        address: server.place.reachable(),
        announced: server.place.announced(),
        state: server.process.state(),
        pid: server.process.pid(),
    }
}
