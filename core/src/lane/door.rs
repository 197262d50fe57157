//! The door to a language that lets one thread in at a time.
//!
//! One read can bring the replies of many threads. Were all of them woken at once, most would find
//! the language's lock taken, sleep again and be woken again, which takes far longer than what
//! they are there for. So only a few are called at a time, and the next ones as others leave; and
//! whoever was called stays awake for the moment until the one inside leaves, mostly for its next
//! call.
//!
//! All of this is courtesy, the language's own lock decides: nobody stands at the door for longer
//! than a moment, and nobody inside has to come back.

use super::slot::Slot;
use crate::sync::{Mutex, lock};
use crate::sys;
use arc_swap::ArcSwapOption;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::available_parallelism;
use std::time::Instant;

/// How many are called who have not come in yet: enough that one is awake when another leaves.
/// The model has few threads, and shall see a line.
const CALLED: usize = if cfg!(feature = "model") { 1 } else { 3 };
/// How long to wait awake for the one inside, in nanoseconds. Who stays for longer does something
/// else than to make a call.
const MOMENT: u64 = 5_000;
/// How long to wait awake in all, if others go in first.
const PATIENCE: u64 = 30_000;
/// So long nobody comes in if somebody keeps the language's lock for itself, in nanoseconds.
const LONG: u64 = 1_000_000;

/// Where threads wait to be let in.
#[derive(Debug)]
pub struct Door {
    generation: u64,
    /// On a single processor nobody can leave while another waits awake, and whoever is woken
    /// comes when the one inside sleeps: there is nothing to regulate.
    open: bool,
    began: Instant,
    /// When the one inside came to the door, in nanoseconds from `began`; zero: nobody is inside.
    inside: AtomicU64,
    /// When somebody came in last.
    entered: AtomicU64,
    line: Mutex<Line>,
}

#[derive(Debug, Default)]
struct Line {
    /// Their replies are there.
    slots: VecDeque<Arc<Slot>>,
    called: usize,
}

impl Default for Door {
    fn default() -> Self {
        Self {
            generation: sys::generation(),
            open: available_parallelism().is_ok_and(|processors| processors.get() == 1),
            began: Instant::now(),
            inside: AtomicU64::new(0),
            entered: AtomicU64::new(0),
            line: Mutex::default(),
        }
    }
}

impl Door {
    /// The one of this process. A child has its own: those in line have stayed with the parent.
    pub fn of_this_process() -> Arc<Self> {
        static DOOR: ArcSwapOption<Door> = ArcSwapOption::const_empty();
        let ours = |door: &Arc<Door>| door.generation == sys::generation();
        if let Some(door) = DOOR.load_full().filter(ours) {
            return door;
        }
        sys::watch_forks();
        let new = Arc::new(Self::default());
        DOOR.rcu(|door| Some(door.clone().filter(ours).unwrap_or_else(|| Arc::clone(&new))));
        DOOR.load_full().unwrap_or(new)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
    }

    fn line_up(&self, served: impl Iterator<Item = Arc<Slot>>) {
        let mut line = lock(&self.line);
        for slot in served {
            if slot.line_up() {
                line.slots.push_back(slot);
            } else {
                slot.wake();
            }
        }
        drop(line);
        self.call(CALLED);
    }

    /// Until so many are called.
    fn call(&self, most: usize) {
        while let Some(slot) = self.next(most) {
            slot.wake();
        }
    }

    fn next(&self, most: usize) -> Option<Arc<Slot>> {
        let mut line = lock(&self.line);
        while line.called < most || self.open {
            let slot = line.slots.pop_front()?;
            // Some have gone by themselves.
            if slot.call_in() {
                line.called += 1;
                return Some(slot);
            }
        }
        None
    }
}

/// A thread outside, until it is let in again.
#[derive(Debug)]
pub struct Outing {
    door: Arc<Door>,
    was_called: AtomicBool,
    knocked: AtomicU64,
}

impl Outing {
    pub fn new(door: Arc<Door>) -> Self {
        Self { door, was_called: AtomicBool::new(false), knocked: AtomicU64::new(0) }
    }

    /// The calling thread has given the language's lock back.
    pub fn leave(&self) {
        self.door.inside.store(0, Ordering::Release);
        self.door.call(CALLED);
    }

    /// The calling thread asks for the language's lock next.
    pub fn knock(&self) {
        let Door { inside, open, .. } = &*self.door;
        let knocked = self.door.now();
        self.knocked.store(knocked, Ordering::Relaxed);
        // Time means nothing to the model.
        if *open || cfg!(feature = "model") {
            return;
        }
        loop {
            let (since, now) = (inside.load(Ordering::Acquire), self.door.now());
            let free = since == 0 || now.saturating_sub(since) > MOMENT;
            if free
                && inside.compare_exchange(since, now, Ordering::AcqRel, Ordering::Relaxed).is_ok()
            {
                return;
            }
            if now.saturating_sub(knocked) > PATIENCE {
                return;
            }
            std::hint::spin_loop();
        }
    }

    /// The calling thread has the language's lock.
    pub fn enter(&self) {
        let blocked = self.was_blocked();
        let called = self.answer_call();
        if blocked {
            self.door.call(usize::MAX);
        } else if called == Some(0) {
            // Whoever leaves calls the next ones. But nobody has to leave soon.
            self.door.call(CALLED);
        }
    }

    /// The calling thread is about to wait once more: if it was called, another one may come.
    pub fn stay(&self) {
        if self.answer_call().is_some() {
            self.door.call(CALLED);
        }
    }

    /// Whether the calling thread was called, and has neither come nor stayed.
    pub fn is_called(&self) -> bool {
        self.was_called.load(Ordering::Relaxed)
    }

    /// How many others are called still, if this one was.
    fn answer_call(&self) -> Option<usize> {
        self.was_called.swap(false, Ordering::Relaxed).then(|| {
            let mut line = lock(&self.door.line);
            line.called -= 1;
            line.called
        })
    }

    /// Somebody who never stood in line has kept the language's lock for long. It passes from one
    /// to another of all who wait for it before it gets there again: so let all wait for it.
    fn was_blocked(&self) -> bool {
        let Door { entered, .. } = &*self.door;
        let now = self.door.now();
        let since = entered.swap(now, Ordering::Relaxed).max(self.knocked.load(Ordering::Relaxed));
        let blocked = now.saturating_sub(since) > LONG;
        // Time means nothing to the model; it has to try both.
        #[cfg(feature = "model")]
        let blocked =
            blocked || shuttle::rand::Rng::gen_bool(&mut shuttle::rand::thread_rng(), 0.2);
        blocked
    }

    /// Their replies are there: they are woken, each in its turn.
    pub(super) fn line_up(&self, served: impl Iterator<Item = Arc<Slot>>) {
        self.door.line_up(served);
    }

    pub(super) fn note_call(&self) {
        let before = self.was_called.swap(true, Ordering::Relaxed);
        debug_assert!(!before, "called once more, and never came or stayed");
    }
}
