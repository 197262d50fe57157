//! Which lane a command takes, and how long it waits for one.

use super::lanes::SharedLane;
use super::own::Own;
use super::{Client, Home};
use crate::client::reads::{self, Node, Origin, Reading};
use crate::client::verdict::{closed, interrupted, unavailable, waiting_room_full};
use crate::config::Address;
use crate::error::{Error, Kind, Result};
use crate::lane::call::Host;
use crate::lane::wire::SLICE;
use crate::policy::{Backoff, Doubt, Effect};
use crate::stats::Counters;
use crate::topology::decide::Trouble;
use crate::topology::{Readable, Topology};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// A connection to a verified node, and the topology it belongs to.
#[derive(Debug)]
pub(super) struct Way<C = SharedLane> {
    pub(super) lane: C,
    node: Node,
    readable: Option<Arc<Readable>>,
    pub(super) topology: Arc<Topology>,
    pub(super) home: Arc<Home>,
}

/// Commands that are in the waiting room leave it however their wait ends.
struct Held<'a> {
    count: &'a AtomicUsize,
    bytes: &'a AtomicUsize,
    size: usize,
    since: Instant,
    counters: &'a Counters,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let waited = self.since.elapsed().as_micros() as u64;
        Counters::add(&self.counters.held_micros, waited);
        self.count.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(self.size, Ordering::Relaxed);
    }
}

impl Client {
    /// A shared lane to the verified primary, or to a replica that this call may read from, now
    /// or before the deadline.
    pub(super) fn way(
        &self,
        reading: Option<&mut Reading>,
        effect: Effect,
        size: usize,
        deadline: Instant,
        host: &dyn Host,
    ) -> Result<Way> {
        self.lead_to(reading, effect, size, deadline, host, |home, topology, replica| {
            let current = || home.deployment.shared.topology();
            match replica {
                None => home.lanes.pick(topology, deadline, host, current),
                Some(replica) => {
                    home.replicas.lanes(replica).pick(topology, deadline, host, current)
                }
            }
        })
    }

    /// A connection of one's own to such a node, now or before the deadline.
    pub(super) fn own_way(
        &self,
        reading: Option<&mut Reading>,
        effect: Effect,
        deadline: Instant,
        host: &dyn Host,
    ) -> Result<Way<Own>> {
        self.lead_to(reading, effect, 0, deadline, host, |home, topology, replica| {
            home.owned.take(topology, replica, host, || home.deployment.shared.topology().epoch)
        })
    }

    fn lead_to<C>(
        &self,
        mut reading: Option<&mut Reading>,
        effect: Effect,
        size: usize,
        deadline: Instant,
        host: &dyn Host,
        pick: impl Fn(&Home, &Topology, Option<&Address>) -> Result<C, (Error, Doubt)>,
    ) -> Result<Way<C>> {
        host.outing().inspect(|outing| outing.stay());
        let mut backoff = Backoff::default();
        let mut reason = None;
        let mut held = None;
        let turn = reading.as_ref().map(|_| self.home().map(|home| home.replicas.turn()));
        let turn = turn.transpose()?.unwrap_or_default();
        loop {
            let home = self.home()?;
            let topology = home.deployment.shared.topology();
            let mut readable = None;
            let node = match &reading {
                None => (!topology.holds(effect)).then_some(Node::Primary),
                Some(reading) => {
                    home.deployment.note_read(reading.max_lag);
                    let known = readable.insert(home.deployment.shared.readable());
                    reading.choose(&topology, known, Instant::now(), turn)
                }
            };
            if let Some(node) = node {
                let known = readable.as_deref();
                let replica = known.filter(|_| node != Node::Primary);
                let replica = replica.and_then(|known| reads::address(node, &topology, known));
                match pick(&home, &topology, replica) {
                    // Connecting may have taken long enough for a failover to be announced.
                    Ok(_)
                        if node == Node::Primary
                            && home.deployment.shared.topology().holds(effect) => {}
                    Ok(lane) => return Ok(Way { lane, node, readable, topology, home }),
                    Err((error, doubt)) => {
                        if let (Some(reading), Some(replica)) = (reading.as_mut(), replica) {
                            reading.avoid(replica);
                            reason = Some(error);
                            continue;
                        }
                        if matches!(error.kind(), Kind::Auth | Kind::Config) {
                            return Err(error);
                        }
                        home.doubt(topology.epoch, doubt);
                        reason = Some(error);
                    }
                }
            }
            if let Some(refused) = &topology.refused {
                return Err(refused.clone());
            }
            // Either there is nobody to ask, or who there was could not be reached.
            if held.is_none() {
                held = Some(self.hold(size)?);
                self.inner.counters.note(|it| &it.held, 1);
            }
            let seen = Seen { home: &home, topology: &topology, readable: readable.as_ref() };
            self.wait_for_change(seen, effect, deadline, &mut backoff, host).map_err(|error| {
                error.unwrap_or_else(|| {
                    let shared = &home.deployment.shared;
                    let reading = reading.as_deref();
                    reading
                        .and_then(|it| it.unavailable(&shared.readable(), reason.as_ref()))
                        .unwrap_or_else(|| {
                            let topology = shared.topology();
                            let heard = shared.heard_ago();
                            unavailable(&self.inner.config, &topology, &heard, reason.as_ref())
                        })
                })
            })?;
            if let Some(reading) = reading.as_mut() {
                reading.forgive();
            }
        }
    }

