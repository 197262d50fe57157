//! Deadlines, and changes of the topology.

use super::calls::Call;
use super::link::{Link, LinkId, Use};
use super::subscription::Subscription;
use super::{Session, Sink};
use crate::client::verdict::overdue;
use crate::error::{Error, Kind};
use crate::policy::{Doubt, Fate};
use crate::proto::ledger::Lost;
use std::time::Instant;

impl Session {
    /// The topology may have changed, or a deadline passed.
    pub fn wake(&mut self, now: Instant, sink: &mut Sink<'_>) {
        let topology = self.current();
        let stale: Vec<LinkId> =
            self.links.iter().filter(|link| link.is_stale(&topology)).map(|link| link.id).collect();
        for link in stale {
            let to = topology.primary.as_ref().map(ToString::to_string).unwrap_or_default();
            let why = format!("the primary has changed to {to}, or a replica is gone");
            let why = Error::new(Kind::Unavailable, why);
            self.drop_link(link, 0, why, Doubt::None, now, sink);
        }
        let late: Vec<(LinkId, Error)> = self
            .links
            .iter()
            .filter(|link| link.ready_by.is_some_and(|by| now >= by))
            .map(|link| (link.id, link.late()))
            .collect();
        for (link, why) in late {
            self.drop_link(link, 0, why, Doubt::Unreachable, now, sink);
        }
        self.give_up_overdue(now, sink);
        self.feel_pulses(now, sink);
        self.drop_shunned(now, sink);
        self.drop_parting(now, sink);
        self.complain_late(now, sink);
        self.release(now, sink);
    }

    /// Ends the wait for replies that did not come in time.
    fn give_up_overdue(&mut self, now: Instant, sink: &mut Sink<'_>) {
        let mut found = Vec::new();
        for link in &mut self.links {
            for token in link.lane.overdue(now) {
                let sent = !link.lane.withdraw(token);
                // It may go out again, and the late reply must not be taken for the new one.
                link.lane.disown(token);
                // The connection may be dead although the node is well. A caller who is merely in
                // a hurry proves nothing.
                let in_a_hurry = |call: &mut Call| call.options.timeout.is_some();
                let harmless = !sent || self.calls.get(token).is_some_and(in_a_hurry);
                link.shunned |= link.used != Use::Shared || !harmless;
                let fate = if sent { Fate::Sent } else { Fate::NotSent };
                found.push((link.place.clone(), link.node.clone(), token, fate));
            }
        }
        for (place, node, token, fate) in found {
            self.doubt(&place, Doubt::Overdue);
            let Some(call) = self.calls.get(token) else {
                continue;
            };
            let fates = match call.pipeline() {
                Some(pipeline) => vec![fate; pipeline.unanswered()],
                None => vec![fate],
            };
            let lost = Lost { token, answered: 0, fates };
            self.lose(lost, &overdue(), &place, &node, now, sink);
        }
        let choked: Vec<LinkId> =
            self.links.iter().filter(|link| link.lane.is_choked()).map(|link| link.id).collect();
        for link in choked {
            self.drop_link(link, 0, overdue(), Doubt::None, now, sink);
        }
    }

    /// Ends connections that are kept only for replies which nobody waits for any more.
    pub(super) fn drop_shunned(&mut self, now: Instant, sink: &mut Sink<'_>) {
        let over = |link: &&Link| link.shunned && !link.lane.is_awaited();
        while let Some(link) = self.links.iter().find(over).map(|link| link.id) {
            self.drop_link(link, 0, overdue(), Doubt::None, now, sink);
        }
    }

    /// When to call [`wake`](Self::wake) at the latest.
    pub fn next_deadline(&mut self) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        let mut consider = |at: Option<Instant>| {
            next = match (next, at) {
                (Some(next), Some(at)) => Some(next.min(at)),
                (next, at) => next.or(at),
            };
        };
        for link in &self.links {
            consider(link.ready_by);
            consider(link.lane.next_deadline());
        }
        consider(self.next_pulse());
        consider(self.next_complaint());
        if !self.held.is_empty() || self.subscriptions.values().any(Subscription::needs_connection)
        {
            consider(self.connects_at);
        }
        let Self { held, calls, .. } = self;
        for &token in held.iter() {
            if let Some(call) = calls.get(token) {
                consider(Some(call.deadlines.whole));
                consider(call.rests_until);
            }
        }
        next
    }
}
