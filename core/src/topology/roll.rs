//! What the primary and its replicas answer, put together. Pure: the time is an argument.
//!
//! A replica is readable while it says that its link to the primary is up. Its lag is the time
//! since the last moment of which it is *proven* that the replica had all that the primary had:
//! the latest moment at which the primary was asked for its replication offset and named one that
//! the replica has reached since. The true lag is never longer. It is shorter by at most the time
//! between two questions, so a bound below that would leave every replica out; the questions come
//! the more often the tighter the bound is.

use super::Topology;
use super::readable::{Readable, Replica, State};
use crate::config::Address;
use crate::error::Error;
use crate::proto::handshake::Role;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Answers of the primary that are remembered. A replica further behind than the oldest of them
/// has no proven lag.
const HISTORY: usize = 512;

/// What a node says of itself when asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) role: Role,
    /// How far it is in the stream of writes.
    pub(super) offset: Option<u64>,
}

/// Puts answers together to what is readable.
#[derive(Debug, Default)]
pub(super) struct Roll {
    readable: Readable,
    primary: Option<Address>,
    /// Whom a replica may still follow that has not heard of the failover.
    former: Vec<Address>,
    /// When the primary was asked, and the offset that it named; the oldest first.
    history: VecDeque<(Instant, u64)>,
    /// The replicas' offsets, in their order.
    offsets: Vec<Option<u64>>,
    /// Answers to what was asked before are about another primary.
    since: Option<Instant>,
}

impl Roll {
    pub(super) fn readable(&self) -> &Readable {
        &self.readable
    }

    /// Goes on with the replicas of this topology. With another epoch everything begins anew.
    pub(super) fn follow(&mut self, topology: &Topology, now: Instant) {
        if self.readable.epoch != topology.epoch {
            let mut former = std::mem::take(&mut self.former);
            former.extend(self.primary.take());
            former.retain(|it| Some(it) != topology.primary.as_ref());
            let primary = topology.primary.clone();
            *self = Self { primary, former, since: Some(now), ..Self::default() };
            self.readable.epoch = topology.epoch;
        }
        let known: Vec<(Replica, Option<u64>)> =
            self.readable.replicas.drain(..).zip(self.offsets.drain(..)).collect();
        for address in &topology.replicas {
            let found = known.iter().find(|(replica, _)| replica.address == *address).cloned();
            let (replica, offset) = found.unwrap_or_else(|| {
                (Replica { address: address.clone(), state: State::Unknown }, None)
            });
            self.readable.replicas.push(replica);
            self.offsets.push(offset);
        }
    }

    /// Takes in what a node answered, or why it did not.
    pub(super) fn heard(
        &mut self,
        node: &Address,
        asked: Instant,
        took: Duration,
        answer: Result<Standing, Error>,
    ) {
        if self.since.is_none_or(|since| asked < since) {
            return;
        }
        if self.primary.as_ref() == Some(node) {
            self.heard_primary(asked, took, answer);
        } else if let Some(index) = self.readable.replicas.iter().position(|it| it.address == *node)
        {
            self.heard_replica(index, took, answer);
        }
    }

    fn heard_primary(&mut self, asked: Instant, took: Duration, answer: Result<Standing, Error>) {
        let Ok(Standing { role: Role::Primary, offset }) = answer else {
            self.readable.primary = None;
            return;
        };
        self.readable.primary = Some(smoothed(self.readable.primary, took));
        let Some(offset) = offset else { return };
        if self.history.back().is_some_and(|&(_, before)| offset < before) {
            // It was restarted, and counts anew: what was said before says nothing now.
            self.history.clear();
            self.since = Some(asked);
            self.offsets.fill(None);
            self.readable.replicas.iter_mut().for_each(|it| it.state = State::Unknown);
        }
        // Of several moments with the same offset the latest says it all.
        if self.history.back().is_some_and(|(_, before)| *before == offset) {
            self.history.pop_back();
        }
        self.history.push_back((asked, offset));
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
        for index in 0..self.offsets.len() {
            self.prove(index);
        }
    }

    fn heard_replica(&mut self, index: usize, took: Duration, answer: Result<Standing, Error>) {
        let stranger = |host: &str, port| {
            let of = Address::new(host, port);
            // An address by another name may well be the primary; that of another node is not.
            self.former.contains(&of) || self.readable.replicas.iter().any(|it| it.address == of)
        };
        let refusal = match &answer {
            Err(error) => Some(error.to_string()),
            Ok(Standing { role: Role::Replica { linked: false, .. }, .. }) => {
                Some("its link to the primary is down".to_owned())
            }
            Ok(Standing { role: Role::Replica { primary, port, .. }, .. })
                if stranger(primary, *port) =>
            {
                Some(format!("it follows {primary}:{port}"))
            }
            Ok(Standing { role: Role::Replica { .. }, .. }) => None,
            Ok(Standing { role, .. }) => Some(format!("it is no replica but a {}", role.name())),
        };
        let state = &mut self.readable.replicas[index].state;
        if let Some(why) = refusal {
            *state = State::Out(why);
            self.offsets[index] = None;
            return;
        }
        let (as_of, before) = match state {
            State::Follows { as_of, round_trip } => (*as_of, Some(*round_trip)),
            _ => (None, None),
        };
        *state = State::Follows { as_of, round_trip: smoothed(before, took) };
        self.offsets[index] = answer.ok().and_then(|standing| standing.offset);
        self.prove(index);
    }

    /// Finds the latest moment whose data the replica has.
    fn prove(&mut self, index: usize) {
        let Some(reached) = self.offsets[index] else { return };
        let moment = self.history.iter().rev().find(|(_, offset)| *offset <= reached);
        if let (State::Follows { as_of, .. }, Some(&(asked, _))) =
            (&mut self.readable.replicas[index].state, moment)
        {
            *as_of = (*as_of).max(Some(asked));
        }
    }
}

