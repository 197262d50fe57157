//! When to do what, and how long to put up with what.

use super::{Action, Decide, Event, Round, Time};
use crate::config::Address;
use std::time::Duration;

/// Every span of time in the decisions, in one place.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// After the first answer of a round, how long others may take before a choice is made.
    pub grace: Duration,
    /// How long one Sentinel may take to answer.
    pub answer: Duration,
    /// How long one ROLE check may take.
    pub check: Duration,
    /// Between two rounds of questions while all is well.
    pub poll: Duration,
    /// The first pause after a round that led to nothing; doubled up to `retry_most`.
    pub retry: Duration,
    pub retry_most: Duration,
    /// Between accepting a primary and asking who its replicas are.
    pub settle: Duration,
    /// How long an announced failover may hold writes.
    pub fence: Duration,
    /// Between two ROLE probes while a failover is announced.
    pub probe: Duration,
    /// Between two ROLE probes while the primary is merely lost.
    pub watch: Duration,
    /// How long an address that was left stays fenced at the longest.
    pub left: Duration,
    /// How long a disproved word is held against a Sentinel.
    pub doubt: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        let ms = Duration::from_millis;
        Self {
            grace: ms(50),
            answer: ms(600),
            check: ms(500),
            poll: ms(5000),
            retry: ms(100),
            retry_most: ms(1000),
            settle: ms(1200),
            fence: ms(5000),
            probe: ms(5),
            watch: ms(25),
            // A demoted primary goes on saying "master" for eleven seconds.
            left: ms(15_000),
            doubt: ms(1000),
        }
    }
}

/// The nodes to ask ROLE again and again, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    pub nodes: Vec<Address>,
    pub every: Duration,
}

impl Decide {
    /// What is due by now.
    pub(super) fn pass_time(&mut self, now: Time, actions: &mut Vec<Action>) {
        self.left.retain(|left| now < left.since + self.timing.left);
        self.checking.retain(|(_, until)| now < *until);
        for view in &mut self.sentinels {
            view.doubted.take_if(|(_, until)| now >= *until);
        }
        self.end_stale_failover(now, actions);
        let open =
            self.round.as_ref().is_some_and(|round| now < round.asked_at + self.timing.answer);
        if !open {
            // Whoever has not answered by now is not waited for.
            self.weigh_late(now, actions);
            self.round = None;
        } else {
            self.lose_patience(now, actions);
        }
        self.hearing &= self.round.as_ref().is_some_and(|round| round.patience.is_some());
        if self.round.is_none() && now >= self.next_ask {
            self.ask(now, actions);
        }
        if now >= self.next_check
            && let Some(lost) = self.lost
            && let Some(incumbent) = self.incumbent().cloned()
        {
            let fresh = now < lost + self.timing.poll;
            let pause = if fresh { self.timing.retry } else { self.timing.retry_most };
            self.next_check = now + pause;
            self.check(now, incumbent, actions);
        }
    }

    /// Starts a round of questions, unless one has just begun.
    pub(super) fn ask(&mut self, now: Time, actions: &mut Vec<Action>) {
        let young = |round: &Round| now < round.asked_at + self.timing.retry;
        if self.sentinels.is_empty() {
            self.next_ask = now + self.timing.poll;
            return;
        }
        if self.round.as_ref().is_some_and(young) {
            return;
        }
        self.round = Some(Round {
            asked_at: now,
            patience: None,
            answered: false,
            open: (0..self.sentinels.len()).collect(),
        });
        let pause = self.timing.retry * 2u32.saturating_pow(self.vain.min(16));
        let at_ease = self.primary.is_some() && self.lost.is_none();
        self.next_ask =
            now + if at_ease { self.timing.poll } else { pause.min(self.timing.retry_most) };
        self.vain += 1;
        actions.push(Action::Ask);
    }

    /// Starts a ROLE check, unless one is under way.
    pub(super) fn check(&mut self, now: Time, address: Address, actions: &mut Vec<Action>) {
        if !self.checking.iter().any(|(known, _)| *known == address) {
            self.checking.push((address.clone(), now + self.timing.check * 2));
            actions.push(Action::Check(address));
        }
    }

    /// The replicas to ask ROLE again and again while a new primary may turn up any moment. Those
    /// that were left are among them: once one says "replica", it may be promoted again.
    pub fn probe(&self) -> Option<Probe> {
        let every = match (&self.failover, self.lost) {
            (Some(_), _) => self.timing.probe,
            (None, Some(_)) => self.timing.watch,
            (None, None) => return None,
        };
        let incumbent = self.incumbent();
        let mut nodes: Vec<Address> = self.replicas.clone();
        nodes.extend(self.candidates.iter().map(|candidate| candidate.address.clone()));
        nodes.sort();
        nodes.dedup();
        nodes.retain(|node| Some(node) != incumbent);
        (!nodes.is_empty()).then_some(Probe { nodes, every })
    }

    /// When to be ticked at the latest.
    pub fn wake_at(&self) -> Time {
        let mut at = self.next_ask;
        if let Some(round) = &self.round {
            at = round.asked_at + self.timing.answer;
            at = at.min(round.patience.unwrap_or(at));
        }
        if self.lost.is_some() {
            at = at.min(self.next_check);
        }
        if let Some(failover) = &self.failover {
            at = at.min(failover.since + self.timing.fence);
        }
        at
    }

    /// Begins: asks for the first time.
    pub fn start(&mut self, now: Time) -> Vec<Action> {
        self.handle(now, Event::Tick)
    }
}
