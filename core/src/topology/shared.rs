//! The current topology, and those who want to know of the next.

use super::decide::Trouble;
use super::interest::Interest;
use super::movers::Movers;
use super::readable::Readable;
use super::{Phase, Topology};
use crate::config::Address;
use crate::event::{self, Listeners};
use crate::stats::{Counters, Stats};
use arc_swap::ArcSwap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(crate) struct Shared {
    topology: ArcSwap<Topology>,
    readable: ArcSwap<Readable>,
    pub(crate) interest: Interest,
    changes: (Mutex<()>, Condvar),
    listeners: Listeners,
    /// Since when commands wait.
    held: Mutex<Option<Instant>>,
    /// Troubles that were reported, and how many of them are reflected in the topology.
    reported: AtomicU64,
    heeded: AtomicU64,
    /// What happens to the calls of all clients, and what had happened up to the last failover.
    pub(crate) tally: Arc<Counters>,
    told: Mutex<Stats>,
    /// Subscribers that have lost their connection.
    pub(crate) movers: Arc<Movers>,
    /// When each Sentinel has answered last.
    heard: ArcSwap<Vec<(Address, Instant)>>,
}

impl Shared {
    pub(super) fn new(topology: Topology) -> Self {
        Self {
            topology: ArcSwap::from_pointee(topology),
            readable: ArcSwap::default(),
            interest: Interest::default(),
            changes: (Mutex::new(()), Condvar::new()),
            listeners: Listeners::default(),
            held: Mutex::new(None),
            reported: AtomicU64::new(0),
            heeded: AtomicU64::new(0),
            tally: Arc::default(),
            told: Mutex::default(),
            movers: Arc::default(),
            heard: ArcSwap::default(),
        }
    }

    pub(super) fn publish(&self, topology: Topology) {
        let before = self.topology.swap(Arc::new(topology));
        let now = self.topology.load_full();
        {
            let _waiting = self.changes.0.lock().unwrap_or_else(PoisonError::into_inner);
            self.changes.1.notify_all();
        }
        self.listeners.topology_changed();
        self.tell_changes(&before, &now);
    }

    fn tell_changes(&self, before: &Topology, now: &Topology) {
        self.tell_hold(now);
        for sentinel in &now.sentinels {
            let known = before.sentinels.iter().find(|it| it.address == sentinel.address);
            if known.map(|known| known.up) != Some(sentinel.up) && sentinel.says != "nothing yet" {
                self.tell(&event::Event::Sentinel {
                    address: sentinel.address.to_string(),
                    up: sentinel.up,
                    says: sentinel.says.clone(),
                });
            }
        }
        if before.replicas != now.replicas {
            let addresses = now.replicas.iter().map(ToString::to_string).collect();
            self.tell(&event::Event::Replicas { addresses });
        }
    }

    fn tell_hold(&self, now: &Topology) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match (now.phase, *held) {
            (Phase::Ready, Some(since)) => {
                *held = None;
                drop(held);
                self.tell(&event::Event::Resume { held_for: since.elapsed() });
            }
            (Phase::Fenced, None) => {
                *held = Some(Instant::now());
                drop(held);
                let why = "a failover of the primary was announced".to_owned();
                self.tell(&event::Event::Hold { what: "writes", why });
            }
            // The first search for a primary is no interruption of anything.
            (Phase::Lost, None) => {
                *held = Some(Instant::now());
                drop(held);
                let why = now.reason.clone().unwrap_or_else(|| "the primary is lost".to_owned());
                self.tell(&event::Event::Hold { what: "all", why });
            }
            _ => {}
        }
    }

    /// What has happened to calls since the last time this was asked.
    pub(super) fn settle(&self) -> Stats {
        let now = self.tally.read();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        now.since(&std::mem::replace(&mut *told, now))
    }

    /// A Sentinel has answered, if only that it cannot.
    pub(super) fn note_heard(&self, sentinel: &Address) {
        let mut heard: Vec<(Address, Instant)> = Vec::clone(&self.heard.load());
        heard.retain(|(known, _)| known != sentinel);
        heard.push((sentinel.clone(), Instant::now()));
        self.heard.store(Arc::new(heard));
    }

    /// How long ago each Sentinel has answered.
    pub(crate) fn heard_ago(&self) -> Vec<(Address, Duration)> {
        self.heard.load().iter().map(|(who, at)| (who.clone(), at.elapsed())).collect()
    }

    pub(crate) fn tell(&self, event: &event::Event) {
        self.listeners.tell(event);
    }

    /// Shows what is known of the replicas. Callers that wait look up; event loops only when the
    /// set has changed, or when one of them waits.
    pub(super) fn publish_readable(&self, readable: Readable) {
        let before = self.readable.swap(Arc::new(readable));
        self.wake_all();
        let set = |readable: &Readable| -> (u64, Vec<bool>) {
            let follows = |it: &super::Replica| it.readable(None, Instant::now()).is_some();
            (readable.epoch, readable.replicas.iter().map(follows).collect())
        };
        if self.interest.take_waiting() || set(&before) != set(&self.readable.load()) {
            self.listeners.topology_changed();
        }
    }

    pub(crate) fn readable(&self) -> Arc<Readable> {
        self.readable.load_full()
    }

    pub(crate) fn topology(&self) -> Arc<Topology> {
        self.topology.load_full()
    }

    /// Waits until `enough` holds of the topology, or for `patience`. What it was at the end.
    pub(crate) fn wait(
        &self,
        patience: Duration,
        enough: impl Fn(&Topology) -> bool,
    ) -> (Arc<Topology>, bool) {
        let end = Instant::now() + patience;
        let mut guard = self.changes.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let topology = self.topology();
            if enough(&topology) {
                return (topology, true);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return (topology, false);
            }
            guard =
                self.changes.1.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// A trouble is on its way to whoever decides. If it says that the primary is none, nobody
    /// else has to find out for himself meanwhile.
    pub(super) fn report(&self, epoch: u64, trouble: &Trouble) {
        if *trouble != Trouble::Overdue {
            self.topology.rcu(|known| match known.phase {
                Phase::Ready | Phase::Fenced if known.epoch == epoch => {
                    Arc::new(Topology { phase: Phase::Lost, ..Topology::clone(known) })
                }
                _ => Arc::clone(known),
            });
        }
        self.reported.fetch_add(1, Ordering::Release);
    }

    /// A trouble has been decided about, and the topology shows what came of it.
    pub(super) fn heed(&self) {
        self.heeded.fetch_add(1, Ordering::Release);
        self.wake_all();
    }

    /// How many troubles there have been; the number is for [`has_heeded`](Self::has_heeded).
    pub(crate) fn reports(&self) -> u64 {
        self.reported.load(Ordering::Acquire)
    }

    /// Whether the topology reflects so many troubles.
    pub(crate) fn has_heeded(&self, reports: u64) -> bool {
        self.heeded.load(Ordering::Acquire) >= reports
    }

    /// Lets everybody who waits look up, although nothing has changed here.
    pub(crate) fn wake_all(&self) {
        let _waiting = self.changes.0.lock().unwrap_or_else(PoisonError::into_inner);
        self.changes.1.notify_all();
    }

    pub(crate) fn listeners(&self) -> &Listeners {
        &self.listeners
    }
}
