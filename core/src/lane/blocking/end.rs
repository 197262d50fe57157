//! How a call ends without its replies, and how a lane ends.

use super::recall::held;
use super::{Lane, State};
use crate::error::{Error, Kind};
use crate::lane::call::{Cause, Failure};
use crate::lane::slot::{News, Slot};
use crate::lane::wire::Wire;
use crate::proto::ledger::{Fate, Lost};
use crate::sync::{MutexGuard, lock};
use std::io;
use std::sync::Arc;

impl<W: Wire> Lane<W> {
    /// Ends the wait of a caller whose replies are not in.
    pub(super) fn give_up(
        &self,
        slot: &Arc<Slot>,
        cause: Cause,
        leads: bool,
    ) -> Result<(), Failure> {
        let mut state = lock(&self.state);
        let (failure, appointed) = match slot.abandon() {
            News::Replied => return Ok(()),
            News::Lost(lost) => (self.failure_at(&state, lost), false),
            news => {
                let Lost { answered, fates, .. } = self.withdraw(&mut state, slot);
                self.note_load(&state);
                (Failure { cause, answered, fates }, matches!(news, News::Lead))
            }
        };
        if leads || appointed {
            self.pass_lead(state);
        }
        Err(failure)
    }

    /// Whoever leads stops before the lane has ended, or it is up to us to settle it.
    pub(super) fn pass_lead(&self, mut state: MutexGuard<'_, State>) {
        let next = self.appoint(&mut state);
        self.settle(state);
        if let Some(next) = next {
            next.wake();
        }
    }

    /// Takes back what was not sent, and tells what was.
    pub(super) fn withdraw(&self, state: &mut State, slot: &Arc<Slot>) -> Lost<()> {
        if let Some(lost) = self.take_back(state, slot) {
            return lost;
        }
        let is_it = |other: &Arc<Slot>| Arc::ptr_eq(other, slot);
        let Some(mut lost) = state.ledger.fates(is_it) else {
            return Lost { token: (), answered: 0, fates: Vec::new() };
        };
        if lost.fates.iter().any(|fate| !fate.unknown()) {
            if state.writing {
                // A writer has the bytes in hand: all of them may leave.
                lost.fates.fill(Fate::Sent);
            } else {
                // The rest must never be sent, or it would run after it was reported as failed.
                let why = "the connection was given up with a command half sent";
                state.over.get_or_insert(Error::new(Kind::Unavailable, why));
                self.wire.close();
            }
        }
        lost
    }

    /// Takes a request back of which no byte has left the out-buffer.
    pub(super) fn take_back(&self, state: &mut State, slot: &Arc<Slot>) -> Option<Lost<()>> {
        let is_it = |other: &Arc<Slot>| Arc::ptr_eq(other, slot);
        let lost = state.ledger.fates(is_it)?;
        let range = state.ledger.withdraw(state.out.rest().len(), is_it)?;
        state.out.cut(range);
        Some(lost)
    }

    /// The leader's end of the lane: there is nothing more to read.
    pub(super) fn step_down(&self, why: Error) {
        let mut state = lock(&self.state);
        state.led = false;
        self.end(state, why);
    }

    /// Lets nothing more be sent. Whoever reads or writes just now is woken, and settles.
    pub(super) fn end(&self, mut state: MutexGuard<'_, State>, why: Error) {
        state.over.get_or_insert(why);
        self.note_load(&state);
        self.wire.close();
        self.settle(state);
    }

    /// Deals out the fates of a lane that has ended, once nobody reads or writes any more.
    pub(super) fn settle(&self, mut state: MutexGuard<'_, State>) {
        if state.over.is_none() || state.led || state.writing {
            return;
        }
        state.out.clear();
        let lost = state.ledger.lost();
        for Lost { token, answered, fates } in &lost {
            token.fail(Lost { token: (), answered: *answered, fates: fates.clone() });
        }
        drop(state);
        for Lost { token, .. } in lost {
            token.wake();
        }
    }

    pub(super) fn failure(&self, lost: Lost<()>) -> Failure {
        self.failure_at(&lock(&self.state), lost)
    }

    pub(super) fn failure_at(&self, state: &State, lost: Lost<()>) -> Failure {
        // A lane that is not over has given the request back.
        let why = state.over.clone().unwrap_or_else(held);
        Failure { cause: Cause::Lost(why), answered: lost.answered, fates: lost.fates }
    }
}

pub(super) fn lost(what: &str, error: &io::Error) -> Error {
    Error::new(Kind::Unavailable, format!("{what}: {error}"))
}
