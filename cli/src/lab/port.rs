//! Free TCP ports that stay the lab's own, also while the server on them is down.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use super::error::{Error, Result};
use super::random;

/// Below the range from which the kernel takes ports for outgoing connections.
const FIRST: u16 = 12_000;
const COUNT: u16 = 20_000;

/// Where labs tell each other which ports are taken: a listener here is a claim that dies with its lab.
const CLAIMS: Ipv4Addr = Ipv4Addr::new(127, 77, 77, 77);

/// A port on loopback that no other lab uses while this value lives.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    _claim: TcpListener,
}

impl Port {
    /// Claims a free port.
    pub(crate) fn claim() -> Result<Self> {
        for _ in 0..1000 {
            let number = FIRST + u16::from_le_bytes(random::bytes()?) % COUNT;
            let Ok(claim) = TcpListener::bind((CLAIMS, number)) else {
                continue;
            };
            if TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Ok(Self { number, _claim: claim });
            }
        }
        let last = FIRST + COUNT - 1;
        Err(Error::new(format!("no free port on 127.0.0.1 between {FIRST} and {last}")))
    }

    /// The port's number.
    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    /// The port on 127.0.0.1.
    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }
}
