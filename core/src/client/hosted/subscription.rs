//! One subscription: what it wants, what has come of it, and how its connection fares.

use super::inbox::Inbox;
use crate::client::pubsub::{By, Heard, Incoming, Wanted};
use crate::error::{Error, Result};
use crate::topology::Mover;
use std::time::{Duration, Instant, SystemTime};

#[derive(Debug)]
pub(super) struct Subscription {
    wanted: Wanted,
    inbox: Inbox,
    /// Its connection.
    line: Option<Line>,
    /// Since when it has waited for one, or does so again.
    waits_since: Instant,
    /// The subscriber knows that there is none.
    complained: bool,
    /// Something was subscribed to, so that from now on messages can be missed.
    begun: bool,
    /// It is on its way to a new connection.
    mover: Option<Mover>,
}

#[derive(Debug)]
struct Line {
    /// Channels that the server has neither confirmed nor refused.
    unanswered: usize,
    heard_at: Instant,
}

impl Subscription {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            wanted: Wanted::default(),
            inbox: Inbox::default(),
            line: None,
            waits_since: now,
            complained: false,
            begun: false,
            mover: None,
        }
    }

    /// Wants a channel. `true`: it was not wanted already, so the server has to be told.
    pub(super) fn add(&mut self, by: By, name: &[u8], now: Instant) -> bool {
        if self.wanted.is_empty() {
            self.waits_since = now;
        }
        let new = self.wanted.add(by, name);
        if let Some(line) = self.line.as_mut().filter(|_| new) {
            line.unanswered += 1;
        }
        new
    }

    pub(super) fn remove(&mut self, by: By, name: &[u8]) {
        self.wanted.remove(by, name);
    }

    pub(super) fn needs_connection(&self) -> bool {
        self.line.is_none() && !self.wanted.is_empty()
    }

    pub(super) fn is_ready(&self) -> bool {
        self.wanted.is_empty() || self.is_confirmed()
    }

    fn is_confirmed(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.unanswered == 0)
    }

    /// There is a connection: what to send on it.
    pub(super) fn connected(&mut self, now: Instant) -> Vec<u8> {
        let (bytes, unanswered) = self.wanted.request();
        self.line = Some(Line { unanswered, heard_at: now });
        bytes
    }

    /// The connection is gone. Nothing is sure to have come since its last sign of life.
    pub(super) fn cut_off(&mut self, now: Instant, mover: Option<Mover>) {
        if let Some(line) = self.line.take() {
            self.waits_since = now;
            if self.begun {
                self.mover = mover;
                let now_there = SystemTime::now();
                let since = now_there.checked_sub(now.duration_since(line.heard_at));
                self.inbox.open_gap(since.unwrap_or(now_there));
            }
        }
    }

    /// Takes in a frame. `true`: the subscriber has to know.
    pub(super) fn take_in(&mut self, heard: Heard, now: Instant) -> bool {
        let Some(line) = &mut self.line else { return false };
        line.heard_at = now;
        match heard {
            Heard::Message(incoming) => self.inbox.add(incoming),
            Heard::Confirmed => {
                self.begun = true;
                self.answered()
            }
            Heard::Refused(refusal) if line.unanswered > 0 => {
                let news = self.inbox.add_error(Error::server(&refusal).during("SUBSCRIBE"));
                self.answered() || news
            }
            // Also the refusal of a PING is a sign of life.
            Heard::Refused(_) | Heard::Pulse => false,
        }
    }

    fn answered(&mut self) -> bool {
        if let Some(line) = &mut self.line {
            line.unanswered = line.unanswered.saturating_sub(1);
        }
        let confirmed = self.is_confirmed();
        if confirmed {
            self.complained = false;
            self.mover = None;
            self.inbox.close_gap();
        }
        confirmed
    }

    pub(super) fn is_silent(&self, now: Instant, patience: Duration) -> bool {
        self.line.as_ref().is_some_and(|line| now >= line.heard_at + patience)
    }

    /// Whether a PING is worth sending: a server that has something to answer already shows by
    /// that whether it lives.
    pub(super) fn asks_for_life(&self) -> bool {
        self.is_confirmed()
    }

    /// Why it cannot be heard, said once. `true`: the subscriber has to know.
    pub(super) fn complain(&mut self, why: &Error) -> bool {
        let says = !self.complained && !self.is_ready();
        self.complained |= says;
        says && self.inbox.add_error(why.clone().during("SUBSCRIBE"))
    }

    pub(super) fn complains_at(&self, patience: Duration) -> Option<Instant> {
        (!self.complained && !self.is_ready()).then(|| self.waits_since + patience)
    }

    pub(super) fn next(&mut self) -> Option<Result<Incoming>> {
        if self.is_confirmed() {
            self.inbox.close_gap();
        }
        self.inbox.next()
    }

    pub(super) fn take_error(&mut self) -> Option<Error> {
        self.inbox.take_error()
    }
}
