//! What Sentinels publish of their own accord.

use super::primary::Left;
use super::{Action, Decide, SentinelId, Source, Time};
use crate::config::Address;

/// An event about our primary, by the addresses that it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Somebody wants to replace this primary, and may still fail to.
    Attempt {
        of: Address,
    },
    /// It may replace this primary, and looks for a replica.
    Elected {
        of: Address,
    },
    /// The same, from a Sentinel whose next word may come too late.
    Started {
        of: Address,
    },
    /// This replica was chosen, or has been promoted.
    Chosen {
        of: Address,
        replica: Address,
    },
    Switch {
        from: Address,
        to: Address,
    },
    /// The failover was called off.
    Aborted {
        of: Address,
    },
    Down {
        primary: Address,
    },
    Up {
        primary: Address,
    },
    Replica(Address),
    /// A replica is down, or is back.
    ReplicaDown(Address),
    ReplicaUp(Address),
    Sentinel(Address),
    /// The Sentinel has lost its memory, or its sense of time.
    Unsettled,
}

impl Decide {
    pub(super) fn heard(
        &mut self,
        now: Time,
        sentinel: SentinelId,
        news: News,
        actions: &mut Vec<Action>,
    ) {
        match news {
            News::Attempt { of } | News::Elected { of } if self.concerns_us(&of) => {
                self.announce(now, sentinel, false);
            }
            News::Started { of } if self.concerns_us(&of) => self.announce(now, sentinel, true),
            News::Chosen { of, replica } if self.concerns_us(&of) => {
                self.announce(now, sentinel, true);
                self.learn_replica(replica.clone());
                self.learn_follower(replica);
            }
            News::Chosen { of: from, replica: to } | News::Switch { from, to }
                if self.is_primary(&to) =>
            {
                self.replaced(now, from);
            }
            News::Switch { from, to } => self.switched(now, sentinel, &from, to, actions),
            News::Aborted { of } if self.concerns_us(&of) => {
                self.called_off(now, sentinel, actions);
            }
            // Perhaps one that had no part in it; the answers tell.
            News::Aborted { of } if self.is_left(&of) => self.ask(now, actions),
            News::Down { primary } if self.concerns_us(&primary) => {
                self.note_down(sentinel, true);
                // It may be silent towards us as well; then a majority frees the replicas.
                self.check(now, primary, actions);
            }
            News::Up { primary } if self.concerns_us(&primary) => {
                self.note_down(sentinel, false);
                self.check(now, primary, actions);
            }
            News::Replica(address) => self.learn_replica(address),
            News::ReplicaDown(address) => self.note_absent(sentinel, address, true),
            News::ReplicaUp(address) => self.note_absent(sentinel, address, false),
            News::Sentinel(address) => {
                self.learn_sentinel(address);
                self.ask(now, actions);
            }
            News::Unsettled => self.ask(now, actions),
            // About an address that we have left already.
            _ => {}
        }
    }

    fn concerns_us(&self, address: &Address) -> bool {
        self.incumbent() == Some(address)
    }

    fn note_down(&mut self, sentinel: SentinelId, down: bool) {
        if let Some(view) = self.sentinels.get_mut(sentinel) {
            view.calls_down = down;
        }
    }

    fn note_absent(&mut self, sentinel: SentinelId, replica: Address, absent: bool) {
        if let Some(view) = self.sentinels.get_mut(sentinel) {
            view.absent.retain(|known| *known != replica);
            if absent {
                view.absent.push(replica);
            }
        }
    }

    /// Our primary has taken this one's place, though perhaps we never used it: what the Sentinels
    /// have said for it so far counts no more.
    fn replaced(&mut self, now: Time, from: Address) {
        self.candidates.retain(|candidate| candidate.address != from);
        let said = self.sentinels.iter().filter_map(|view| view.answer.as_ref()?.epoch_of(&from));
        let said = said.max();
        match self.left.iter_mut().find(|left| left.address == from) {
            Some(Left { config_epoch: Some(known), .. }) => *known = said.unwrap_or(0).max(*known),
            Some(_) => {}
            None => self.leave(now, from, said),
        }
    }

    fn switched(
        &mut self,
        now: Time,
        sentinel: SentinelId,
        from: &Address,
        to: Address,
        actions: &mut Vec<Action>,
    ) {
        for view in &mut self.sentinels {
            view.doubted.take_if(|(doubted, _)| *doubted == to);
        }
        if self.is_left(&to) || self.incumbent().is_some_and(|ours| ours != from) {
            // Back to where we came from, or a Sentinel that returns with old news: the config
            // epoch tells, so ask.
            self.ask(now, actions);
            return;
        }
        self.announce(now, sentinel, true);
        self.nominate(now, to, Source::Switch, None, actions);
    }
}
