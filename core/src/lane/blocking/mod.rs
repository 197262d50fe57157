//! The shared lane of sync languages, without a thread of its own.
//!
//! The caller that finds the lane free *leads*: it writes and reads on its own thread, as a
//! private connection would. Callers that come meanwhile *follow*: they append to the out-buffer
//! and park. The leader writes their batch before each read, deals out the replies, and appoints
//! the next leader once its own reply is in. So nobody pays for a thread hop while alone, and
//! sixty-four callers share one system call.
//!
//! Two locks: `state` for moments, `input` for as long as a caller leads. `state` is taken inside
//! `input`, a slot's lock inside `state`, never the other way round. The door's is taken without
//! `state`, and a slot's inside it.

mod end;
mod lead;
mod recall;
mod write;

use super::call::{Caller, Cause, Failure, Request};
use super::distance::Distance;
use super::outgoing::Outgoing;
use super::slot::{News, Slot};
use super::wire::{SLICE, Wire};
use crate::error::{Error, Kind};
use crate::policy::Effect;
use crate::proto::ledger::{Fate, Ledger, Span};
use crate::proto::scan::{Limits, Scanner};
use crate::sync::{Mutex, lock};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// After so long without a call the peer may have left unnoticed.
const IDLE: Duration = Duration::from_millis(1);

/// One connection, shared by any number of threads.
#[derive(Debug)]
pub struct Lane<W: Wire> {
    wire: W,
    max_in_flight: usize,
    /// What [`load`](Self::load) tells, noted whenever it changes: those who only look for a lane
    /// shall not hold up those who use it.
    load: AtomicUsize,
    state: Mutex<State>,
    input: Mutex<Input>,
}

/// The load of a lane that is not to be used any more.
const CLOSED: usize = usize::MAX;

#[derive(Debug)]
struct State {
    ledger: Ledger<Arc<Slot>>,
    out: Outgoing,
    /// Somebody reads, or has been appointed to.
    led: bool,
    /// Somebody writes, outside of this lock.
    writing: bool,
    /// Why no command may be sent any more.
    over: Option<Error>,
    /// A reply did not come in time: nobody else shall wait behind it.
    shunned: bool,
    /// The primary is about to be replaced.
    holds_writes: bool,
    last_call: Instant,
    distance: Distance,
}

#[derive(Debug)]
struct Input {
    bytes: Vec<u8>,
    /// How much the next read asks for.
    room: usize,
    scanner: Scanner,
    /// Callers to wake once the locks are free.
    served: Vec<Arc<Slot>>,
}

impl<W: Wire> Lane<W> {
    pub fn new(wire: W, limits: Limits, max_in_flight: usize) -> Self {
        Self {
            wire,
            max_in_flight,
            load: AtomicUsize::new(0),
            state: Mutex::new(State {
                ledger: Ledger::default(),
                out: Outgoing::default(),
                led: false,
                writing: false,
                over: None,
                shunned: false,
                holds_writes: false,
                last_call: Instant::now(),
                distance: Distance::default(),
            }),
            input: Mutex::new(Input {
                bytes: Vec::new(),
                room: 4 << 10,
                scanner: Scanner::new(limits),
                served: Vec::new(),
            }),
        }
    }

    /// Sends a request and waits for its replies, which end up in `frames` end to end.
    pub fn call(
        &self,
        request: Request<'_>,
        caller: Caller<'_>,
        frames: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        frames.clear();
        let outing = caller.host.outing();
        let slot = Slot::take(std::mem::take(frames), outing.is_some());
        let outcome = self.submit(request, caller, &slot);
        let outcome = outcome.and_then(|leads| self.wait(caller, &slot, leads));
        let was_called = slot.give_back(frames);
        if let Some(outing) = outing.filter(|_| was_called) {
            outing.note_call();
        }
        outcome
    }

    /// Takes the lane out of use: nothing is sent on it any more. Replies that have arrived are
    /// still dealt out; everything else gets its fate, and every waiting caller wakes.
    pub fn retire(&self, why: Error) {
        self.end(lock(&self.state), why);
    }

