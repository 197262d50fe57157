//! Who is primary, for programs that keep a client library of their own.

use crate::client::verdict::{interrupted, unavailable};
use crate::config::{Address, Config, Endpoint, Input};
use crate::error::{Error, Kind, Result};
use crate::event::{Event, Listeners};
use crate::lane::call::Host;
use crate::lane::wire::SLICE;
use crate::policy::{self, Effect};
use crate::topology::decide::Trouble;
use crate::topology::{self, Deployment, Health, Topology};
use arc_swap::{ArcSwap, ArcSwapOption};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// A verified primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// How to reach it from here, the address map applied.
    pub address: Endpoint,
    /// Grows with every new primary: connections of an older epoch are to be closed.
    pub epoch: u64,
}

/// Finds the primary and says when it changes. Clones share everything.
///
/// The deployment is watched from the first question on, by the background thread that all clients
/// of this process share; in a child made by fork() from the child's own first question on.
#[derive(Debug, Clone)]
pub struct Resolver {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: Arc<Config>,
    home: ArcSwapOption<Home>,
    /// Kept here and not with the deployment, so that a child goes on telling them.
    listeners: Listeners,
    closed: AtomicBool,
}

/// The part that does not survive a fork.
#[derive(Debug)]
struct Home {
    deployment: Arc<Deployment>,
    /// By which it hears of events and of changes.
    heard: [u64; 2],
}

impl Resolver {
    /// A resolver for what arguments, URL and environment describe. It touches the network when
    /// it is first asked.
    pub fn open(input: &Input) -> Result<Self> {
        Ok(Self::new(Config::resolve(input)?.config))
    }

