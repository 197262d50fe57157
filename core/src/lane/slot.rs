//! Where one caller waits for its replies.

use crate::proto::ledger::Lost;
use crate::sync::{Mutex, lock, thread};
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

/// What a caller finds when it looks at its slot.
#[derive(Debug)]
pub(super) enum News {
    /// Nothing yet.
    Wait,
    /// It is this caller's turn to read and write for all.
    Lead,
    /// All replies are in.
    Replied,
    /// The connection is lost: how many replies had come, and the fates of the rest.
    Lost(Lost<()>),
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Waiting,
    Leads,
    Replied,
    Lost(Lost<()>),
    /// Nobody waits any more: what comes is dropped.
    Abandoned,
}

/// Where its caller is, if the language lets one thread in at a time.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// There is no door.
    #[default]
    Anywhere,
    Outside,
    /// At the [`Door`](super::door::Door), asleep.
    InLine,
    Called,
    /// On its way in.
    Gone,
}

#[derive(Debug)]
pub(super) struct Slot {
    owner: thread::Thread,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    phase: Phase,
    place: Place,
    frames: Vec<u8>,
}

thread_local! {
    /// A thread waits at one slot at a time, so one is enough, until it is abandoned.
    static SPARE: RefCell<Option<Arc<Slot>>> = const { RefCell::new(None) };
}

impl Slot {
    /// A slot for the calling thread, `outside` or not, that collects replies in `frames`.
    pub(super) fn take(frames: Vec<u8>, outside: bool) -> Arc<Self> {
        let place = if outside { Place::Outside } else { Place::Anywhere };
        let inner = Inner { phase: Phase::Waiting, place, frames };
        match SPARE.with_borrow_mut(Option::take) {
            Some(slot) => {
                *lock(&slot.inner) = inner;
                slot
            }
            None => Arc::new(Self { owner: thread::current(), inner: Mutex::new(inner) }),
        }
    }

    /// Gives the slot back, and the frames in it to the caller. `true`: the caller was called to
    /// the door.
    pub(super) fn give_back(self: Arc<Self>, frames: &mut Vec<u8>) -> bool {
        let mut inner = lock(&self.inner);
        *frames = std::mem::take(&mut inner.frames);
        let place = std::mem::replace(&mut inner.place, Place::Gone);
        drop(inner);
        // Shared still: the ledger has it, because its reply will come some day.
        if Arc::strong_count(&self) == 1 && !cfg!(feature = "model") {
            SPARE.with_borrow_mut(|spare| *spare = Some(self));
        }
        place == Place::Called
    }

    /// `false`: its caller is not to be called, or has gone.
    pub(super) fn line_up(&self) -> bool {
        self.step(Place::Outside, Place::InLine)
    }

    /// `false`: its caller has gone.
    pub(super) fn call_in(&self) -> bool {
        self.step(Place::InLine, Place::Called)
    }

    fn step(&self, from: Place, to: Place) -> bool {
        let mut inner = lock(&self.inner);
        let steps = inner.place == from;
        if steps {
            inner.place = to;
        }
        steps
    }

    pub(super) fn news(&self) -> News {
        let mut inner = lock(&self.inner);
        match std::mem::take(&mut inner.phase) {
            Phase::Waiting | Phase::Abandoned => News::Wait,
            Phase::Leads => News::Lead,
            Phase::Replied => {
                inner.phase = Phase::Replied;
                News::Replied
            }
            Phase::Lost(lost) => News::Lost(lost),
        }
    }

    /// Adds a reply; with the `last` one the wait is over.
    pub(super) fn deliver(&self, frame: &[u8], last: bool) {
        let mut inner = lock(&self.inner);
        if matches!(inner.phase, Phase::Abandoned) {
            return;
        }
        inner.frames.extend_from_slice(frame);
        if last {
            inner.phase = Phase::Replied;
        }
    }

    /// Adds the one and only reply by swapping buffers; for replies too large to copy.
    pub(super) fn deliver_whole(&self, buffer: &mut Vec<u8>) -> bool {
        let mut inner = lock(&self.inner);
        if !inner.frames.is_empty() || matches!(inner.phase, Phase::Abandoned) {
            return false;
        }
        std::mem::swap(&mut inner.frames, buffer);
        inner.phase = Phase::Replied;
        true
    }

    /// Ends the wait. `true`: the caller had just been appointed, and will not lead.
    pub(super) fn fail(&self, lost: Lost<()>) -> bool {
        let mut inner = lock(&self.inner);
        let appointed = matches!(inner.phase, Phase::Leads);
        if !matches!(inner.phase, Phase::Abandoned) {
            inner.phase = Phase::Lost(lost);
        }
        appointed
    }

    pub(super) fn is_lost(&self) -> bool {
        matches!(lock(&self.inner).phase, Phase::Lost(_))
    }

    /// Makes the waiting caller the leader; `false` if nobody waits here.
    pub(super) fn appoint(&self) -> bool {
        let mut inner = lock(&self.inner);
        let waits = matches!(inner.phase, Phase::Waiting);
        if waits {
            inner.phase = Phase::Leads;
        }
        waits
    }

    /// Stops waiting. `Lead`: the caller had just been appointed, and must appoint another.
    pub(super) fn abandon(&self) -> News {
        let news = self.news();
        if matches!(news, News::Wait | News::Lead) {
            lock(&self.inner).phase = Phase::Abandoned;
        }
        news
    }

    pub(super) fn is_abandoned(&self) -> bool {
        matches!(lock(&self.inner).phase, Phase::Abandoned)
    }

    pub(super) fn is_replied(&self) -> bool {
        matches!(lock(&self.inner).phase, Phase::Replied)
    }

    pub(super) fn wake(&self) {
        self.owner.unpark();
    }

    /// Waits for a wake-up; there may be none, or one too many.
    pub(super) fn park(timeout: Duration) {
        thread::park_timeout(timeout);
    }
}
