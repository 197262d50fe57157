//! The connections to replicas.

use super::lanes::Lanes;
use crate::config::{Address, Config};
use crate::error::{Error, Kind};
use crate::stats::Counters;
use crate::topology::Topology;
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Lanes for each replica that was read from.
#[derive(Debug)]
pub(super) struct Replicas {
    config: Arc<Config>,
    counters: Arc<Counters>,
    nodes: ArcSwap<Vec<(Address, Arc<Lanes>)>>,
    turn: AtomicUsize,
}

impl Replicas {
    pub(super) fn new(config: Arc<Config>, counters: Arc<Counters>) -> Self {
        Self { config, counters, nodes: ArcSwap::default(), turn: AtomicUsize::new(0) }
    }

    /// Grows with every call.
    pub(super) fn turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// The lanes to this replica.
    pub(super) fn lanes(&self, replica: &Address) -> Arc<Lanes> {
        loop {
            let nodes = self.nodes.load();
            if let Some((_, lanes)) = nodes.iter().find(|(known, _)| known == replica) {
                return Arc::clone(lanes);
            }
            let (config, counters) = (Arc::clone(&self.config), Arc::clone(&self.counters));
            let fresh = Arc::new(Lanes::to_replica(replica.clone(), config, counters));
            let mut with_it = Vec::clone(&nodes);
            with_it.push((replica.clone(), fresh));
            self.nodes.compare_and_swap(&nodes, Arc::new(with_it));
        }
    }

    /// Leaves the lanes of other epochs, whose node may be another kind of node now, and those to
    /// replicas that are gone or down.
    pub(super) fn leave_all_but(&self, topology: &Topology) {
        let mut gone = Vec::new();
        self.nodes.rcu(|nodes| {
            let (stay, go): (Vec<_>, Vec<_>) =
                nodes.iter().cloned().partition(|(node, _)| topology.replicas.contains(node));
            gone = go;
            stay
        });
        for (node, lanes) in gone {
            let why = format!("{node} is no replica any more, or down");
            lanes.retire_all(&Error::new(Kind::Unavailable, why));
        }
        for (_, lanes) in self.nodes.load().iter() {
            lanes.follow(topology);
        }
    }

    pub(super) fn retire_all(&self, why: &Error) {
        for (_, lanes) in self.nodes.swap(Arc::default()).iter() {
            lanes.retire_all(why);
        }
    }
}
