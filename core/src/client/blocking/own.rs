//! Connections of one caller's own: for what blocks, or keeps state on the server.

use super::Client;
use super::lanes::{connect_primary, connect_replica, limits, outdated};
use super::route::Way;
use crate::client::verdict::closed;
use crate::config::{Address, Config};
use crate::error::{Error, Result};
use crate::lane::call::Host;
use crate::lane::dial::Connection;
use crate::lane::exclusive::Exclusive;
use crate::lane::wire::Wire;
use crate::policy::Doubt;
use crate::stats::Counters;
use crate::topology::Topology;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

impl Client {
    /// Why a caller's own connection was lost: we may have ended it ourselves, which looks from
    /// inside as if the server had.
    pub(super) fn why_lost(&self, way: &Way<Own>, why: Error) -> Error {
        if self.is_closed() {
            closed()
        } else if way.home.deployment.shared.topology().epoch != way.topology.epoch {
            outdated()
        } else {
            why
        }
    }
}

/// Connections kept for the next caller.
const SPARE: usize = 8;

/// A connection, the epoch it belongs to, and where it leads.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) connection: Exclusive<Connection>,
    epoch: u64,
    /// `None`: to the primary.
    replica: Option<Address>,
}

/// Those that wait for a caller, and those that have one.
#[derive(Debug)]
pub(super) struct Owned {
    config: Arc<Config>,
    counters: Arc<Counters>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    spare: Vec<Own>,
    /// To wake whoever waits on a connection that has to go.
    lent: Vec<(u64, Weak<dyn Wire>)>,
}

impl Owned {
    pub(super) fn new(config: Arc<Config>, counters: Arc<Counters>) -> Self {
        Self { config, counters, inner: Mutex::default() }
    }

    /// A connection to the primary of this topology, or to this replica; an old one or a new one.
    pub(super) fn take(
        &self,
        topology: &Topology,
        replica: Option<&Address>,
        host: &dyn Host,
        epoch_now: impl Fn() -> u64,
    ) -> Result<Own, (Error, Doubt)> {
        let epoch = topology.epoch;
        let spare = {
            let mut inner = self.lock();
            inner.spare.retain(|own| own.epoch == epoch && !own.connection.wire().is_over());
            let fits = |own: &Own| own.replica.as_ref() == replica;
            let place = inner.spare.iter().rposition(fits);
            place.map(|place| inner.spare.swap_remove(place))
        };
        let own = match spare {
            Some(own) => own,
            None => {
                let wire = match replica {
                    None => connect_primary(&self.config, topology, host)?,
                    Some(replica) => connect_replica(&self.config, replica, host)?,
                };
                Counters::add(&self.counters.connections, 1);
                let connection = Exclusive::new(wire, limits(&self.config));
                Own { connection, epoch, replica: replica.cloned() }
            }
        };
        {
            let mut inner = self.lock();
            inner.lent.retain(|(_, wire)| wire.strong_count() > 0);
            inner.lent.push((epoch, Arc::downgrade(own.connection.wire())));
        }
        if epoch_now() != epoch {
            return Err((outdated(), Doubt::None));
        }
        Ok(own)
    }

    /// Keeps a connection whose replies are all in for the next caller.
    pub(super) fn give_back(&self, own: Own) {
        let mut inner = self.lock();
        if own.connection.over().is_none() && inner.spare.len() < SPARE {
            inner.spare.push(own);
        }
    }

    /// Ends the connections of every epoch but this one; their callers wake.
    pub(super) fn leave_all_but(&self, epoch: u64) {
        let lent = {
            let mut inner = self.lock();
            inner.spare.retain(|own| own.epoch == epoch);
            let (stay, go) =
                std::mem::take(&mut inner.lent).into_iter().partition(|it| it.0 == epoch);
            inner.lent = stay;
            let go: Vec<(u64, Weak<dyn Wire>)> = go;
            go
        };
        for wire in lent.iter().filter_map(|(_, wire)| wire.upgrade()) {
            wire.close();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
