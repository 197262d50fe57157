//! What goes in, and what comes out.

use super::{Answer, News, SentinelId};
use crate::config::Address;
use crate::error::Error;
use crate::proto::handshake::Role;
use std::time::Duration;

/// What has happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A Sentinel answered the round of questions, or failed to.
    Answer(SentinelId, Answer),
    /// A Sentinel published something about our primary.
    News(SentinelId, News),
    /// A node answered ROLE, or did not.
    Role(Address, Result<Role, Error>),
    /// A command met something that a primary does not do.
    Trouble { epoch: u64, trouble: Trouble },
    /// A single node's name leads to another machine now, and that one is primary.
    Moved,
    /// Time has passed.
    Tick,
}

/// What a connection to the primary met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// A new connection was refused, reset, or not answered.
    Unreachable,
    /// It answered ROLE as something else, or refused writes as a replica does.
    NotPrimary,
    /// A reply is overdue.
    Overdue,
}

/// What has to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Ask every Sentinel who the primary is.
    Ask,
    /// Connect to the node and ask ROLE once.
    Check(Address),
    /// Show the new [`Decide::topology`] to all clients.
    Publish,
    /// Something worth telling the application.
    Tell(Told),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The primary has changed.
    Failover { from: Option<Address>, to: Address, detected_by: Source, took: Duration },
    /// A failover was announced and called off, or did not come about.
    Unfenced { primary: Address, why: &'static str },
    /// A Sentinel named something that ROLE disproved.
    Misnamed { sentinel: Address, named: Address, is: String },
}

/// What led to a primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Sentinels named it when asked.
    Sentinels,
    /// `+switch-master`.
    Switch,
    /// It answered ROLE as primary before any Sentinel said so.
    Probe,
    /// The former primary is its replica now.
    Demotion,
    /// It was lost, and is back.
    Return,
    /// Its name leads to another machine.
    Dns,
}

impl Source {
    pub fn name(self) -> &'static str {
        match self {
            Source::Sentinels => "sentinels",
            Source::Switch => "+switch-master",
            Source::Probe => "probe",
            Source::Demotion => "demotion",
            Source::Return => "return",
            Source::Dns => "dns",
        }
    }
}
