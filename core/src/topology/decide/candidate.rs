//! Whom the Sentinels name.

use super::primary::{Left, Primary};
use super::view::{Answer, View};
use super::{Action, Candidate, Decide, SentinelId, Source, Time};
use crate::config::Address;
use crate::error::{Error, Kind};

/// An address and those who name it.
#[derive(Debug)]
struct Nomination {
    address: Address,
    config_epoch: Option<u64>,
    voices: usize,
}

impl Decide {
    pub(super) fn answered(
        &mut self,
        now: Time,
        sentinel: SentinelId,
        answer: Answer,
        actions: &mut Vec<Action>,
    ) {
        let Some(view) = self.sentinels.get_mut(sentinel) else {
            return;
        };
        view.answered_at = now;
        if let Answer::Names { down, absent, .. } = &answer {
            view.calls_down = *down;
            view.absent.clone_from(absent);
        }
        let before = view.answer.replace(answer.clone());
        if let Some(round) = &mut self.round {
            round.open.retain(|open| *open != sentinel);
            if matches!(answer, Answer::Names { .. }) && !round.answered {
                round.answered = true;
                round.patience = Some(now + self.timing.grace);
            }
        }
        self.compare(now, sentinel, before.as_ref(), &answer, actions);
        if let Answer::Names { replicas, sentinels, .. } = answer {
            replicas.into_iter().flatten().for_each(|replica| self.learn_replica(replica));
            sentinels.into_iter().for_each(|sentinel| self.learn_sentinel(sentinel));
        }
        self.weigh(now, actions);
    }

    /// What was published of a failover may have been missed: the leader's answers tell as well.
    fn compare(
        &mut self,
        now: Time,
        sentinel: SentinelId,
        before: Option<&Answer>,
        answer: &Answer,
        actions: &mut Vec<Action>,
    ) {
        let Answer::Names { primary, replacing, .. } = answer else {
            return;
        };
        if let Some(chosen) = answer.chosen_for(primary).filter(|_| self.is_primary(primary)) {
            self.learn_follower(chosen.clone());
        }
        let known = before.is_some_and(|before| before.replaces(primary));
        if self.is_primary(primary) && *replacing && !known {
            self.announce(now, sentinel, true);
        } else if self.is_primary(primary) && !replacing && known {
            self.called_off(now, sentinel, actions);
        }
    }

    /// After an answer: chooses as soon as waiting for more of them cannot change the choice.
    fn weigh(&mut self, now: Time, actions: &mut Vec<Action>) {
        let Some(round) = &self.round else { return };
        let complete = round.open.is_empty();
        let settled = self.nominations().first().is_some_and(|best| self.is_majority(best.voices));
        if complete || settled {
            self.choose(now, actions);
        }
        if complete {
            self.forget_replicas();
            self.note_refusal();
            self.round = None;
        }
    }

    /// Chooses when waiting for more answers takes too long.
    pub(super) fn lose_patience(&mut self, now: Time, actions: &mut Vec<Action>) {
        let Some(round) = &mut self.round else { return };
        if round.patience.take_if(|until| now >= *until).is_some() {
            self.choose(now, actions);
        }
    }

    /// Every Sentinel has answered, and none of them with a primary.
    fn note_refusal(&mut self) {
        if self.primary.is_some() || self.named.is_some() {
            return;
        }
        let answers: Vec<&Answer> =
            self.sentinels.iter().filter_map(|view| view.answer.as_ref()).collect();
        let mut known: Vec<&str> = Vec::new();
        let mut unknown = 0;
        for answer in &answers {
            if let Answer::Unknown { names } = answer {
                unknown += 1;
                known.extend(names.iter().map(String::as_str));
            }
        }
        let refusal = answers.iter().find_map(|answer| match answer {
            Answer::Failed(error) if matches!(error.kind(), Kind::Auth | Kind::Config) => {
                Some(error.clone())
            }
            _ => None,
        });
        known.sort_unstable();
        known.dedup();
        self.refused = if self.is_majority(unknown) {
            let names = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            Some(Error::config(format!(
                "the Sentinels watch no primary of this name (option primary_name, \
                 REDIS_SENTINEL_MASTER); they watch: {names}"
            )))
        } else {
            // One that lets us in is enough, once it is back.
            let all_failed = answers.iter().all(|answer| matches!(answer, Answer::Failed(_)));
            refusal.filter(|_| all_failed)
        };
    }

    /// Chooses among those who have answered by the end of a round.
    pub(super) fn weigh_late(&mut self, now: Time, actions: &mut Vec<Action>) {
        if self.round.is_some() {
            self.choose(now, actions);
        }
    }

