//! The lane of evented hosts (asyncio, Node.js, libuv, epoll): the host owns the transport and
//! the clock, this owns the protocol. Bytes in, bytes out, no wake-up of any thread.

use crate::error::{Error, Kind, Result};
use crate::proto::ledger::{Ledger, Lost, Span};
use crate::proto::read::Frame;
use crate::proto::scan::{Limits, Scanner};
use std::time::Instant;

/// Names a command to the host; the host gives them out, each once.
pub type Token = u64;

/// What came in.
#[derive(Debug, Clone, Copy)]
pub enum Arrival<'a> {
    /// A reply to the commands of this token; `last` when it is complete with it.
    Reply { token: Token, frame: Frame<'a>, last: bool },
    /// Out-of-band data.
    Push(Frame<'a>),
}

#[derive(Debug)]
pub struct Lane {
    out: Vec<u8>,
    input: Vec<u8>,
    scanner: Scanner,
    ledger: Ledger<Waiting>,
    /// No deadline is before this one; it may belong to a command that has its reply by now.
    earliest: Option<Instant>,
    max_in_flight: usize,
    /// No frame answers a command any more.
    listens: bool,
}

#[derive(Debug)]
struct Waiting {
    /// `None` once nobody waits for the reply.
    token: Option<Token>,
    /// `None` once it has passed and the host was told.
    deadline: Option<Instant>,
}

impl Lane {
    pub fn new(limits: Limits, max_in_flight: usize) -> Self {
        Self {
            out: Vec::new(),
            input: Vec::new(),
            scanner: Scanner::new(limits),
            ledger: Ledger::default(),
            earliest: None,
            max_in_flight,
            listens: false,
        }
    }

    /// From now on every frame is shown as a push, and none answers a command: in RESP2, what
    /// subscribers get looks like any reply.
    pub fn listen(&mut self) {
        self.listens = true;
    }

    /// Appends bytes whose answers the host tells apart by itself, once the lane listens.
    pub fn send(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Appends encoded commands. `Busy` when too many wait already.
    pub fn submit(
        &mut self,
        token: Token,
        bytes: &[u8],
        span: Span,
        deadline: Option<Instant>,
    ) -> Result<()> {
        if self.ledger.len() >= self.max_in_flight {
            return Err(Error::new(
                Kind::Busy,
                format!(
                    "{} commands wait for replies already (option max_in_flight)",
                    self.max_in_flight
                ),
            ));
        }
        self.out.extend_from_slice(bytes);
        self.ledger.append(Waiting { token: Some(token), deadline }, span);
        self.earliest = sooner(self.earliest, deadline);
        Ok(())
    }

    /// Whether there is output to take.
    pub fn has_output(&self) -> bool {
        !self.out.is_empty()
    }

    /// All bytes that wait to be written. They count as sent from now on.
    pub fn take_output(&mut self) -> Vec<u8> {
        self.ledger.wrote(self.out.len());
        std::mem::take(&mut self.out)
    }

    /// Takes what the transport has read, and shows every complete reply.
    pub fn feed(&mut self, bytes: &[u8], mut show: impl FnMut(Arrival<'_>)) -> Result<()> {
        let Self { input, scanner, ledger, listens, .. } = self;
        // What is complete in one read needs no copy.
        let buffered = !input.is_empty();
        if buffered {
            input.extend_from_slice(bytes);
        }
        let all = if buffered { input.as_slice() } else { bytes };
        let mut start = 0;
        while start < all.len() {
            let rest = &all[start..];
            let length = match scanner.scan(rest) {
                Ok(Some(length)) => length,
                Ok(None) => break,
                Err(malformed) => return Err(Error::new(Kind::Server, malformed.to_string())),
            };
            let frame = Frame::trusted(&rest[..length]);
            start += length;
            if *listens || frame.is_push() {
                show(Arrival::Push(frame));
                continue;
            }
            let Some((&Waiting { token, .. }, last)) = ledger.answer() else {
                let why = "the server sent a reply that nobody asked for";
                return Err(Error::new(Kind::Server, why));
            };
            ledger.retire();
            if let Some(token) = token {
                show(Arrival::Reply { token, frame, last });
            }
        }
        if buffered {
            input.drain(..start);
            if input.is_empty() {
                *input = Vec::new();
            }
        } else {
            input.extend_from_slice(&bytes[start..]);
        }
        ledger.shrink();
        Ok(())
    }

    /// Takes back a command whose caller has gone, if its bytes were not taken yet. Else its
    /// reply will still come, and the host drops it by its token.
    pub fn withdraw(&mut self, token: Token) -> bool {
        let is_it = |waiting: &Waiting| waiting.token == Some(token);
        let range = self.ledger.withdraw(self.out.len(), is_it);
        if let Some(range) = range.clone() {
            self.out.drain(range);
        }
        range.is_some()
    }

    /// Those of whose bytes none was taken yet, in order.
    pub fn unsent(&self) -> impl Iterator<Item = Token> {
        self.ledger.unsent().filter_map(|waiting| waiting.token)
    }

    /// Parts a command from its token, which may be submitted anew: the reply is dropped when it
    /// comes, and nothing is told of its fate.
    pub fn disown(&mut self, token: Token) {
        for waiting in self.ledger.waiting_mut() {
            waiting.token.take_if(|it| *it == token);
        }
    }

    /// It is full of commands that nobody waits for any more, so nothing can be sent here that
    /// would show whether the server still answers.
    pub fn is_choked(&self) -> bool {
        self.ledger.len() >= self.max_in_flight
            && self.ledger.waiting().all(|waiting| waiting.token.is_none())
    }

    /// The transport is gone. `unwritten`: how many bytes of the output it knows it never wrote;
    /// zero if it does not know. The lane starts afresh.
    pub fn on_lost(&mut self, unwritten: usize) -> Vec<Lost<Token>> {
        self.ledger.unwrote(unwritten);
        let lost = self.ledger.lost().into_iter();
        *self = Self::new(self.scanner.limits(), self.max_in_flight);
        lost.filter_map(|Lost { token, answered, fates }| {
            Some(Lost { token: token.token?, answered, fates })
        })
        .collect()
    }

    /// When the host has to look for overdue commands, if nothing comes before. May be too
    /// early, never too late.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.earliest.filter(|_| !self.ledger.is_empty())
    }

    /// The commands whose deadline has passed, each told once. Their replies may still come.
    pub fn overdue(&mut self, now: Instant) -> Vec<Token> {
        let mut overdue = Vec::new();
        self.earliest = None;
        for waiting in self.ledger.waiting_mut() {
            match waiting.deadline {
                Some(deadline) if deadline <= now => {
                    waiting.deadline = None;
                    overdue.extend(waiting.token);
                }
                Some(deadline) => {
                    self.earliest = sooner(self.earliest, Some(deadline));
                }
                None => {}
            }
        }
        overdue
    }

    /// Whether anybody still waits for a reply in time.
    pub fn is_awaited(&self) -> bool {
        self.ledger.waiting().any(|waiting| waiting.deadline.is_some())
    }

    pub fn in_flight(&self) -> usize {
        self.ledger.len()
    }

    /// Nothing was asked that is not answered.
    pub fn is_idle(&self) -> bool {
        self.ledger.is_empty() && self.input.is_empty()
    }

    /// Bytes of memory that the buffers hold.
    pub fn memory(&self) -> usize {
        self.out.capacity() + self.input.capacity() + self.ledger.memory()
    }
}

/// The sooner of two deadlines, of which either may be missing.
fn sooner(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
