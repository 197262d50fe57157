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
mod news;
mod role;
mod timing;

use super::{Phase, Sentinel, Topology};
use crate::config::Address;
use crate::error::Error;
use crate::proto::handshake::Role;
pub use candidate::Answer;
pub use news::News;
use std::time::Duration;
pub use timing::{Probe, Timing};

/// Time since any fixed moment.
pub type Time = Duration;

/// A Sentinel's index in the order of [`Decide::sentinels`].
pub type SentinelId = usize;

/// What has happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A Sentinel answered the round of questions, or failed to.
    Answer(SentinelId, Answer),
    /// A Sentinel published something about our primary.
    News(SentinelId, News),
    /// A node answered ROLE, or did not.
    Role(Address, Result<Role, Error>),
    /// A command met something that a primary does not do.
    Trouble { epoch: u64, trouble: Trouble },
    /// A single node's name leads to another machine now, and that one is primary.
    Moved,
    /// Time has passed.
    Tick,
}

/// What a connection to the primary met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// A new connection was refused, reset, or not answered.
    Unreachable,
    /// It answered ROLE as something else, or refused writes as a replica does.
    NotPrimary,
    /// A reply is overdue.
    Overdue,
}

/// What has to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Ask every Sentinel who the primary is.
    Ask,
    /// Connect to the node and ask ROLE once.
    Check(Address),
    /// Show the new [`Decide::topology`] to all clients.
    Publish,
    /// Something worth telling the application.
    Tell(Told),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The primary has changed.
    Failover { from: Option<Address>, to: Address, detected_by: Source, took: Duration },
    /// A failover was announced and called off, or did not come about.
    Unfenced { primary: Address, why: &'static str },
    /// A Sentinel named something that ROLE disproved.
    Misnamed { sentinel: Address, named: Address, is: String },
}

/// What led to a primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Sentinels named it when asked.
    Sentinels,
    /// `+switch-master`.
    Switch,
    /// It answered ROLE as primary before any Sentinel said so.
    Probe,
    /// The former primary is its replica now.
    Demotion,
    /// It was lost, and is back.
    Return,
    /// Its name leads to another machine.
    Dns,
}

impl Source {
    pub fn name(self) -> &'static str {
        match self {
            Source::Sentinels => "sentinels",
            Source::Switch => "+switch-master",
            Source::Probe => "probe",
            Source::Demotion => "demotion",
            Source::Return => "return",
            Source::Dns => "dns",
        }
    }
}

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

/// The verified primary.
#[derive(Debug, Clone)]
struct Primary {
    address: Address,
    /// The failover that made it one, counted by the Sentinels; `None` while none has said.
    config_epoch: Option<u64>,
    /// What counted for its predecessor.
    at_least: Option<u64>,
    /// When it was accepted.
    since: Time,
}

/// What one Sentinel has said.
#[derive(Debug)]
struct View {
    address: Address,
    answer: Option<Answer>,
    answered_at: Time,
    /// It published that the primary is down, and not that it is up again.
    calls_down: bool,
    /// The replicas that it calls down.
    absent: Vec<Address>,
    /// An address that it named and ROLE disproved, and until when that is held against it.
    doubted: Option<(Address, Time)>,
}

/// An announced failover of our primary.
#[derive(Debug)]
struct Failover {
    since: Time,
    /// Writes are held because of it.
    fences: bool,
}

/// An address we moved away from.
#[derive(Debug)]
struct Left {
    address: Address,
    config_epoch: Option<u64>,
    since: Time,
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
        match (&self.primary, self.lost, &self.failover) {
            (None, ..) => Phase::Resolving,
            (Some(_), Some(_), _) => Phase::Lost,
            _ if self.hearing => Phase::Resolving,
            (Some(_), None, Some(failover)) if failover.fences => Phase::Fenced,
            _ => Phase::Ready,
        }
    }

    /// Whether a majority calls this replica down.
    fn is_absent(&self, replica: &Address) -> bool {
        let voices = self.sentinels.iter().filter(|view| view.absent.contains(replica)).count();
        self.is_majority(voices)
    }

    fn is_primary(&self, address: &Address) -> bool {
        self.primary.as_ref().is_some_and(|primary| primary.address == *address)
    }

    fn is_left(&self, address: &Address) -> bool {
        self.left.iter().any(|left| left.address == *address)
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

    /// From here on this address has to prove more than others.
    fn leave(&mut self, now: Time, address: Address, config_epoch: Option<u64>) {
        self.learn_replica(address.clone());
        self.left.push(Left { address, config_epoch, since: now });
    }

    /// Takes a proven node for the primary.
    fn accept(
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
        let replaced = |view: &View| view.answer.as_ref().is_some_and(|it| it.replaces(&address));
        if self.sentinels.iter().any(replaced) {
            // Started in the middle of a failover: this one says "primary" to the end.
            self.failover = Some(Failover { since: now, fences: self.fence });
        }
        self.primary = Some(Primary { address, config_epoch, at_least, since: now });
    }
}

impl View {
    fn show(&self) -> Sentinel {
        let says = match &self.answer {
            None => "nothing yet".to_owned(),
            Some(Answer::Names { primary, .. }) => primary.to_string(),
            Some(Answer::Unknown { .. }) => "it knows no such primary".to_owned(),
            Some(Answer::Failed(error)) => error.to_string(),
        };
        let up = matches!(self.answer, Some(Answer::Names { .. } | Answer::Unknown { .. }));
        Sentinel { address: self.address.clone(), up, says }
    }
}
