//! The calls that have no outcome yet.

use crate::client::Origin;
use crate::client::pipeline::Pipeline;
use crate::client::reads::Reading;
use crate::client::script::Script;
use crate::client::transaction::Transaction;
use crate::client::{CallOptions, Deadlines, Job};
use crate::command::Wait;
use crate::lane::hosted::Token;
use crate::policy::{Backoff, Effect};
use crate::proto::ledger::Span;
use crate::proto::shape::Shape;
use std::sync::Arc;
use std::time::Instant;

/// Names the attempts at one watched change.
pub type WatchId = u64;

/// Which connection a call takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Everybody's.
    Shared,
    /// One of its own, until the reply is in.
    Own,
    /// One of its own, which is the watch's from then on.
    Begins(WatchId),
    /// The watch's, and no other.
    Watched(WatchId),
}

/// A call on its way to an outcome.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) what: What,
    pub(super) bytes: Vec<u8>,
    pub(super) span: Span,
    pub(super) effect: Effect,
    pub(super) wait: Wait,
    pub(super) on_replica: bool,
    pub(super) keeps_to: Option<Origin>,
    /// How to choose a node; `None`: the primary.
    pub(super) reading: Option<Reading>,
    pub(super) turn: usize,
    pub(super) options: CallOptions,
    pub(super) deadlines: Deadlines,
    pub(super) backoff: Backoff,
    /// It was sent already, never answered, and goes again because the caller agreed to it.
    pub(super) may_have_run: bool,
    /// It is a step of this watch.
    pub(super) watch: Option<WatchId>,
    pub(super) sent_at: Option<Instant>,
    /// Since when it waits for a connection.
    pub(super) held_since: Option<Instant>,
    /// Not to be sent again before this.
    pub(super) rests_until: Option<Instant>,
    /// The replies of a transaction so far.
    pub(super) frames: Vec<u8>,
}

/// What was called, and what its replies have to become.
#[derive(Debug)]
pub(super) enum What {
    Command {
        shape: &'static Shape,
        /// Whose source goes out should the server not know its digest.
        script: Option<Arc<Script>>,
    },
    Pipeline(Pipeline),
    Transaction(Transaction),
    /// WATCH.
    Watch,
}

impl Call {
    pub(super) fn of(self, what: What) -> Self {
        Self { what, ..self }
    }

    pub(super) fn way(&self) -> Way {
        match (self.watch, &self.what) {
            (Some(id), What::Watch) => Way::Begins(id),
            (Some(id), _) => Way::Watched(id),
            (None, _) if self.wait != Wait::No => Way::Own,
            (None, _) => Way::Shared,
        }
    }

    pub(super) fn job(&self) -> Job<'_> {
        Job {
            bytes: &self.bytes,
            span: self.span.clone(),
            effect: self.effect,
            wait: self.wait,
            on_replica: self.on_replica,
            keeps_to: self.keeps_to,
        }
    }

    /// Whether its connection is for the next caller once it is answered.
    pub(super) fn frees_link(&self, well: bool) -> bool {
        match self.way() {
            Way::Own => true,
            // No key is watched any more.
            Way::Watched(_) => well && matches!(self.what, What::Transaction(_)),
            Way::Shared | Way::Begins(_) => false,
        }
    }

    pub(super) fn pipeline(&mut self) -> Option<&mut Pipeline> {
        match &mut self.what {
            What::Pipeline(pipeline) => Some(pipeline),
            _ => None,
        }
    }
}

/// Calls by token. A token names one call and no later one, though its place is used again.
#[derive(Debug, Default)]
pub(super) struct Calls {
    places: Vec<Place>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Place {
    turn: u32,
    call: Option<Box<Call>>,
}

impl Calls {
    pub(super) fn add(&mut self, call: Call) -> Token {
        let call = Some(Box::new(call));
        match self.free.pop() {
            Some(index) => {
                let place = &mut self.places[index as usize];
                place.call = call;
                token(index, place.turn)
            }
            None => {
                self.places.push(Place { turn: 0, call });
                token(self.places.len() as u32 - 1, 0)
            }
        }
    }

    pub(super) fn get(&mut self, token: Token) -> Option<&mut Call> {
        let place = self.places.get_mut(index(token))?;
        (place.turn == turn(token)).then_some(place.call.as_deref_mut()?)
    }

    pub(super) fn take(&mut self, token: Token) -> Option<Box<Call>> {
        let place = self.places.get_mut(index(token))?;
        if place.turn != turn(token) {
            return None;
        }
        let call = place.call.take()?;
        place.turn = place.turn.wrapping_add(1);
        self.free.push(index(token) as u32);
        Some(call)
    }

    /// Everyone who still waits.
    pub(super) fn tokens(&self) -> Vec<Token> {
        let waiting = self.places.iter().enumerate().filter(|(_, place)| place.call.is_some());
        waiting.map(|(index, place)| token(index as u32, place.turn)).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }
}

/// Tokens that no call has.
pub(super) fn token_of_no_call(number: u32) -> Token {
    token(u32::MAX, number)
}

fn token(index: u32, turn: u32) -> Token {
    Token::from(turn) << 32 | Token::from(index)
}

fn index(token: Token) -> usize {
    (token & u64::from(u32::MAX)) as usize
}

fn turn(token: Token) -> u32 {
    (token >> 32) as u32
}
