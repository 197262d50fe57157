//! Where a session learns who is primary, and whom it tells about trouble.

use crate::config::{Address, Config};
use crate::error::Result;
use crate::event::Event;
use crate::policy::Backoff;
use crate::stats::Counters;
use crate::topology::decide::Trouble;
use crate::topology::{Deployment, Mover, Readable, Topology};
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, Default)]
pub(super) enum Guide {
    /// Nobody has called yet.
    #[default]
    None,
    /// The background thread, which is to call us after every change.
    Watch { deployment: Arc<Deployment>, heard: Vec<u64> },
    /// A simulation, which tells the topology and asks for the troubles. It can be run again, so
    /// its chance is counted, not drawn.
    Simulation { topology: Arc<Topology>, troubles: Vec<(u64, Trouble)>, chance: u64 },
}

impl Guide {
    pub(super) fn watch(config: &Arc<Config>, waker: Arc<dyn Fn() + Send + Sync>) -> Result<Self> {
        let deployment = Deployment::open(config)?;
        let waker = deployment.shared.listeners().add_waker(waker);
        Ok(Self::Watch { deployment, heard: vec![waker] })
    }

    /// Whether both learn the same from the same, so that their epochs mean the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Watch { deployment: a, .. }, Self::Watch { deployment: b, .. }) => {
                Arc::ptr_eq(a, b)
            }
            (Self::Simulation { topology: a, .. }, Self::Simulation { topology: b, .. }) => {
                Arc::ptr_eq(a, b)
            }
            _ => false,
        }
    }

    pub(super) fn topology(&self) -> Option<Arc<Topology>> {
        match self {
            Self::None => None,
            Self::Watch { deployment, .. } => Some(deployment.shared.topology()),
            Self::Simulation { topology, .. } => Some(Arc::clone(topology)),
        }
    }

    /// What is known of the replicas. Somebody reads, and from none that is further behind.
    pub(super) fn readable(&self, max_lag: Option<Duration>) -> Arc<Readable> {
        match self {
            Self::Watch { deployment, .. } => {
                deployment.note_read(max_lag);
                deployment.shared.readable()
            }
            Self::None | Self::Simulation { .. } => Arc::default(),
        }
    }

    /// Asks to be woken when more is known of the replicas.
    pub(super) fn wait_for_replicas(&self) {
        if let Self::Watch { deployment, .. } = self {
            deployment.shared.interest.wait();
        }
    }

    /// Has a failover not told of before this one has arrived.
    pub(super) fn set_out(&self) -> Option<Mover> {
        match self {
            Self::Watch { deployment, .. } => Some(deployment.shared.movers.set_out()),
            Self::None | Self::Simulation { .. } => None,
        }
    }

    /// Has these figures counted together with those of the deployment's other clients.
    pub(super) fn count_with(&self, counters: &Counters) {
        if let Self::Watch { deployment, .. } = self {
            counters.join(&deployment.shared.tally);
        }
    }

    /// How long ago each Sentinel has answered.
    pub(super) fn heard_ago(&self) -> Vec<(Address, Duration)> {
        match self {
            Self::Watch { deployment, .. } => deployment.shared.heard_ago(),
            Self::None | Self::Simulation { .. } => Vec::new(),
        }
    }

    pub(super) fn report(&mut self, epoch: u64, trouble: Trouble) {
        match self {
            Self::None => {}
            Self::Watch { deployment, .. } => deployment.report(epoch, trouble),
            Self::Simulation { troubles, .. } => troubles.push((epoch, trouble)),
        }
    }

    /// Pauses for a call, or for connecting.
    pub(super) fn backoff(&mut self) -> Backoff {
        match self {
            Self::Simulation { chance, .. } => {
                *chance = chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
                Backoff::seeded(*chance)
            }
            _ => Backoff::default(),
        }
    }

    /// Calls `listener` with every event, on the background thread.
    pub(super) fn listen(&mut self, listener: Arc<dyn Fn(&Event) + Send + Sync>) {
        if let Self::Watch { deployment, heard } = self {
            heard.push(deployment.shared.listeners().add(listener));
        }
    }

    /// It belongs to this process, and not to one that this was forked from.
    pub(super) fn is_ours(&self) -> bool {
        match self {
            Self::Watch { deployment, .. } => deployment.is_ours(),
            Self::None | Self::Simulation { .. } => true,
        }
    }
}

impl Drop for Guide {
    fn drop(&mut self) {
        if let Self::Watch { deployment, heard } = self
            && deployment.is_ours()
        {
            heard.iter().for_each(|id| deployment.shared.listeners().remove(*id));
        }
    }
}