    fn hold(&self, size: usize) -> Result<Held<'_>> {
        let inner = &self.inner;
        let held = Held {
            count: &inner.held,
            bytes: &inner.held_bytes,
            size,
            since: Instant::now(),
            counters: &inner.counters,
        };
        let count = held.count.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = held.bytes.fetch_add(size, Ordering::Relaxed) + size;
        if count > inner.config.max_held || bytes > inner.config.max_held_bytes.max(size) {
            return Err(waiting_room_full(count - 1, bytes - size));
        }
        Ok(held)
    }

    /// Waits until another attempt makes sense. `Err(None)`: the deadline has passed.
    fn wait_for_change(
        &self,
        seen: Seen<'_>,
        effect: Effect,
        deadline: Instant,
        backoff: &mut Backoff,
        host: &dyn Host,
    ) -> Result<(), Option<Error>> {
        let Seen { home, topology: seen, readable } = seen;
        let shared = &home.deployment.shared;
        // While the topology says that all is well, only time can change anything.
        let retry =
            (readable.is_some() || !seen.holds(effect)).then(|| Instant::now() + backoff.next());
        let moved = |topology: &Topology| {
            if readable.is_some_and(|seen| !Arc::ptr_eq(seen, &shared.readable())) {
                return true;
            }
            let open = !topology.holds(effect) || topology.refused.is_some();
            open && (retry.is_none() || topology.epoch != seen.epoch)
        };
        loop {
            // Before the first attempt too: what has failed may have failed because of this.
            if host.interrupted() {
                return Err(Some(interrupted()));
            }
            let now = Instant::now();
            if now >= deadline {
                return Err(None);
            }
            if retry.is_some_and(|at| now >= at) {
                return Ok(());
            }
            let until = retry.map_or(deadline, |at| at.min(deadline));
            let patience = until.saturating_duration_since(now).min(SLICE);
            let (_, changed) = shared.wait(patience, moved);
            if self.inner.closed.load(Ordering::Acquire) {
                return Err(Some(closed()));
            }
            if changed {
                return Ok(());
            }
        }
    }
}

/// What an attempt has seen before it came to nothing.
struct Seen<'a> {
    home: &'a Home,
    topology: &'a Topology,
    readable: Option<&'a Arc<Readable>>,
}

impl<C> Way<C> {
    /// The node at the other end.
    pub(super) fn node(&self) -> Option<&Address> {
        match (&self.readable, self.node) {
            (Some(readable), node) => reads::address(node, &self.topology, readable),
            (None, _) => self.topology.primary.as_ref(),
        }
    }

    /// The replica at the other end; `None`: it is the primary.
    pub(super) fn replica(&self) -> Option<&Address> {
        self.node().filter(|_| self.node != Node::Primary)
    }

    /// The node at the other end, as cursors know it.
    pub(super) fn origin(&self) -> Origin {
        Origin::of(self.topology.epoch, self.node())
    }

    /// Passes on what this connection says about the primary, if it leads there.
    pub(super) fn doubt(&self, doubt: Doubt) {
        if self.node == Node::Primary {
            self.home.doubt(self.topology.epoch, doubt);
        }
    }
}

impl Home {
    /// Passes on what a connection says about the primary.
    pub(super) fn doubt(&self, epoch: u64, doubt: Doubt) {
        let trouble = match doubt {
            Doubt::None => return,
            Doubt::Unreachable => Trouble::Unreachable,
            Doubt::NotPrimary => Trouble::NotPrimary,
            Doubt::Overdue => Trouble::Overdue,
        };
        self.deployment.report(epoch, trouble);
    }
}
