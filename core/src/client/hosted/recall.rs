//! What the host has not taken yet comes back when it has to wait: the old primary would
//! acknowledge it, and forget it with everything else that its successor never got.

use super::Session;
use super::link::{Link, Use};
use crate::lane::hosted::Token;

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
        if !topology.phase.holds_writes() || self.links[link].place.replica.is_some() {
            return;
        }
        let Self { links, calls, held, held_bytes, .. } = self;
        let Link { lane, used, pulse, .. } = &mut links[link];
        let unsent: Vec<Token> = lane.unsent().collect();
        // The last first, so that they wait in the order in which they were submitted.
        for token in unsent.into_iter().rev() {
            let Some(call) = calls.get(token).filter(|call| topology.holds(call.effect)) else {
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
}
