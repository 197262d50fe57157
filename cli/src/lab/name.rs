//! A name that leads to one node at a time, as DNS does: a hosts file, and for each node an address
//! of its own at one port.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::deployment::Lab;
use super::error::{Doing, Result};
use super::port::Port;
use super::proxy::Proxy;

const HOST: &str = "redis.test";

/// Node 1 is found at 127.0.2.1, and so on.
const NETWORK: [u8; 3] = [127, 0, 2];

/// The name of a lab, and the way to its nodes.
#[derive(Debug)]
pub(crate) struct Name {
    port: Port,
    hosts: PathBuf,
    moves: u64,
    _ways: Vec<Proxy>,
}

/// Where the name leads now.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Lead {
    /// The name.
    pub host: String,
    /// Where it leads; the port is the same for every node.
    pub address: SocketAddr,
    /// The hosts file that says so; libnss_wrapper.so has a program read it.
    pub hosts: PathBuf,
}

impl Lab {
    /// Has the lab's name lead to this node from now on.
    pub async fn dns(&self, node: &str) -> Result<Lead> {
        let index = self.node_index(node)?;
        let mut name = self.name.lock().await;
        let name = match &mut *name {
            Some(name) => name,
            none => none.insert(Name::new(self).await?),
        };
        name.lead_to(index)
    }
}

impl Name {
    async fn new(lab: &Lab) -> Result<Self> {
        let port = Port::claim()?;
        let mut ways = Vec::new();
        for (index, node) in lab.nodes.iter().enumerate() {
            let address = (host(index), port.number()).into();
            let anybody = |_: Ipv4Addr| true;
            ways.push(Proxy::start(HOST, address, node.place.reachable(), anybody, None).await?);
        }
        Ok(Self { port, hosts: lab.file("hosts"), moves: 0, _ways: ways })
    }

    fn lead_to(&mut self, index: usize) -> Result<Lead> {
        self.moves += 1;
        // Whoever reads the file looks at whole seconds of its age to see that it has changed.
        let age = SystemTime::UNIX_EPOCH + Duration::from_secs(self.moves);
        let draft = self.hosts.with_extension("draft");
        fs::write(&draft, format!("{} {HOST}\n", host(index)))
            .and_then(|()| File::options().write(true).open(&draft)?.set_modified(age))
            .and_then(|()| fs::rename(&draft, &self.hosts))
            .doing(format_args!("write {}", self.hosts.display()))?;
        let address = (host(index), self.port.number()).into();
        Ok(Lead { host: HOST.into(), address, hosts: self.hosts.clone() })
    }
}

fn host(index: usize) -> Ipv4Addr {
    let [a, b, c] = NETWORK;
    Ipv4Addr::new(a, b, c, index as u8 + 1)
}