    /// Those named in this round, the best first: the newest failover, then the most voices.
    fn nominations(&self) -> Vec<Nomination> {
        let asked_at = self.round.as_ref().map_or(Time::ZERO, |round| round.asked_at);
        let mut named: Vec<Nomination> = Vec::new();
        for view in self.sentinels.iter().filter(|view| view.answered_at >= asked_at) {
            let Some(Answer::Names { primary, config_epoch, .. }) = &view.answer else {
                continue;
            };
            if view.doubted.as_ref().is_some_and(|(doubted, _)| doubted == primary) {
                continue;
            }
            match named.iter_mut().find(|nomination| nomination.address == *primary) {
                Some(nomination) => {
                    nomination.voices += 1;
                    nomination.config_epoch = nomination.config_epoch.max(*config_epoch);
                }
                None => named.push(Nomination {
                    address: primary.clone(),
                    config_epoch: *config_epoch,
                    voices: 1,
                }),
            }
        }
        named.sort_by_key(|nomination| {
            std::cmp::Reverse((nomination.config_epoch, nomination.voices))
        });
        named
    }

    pub(super) fn is_majority(&self, voices: usize) -> bool {
        voices * 2 > self.sentinels.len()
    }

    pub(super) fn choose(&mut self, now: Time, actions: &mut Vec<Action>) {
        let Some(best) = self.nominations().into_iter().next() else {
            return;
        };
        // Whom they named before and name no longer has nothing to prove.
        self.candidates.retain(|it| it.source != Source::Sentinels || it.address == best.address);
        if let Some(primary) = &mut self.primary
            && primary.address == best.address
        {
            primary.config_epoch = primary.config_epoch.max(best.config_epoch);
            self.vain = 0;
            return;
        }
        let newer = |left: &Left| matches!((left.config_epoch, best.config_epoch), (Some(left), Some(now)) if now > left);
        let fenced = |left: &Left| left.address == best.address && !newer(left);
        if self.left.iter().any(fenced) && !self.is_called_off(&best.address) {
            // They have not heard yet, or never will; whoever replaced it is the primary.
            return;
        }
        if self.is_older(now, &best) {
            // They may have slept through the failover that made our primary one.
            return;
        }
        if self.primary.is_none() {
            self.named = Some(best.address.clone());
        }
        self.nominate(now, best.address, Source::Sentinels, best.config_epoch, actions);
    }

    /// Whether the failover that our primary comes from has come to nothing: it is lost, no Sentinel
    /// ever named it, and now all of them name the one before, which none of them replaces any more.
    fn is_called_off(&self, address: &Address) -> bool {
        let Some(Primary { config_epoch: None, since, .. }) = self.primary else {
            return false;
        };
        // An answer may have been on its way since before the failover began.
        let fresh = |view: &View| view.answered_at > since + self.timing.answer;
        self.lost.is_some() && self.sentinels.iter().all(|it| fresh(it) && it.stands_by(address))
    }

    /// Whether this may take us back to before our primary was one.
    fn is_older(&self, now: Time, best: &Nomination) -> bool {
        let Some(Primary { config_epoch: ours, at_least, .. }) = self.primary else {
            return false;
        };
        // Our primary is gone for long, and nobody remembers it.
        let forgotten = self.lost.is_some_and(|lost| now >= lost + self.timing.left);
        // Only Sentinels that were all set up anew count from the beginning again.
        let lower = matches!((best.config_epoch, ours.max(at_least)), (Some(its), Some(ours)) if its < ours);
        let older = lower && best.voices < self.sentinels.len();
        let comparable = ours.is_some() && best.config_epoch.is_some();
        let unsure = !comparable && !self.is_majority(best.voices);
        (older || unsure) && !forgotten
    }

    /// Lets a node prove itself.
    pub(super) fn nominate(
        &mut self,
        now: Time,
        address: Address,
        source: Source,
        config_epoch: Option<u64>,
        actions: &mut Vec<Action>,
    ) {
        match self.candidates.iter_mut().find(|candidate| candidate.address == address) {
            Some(known) => known.config_epoch = known.config_epoch.max(config_epoch),
            None => {
                self.candidates.push(Candidate { address: address.clone(), source, config_epoch })
            }
        }
        self.check(now, address, actions);
    }

    /// Drops replicas that no Sentinel knows any more.
    fn forget_replicas(&mut self) {
        let known: Vec<&Address> = self
            .sentinels
            .iter()
            .filter_map(|view| match &view.answer {
                Some(Answer::Names { replicas: Some(replicas), .. }) => Some(replicas),
                _ => None,
            })
            .flatten()
            .collect();
        if !known.is_empty() {
            let left: Vec<&Address> = self.left.iter().map(|left| &left.address).collect();
            self.replicas.retain(|replica| known.contains(&replica) || left.contains(&replica));
        }
    }
}
