//! Who is primary: decided from what Sentinels say and nodes prove.
//!
//! | file | what it holds |
//! |---|---|
//! | `decide` | the decisions, pure: events in, actions out, time is an argument |
//! | `watch` | the deployment's task, which carries them out |
//! | `sentinel` | one Sentinel, asked and heard; `parse` reads what it sends |
//! | `role` | a data node, asked for its ROLE |
//! | `home` | where the name of a single node leads |
//! | `health` | how it fares, in one word |
//! | `readable` | which replicas can be read from, and how far behind each is |
//! | `roll` | what they answer when asked for that, put together; pure |
//! | `track` | asks them, while there is `interest` in reading from replicas |
//! | `movers` | subscribers that a failover is not told of before they can hear again |
//! | `shared` | the current topology, and who wants to know of the next |
//! | `deployment` | what all clients of one deployment share |

pub mod decide;
mod deployment;
mod health;
mod home;
mod interest;
mod movers;
mod parse;
mod readable;
mod role;
mod roll;
mod sentinel;
mod shared;
pub(crate) mod stream;
mod track;
mod watch;

use crate::config::{Address, Endpoint};
use crate::error::Error;
use crate::policy::Effect;
pub(crate) use deployment::{Deployment, Name};
pub use health::{Health, State};
pub(crate) use movers::Mover;
#[cfg(test)]
pub(crate) use readable::State as Following;
pub(crate) use readable::{Readable, Replica};
pub(crate) use role::login;
pub(crate) use shared::Shared;

/// What is known of a deployment at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// Grows with every primary that is accepted; connections of an older one are void.
    pub epoch: u64,
    pub phase: Phase,
    /// The address that Sentinels announce; the address map says how to reach it.
    pub primary: Option<Address>,
    pub replicas: Vec<Address>,
    pub sentinels: Vec<Sentinel>,
    /// Why there is no primary: what the node in question last answered.
    pub reason: Option<String>,
    /// What only the user can mend: refused credentials, a name that nobody knows.
    pub refused: Option<Error>,
}

impl Topology {
    /// Before anything was asked.
    pub fn unknown() -> Self {
        Self {
            epoch: 0,
            phase: Phase::Resolving,
            primary: None,
            replicas: Vec::new(),
            sentinels: Vec::new(),
            reason: None,
            refused: None,
        }
    }

    /// Whether a command of this effect has to wait.
    pub fn holds(&self, effect: Effect) -> bool {
        match effect {
            Effect::Reads => self.phase.holds_reads(),
            Effect::Writes | Effect::Runs => self.phase.holds_writes(),
        }
    }
}

/// A Sentinel, as seen from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentinel {
    pub address: Address,
    /// It answers.
    pub up: bool,
    /// What it said last: the primary's address, or why it gave none.
    pub says: String,
}

/// What may be sent at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// No primary is known yet: everything waits.
    Resolving,
    /// The primary is verified.
    Ready,
    /// The primary is about to be replaced: writes wait, reads go on.
    Fenced,
    /// The primary is gone or silent: everything waits.
    Lost,
}

impl Phase {
    pub fn name(self) -> &'static str {
        match self {
            Phase::Resolving => "resolving",
            Phase::Ready => "ready",
            Phase::Fenced => "fenced",
            Phase::Lost => "lost",
        }
    }

    pub fn holds_writes(self) -> bool {
        self != Phase::Ready
    }

    pub fn holds_reads(self) -> bool {
        matches!(self, Phase::Resolving | Phase::Lost)
    }
}

/// The decisions know addresses only; a unix socket is one whose port is zero.
pub(crate) fn address(endpoint: &Endpoint) -> Address {
    match endpoint {
        Endpoint::Tcp(address) => address.clone(),
        Endpoint::Unix(path) => Address::new(path.to_string_lossy(), 0),
    }
}

/// The opposite of [`address`].
pub(crate) fn endpoint(address: &Address) -> Endpoint {
    match address.port {
        0 => Endpoint::Unix(address.host.clone().into()),
        _ => Endpoint::Tcp(address.clone()),
    }
}
