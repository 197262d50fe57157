//! What a client tells the application of its own accord.

use arc_swap::ArcSwap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Something that happened around the commands.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The primary changed. Told a moment after it did, when its calls have been settled.
    Failover {
        from: Option<String>,
        to: String,
        /// `probe`, `+switch-master`, `sentinels`, `demotion`, `return`, `dns`.
        detected_by: &'static str,
        /// From the first sign of it until the new primary was verified.
        took: Duration,
        epoch: u64,
        /// Calls of all clients that had to wait, and went on or not.
        held: u64,
        /// Calls that went out again, because they had not run or only read.
        repeated: u64,
        /// Writes whose fate is unknown.
        maybe_executed: u64,
    },
    /// Commands wait: `writes`, or `all`.
    Hold { what: &'static str, why: String },
    /// They go on; how long they waited.
    Resume { held_for: Duration },
    /// A Sentinel came into reach, or went out of it.
    Sentinel { address: String, up: bool, says: String },
    /// The set of known replicas changed.
    Replicas { addresses: Vec<String> },
    /// Something to mend before it hurts.
    Warning { message: String },
}

impl Event {
    /// Every name that [`name`](Self::name) can return.
    pub const NAMES: [&str; 6] = ["failover", "hold", "resume", "sentinel", "replicas", "warning"];

    pub fn name(&self) -> &'static str {
        match self {
            Event::Failover { .. } => "failover",
            Event::Hold { .. } => "hold",
            Event::Resume { .. } => "resume",
            Event::Sentinel { .. } => "sentinel",
            Event::Replicas { .. } => "replicas",
            Event::Warning { .. } => "warning",
        }
    }
}

type Listener = Arc<dyn Fn(&Event) + Send + Sync>;
type Waker = Arc<dyn Fn() + Send + Sync>;

/// Those who want to know. Called on the background thread: a listener must not wait.
///
/// No lock: a fork could leave it locked for ever in the child.
#[derive(Default)]
pub(crate) struct Listeners {
    events: ArcSwap<Vec<(u64, Listener)>>,
    wakers: ArcSwap<Vec<(u64, Waker)>>,
}

impl Listeners {
    /// Calls `listener` with every event, until the number is given to [`remove`](Self::remove).
    pub(crate) fn add(&self, listener: Listener) -> u64 {
        let id = next_id();
        self.events.rcu(|all| with(all, id, &listener));
        id
    }

    /// Calls `waker` after every change of the topology.
    pub(crate) fn add_waker(&self, waker: Waker) -> u64 {
        let id = next_id();
        self.wakers.rcu(|all| with(all, id, &waker));
        id
    }

    pub(crate) fn remove(&self, id: u64) {
        self.events.rcu(|all| without(all, id));
        self.wakers.rcu(|all| without(all, id));
    }

    pub(crate) fn tell(&self, event: &Event) {
        for (_, listener) in self.events.load_full().iter() {
            listener(event);
        }
    }

    pub(crate) fn topology_changed(&self) {
        for (_, waker) in self.wakers.load_full().iter() {
            waker();
        }
    }
}

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn with<T: Clone>(all: &[(u64, T)], id: u64, one: &T) -> Vec<(u64, T)> {
    all.iter().cloned().chain([(id, one.clone())]).collect()
}

fn without<T: Clone>(all: &[(u64, T)], id: u64) -> Vec<(u64, T)> {
    all.iter().filter(|(known, _)| *known != id).cloned().collect()
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} listeners", self.events.load().len())
    }
}
