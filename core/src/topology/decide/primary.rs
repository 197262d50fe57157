//! The primary in use, and those that were left for it.

use super::failover::Failover;
use super::view::View;
use super::{Action, Decide, SentinelId, Source, Time, Told};
use crate::config::Address;
use std::time::Duration;

/// The verified primary.
#[derive(Debug, Clone)]
pub(super) struct Primary {
    pub(super) address: Address,
    /// The failover that made it one, counted by the Sentinels; `None` while none has said.
    pub(super) config_epoch: Option<u64>,
    /// What counted for its predecessor.
    pub(super) at_least: Option<u64>,
    /// When it was accepted.
    pub(super) since: Time,
}

/// An address we moved away from.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) address: Address,
    pub(super) config_epoch: Option<u64>,
    pub(super) since: Time,
}

impl Decide {
    pub(super) fn is_primary(&self, address: &Address) -> bool {
        self.primary.as_ref().is_some_and(|primary| primary.address == *address)
    }

    pub(super) fn is_left(&self, address: &Address) -> bool {
        self.left.iter().any(|left| left.address == *address)
    }

    /// From here on this address has to prove more than others.
    pub(super) fn leave(&mut self, now: Time, address: Address, config_epoch: Option<u64>) {
        self.learn_replica(address.clone());
        self.left.push(Left { address, config_epoch, since: now });
    }

    /// Takes a proven node for the primary.
    pub(super) fn accept(
        &mut self,
        now: Time,
        address: Address,
        source: Source,
        config_epoch: Option<u64>,
        actions: &mut Vec<Action>,
    ) {
        let since = self.lost.or(self.failover.as_ref().map(|failover| failover.since));
        let took = since.map_or(Duration::ZERO, |since| now.saturating_sub(since));
        let from = self.primary.take();
        let at_least = from.as_ref().and_then(|from| from.config_epoch.max(from.at_least));
        // Before the first primary, whoever was named in vain.
        let named = self.named.take().map(|it| {
            let candidate = self.candidates.iter().find(|candidate| candidate.address == it);
            (it, candidate.and_then(|candidate| candidate.config_epoch))
        });
        let before = from.as_ref().map(|from| (from.address.clone(), from.config_epoch)).or(named);
        if let Some((before, config_epoch)) = before.filter(|(before, _)| *before != address) {
            self.left.retain(|left| left.address != before);
            self.leave(now, before, config_epoch);
        }
        self.left.retain(|left| left.address != address);
        self.hearing = self.fence && self.epoch == 0 && self.round.is_some();
        self.epoch += 1;
        self.lost = None;
        self.reason = None;
        self.refused = None;
        self.failover = None;
        self.candidates.clear();
        let chosen =
            self.sentinels.iter().filter_map(|view| view.answer.as_ref()?.chosen_for(&address));
        self.followers = chosen.cloned().collect();
        self.vain = 0;
        for view in &mut self.sentinels {
            view.calls_down = false;
        }
        // Who its replicas and its config epoch are is worth asking once the dust has settled.
        self.next_ask = now + self.timing.settle;
        actions.push(Action::Tell(Told::Failover {
            from: from.map(|from| from.address),
            to: address.clone(),
            detected_by: source,
            took,
        }));
        let replaces = |view: &View| view.answer.as_ref().is_some_and(|it| it.replaces(&address));
        let views = self.sentinels.iter().enumerate().filter(|(_, view)| replaces(view));
        let leaders: Vec<SentinelId> = views.map(|(sentinel, _)| sentinel).collect();
        if !leaders.is_empty() {
            // Started in the middle of a failover: this one says "primary" to the end.
            self.failover = Some(Failover::begun(now, leaders));
        }
        self.primary = Some(Primary { address, config_epoch, at_least, since: now });
    }
}