    /// A resolver for a configuration that was put together by hand.
    pub fn new(config: impl Into<Arc<Config>>) -> Self {
        let inner = Inner {
            config: config.into(),
            home: ArcSwapOption::empty(),
            listeners: Listeners::default(),
            closed: AtomicBool::new(false),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The settings it was made with.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// The primary, now or within `timeout` (else the option `failover_timeout`). It waits while
    /// none is verified, and while a failover is announced, as a write of a client would.
    pub fn primary(&self, timeout: Option<Duration>, host: &dyn Host) -> Result<Found> {
        self.find(Effect::Writes, timeout, host)
    }

    /// The same for a connection that only reads: a primary about to be replaced will do.
    pub fn primary_to_read(&self, timeout: Option<Duration>, host: &dyn Host) -> Result<Found> {
        self.find(Effect::Reads, timeout, host)
    }

    /// What [`primary`](Self::primary) would return at once; `None` where it would wait.
    pub fn current(&self) -> Result<Option<Found>> {
        let topology = self.topology()?;
        Ok(self.inner.found(&topology, Effect::Writes))
    }

    /// How to reach the known replicas from here.
    pub fn replicas(&self) -> Result<Vec<Endpoint>> {
        Ok(self.topology()?.replicas.iter().map(|it| self.inner.reachable(it)).collect())
    }

    /// What is known of the deployment now, by the addresses that Sentinels announce.
    pub fn topology(&self) -> Result<Arc<Topology>> {
        Ok(self.inner.home()?.deployment.shared.topology())
    }

    /// How the deployment fares, without asking anybody.
    pub fn health(&self) -> Result<Health> {
        Ok(self.topology()?.health())
    }

    /// A connection of this epoch met trouble: the primary is looked for at once. A later
    /// [`primary`](Self::primary) returns what is known after that, never before.
    pub fn report(&self, epoch: u64, trouble: Trouble) -> Result<()> {
        self.inner.home()?.deployment.report(epoch, trouble);
        Ok(())
    }

    /// The same by the address that [`primary`](Self::primary) gave. An address that was left
    /// already is no news.
    pub fn report_address(&self, address: &Endpoint, trouble: Trouble) -> Result<()> {
        let topology = self.topology()?;
        let primary = topology.primary.as_ref().map(|primary| self.inner.reachable(primary));
        if primary.as_ref() == Some(address) {
            self.report(topology.epoch, trouble)?;
        }
        Ok(())
    }

    /// The node of this epoch answered with this error (without its `-`). If that is what a node
    /// says that is no primary to write to, the trouble is reported; `true`: close the connection.
    pub fn report_error(&self, epoch: u64, line: &[u8]) -> Result<bool> {
        let doubtful = policy::doubts_primary(line);
        if doubtful {
            self.report(epoch, Trouble::NotPrimary)?;
        }
        Ok(doubtful)
    }

    /// Calls `listener` on the background thread whenever [`current`](Self::current) changes:
    /// with a new primary, or with `None` when it is lost or about to be replaced.
    pub fn on_change(
        &self,
        listener: impl Fn(Option<&Found>) + Send + Sync + 'static,
    ) -> Result<u64> {
        self.inner.home()?;
        // No lock: a fork could leave it locked for ever in the child.
        let last = ArcSwap::from_pointee(self.current()?);
        let inner = Arc::downgrade(&self.inner);
        Ok(self.inner.listeners.add_waker(Arc::new(move || {
            let Some(inner) = inner.upgrade() else { return };
            let found = inner.current();
            if *last.swap(Arc::new(found.clone())) != found {
                listener(found.as_ref());
            }
        })))
    }

    /// Calls `listener` with every event of the deployment, on the background thread.
    pub fn on(&self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Result<u64> {
        self.inner.home()?;
        Ok(self.inner.listeners.add(Arc::new(listener)))
    }

    /// Stops what [`on_change`](Self::on_change) or [`on`](Self::on) began.
    pub fn off(&self, listener: u64) {
        self.inner.listeners.remove(listener);
    }

    /// Whether [`close`](Self::close) was called.
    pub fn is_closed(&self) -> bool {
        self.inner.closed.load(Ordering::Acquire)
    }

    /// Ends the watch. Whoever waits gets an error, as does every later question.
    pub fn close(&self) {
        self.inner.closed.store(true, Ordering::Release);
        if let Some(home) = self.inner.home.swap(None).filter(|home| home.deployment.is_ours()) {
            home.deployment.shared.wake_all();
        }
    }

    fn find(&self, effect: Effect, timeout: Option<Duration>, host: &dyn Host) -> Result<Found> {
        let deadline = Instant::now() + timeout.unwrap_or(self.inner.config.failover_timeout);
        let home = self.inner.home()?;
        let shared = &home.deployment.shared;
        let reports = shared.reports();
        let settled = |topology: &Topology| {
            let known = !topology.holds(effect) || topology.refused.is_some();
            known && shared.has_heeded(reports)
        };
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let (topology, settled) = shared.wait(left.min(SLICE), settled);
            if self.is_closed() {
                return Err(closed());
            }
            if settled && let Some(found) = self.inner.found(&topology, effect) {
                return Ok(found);
            }
            if let Some(refused) = topology.refused.as_ref().filter(|_| settled) {
                return Err(refused.clone());
            }
            if left.is_zero() {
                return Err(unavailable(&self.inner.config, &topology, &shared.heard_ago(), None));
            }
            if host.interrupted() {
                return Err(interrupted());
            }
        }
    }
}

impl Inner {
    fn home(self: &Arc<Self>) -> Result<Arc<Home>> {
        loop {
            if self.closed.load(Ordering::Acquire) {
                return Err(closed());
            }
            let current = self.home.load_full();
            if let Some(home) = &current
                && home.deployment.is_ours()
            {
                return Ok(Arc::clone(home));
            }
            // None yet, or one that this process inherited and leaves to its parent.
            let fresh = Arc::new(Home::open(self)?);
            self.home.compare_and_swap(&current, Some(fresh));
        }
    }

    fn current(&self) -> Option<Found> {
        let home = self.home.load_full().filter(|home| home.deployment.is_ours())?;
        self.found(&home.deployment.shared.topology(), Effect::Writes)
    }

    fn found(&self, topology: &Topology, effect: Effect) -> Option<Found> {
        let primary = topology.primary.as_ref().filter(|_| !topology.holds(effect))?;
        Some(Found { address: self.reachable(primary), epoch: topology.epoch })
    }

    fn reachable(&self, announced: &Address) -> Endpoint {
        topology::endpoint(&self.config.address_map.reachable(announced))
    }
}

impl Home {
    fn open(resolver: &Arc<Inner>) -> Result<Self> {
        let deployment = Deployment::open(&resolver.config)?;
        let inner: Weak<Inner> = Arc::downgrade(resolver);
        let listeners = deployment.shared.listeners();
        let changes = listeners.add_waker(Arc::new({
            let inner = Weak::clone(&inner);
            move || {
                if let Some(inner) = inner.upgrade() {
                    inner.listeners.topology_changed();
                }
            }
        }));
        let events = listeners.add(Arc::new(move |event: &Event| {
            if let Some(inner) = inner.upgrade() {
                inner.listeners.tell(event);
            }
        }));
        Ok(Self { deployment, heard: [changes, events] })
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.deployment.is_ours() {
            let listeners = self.deployment.shared.listeners();
            self.heard.into_iter().for_each(|id| listeners.remove(id));
        }
    }
}

fn closed() -> Error {
    Error::new(Kind::Closed, "the resolver is closed")
}
