//! What the host has not taken yet comes back when it has to wait: the old primary would
//! acknowledge it, and forget it with everything else that its successor never got. And it comes
//! back when it is to leave on another connection.

use super::calls::Call;
use super::link::{Link, LinkId, Use};
use super::{Session, Sink};
use crate::lane::hosted::Token;
use std::time::Instant;

impl Session {
    /// All that may leave on this connection now. It counts as sent from now on.
    pub(super) fn output(&mut self, link: usize) -> Vec<u8> {
        if self.links[link].lane.has_output() {
            self.recall(link);
        }
        self.links[link].lane.take_output()
    }

    /// The topology may have changed since these calls were submitted.
    fn recall(&mut self, link: usize) {
        let topology = self.current();
        if topology.phase.holds_writes() && self.links[link].place.replica.is_none() {
            self.take_back(link, |call| topology.holds(call.effect));
        }
    }

    /// Has calls wait of which nothing has left, in the order in which they were submitted.
    fn take_back(&mut self, link: usize, which: impl Fn(&Call) -> bool) {
        let Self { links, calls, held, held_bytes, .. } = self;
        let Link { lane, used, pulse, .. } = &mut links[link];
        let unsent: Vec<Token> = lane.unsent().collect();
        for token in unsent.into_iter().rev() {
            let Some(call) = calls.get(token).filter(|call| which(call)) else {
                continue;
            };
            if lane.withdraw(token) {
                call.sent_at = None;
                *held_bytes += call.bytes.len();
                held.push_front(token);
                if *used == Use::Call(token) {
                    (*used, *pulse) = (Use::Spare, None);
                }
            }
        }
    }

    /// Leaves a connection that is shared with other sessions for another. What is under way is
    /// answered first, so nothing overtakes it.
    pub fn part(&mut self, link: LinkId, now: Instant, sink: &mut Sink<'_>) {
        let shared = |it: &Link| it.id == link && it.used == Use::Shared;
        if let Some(place) = self.links.iter().position(shared) {
            self.links[place].parting = true;
            self.take_back(place, |_| true);
            self.drop_parting(now, sink);
        }
    }

    /// Leaves connections on which nothing is under way any more.
    pub(super) fn drop_parting(&mut self, now: Instant, sink: &mut Sink<'_>) {
        let over = |link: &&Link| link.parting && !link.lane.is_awaited();
        while let Some(link) = self.links.iter().find(over).map(|link| link.id) {
            self.cut(link);
            self.release(now, sink);
        }
    }

    /// Whether there is something to send that could go elsewhere.
    pub fn can_part(&self, link: LinkId) -> bool {
        let found = self.links.iter().find(|it| it.id == link && it.used == Use::Shared);
        found.is_some_and(|it| it.lane.has_output() && !it.parting)
    }

    /// Whether another session can join a connection: it was heard of lately, and nothing is
    /// under way on it.
    pub fn can_share(&self, link: LinkId, now: Instant) -> bool {
        let well = |it: &Link| it.used == Use::Shared && !it.shunned && !it.parting;
        let lately = |it: &Link| now.duration_since(it.heard_at) < self.config.command_timeout;
        let found = self.links.iter().find(|it| it.id == link);
        found.is_some_and(|it| well(it) && lately(it) && it.lane.is_idle())
    }
}
