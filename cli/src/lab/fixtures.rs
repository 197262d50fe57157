//! Addresses to deceive clients with: made, used and removed by name.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{MutexGuard, PoisonError};

use super::deployment::Lab;
use super::error::{Error, Result};
use super::port::Port;
use super::proxy::{Fault, Proxy, Traffic};
use super::silence::{Drop, Mute, Refuse};
use super::stale::{Belief, Stale};

/// The fixtures of a lab by name; the number never repeats.
#[derive(Debug, Default)]
pub(crate) struct Fixtures {
    by_name: BTreeMap<String, Fixture>,
    made: usize,
}

#[derive(Debug)]
enum Fixture {
    Refuse(Refuse),
    Mute(Mute),
    Drop(Drop),
    Stale(Stale),
    Proxy { port: Port, proxy: Proxy },
}

/// A fixture's name, and the address to give to a client.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Fake {
    /// The name by which it is told what to do, and removed.
    pub name: String,
    /// Where clients find it.
    pub address: SocketAddr,
    /// For a proxy, the entry of an address map that leads a client through it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address_map: Option<String>,
}

impl Lab {
    /// An address that refuses connections.
    pub fn refuse(&self) -> Result<Fake> {
        Ok(self.add("refuse", Fixture::Refuse(Refuse::new()?)))
    }

    /// An address that accepts connections and never answers.
    pub fn mute(&self) -> Result<Fake> {
        let name = self.next_name("mute");
        let mute = Mute::new(&name, self.events.clone())?;
        Ok(self.keep(name, Fixture::Mute(mute)))
    }

    /// An address where every SYN is dropped.
    pub async fn drop_syn(&self) -> Result<Fake> {
        Ok(self.add("drop", Fixture::Drop(Drop::new().await?)))
    }

    /// A Sentinel that goes on naming `node` as the primary. It speaks no TLS in any lab.
    pub async fn stale(&self, node: &str) -> Result<Fake> {
        let primary = self.node(node)?.place.announced();
        let nodes = self.nodes.iter().map(|node| node.place.announced());
        let belief = Belief {
            name: self.options().primary_name.clone(),
            primary,
            replicas: nodes.filter(|node| *node != primary).collect(),
            sentinels: self.sentinels.iter().map(|each| each.place.announced()).collect(),
        };
        let name = self.next_name("stale");
        let stale = Stale::new(&name, belief, self.events.clone()).await?;
        Ok(self.keep(name, Fixture::Stale(stale)))
    }

    /// A proxy in front of a node or a Sentinel.
    pub async fn proxy(&self, target: &str) -> Result<Fake> {
        let place = &self.server(target)?.place;
        let (name, port) = (self.next_name("proxy"), Port::claim()?);
        let anybody = |_: Ipv4Addr| true;
        let (address, target) = (port.address(), place.reachable());
        let events = Some(self.events.clone());
        let proxy = Proxy::start(&name, address, target, anybody, events).await?;
        let address_map = format!("{}={}", place.announced(), port.address());
        let fake = self.keep(name, Fixture::Proxy { port, proxy });
        Ok(Fake { address_map: Some(address_map), ..fake })
    }

    /// Tells a proxy how to get in the way from now on.
    pub fn fault(&self, name: &str, fault: Fault) -> Result<()> {
        match self.fixtures().by_name.get(name) {
            Some(Fixture::Proxy { proxy, .. }) => {
                proxy.set(fault);
                Ok(())
            }
            _ => {
                Err(Error::new(format!("there is no proxy {name:?}; make one with the verb proxy")))
            }
        }
    }

    /// What has passed through a proxy.
    pub fn traffic(&self, name: &str) -> Option<Traffic> {
        match self.fixtures().by_name.get(name)? {
            Fixture::Proxy { proxy, .. } => Some(proxy.traffic()),
            _ => None,
        }
    }

    /// Removes a fixture; its address refuses connections from then on.
    pub fn remove(&self, name: &str) -> Result<()> {
        match self.fixtures().by_name.remove(name) {
            Some(_) => Ok(()),
            None => Err(Error::new(format!(
                "there is no {name:?} to remove; status lists what refuse, mute, drop, stale and proxy made"
            ))),
        }
    }

    /// Every fixture there is.
    pub fn fixtures_now(&self) -> Vec<Fake> {
        let fixtures = self.fixtures();
        fixtures.by_name.iter().map(|(name, fixture)| fixture.fake(name)).collect()
    }

    fn add(&self, kind: &str, fixture: Fixture) -> Fake {
        self.keep(self.next_name(kind), fixture)
    }

    fn keep(&self, name: String, fixture: Fixture) -> Fake {
        let fake = fixture.fake(&name);
        self.fixtures().by_name.insert(name, fixture);
        fake
    }

    fn next_name(&self, kind: &str) -> String {
        let mut fixtures = self.fixtures();
        fixtures.made += 1;
        format!("{kind}{}", fixtures.made)
    }

    fn fixtures(&self) -> MutexGuard<'_, Fixtures> {
        self.fixtures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fixture {
    fn fake(&self, name: &str) -> Fake {
        let address = match self {
            Self::Refuse(refuse) => refuse.address(),
            Self::Mute(mute) => mute.address(),
            Self::Drop(drop) => drop.address(),
            Self::Stale(stale) => stale.address(),
            Self::Proxy { port, .. } => port.address(),
        };
        Fake { name: name.into(), address, address_map: None }
    }
}
