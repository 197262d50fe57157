//! Who leads, reads for all.

use super::end::lost;
use super::{Input, Lane, State};
use crate::error::{Error, Kind};
use crate::lane::call::{Caller, Cause, Host};
use crate::lane::slot::Slot;
use crate::lane::wire::{Interest, SLICE, Wire};
use crate::sync::lock;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Replies of at least this size are handed over by swapping buffers instead of copying.
const SWAP: usize = 16 << 10;
/// Room for a read: as little, and as much where replies fill it.
const ROOM: (usize, usize) = (4 << 10, 64 << 10);

impl<W: Wire> Lane<W> {
    /// Reads and writes for all until our own replies are in or the lane is over; the lead is
    /// passed on then. `Some`: we have to stop before that, and lead still.
    pub(super) fn lead(
        &self,
        caller: Caller<'_>,
        mut now: Instant,
        slot: &Arc<Slot>,
    ) -> Option<Cause> {
        let mut input = lock(&self.input);
        loop {
            let mut state = lock(&self.state);
            if slot.is_lost() {
                // Our own request was taken back.
                drop(input);
                self.pass_lead(state);
                return None;
            }
            if !state.out.is_empty() && !state.writing && state.over.is_none() {
                self.write(state, None, None);
                state = lock(&self.state);
            }
            let behind = !state.out.is_empty() || self.wire.lags();
            drop(state);

            let asked = now;
            let read =
                self.read(&mut input, behind, caller.deadline.saturating_duration_since(now));
            now = Instant::now();
            match read {
                Ok(0) => {
                    let why = Error::new(Kind::Unavailable, "the server closed the connection");
                    self.step_down(why);
                    return None;
                }
                Ok(_) => match self.deal_out(&mut input, slot, now - asked) {
                    Dealt::OursToo(next) => {
                        let served = std::mem::take(&mut input.served);
                        drop(input);
                        if let Some(next) = next {
                            next.wake();
                        }
                        wake(caller.host, served.into_iter());
                        return None;
                    }
                    Dealt::Others => wake(caller.host, input.served.drain(..)),
                    Dealt::Broken(why) => {
                        wake(caller.host, input.served.drain(..));
                        self.step_down(Error::new(Kind::Server, why));
                        return None;
                    }
                },
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock => {
                        if caller.host.interrupted() {
                            return Some(Cause::Interrupted);
                        }
                    }
                    _ => {
                        self.step_down(lost("reading from the server failed", &error));
                        return None;
                    }
                },
            }
            if now >= caller.deadline {
                return Some(Cause::Deadline);
            }
        }
    }

    /// One read, for which at most `left` may pass.
    pub(super) fn read(
        &self,
        input: &mut Input,
        behind: bool,
        left: Duration,
    ) -> io::Result<usize> {
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
        let have = input.bytes.len();
        // What a large reply still lacks, but never far beyond what the server has shown to have.
        let lacks = input.scanner.needed().saturating_sub(have);
        let room = lacks.min(have.max(1 << 20)).max(input.room);
        input.bytes.try_reserve(room).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let count = self.wire.read(&mut input.bytes)?;
        // One system call for what the server sends in one; the next reply is like the last.
        if count >= input.room {
            input.room = (input.room * 2).min(ROOM.1);
        } else if count < input.room / 8 {
            input.room = (input.room / 2).max(ROOM.0);
        }
        Ok(count)
    }

    /// Hands the complete replies to their slots; whom that serves is left in `served`.
    pub(super) fn deal_out(&self, input: &mut Input, own: &Arc<Slot>, waited: Duration) -> Dealt {
        let mut state = lock(&self.state);
        state.distance.measure(waited);
        let mut broken = None;
        // The replies to the oldest call lie from `run` to `at`; they are handed over together.
        let (mut run, mut at) = (0, 0);
        while at < input.bytes.len() {
            // Most replies are plain, and those of a pipeline have plain neighbours.
            let rest = &input.bytes[at..];
            let (mut replies, mut length) = input.scanner.scan_plain(rest, state.ledger.awaited());
            if replies == 0 {
                (replies, length) = match input.scanner.scan(rest) {
                    Ok(Some(length)) => (1, length),
                    Ok(None) => break,
                    Err(malformed) => {
                        broken = Some(malformed.to_string());
                        break;
                    }
                };
                // Pushes answer nobody; a lane subscribes to nothing.
                if rest[0] == b'>' {
                    deliver_part(&state, &input.bytes[run..at]);
                    at += length;
                    run = at;
                    continue;
                }
            }
            at += length;
            match state.ledger.answer_some(replies) {
                Some((_, false)) => continue,
                Some((_, true)) => {}
                None => {
                    broken = Some("the server sent a reply that nobody asked for".into());
                    break;
                }
            }
            let Some(slot) = state.ledger.retire() else { continue };
            let whole = run == 0 && at == input.bytes.len() && at >= SWAP;
            if whole && slot.deliver_whole(&mut input.bytes) {
                input.bytes.clear();
                at = 0;
            } else {
                slot.deliver(&input.bytes[run..at], true);
            }
            run = at;
            if !Arc::ptr_eq(&slot, own) {
                input.served.push(slot);
            }
        }
        self.note_load(&state);
        deliver_part(&state, &input.bytes[run..at]);
        input.bytes.drain(..at);
        if input.bytes.is_empty() && input.bytes.capacity() > 2 * input.room {
            input.bytes = Vec::new();
        }
        match broken {
            Some(why) => Dealt::Broken(why),
            None if own.is_replied() => Dealt::OursToo(self.appoint(&mut state)),
            None => Dealt::Others,
        }
    }

    /// Passes the lead on to whoever has waited longest.
    pub(super) fn appoint(&self, state: &mut State) -> Option<Arc<Slot>> {
        let next = state.ledger.waiting().find(|slot| slot.appoint()).cloned();
        state.led = next.is_some();
        if next.is_none() {
            state.ledger.shrink();
        }
        next
    }
}

/// Wakes those whose replies are in.
fn wake(host: &dyn Host, served: impl Iterator<Item = Arc<Slot>>) {
    match host.outing() {
        Some(outing) => outing.line_up(served),
        None => served.for_each(|slot| slot.wake()),
    }
}

/// Some of the oldest call's replies are in, not all.
fn deliver_part(state: &State, replies: &[u8]) {
    if !replies.is_empty()
        && let Some(slot) = state.ledger.waiting().next()
    {
        slot.deliver(replies, false);
    }
}

/// What came of one read.
pub(super) enum Dealt {
    /// Our own replies are in, and the lead is passed on to the caller to wake.
    OursToo(Option<Arc<Slot>>),
    Others,
    Broken(String),
}
