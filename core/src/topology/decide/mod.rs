//! Who is primary, as a state machine without I/O, clock or threads.
//!
//! A Sentinel's word is a hint, ROLE is the proof. Both are needed: the old primary of a planned
//! failover goes on saying "master" for ten seconds, and a promoted replica says it a second
//! before any Sentinel does.
//!
//! - A candidate is named by the Sentinels (highest config epoch, then most voices), by
//!   `+switch-master`, or by a demoted primary; it is accepted once it answers ROLE as primary.
//! - A replica that answers ROLE as primary is accepted without being named only while a failover
//!   of our primary is announced, or while our primary is lost and a majority calls it down; and
//!   only if it was seen to be a replica before: a former primary that restarts says "master" too.
//! - An address that was left stays fenced until it is named with a newer config epoch, says that
//!   it is a replica, or the primary that replaced it turns out to be none: it says so, or it is
//!   lost before any Sentinel has named it, and all of them stand by the one before.

mod candidate;
mod event;
mod failover;
mod news;
mod primary;
mod role;
mod timing;
mod view;

use super::{Phase, Topology};
use crate::config::Address;
use crate::error::Error;
pub use event::{Action, Event, Source, Told, Trouble};
use failover::Failover;
pub use news::News;
use primary::{Left, Primary};
use std::time::Duration;
pub use timing::{Probe, Timing};
pub use view::Answer;
use view::View;

/// Time since any fixed moment.
pub type Time = Duration;

/// A Sentinel's index in the order of [`Decide::sentinels`].
pub type SentinelId = usize;

#[derive(Debug)]
pub struct Decide {
    timing: Timing,
    fence: bool,
    sentinels: Vec<View>,
    epoch: u64,
    primary: Option<Primary>,
    /// The node that was last named, while no primary is accepted.
    named: Option<Address>,
    /// Since when the primary (or the named node) is known to be gone or silent.
    lost: Option<Time>,
    failover: Option<Failover>,
    /// The first primary was proven before all Sentinels were heard. Only one of them, the leader,
    /// knows of a failover under way, and it may be the last to answer.
    hearing: bool,
    left: Vec<Left>,
    candidates: Vec<Candidate>,
    replicas: Vec<Address>,
    /// Those that have said that they are, since the primary was accepted, and those that a
    /// Sentinel has chosen to follow it.
    followers: Vec<Address>,
    round: Option<Round>,
    next_ask: Time,
    /// How often asking in a row has led to nothing.
    vain: u32,
    checking: Vec<(Address, Time)>,
    next_check: Time,
    /// What the incumbent answered instead of being the primary.
    reason: Option<String>,
    refused: Option<Error>,
    shown: Option<Topology>,
}

/// A node that was named and has still to prove itself.
#[derive(Debug)]
struct Candidate {
    address: Address,
    source: Source,
    config_epoch: Option<u64>,
}

/// One round of questions to all Sentinels.
#[derive(Debug)]
struct Round {
    asked_at: Time,
    /// When to choose although some have not answered; `None` before the first answer, and
    /// once it is done.
    patience: Option<Time>,
    answered: bool,
    open: Vec<SentinelId>,
}

impl Decide {
    /// Nothing is known but where the Sentinels are. Feed it a [`Event::Tick`] to begin.
    pub fn new(sentinels: Vec<Address>, fence: bool, timing: Timing) -> Self {
        let mut decide = Self::blank(fence, timing);
        for address in sentinels {
            decide.learn_sentinel(address);
        }
        decide
    }

    /// A node without Sentinels: it is the primary whenever it says so.
    pub fn single(node: Address, timing: Timing) -> Self {
        let mut decide = Self::blank(false, timing);
        decide.named = Some(node);
        decide.lost = Some(Time::ZERO);
        decide
    }

    fn blank(fence: bool, timing: Timing) -> Self {
        Self {
            timing,
            fence,
            sentinels: Vec::new(),
            epoch: 0,
            primary: None,
            named: None,
            lost: None,
            failover: None,
            hearing: false,
            left: Vec::new(),
            candidates: Vec::new(),
            replicas: Vec::new(),
            followers: Vec::new(),
            round: None,
            next_ask: Time::ZERO,
            vain: 0,
            checking: Vec::new(),
            next_check: Time::ZERO,
            reason: None,
            refused: None,
            shown: None,
        }
    }

    /// Takes in what happened, and says what to do about it.
    pub fn handle(&mut self, now: Time, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::Answer(sentinel, answer) => self.answered(now, sentinel, answer, &mut actions),
            Event::News(sentinel, news) => self.heard(now, sentinel, news, &mut actions),
            Event::Role(address, role) => self.proved(now, &address, role, &mut actions),
            Event::Trouble { epoch, trouble } => self.troubled(now, epoch, trouble, &mut actions),
            Event::Moved => self.moved(now, &mut actions),
            Event::Tick => {}
        }
        self.pass_time(now, &mut actions);
        let topology = self.topology();
        if self.shown.as_ref() != Some(&topology) {
            self.shown = Some(topology);
            actions.push(Action::Publish);
        }
        actions
    }

    /// All Sentinels, those learned since included. An index stays the same Sentinel.
    pub fn sentinels(&self) -> impl Iterator<Item = &Address> {
        self.sentinels.iter().map(|view| &view.address)
    }

    pub fn topology(&self) -> Topology {
        let primary = self.primary.as_ref().map(|primary| primary.address.clone());
        Topology {
            epoch: self.epoch,
            phase: self.phase(),
            replicas: self
                .replicas
                .iter()
                .filter(|&it| Some(it) != primary.as_ref() && !self.is_absent(it))
                .cloned()
                .collect(),
            primary,
            sentinels: self.sentinels.iter().map(View::show).collect(),
            reason: self.reason.clone(),
            refused: self.refused.clone(),
        }
    }

    fn phase(&self) -> Phase {
        match (&self.primary, self.lost) {
            (None, _) => Phase::Resolving,
            (Some(_), Some(_)) => Phase::Lost,
            _ if self.hearing => Phase::Resolving,
            _ if self.is_fenced() => Phase::Fenced,
            _ => Phase::Ready,
        }
    }

    /// Whether a majority calls this replica down.
    fn is_absent(&self, replica: &Address) -> bool {
        let voices = self.sentinels.iter().filter(|view| view.absent.contains(replica)).count();
        self.is_majority(voices)
    }

    /// The primary, or who was named as such while there is none.
    fn incumbent(&self) -> Option<&Address> {
        self.primary.as_ref().map(|primary| &primary.address).or(self.named.as_ref())
    }

    fn learn_sentinel(&mut self, address: Address) {
        if !self.sentinels().any(|known| *known == address) {
            self.sentinels.push(View {
                address,
                answer: None,
                answered_at: Time::ZERO,
                calls_down: false,
                absent: Vec::new(),
                doubted: None,
            });
        }
    }

    fn learn_replica(&mut self, address: Address) {
        if !self.replicas.contains(&address) {
            self.replicas.push(address);
        }
    }

    fn learn_follower(&mut self, address: Address) {
        if !self.followers.contains(&address) {
            self.followers.push(address);
        }
    }
}
