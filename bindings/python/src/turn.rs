//! Threads that come back from a wait take the interpreter's lock one by one.
//!
//! One read can bring the replies of many threads. If all of them asked for the interpreter's lock
//! at once, most of their time would go into waking up and finding it taken: with 64 threads this
//! halves the processor time of a call, or better. It is a courtesy and no right: nobody waits for
//! long, so that whoever dies with the turn does no harm.

use arc_swap::ArcSwap;
use std::sync::{Arc, Condvar, LazyLock, Mutex, PoisonError};
use std::time::Duration;

static CURRENT: LazyLock<ArcSwap<Turn>> = LazyLock::new(ArcSwap::default);

/// Beyond this one asks for the lock like any other thread.
const PATIENCE: Duration = Duration::from_millis(50);

#[derive(Default)]
pub(crate) struct Turn {
    taken: Mutex<bool>,
    given: Condvar,
}

impl Turn {
    pub(crate) fn current() -> Arc<Self> {
        CURRENT.load_full()
    }

    /// After a fork: whoever has the turn has stayed with the parent.
    pub(crate) fn begin_anew() {
        CURRENT.store(Arc::default());
    }

    /// `true`: it is to be given back.
    pub(crate) fn take(&self) -> bool {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = self.given.wait_timeout_while(taken, PATIENCE, |taken| *taken);
        let (mut taken, waited) = wait.unwrap_or_else(PoisonError::into_inner);
        *taken = true;
        !waited.timed_out()
    }

    pub(crate) fn give(&self) {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.given.notify_one();
    }
}
