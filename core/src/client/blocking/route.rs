//! Which lane a command takes, and how long it waits for one.

use super::lanes::SharedLane;
use super::own::Own;
use super::{Client, Home};
use crate::client::verdict::{closed, interrupted, unavailable, waiting_room_full};
use crate::error::{Error, Kind, Result};
use crate::lane::call::Host;
use crate::lane::wire::SLICE;
use crate::policy::{Backoff, Doubt, Effect};
use crate::stats::Counters;
use crate::topology::Topology;
use crate::topology::decide::Trouble;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// A connection to the verified primary, and the topology it belongs to.
#[derive(Debug)]
pub(super) struct Way<C = SharedLane> {
    pub(super) lane: C,
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
    /// A shared lane to the verified primary, now or before the deadline.
    pub(super) fn way(
        &self,
        effect: Effect,
        size: usize,
        deadline: Instant,
        host: &dyn Host,
    ) -> Result<Way> {
        self.lead_to(effect, size, deadline, host, |home, topology| {
            home.lanes.pick(topology, host, || home.deployment.shared.topology().epoch)
        })
    }

    /// A connection of one's own to the verified primary, now or before the deadline.
    pub(super) fn own_way(
        &self,
        effect: Effect,
        deadline: Instant,
        host: &dyn Host,
    ) -> Result<Way<Own>> {
        self.lead_to(effect, 0, deadline, host, |home, topology| {
            home.owned.take(topology, host, || home.deployment.shared.topology().epoch)
        })
    }

    fn lead_to<C>(
        &self,
        effect: Effect,
        size: usize,
        deadline: Instant,
        host: &dyn Host,
        pick: impl Fn(&Home, &Topology) -> Result<C, (Error, Doubt)>,
    ) -> Result<Way<C>> {
        let mut backoff = Backoff::default();
        let mut reason = None;
        let mut held = None;
        loop {
            let home = self.home()?;
            let topology = home.deployment.shared.topology();
            if !topology.holds(effect) {
                match pick(&home, &topology) {
                    Ok(lane) => {
                        return Ok(Way { lane, topology, home });
                    }
                    Err((error, doubt)) => {
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
            // Either there is no primary, or the one there was could not be reached.
            if held.is_none() {
                held = Some(self.hold(size)?);
                Counters::add(&self.inner.counters.held, 1);
            }
            self.wait_for_change(&home, &topology, effect, deadline, &mut backoff, host).map_err(
                |error| {
                    error.unwrap_or_else(|| {
                        unavailable(
                            &self.inner.config,
                            &home.deployment.shared.topology(),
                            reason.as_ref(),
                        )
                    })
                },
            )?;
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
        home: &Home,
        seen: &Topology,
        effect: Effect,
        deadline: Instant,
        backoff: &mut Backoff,
        host: &dyn Host,
    ) -> Result<(), Option<Error>> {
        // While the topology says that all is well, only time can change anything.
        let retry = (!seen.holds(effect)).then(|| Instant::now() + backoff.next());
        loop {
            let now = Instant::now();
            if now >= deadline {
                return Err(None);
            }
            if retry.is_some_and(|at| now >= at) {
                return Ok(());
            }
            let until = retry.map_or(deadline, |at| at.min(deadline));
            let patience = until.saturating_duration_since(now).min(SLICE);
            let moved = |topology: &Topology| {
                let open = !topology.holds(effect) || topology.refused.is_some();
                open && (retry.is_none() || topology.epoch != seen.epoch)
            };
            let (_, changed) = home.deployment.shared.wait(patience, moved);
            if self.inner.closed.load(Ordering::Acquire) {
                return Err(Some(closed()));
            }
            if host.interrupted() {
                return Err(Some(interrupted()));
            }
            if changed {
                return Ok(());
            }
        }
    }
}

impl<C> Way<C> {
    /// The node at the other end.
    pub(super) fn address(&self) -> String {
        self.topology.primary.as_ref().map(ToString::to_string).unwrap_or_default()
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
