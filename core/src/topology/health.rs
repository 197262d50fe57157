//! How a deployment fares, without asking anybody.

use super::{Phase, Topology};

/// One word for dashboards and readiness probes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The primary is verified, and everybody who watches it answers.
    Ready,
    /// The primary is verified; a Sentinel or every replica is missing.
    Degraded,
    /// The primary is being replaced, or looked for.
    FailingOver,
    /// There is no primary, and nothing but waiting can help, or the user.
    Down,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            State::Ready => "ready",
            State::Degraded => "degraded",
            State::FailingOver => "failing_over",
            State::Down => "down",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    pub state: State,
    pub primary: Option<String>,
    pub replicas: usize,
    pub sentinels_up: usize,
    pub sentinels: usize,
    /// What keeps it from being ready.
    pub reason: Option<String>,
}

impl Topology {
    pub fn health(&self) -> Health {
        let sentinels_up = self.sentinels.iter().filter(|sentinel| sentinel.up).count();
        let watched = !self.sentinels.is_empty();
        let missing = sentinels_up < self.sentinels.len() || (watched && self.replicas.is_empty());
        let state = match self.phase {
            Phase::Ready if missing => State::Degraded,
            Phase::Ready => State::Ready,
            Phase::Fenced => State::FailingOver,
            _ if self.refused.is_some() => State::Down,
            // Somebody is there to say who comes next.
            Phase::Lost if sentinels_up > 0 => State::FailingOver,
            Phase::Lost | Phase::Resolving => State::Down,
        };
        let silent = self.sentinels.iter().find(|sentinel| !sentinel.up);
        let reason = match state {
            State::Ready => None,
            State::Degraded => Some(match silent {
                Some(sentinel) => format!("Sentinel {}: {}", sentinel.address, sentinel.says),
                None => "no replica is known".to_owned(),
            }),
            _ => {
                let refused = self.refused.as_ref().map(ToString::to_string);
                refused.or_else(|| self.reason.clone())
            }
        };
        Health {
            state,
            primary: self.primary.as_ref().map(ToString::to_string),
            replicas: self.replicas.len(),
            sentinels_up,
            sentinels: self.sentinels.len(),
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Sentinel;
    use super::*;
    use crate::config::Address;

    #[test]
    fn one_word_for_each_state() {
        let sentinel =
            |up| Sentinel { address: Address::new("s", 1), up, says: "connection refused".into() };
        let mut topology = Topology::unknown();
        assert_eq!(topology.health().state, State::Down);
        topology.phase = Phase::Ready;
        topology.primary = Some(Address::new("a", 1));
        assert_eq!(topology.health().state, State::Ready);
        topology.sentinels = vec![sentinel(true), sentinel(false)];
        topology.replicas = vec![Address::new("b", 1)];
        let health = topology.health();
        assert_eq!((health.state, health.sentinels_up), (State::Degraded, 1));
        assert_eq!(health.reason.unwrap(), "Sentinel s:1: connection refused");
        topology.phase = Phase::Lost;
        assert_eq!(topology.health().state.name(), "failing_over");
    }
}
