//! One caller at a time; the others wait for as long as their hosts let them.

use crate::lane::call::Host;
use crate::lane::wire::SLICE;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// A lock that can be waited for in vain: what is done inside may take its time, or even wait for
/// the host, while no lock of the system is held.
#[derive(Debug, Default)]
pub(super) struct Turnstile {
    taken: Mutex<bool>,
    free: Condvar,
}

/// The right to be inside.
#[derive(Debug)]
pub(super) struct Turn<'a>(&'a Turnstile);

impl Turnstile {
    /// `None`: the host has ended the wait, or the deadline has passed.
    pub(super) fn enter(&self, deadline: Instant, host: &dyn Host) -> Option<Turn<'_>> {
        loop {
            let mut taken = self.lock();
            if *taken {
                let left = deadline.saturating_duration_since(Instant::now()).min(SLICE);
                let waited = self.free.wait_timeout(taken, left);
                taken = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            if !*taken {
                *taken = true;
                return Some(Turn(self));
            }
            drop(taken);
            if host.interrupted() || Instant::now() >= deadline {
                return None;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.lock() = false;
        self.0.free.notify_one();
    }
}
