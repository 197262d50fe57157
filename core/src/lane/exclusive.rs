//! A connection of one caller's own: for blocking commands, WATCH, subscriptions and handshakes.

use super::call::{Caller, Cause, Failure, Request};
use super::outgoing::Outgoing;
use super::wire::{Interest, SLICE, Wire};
use crate::error::{Error, Kind};
use crate::proto::ledger::Ledger;
use crate::proto::read::Frame;
use crate::proto::scan::{Limits, Scanner};
use std::io;
use std::ops::Range;
use std::time::Instant;

/// Another thread may hold a clone of the wire (an `Arc`) and close it: that wakes the owner.
#[derive(Debug)]
pub struct Exclusive<W: Wire> {
    wire: W,
    out: Outgoing,
    input: Vec<u8>,
    /// The reply handed out last; its bytes go with the next read.
    seen: usize,
    scanner: Scanner,
    ledger: Ledger<()>,
    over: Option<Error>,
}

impl<W: Wire> Exclusive<W> {
    pub fn new(wire: W, limits: Limits) -> Self {
        Self {
            wire,
            out: Outgoing::default(),
            input: Vec::new(),
            seen: 0,
            scanner: Scanner::new(limits),
            ledger: Ledger::default(),
            over: None,
        }
    }

    pub fn wire(&self) -> &W {
        &self.wire
    }

    /// For another use of the connection, once every reply is in.
    pub fn into_wire(self) -> W {
        self.wire
    }

    /// Why the connection cannot be used any more.
    pub fn over(&self) -> Option<&Error> {
        self.over.as_ref()
    }

    /// Sends a request and waits for its replies, which end up in `frames` end to end.
    ///
    /// A wait that ends early leaves a reply behind: the connection cannot be used after it.
    pub fn call(
        &mut self,
        request: Request<'_>,
        caller: Caller<'_>,
        frames: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        frames.clear();
        let replies = request.span.replies();
        self.ledger.append((), request.span);
        self.out.push(request.bytes);
        for _ in 0..replies {
            match self.reply(caller) {
                Ok(range) => frames.extend_from_slice(&self.input[range]),
                Err(cause) => return Err(self.fail(cause)),
            }
        }
        self.ledger.retire();
        Ok(())
    }

    /// Sends bytes whose answers the caller tells apart by itself.
    pub fn send(&mut self, bytes: &[u8]) {
        self.out.push(bytes);
    }

    /// Waits for the next frame of any kind.
    pub fn next(&mut self, caller: Caller<'_>) -> Result<Frame<'_>, Cause> {
        let range = self.frame(caller)?;
        Ok(Frame::trusted(&self.input[range]))
    }

    /// The next frame that answers a command.
    fn reply(&mut self, caller: Caller<'_>) -> Result<Range<usize>, Cause> {
        loop {
            let range = self.frame(caller)?;
            if !Frame::trusted(&self.input[range.clone()]).is_push() {
                self.ledger.answer();
                return Ok(range);
            }
        }
    }

    fn frame(&mut self, caller: Caller<'_>) -> Result<Range<usize>, Cause> {
        if let Some(why) = &self.over {
            return Err(Cause::Lost(why.clone()));
        }
        let mut now = caller.now;
        loop {
            self.flush().map_err(|error| self.lose("writing to the server failed", &error))?;
            match self.scanner.scan(&self.input[self.seen..]) {
                Ok(Some(length)) => {
                    let start = self.seen;
                    self.seen += length;
                    return Ok(start..self.seen);
                }
                Ok(None) => {}
                Err(malformed) => {
                    return Err(self.end(Error::new(Kind::Server, malformed.to_string())));
                }
            }
            match self.read(caller.deadline.saturating_duration_since(now)) {
                Ok(0) => {
                    let why = "the server closed the connection";
                    return Err(self.end(Error::new(Kind::Unavailable, why)));
                }
                Ok(_) => {}
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => {
                        if caller.host.interrupted() {
                            return Err(Cause::Interrupted);
                        }
                    }
                    _ => return Err(self.lose("reading from the server failed", &error)),
                },
            }
            now = Instant::now();
            if now >= caller.deadline {
                return Err(Cause::Deadline);
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        while !self.out.is_empty() {
            match self.wire.write(self.out.rest()) {
                Ok(count) => {
                    self.out.consume(count);
                    self.ledger.wrote(count);
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::WouldBlock => break,
                    _ => return Err(error),
                },
            }
        }
        Ok(())
    }

    fn read(&mut self, left: std::time::Duration) -> io::Result<usize> {
        self.input.drain(..self.seen);
        self.seen = 0;
        let behind = !self.out.is_empty() || self.wire.lags();
        if behind || left < SLICE {
            let interest = if behind { Interest::Both } else { Interest::Read };
            let ready = self.wire.wait(interest, left.min(SLICE))?;
            if ready.write && self.wire.lags() {
                self.wire.write(&[])?;
            }
            if !ready.read {
                return Err(io::ErrorKind::WouldBlock.into());
            }
        }
        let have = self.input.len();
        let lacks = self.scanner.needed().saturating_sub(have);
        let room = lacks.min(have.max(1 << 20)).max(4 << 10);
        self.input.try_reserve(room).map_err(|_| io::ErrorKind::OutOfMemory)?;
        self.wire.read(&mut self.input)
    }

    fn lose(&mut self, what: &str, error: &io::Error) -> Cause {
        self.end(Error::new(Kind::Unavailable, format!("{what}: {error}")))
    }

    fn end(&mut self, why: Error) -> Cause {
        self.wire.close();
        Cause::Lost(self.over.get_or_insert(why).clone())
    }

    /// The connection is given up with whatever it carried.
    fn fail(&mut self, cause: Cause) -> Failure {
        self.end(Error::new(Kind::Unavailable, "a wait on this connection was given up"));
        let lost = self.ledger.lost().pop();
        let (answered, fates) = lost.map_or((0, Vec::new()), |lost| (lost.answered, lost.fates));
        Failure { cause, answered, fates }
    }
}
