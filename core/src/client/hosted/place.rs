//! Which node a call goes to, and where it has been in vain.

use super::Session;
use super::calls::Call;
use super::guide::Guide;
use super::link::Place;
use crate::client::reads::{self, Node};
use crate::client::verdict::unavailable;
use crate::config::Address;
use crate::error::Error;
use crate::lane::hosted::Token;
use crate::policy::Doubt;
use crate::topology::Topology;
use crate::topology::decide::Trouble;
use std::time::Instant;

impl Guide {
    /// Where a call goes now; `None`: nowhere yet.
    pub(super) fn place(&self, call: &Call, topology: &Topology, now: Instant) -> Option<Place> {
        let Some(reading) = &call.reading else {
            return (!topology.holds(call.effect)).then(|| Place::primary(topology));
        };
        let readable = self.readable(reading.max_lag);
        let node = reading.choose(topology, &readable, now, call.turn)?;
        let replica = match node {
            Node::Primary => None,
            Node::Replica(_) => reads::address(node, topology, &readable).cloned(),
        };
        Some(Place { epoch: topology.epoch, replica })
    }

    /// A call that may read from replicas has nowhere to go. Those that it avoids get another
    /// chance, after a pause.
    pub(super) fn await_place(&self, call: &mut Call, now: Instant) {
        if let Some(reading) = &mut call.reading {
            if reading.forgive() {
                call.rests_until = Some(now + call.backoff.next());
            }
            self.wait_for_replicas();
        }
    }
}

impl Session {
    /// Where a call that waits goes now.
    pub(super) fn place(
        &mut self,
        token: Token,
        topology: &Topology,
        now: Instant,
    ) -> Option<Place> {
        let Self { calls, guide, .. } = self;
        let call = calls.get(token)?;
        let place = guide.place(call, topology, now);
        if place.is_none() {
            guide.await_place(call, now);
        }
        place
    }

    /// Nobody was found in time for this call, and why.
    pub(super) fn nobody(&mut self, token: Token, topology: &Topology) -> Error {
        let Self { calls, guide, config, reason, .. } = self;
        let reading = calls.get(token).and_then(|call| call.reading.as_ref());
        reading
            .and_then(|it| it.unavailable(&guide.readable(it.max_lag), reason.as_ref()))
            .unwrap_or_else(|| unavailable(config, topology, &guide.heard_ago(), reason.as_ref()))
    }

    /// This call was at a place in vain.
    pub(super) fn avoid(&mut self, token: Token, place: &Place) {
        if let (Some(replica), Some(call)) = (&place.replica, self.calls.get(token))
            && let Some(reading) = &mut call.reading
        {
            reading.avoid(replica);
        }
    }

    /// A connection to a replica has failed: whoever waits tries others first.
    pub(super) fn avoid_all(&mut self, replica: &Address) {
        let Self { held, calls, .. } = self;
        for &token in held.iter() {
            if let Some(reading) = calls.get(token).and_then(|call| call.reading.as_mut()) {
                reading.avoid(replica);
            }
        }
    }

    /// Passes on what a connection says about the primary, if it leads there.
    pub(super) fn doubt(&mut self, place: &Place, doubt: Doubt) {
        let trouble = match doubt {
            Doubt::Unreachable => Trouble::Unreachable,
            Doubt::NotPrimary => Trouble::NotPrimary,
            Doubt::Overdue => Trouble::Overdue,
            Doubt::None => return,
        };
        if place.replica.is_none() {
            self.guide.report(place.epoch, trouble);
        }
    }
}
