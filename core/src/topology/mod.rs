//! Who is primary: decided from what Sentinels say and nodes prove.
//!
//! | file | what it holds |
//! |---|---|
//! | `decide` | the decisions, pure: events in, actions out, time is an argument |

pub mod decide;

use crate::config::Address;

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
    pub fn holds_writes(self) -> bool {
        self != Phase::Ready
    }

    pub fn holds_reads(self) -> bool {
        matches!(self, Phase::Resolving | Phase::Lost)
    }
}
