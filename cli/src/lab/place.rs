//! Where a server is reached, and where it says it is.

use std::net::{Ipv4Addr, SocketAddr};

use super::error::Result;
use super::port::Port;
use super::proxy::Proxy;

/// The two addresses of a server, which differ behind a NAT.
#[derive(Debug)]
pub(crate) struct Place {
    /// The server's name in the lab.
    pub(crate) name: String,
    /// Where it listens and where applications reach it.
    pub(crate) port: Port,
    /// Its address on the other side of the NAT.
    pub(crate) inside: Option<Inside>,
}

/// An address in the network that only the servers can use.
#[derive(Debug)]
pub(crate) struct Inside {
    /// The server's own address there; it also calls the others from here.
    pub(crate) ip: Ipv4Addr,
    port: Port,
    _forwarder: Proxy,
}

/// Nodes have 127.0.1.1 and up, Sentinels 127.0.1.101 and up.
const NETWORK: [u8; 3] = [127, 0, 1];

impl Place {
    /// A place reached where it is announced.
    pub(crate) fn plain(name: String) -> Result<Self> {
        Ok(Self { name, port: Port::claim()?, inside: None })
    }

    /// A place announced as host `host` of a network that lets nobody in from outside.
    pub(crate) async fn behind_nat(name: String, host: u8) -> Result<Self> {
        let (port, inner) = (Port::claim()?, Port::claim()?);
        let ip = Ipv4Addr::from([NETWORK[0], NETWORK[1], NETWORK[2], host]);
        let address = SocketAddr::from((ip, inner.number()));
        // An application calls from 127.0.0.1 and is turned away, as by an address that it cannot reach.
        let servers_only = |peer: Ipv4Addr| peer.octets()[..3] == NETWORK;
        let forwarder = Proxy::start(&name, address, port.address(), servers_only, None).await?;
        let inside = Inside { ip, port: inner, _forwarder: forwarder };
        Ok(Self { name, port, inside: Some(inside) })
    }

    /// Where applications reach it.
    pub(crate) fn reachable(&self) -> SocketAddr {
        self.port.address()
    }

    /// Where it says it is, and where the other servers reach it.
    pub(crate) fn announced(&self) -> SocketAddr {
        match &self.inside {
            Some(inside) => (inside.ip, inside.port.number()).into(),
            None => self.reachable(),
        }
    }
}
