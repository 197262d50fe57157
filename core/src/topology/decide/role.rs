//! What nodes prove, and what commands met.

use super::view::{Answer, View};
use super::{Action, Decide, Source, Time, Told, Trouble};
use crate::config::Address;
use crate::error::{Error, Kind};
use crate::proto::handshake::Role;

impl Decide {
    pub(super) fn proved(
        &mut self,
        now: Time,
        address: &Address,
        role: Result<Role, Error>,
        actions: &mut Vec<Action>,
    ) {
        self.checking.retain(|(known, _)| known != address);
        match role {
            Ok(Role::Primary) => self.proved_primary(now, address, actions),
            Ok(Role::Replica { primary, port, .. }) => {
                self.learn_follower(address.clone());
                let of = Address { host: primary, port };
                self.proved_other(now, address, Some(of), "a replica", actions);
            }
            Ok(Role::Sentinel) => {
                self.proved_other(now, address, None, "a Sentinel", actions);
                if self.sentinels.is_empty() {
                    let what = "it is a Sentinel and no data node; Sentinels go to option \
                                sentinels (REDIS_SENTINEL_LIST)";
                    self.refused = Some(Error::config(what).at(address));
                }
            }
            Err(error) => self.silent(now, address, error, actions),
        }
    }

    fn proved_primary(&mut self, now: Time, address: &Address, actions: &mut Vec<Action>) {
        if self.is_primary(address) {
            // While it is being replaced it goes on saying so; that proves nothing then.
            self.lost = None;
            self.reason = None;
            self.refused = None;
            return;
        }
        if let Some(candidate) = self.candidates.iter().find(|it| it.address == *address) {
            let (source, config_epoch) = (candidate.source, candidate.config_epoch);
            self.accept(now, address.clone(), source, config_epoch, actions);
        } else if self.is_left(address) {
            // It does not know yet that it was replaced.
        } else if self.incumbent() == Some(address) {
            self.accept(now, address.clone(), Source::Return, None, actions);
        } else if self.followers.contains(address)
            && self.may_be_promoted()
            && !self.is_of_before(now, address)
        {
            self.accept(now, address.clone(), Source::Probe, None, actions);
        }
    }

    /// Connections to the machine where the node was before are void.
    pub(super) fn moved(&mut self, now: Time, actions: &mut Vec<Action>) {
        if let Some(primary) = &self.primary {
            let address = primary.address.clone();
            self.accept(now, address, Source::Dns, None, actions);
        }
    }

    /// Whether a replica that says "master" can be right before any Sentinel says so.
    fn may_be_promoted(&self) -> bool {
        let voices = self.sentinels.iter().filter(|view| view.calls_down).count();
        self.failover.is_some() || (self.lost.is_some() && self.is_majority(voices))
    }

    /// Whether a Sentinel still takes this node for the primary by a failover before the one that ours
    /// comes from: it has slept through ours, or was cut off, and made a primary of it again.
    fn is_of_before(&self, now: Time, address: &Address) -> bool {
        let ours = self.primary.as_ref().and_then(|it| it.config_epoch.max(it.at_least));
        let lately = |view: &&View| now < view.answered_at + self.timing.poll;
        let named = self.sentinels.iter().filter(lately);
        let mut named = named.filter_map(|view| view.answer.as_ref()?.epoch_of(address));
        ours.is_some_and(|ours| named.any(|its| its < ours))
    }

    fn proved_other(
        &mut self,
        now: Time,
        address: &Address,
        of: Option<Address>,
        is: &str,
        actions: &mut Vec<Action>,
    ) {
        // Now it knows that it was replaced: from here on its word counts again.
        self.left.retain(|left| left.address != *address);
        if self.incumbent() == Some(address) {
            self.reason = Some(format!("{address} is {is}"));
            self.refused = None;
        }
        if self.is_primary(address) {
            // Demoted behind our back. Whom it follows now is the best hint there is.
            self.lost.get_or_insert(now);
            if let Some(of) = of {
                self.left.retain(|left| left.address != of);
                self.nominate(now, of, Source::Demotion, None, actions);
            }
            self.ask(now, actions);
            return;
        }
        if !self.candidates.iter().any(|candidate| candidate.address == *address) {
            return;
        }
        self.candidates.retain(|candidate| candidate.address != *address);
        for view in &mut self.sentinels {
            if matches!(&view.answer, Some(Answer::Names { primary, .. }) if primary == address) {
                view.doubted = Some((address.clone(), now + self.timing.doubt));
                actions.push(Action::Tell(Told::Misnamed {
                    sentinel: view.address.clone(),
                    named: address.clone(),
                    is: is.to_owned(),
                }));
            }
        }
        if self.named.as_ref() == Some(address) {
            self.named = None;
        }
        if self.candidates.is_empty() && self.failover.is_some() && self.lost.is_none() {
            self.unfence(now, "the node that was named is no primary", actions);
        }
        // The others may have named a better one.
        self.choose(now, actions);
        self.next_ask = self.next_ask.min(now + self.timing.retry);
    }

    fn silent(&mut self, now: Time, address: &Address, error: Error, actions: &mut Vec<Action>) {
        if self.incumbent() == Some(address) {
            self.reason = Some(error.to_string());
            let final_word = matches!(error.kind(), Kind::Auth | Kind::Config);
            self.refused = final_word.then_some(error);
            // The first time; after it, checks and questions have their pace.
            if self.lost.is_none() {
                self.lost = Some(now);
                self.next_check = now + self.timing.retry;
                self.ask(now, actions);
            }
        }
    }

    pub(super) fn troubled(
        &mut self,
        now: Time,
        epoch: u64,
        trouble: Trouble,
        actions: &mut Vec<Action>,
    ) {
        let Some(primary) = self.primary.as_ref().map(|primary| primary.address.clone()) else {
            return;
        };
        if epoch != self.epoch {
            return;
        }
        if trouble != Trouble::Overdue {
            self.lost.get_or_insert(now);
        }
        self.check(now, primary, actions);
        self.ask(now, actions);
    }
}
