//! Which replicas can be read from, and how far behind each is. Pure: the time is an argument.

use crate::config::Address;
use std::time::{Duration, Instant};

/// The replicas of one epoch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Readable {
    /// Nothing here is true of another one.
    pub(crate) epoch: u64,
    /// How long the primary takes to answer.
    pub(crate) primary: Option<Duration>,
    pub(crate) replicas: Vec<Replica>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replica {
    pub(crate) address: Address,
    pub(crate) state: State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// It has not answered yet.
    Unknown,
    /// It cannot be read from, and why.
    Out(String),
    /// It follows the primary.
    Follows {
        /// It has all that the primary had then.
        as_of: Option<Instant>,
        /// How long it takes to answer.
        round_trip: Duration,
    },
}

impl Readable {
    /// Whether this replica follows the primary of this epoch.
    pub(crate) fn has(&self, epoch: u64, replica: &Address) -> bool {
        let follows = |it: &Replica| matches!(it.state, State::Follows { .. });
        self.epoch == epoch && self.replicas.iter().any(|it| it.address == *replica && follows(it))
    }
}

impl Replica {
    /// How long it takes to answer, if it may be read from.
    pub(crate) fn readable(&self, max_lag: Option<Duration>, now: Instant) -> Option<Duration> {
        let State::Follows { as_of, round_trip } = self.state else { return None };
        let fresh = match max_lag {
            None => true,
            Some(most) => as_of.is_some_and(|as_of| now.saturating_duration_since(as_of) <= most),
        };
        fresh.then_some(round_trip)
    }

    /// Why it is not read from.
    pub(crate) fn complaint(&self, max_lag: Option<Duration>, now: Instant) -> Option<String> {
        let address = &self.address;
        match &self.state {
            _ if self.readable(max_lag, now).is_some() => None,
            State::Unknown => Some(format!("{address} has not answered yet")),
            State::Out(why) => Some(format!("{address}: {why}")),
            State::Follows { as_of: Some(as_of), .. } => {
                let lag = now.saturating_duration_since(*as_of).as_secs_f64();
                Some(format!("{address} may be {lag:.3} s behind (option max_lag)"))
            }
            State::Follows { as_of: None, .. } => {
                Some(format!("{address} is behind by an unknown time (option max_lag)"))
            }
        }
    }
}