    /// Why the lane is out of use, if it is.
    pub fn over(&self) -> Option<Error> {
        lock(&self.state).over.clone()
    }

    /// Asks for no more calls on this lane; those that wait here may still be answered.
    pub fn shun(&self) {
        let mut state = lock(&self.state);
        state.shunned = true;
        self.note_load(&state);
    }

    /// How many calls wait for replies; `None` once there shall be no more of them.
    pub fn load(&self) -> Option<usize> {
        Some(self.load.load(Ordering::Relaxed)).filter(|&load| load != CLOSED)
    }

    fn note_load(&self, state: &State) {
        let open = state.over.is_none() && !state.shunned;
        self.load.store(if open { state.ledger.len() } else { CLOSED }, Ordering::Relaxed);
    }

    /// Whether any caller still waits here.
    pub fn is_awaited(&self) -> bool {
        lock(&self.state).ledger.waiting().any(|slot| !slot.is_abandoned())
    }

    /// Calls that wait for replies.
    pub fn in_flight(&self) -> usize {
        lock(&self.state).ledger.len()
    }

    /// Bytes of memory that the buffers hold. Waits for whoever leads.
    pub fn memory(&self) -> usize {
        let input = lock(&self.input).bytes.capacity();
        let state = lock(&self.state);
        input + state.out.memory() + state.ledger.memory()
    }

    /// Appends the request, and writes it if that is up to us. `true`: the caller leads.
    fn submit(
        &self,
        request: Request<'_>,
        caller: Caller<'_>,
        slot: &Arc<Slot>,
    ) -> Result<bool, Failure> {
        let refused = |cause| Failure { cause, answered: 0, fates: not_sent(&request.span) };
        let mut state = lock(&self.state);
        if let Some(why) = &state.over {
            return Err(refused(Cause::Lost(why.clone())));
        }
        if state.holds_writes && request.effect != Effect::Reads {
            return Err(refused(Cause::Lost(recall::held())));
        }
        if state.ledger.len() >= self.max_in_flight {
            return Err(refused(Cause::Full));
        }
        let idle = caller.now.saturating_duration_since(state.last_call) > IDLE;
        if idle && state.ledger.is_empty() && self.wire.is_over() {
            let why = Error::new(Kind::Unavailable, "the server had closed the idle connection");
            self.end(state, why.clone());
            return Err(refused(Cause::Lost(why)));
        }
        state.last_call = caller.now;
        state.ledger.append(Arc::clone(slot), request.span);
        self.note_load(&state);
        let leads = !state.led;
        state.led = true;
        let leave_it = state.writing || !(leads || state.distance.is_far());
        if leave_it || !state.out.is_empty() {
            state.out.push(request.bytes);
        }
        if !leave_it {
            let direct = state.out.is_empty().then_some(request.bytes);
            let patience = if leads { None } else { Some(caller.deadline) };
            self.write(state, direct, patience);
        }
        Ok(leads)
    }

    /// Waits for the slot's replies, and leads while it is this caller's turn.
    fn wait(&self, caller: Caller<'_>, slot: &Arc<Slot>, leads: bool) -> Result<(), Failure> {
        if leads && let Some(cause) = self.lead(caller, caller.now, slot) {
            return self.give_up(slot, cause, true);
        }
        loop {
            match slot.news() {
                News::Replied => return Ok(()),
                News::Lost(lost) => return Err(self.failure(lost)),
                News::Lead => {
                    if let Some(cause) = self.lead(caller, Instant::now(), slot) {
                        return self.give_up(slot, cause, true);
                    }
                }
                News::Wait => {
                    let left = caller.deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return self.give_up(slot, Cause::Deadline, false);
                    }
                    Slot::park(left.min(SLICE));
                    if caller.host.interrupted() {
                        return self.give_up(slot, Cause::Interrupted, false);
                    }
                }
            }
        }
    }
}

fn not_sent(span: &Span) -> Vec<Fate> {
    let commands = if let Span::Batch { ends } = span { ends.len() } else { 1 };
    vec![Fate::NotSent; commands]
}