/// One slow answer says little, several do.
fn smoothed(before: Option<Duration>, now: Duration) -> Duration {
    before.map_or(now, |before| (before * 3 + now) / 4)
}

#[cfg(test)]
mod tests {
    use super::super::Phase;
    use super::*;
    use crate::error::Kind;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn node(name: &str) -> Address {
        Address::new(name, 1)
    }

    fn topology(epoch: u64, primary: &str, replicas: &[&str]) -> Topology {
        let mut topology = Topology::unknown();
        topology.phase = Phase::Ready;
        (topology.epoch, topology.primary) = (epoch, Some(node(primary)));
        topology.replicas = replicas.iter().map(|name| node(name)).collect();
        topology
    }

    struct Story {
        roll: Roll,
        start: Instant,
    }

    impl Story {
        fn new(replicas: &[&str]) -> Self {
            let (mut roll, start) = (Roll::default(), Instant::now());
            roll.follow(&topology(1, "a", replicas), start);
            Self { roll, start }
        }

        fn primary(&mut self, at: u64, offset: u64) {
            let answer = Standing { role: Role::Primary, offset: Some(offset) };
            self.roll.heard(&node("a"), self.start + MS(at), MS(1), Ok(answer));
        }

        fn replica(&mut self, at: u64, name: &str, of: &str, linked: bool, offset: u64) {
            let role = Role::Replica { primary: of.into(), port: 1, linked };
            let answer = Standing { role, offset: Some(offset) };
            self.roll.heard(&node(name), self.start + MS(at), MS(2), Ok(answer));
        }

        /// Those that are at most so far behind.
        fn readable(&self, at: u64, max_lag: Option<u64>) -> Vec<&str> {
            let (max_lag, now) = (max_lag.map(MS), self.start + MS(at));
            let fit = |it: &&Replica| it.readable(max_lag, now).is_some();
            let all = self.roll.readable().replicas.iter().filter(fit);
            all.map(|it| it.address.host.as_str()).collect()
        }

        fn complaint(&self, at: u64, max_lag: u64) -> String {
            let replica = &self.roll.readable().replicas[0];
            replica.complaint(Some(MS(max_lag)), self.start + MS(at)).unwrap()
        }
    }

    #[test]
    fn lag_counts_from_when_the_primary_had_what_the_replica_has() {
        let mut story = Story::new(&["b", "c"]);
        assert_eq!(story.readable(0, None), [""; 0]);
        story.primary(0, 100);
        story.replica(1, "b", "a", true, 100);
        story.replica(1, "c", "a", true, 40);
        assert_eq!(story.readable(10, None), ["b", "c"]);
        assert_eq!(story.readable(10, Some(10)), ["b"]);
        assert_eq!(story.readable(11, Some(10)), [""; 0]);
        // Nothing was written: what the replica has is all there is.
        story.primary(200, 100);
        assert_eq!(story.readable(205, Some(10)), ["b"]);
        story.primary(400, 300);
        story.replica(401, "b", "a", true, 299);
        assert_eq!(story.readable(405, Some(100)), [""; 0]);
        assert_eq!(story.readable(405, Some(205)), ["b"]);
        assert_eq!(story.complaint(405, 100), "b:1 may be 0.205 s behind (option max_lag)");
        story.replica(600, "c", "a", true, 400);
        assert_eq!(story.readable(600, Some(200)), ["c"]);
    }

    #[test]
    fn whoever_does_not_follow_the_primary_is_out() {
        let mut story = Story::new(&["b", "c"]);
        story.primary(0, 100);
        story.replica(1, "b", "a", false, 100);
        assert_eq!(story.complaint(2, 10), "b:1: its link to the primary is down");
        story.replica(2, "b", "c", true, 500);
        assert_eq!(story.complaint(2, 10), "b:1: it follows c:1");
        story.replica(3, "b", "a-by-another-name", true, 100);
        assert_eq!(story.readable(3, Some(10)), ["b"]);
        let gone = Error::new(Kind::Unavailable, "refused");
        story.roll.heard(&node("b"), story.start + MS(4), MS(0), Err(gone));
        assert_eq!(story.complaint(5, 10), "b:1: refused");
        let promoted = Standing { role: Role::Primary, offset: Some(900) };
        story.roll.heard(&node("b"), story.start + MS(5), MS(0), Ok(promoted));
        assert_eq!(story.complaint(5, 10), "b:1: it is no replica but a primary");
    }

    #[test]
    fn a_new_primary_and_a_restarted_one_begin_anew() {
        let mut story = Story::new(&["b"]);
        story.primary(0, 100);
        story.replica(1, "b", "a", true, 100);
        let later = story.start + MS(10);
        story.roll.follow(&topology(1, "a", &["b", "c"]), later);
        assert_eq!(story.readable(10, Some(10)), ["b"]);
        // A restart: what the replica has is another history.
        story.primary(20, 0);
        assert_eq!(story.readable(20, None), [""; 0]);
        story.replica(21, "b", "a", true, 0);
        assert_eq!(story.readable(25, Some(5)), ["b"]);
        story.roll.follow(&topology(2, "c", &["b"]), story.start + MS(30));
        assert_eq!(story.readable(30, None), [""; 0]);
        story.replica(29, "b", "a", true, 100);
        assert_eq!(story.readable(30, None), [""; 0]);
        story.replica(31, "b", "a", true, 100);
        assert_eq!(story.readable(31, None), [""; 0], "it follows the former primary");
        story.replica(32, "b", "c", true, 100);
        assert_eq!(story.readable(32, None), ["b"]);
    }
}
