//! Threads that come back from a wait take the interpreter's lock one by one.
//!
//! One read can bring the replies of many threads. If all of them asked for the interpreter's lock
//! at once, most of their time would go into waking up and finding it taken: with 64 threads this
//! halves the processor time of a call, or better. It is a courtesy and no right: nobody waits for
//! long, so that whoever dies with the turn does no harm.

use arc_swap::ArcSwap;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

static CURRENT: LazyLock<ArcSwap<Turn>> = LazyLock::new(ArcSwap::default);

/// Beyond this one asks for the lock like any other thread.
const PATIENCE: Duration = Duration::from_millis(50);

#[derive(Default)]
pub(crate) struct Turn {
    queue: Mutex<Queue>,
    given: Condvar,
}

#[derive(Default)]
struct Queue {
    taken: bool,
    /// Where nobody waits, to give the turn back is no system call.
    waiting: usize,
}

impl Turn {
    pub(crate) fn current() -> Arc<Self> {
        CURRENT.load_full()
    }

    /// After a fork: whoever has the turn has stayed with the parent.
    pub(crate) fn begin_anew() {
        CURRENT.store(Arc::default());
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `true`: it is to be given back.
    pub(crate) fn take(&self) -> bool {
        let mut queue = self.queue();
        if queue.taken {
            queue.waiting += 1;
            let wait = self.given.wait_timeout_while(queue, PATIENCE, |queue| queue.taken);
            queue = wait.unwrap_or_else(PoisonError::into_inner).0;
            queue.waiting -= 1;
        }
        !std::mem::replace(&mut queue.taken, true)
    }

    pub(crate) fn give(&self) {
        let mut queue = self.queue();
        queue.taken = false;
        if queue.waiting > 0 {
            self.given.notify_one();
        }
    }
}
