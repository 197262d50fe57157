//! One connection of the host's, from the wish for it to its end.

use super::calls::WatchId;
use crate::client::Origin;
use crate::client::script::Scripts;
use crate::client::verdict;
use crate::config::{Address, Config};
use crate::error::{Error, Kind, Result};
use crate::lane::hosted::{Arrival, Lane, Token};
use crate::policy::Doubt;
use crate::proto::handshake::{Greeting, Handshake, Role};
use crate::proto::ledger::Span;
use crate::proto::read::Frame;
use crate::proto::scan::Limits;
use crate::topology::{self, Topology};
use std::time::Instant;

/// Names a connection to the host.
pub type LinkId = u32;

/// What a connection is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Everybody's commands, one behind the other.
    Shared,
    /// Nothing at the moment: it is for the next who needs one of his own.
    Spare,
    /// This command, which may wait on the server.
    Call(Token),
    Watch(WatchId),
    Subscription(Token),
}

/// The replies to a handshake, and to what prepares a connection, belong to no call.
const HANDSHAKE: Token = Token::MAX;

/// Where a connection leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// That of the topology that it was opened for.
    pub(super) epoch: u64,
    /// `None`: to the primary.
    pub(super) replica: Option<Address>,
}

impl Place {
    pub(super) fn primary(topology: &Topology) -> Self {
        Self { epoch: topology.epoch, replica: None }
    }
}

#[derive(Debug)]
pub(super) struct Link {
    pub(super) id: LinkId,
    pub(super) place: Place,
    /// The same as errors name it, also when it is the primary no more.
    pub(super) node: Address,
    /// The same as cursors know it.
    pub(super) origin: Origin,
    pub(super) lane: Lane,
    pub(super) used: Use,
    state: State,
    /// A reply did not come in time: no more calls for it, but those that wait may be answered.
    pub(super) shunned: bool,
    /// Calls wait for another connection, which comes when those that are under way are answered.
    pub(super) parting: bool,
    /// When bytes came, or it was asked for.
    pub(super) heard_at: Instant,
    /// When the node must be verified at the latest.
    pub(super) ready_by: Option<Instant>,
    /// When to see whether a server that is silent on purpose still lives.
    pub(super) pulse: Option<Instant>,
}

#[derive(Debug)]
enum State {
    /// The host is connecting.
    Opening,
    Greeting(Box<Handshake>),
    Ready,
}

impl Link {
    pub(super) fn new(
        id: LinkId,
        place: Place,
        used: Use,
        node: &Address,
        config: &Config,
        now: Instant,
    ) -> Self {
        let limits = Limits { bytes: config.max_reply_bytes, ..Limits::default() };
        Self {
            id,
            origin: Origin::of(place.epoch, Some(node)),
            place,
            node: node.clone(),
            lane: Lane::new(limits, config.max_in_flight),
            used,
            state: State::Opening,
            shunned: false,
            parting: false,
            heard_at: now,
            ready_by: Some(now + config.connect_timeout),
            pulse: None,
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready)
    }

    /// It is verified, leads to this place, and answers in time.
    pub(super) fn is_usable(&self, place: &Place) -> bool {
        self.is_ready() && !self.shunned && !self.parting && self.place == *place
    }

    /// It leads to another primary, or to what is no replica any more.
    pub(super) fn is_stale(&self, topology: &Topology) -> bool {
        let gone = |replica: &Address| !topology.replicas.contains(replica);
        self.place.epoch < topology.epoch || self.place.replica.as_ref().is_some_and(gone)
    }

    /// The host is connected: introduces us.
    pub(super) fn greet(&mut self, config: &Config) -> Result<()> {
        let mut out = Vec::new();
        let handshake = Handshake::new(topology::login(config)?, &mut out);
        self.ask(&handshake, &out);
        self.state = State::Greeting(Box::new(handshake));
        Ok(())
    }

    fn ask(&mut self, handshake: &Handshake, out: &[u8]) {
        if !out.is_empty() {
            let span = Span::Unit { bytes: out.len(), replies: handshake.awaits() };
            // The lane is empty, so it has room; its deadline is `ready_by`.
            let _ = self.lane.submit(HANDSHAKE, out, span, None);
        }
    }

    /// Has the scripts loaded before anything else is sent. Should that fail, their calls send
    /// their source.
    pub(super) fn load(&mut self, scripts: &Scripts) {
        let (bytes, replies) = scripts.loads();
        if replies > 0 {
            let span = Span::Unit { bytes: bytes.len(), replies };
            let _ = self.lane.submit(HANDSHAKE, &bytes, span, None);
        }
    }

    /// Takes in bytes. `Ok(true)`: the node has just been verified.
    pub(super) fn feed(
        &mut self,
        bytes: &[u8],
        mut reply: impl FnMut(Token, Frame<'_>, bool),
    ) -> Result<bool, (Error, Doubt)> {
        let Self { lane, state, .. } = self;
        let mut greeting = None;
        let mut out = Vec::new();
        let fed = lane.feed(bytes, |arrival| match arrival {
            Arrival::Reply { token: HANDSHAKE, frame, .. } => {
                if let State::Greeting(handshake) = state
                    && greeting.is_none()
                {
                    greeting = handshake.reply(frame, &mut out).transpose();
                }
            }
            Arrival::Reply { token, frame, last } => reply(token, frame, last),
            Arrival::Push(_) => {}
        });
        fed.map_err(|error| (error, Doubt::Unreachable))?;
        if !out.is_empty()
            && let State::Greeting(handshake) = &self.state
        {
            let awaits = handshake.awaits();
            let span = Span::Unit { bytes: out.len(), replies: awaits };
            let _ = self.lane.submit(HANDSHAKE, &out, span, None);
        }
        match greeting {
            None => Ok(false),
            Some(Ok(Greeting { role, .. })) => match (&self.place.replica, role) {
                (None, Role::Primary) | (Some(_), Role::Replica { linked: true, .. }) => {
                    self.vouch();
                    Ok(true)
                }
                (None, role) => {
                    let why = format!("the node is no primary but a {}", role.name());
                    Err((Error::new(Kind::Unavailable, why), Doubt::NotPrimary))
                }
                (Some(replica), role) => Err((verdict::unfit(replica, &role), Doubt::None)),
            },
            Some(Err(error)) if error.kind() == Kind::Auth => Err((error, Doubt::None)),
            Some(Err(error)) => Err((error, Doubt::Unreachable)),
        }
    }

    /// It is verified.
    pub(super) fn vouch(&mut self) {
        self.state = State::Ready;
        self.ready_by = None;
    }

    /// Why it was given up when `ready_by` passed.
    pub(super) fn late(&self) -> Error {
        match self.state {
            State::Opening => Error::new(Kind::Unavailable, "cannot connect: no answer in time"),
            _ => verdict::mute(),
        }
    }
}
