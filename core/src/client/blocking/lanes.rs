//! The connections to the primary, or to one replica, in one epoch.

use super::turnstile::Turnstile;
use crate::client::script::Scripts;
use crate::client::verdict::unfit;
use crate::config::{Address, Config};
use crate::error::{Error, Kind, Result};
use crate::lane::blocking::Lane;
use crate::lane::call::{Caller, Host, Request};
use crate::lane::dial::{Connection, Dial};
use crate::policy::{Doubt, Effect};
use crate::proto::handshake::Role;
use crate::proto::ledger::Span;
use crate::proto::scan::Limits;
use crate::stats::Counters;
use crate::topology::{self, Topology};
use arc_swap::ArcSwapOption;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many lanes a language without a global lock uses at most.
const MOST: usize = 4;
/// After a dial has failed, others need not find out for themselves.
const MEMORY: Duration = Duration::from_millis(50);

pub(super) type SharedLane = Arc<Lane<Connection>>;

/// All lanes lead to one node, in one epoch.
#[derive(Debug)]
struct Fleet {
    epoch: u64,
    lanes: Vec<SharedLane>,
}

#[derive(Debug)]
pub(super) struct Lanes {
    /// Where they lead; `None`: to the primary.
    replica: Option<Address>,
    config: Arc<Config>,
    counters: Arc<Counters>,
    scripts: Arc<Scripts>,
    most: usize,
    fleet: ArcSwapOption<Fleet>,
    /// One dials, the others wait for what comes of it.
    dialling: Turnstile,
    failed: Mutex<Option<Failed>>,
}

/// A dial that led to nothing.
#[derive(Debug)]
struct Failed {
    epoch: u64,
    at: Instant,
    why: (Error, Doubt),
}

impl Lanes {
    pub(super) fn new(config: Arc<Config>, counters: Arc<Counters>, scripts: Arc<Scripts>) -> Self {
        let most = config.lanes.map_or(MOST, usize::from);
        Self {
            replica: None,
            config,
            counters,
            scripts,
            most,
            fleet: ArcSwapOption::empty(),
            dialling: Turnstile::default(),
            failed: Mutex::default(),
        }
    }

    /// Lanes to a replica, which needs no scripts: those that only read are not told apart.
    pub(super) fn to_replica(
        replica: Address,
        config: Arc<Config>,
        counters: Arc<Counters>,
    ) -> Self {
        Self { replica: Some(replica), ..Self::new(config, counters, Arc::default()) }
    }

    /// A lane to the node of this topology: a free one, or another one while there may be
    /// more, or the least busy. The doubt tells what a failure says about the primary.
    pub(super) fn pick(
        &self,
        topology: &Topology,
        deadline: Instant,
        host: &dyn Host,
        current: impl Fn() -> Arc<Topology>,
    ) -> Result<SharedLane, (Error, Doubt)> {
        if let Some(lane) = self.existing(topology.epoch) {
            return Ok(lane);
        }
        let Some(_turn) = self.dialling.enter(deadline, host) else {
            let why = "another call was still connecting";
            return Err((Error::new(Kind::Unavailable, why), Doubt::None));
        };
        // Somebody may have dialled, or tried to, while we waited.
        if let Some(lane) = self.existing(topology.epoch) {
            return Ok(lane);
        }
        if let Some(Failed { epoch, at, why }) = &*self.failed()
            && *epoch == topology.epoch
            && at.elapsed() < MEMORY
        {
            return Err(why.clone());
        }
        match self.dial(topology, host) {
            Ok(lane) => {
                *self.failed() = None;
                self.join(topology.epoch, Arc::clone(&lane));
                // Whoever looks after the others may not have seen this one.
                while lane.hold_writes(current().phase.holds_writes())
                    != current().phase.holds_writes()
                {}
                if current().epoch != topology.epoch {
                    lane.retire(outdated());
                    return Err((outdated(), Doubt::None));
                }
                Ok(lane)
            }
            Err(why) => {
                let (epoch, at) = (topology.epoch, Instant::now());
                *self.failed() = Some(Failed { epoch, at, why: why.clone() });
                Err(why)
            }
        }
    }

    fn failed(&self) -> MutexGuard<'_, Option<Failed>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A lane that is there already, unless all are busy and there may be more.
    fn existing(&self, epoch: u64) -> Option<SharedLane> {
        let fleet = self.fleet.load();
        let fleet = fleet.as_ref().filter(|fleet| fleet.epoch == epoch)?;
        let mut least: Option<(usize, &SharedLane)> = None;
        let mut alive = 0;
        for lane in &fleet.lanes {
            let Some(waiting) = lane.load() else { continue };
            alive += 1;
            if waiting == 0 {
                return Some(Arc::clone(lane));
            }
            if least.is_none_or(|(fewest, _)| waiting < fewest) {
                least = Some((waiting, lane));
            }
        }
        least.filter(|_| alive >= self.most).map(|(_, lane)| Arc::clone(lane))
    }

    fn join(&self, epoch: u64, lane: SharedLane) {
        self.fleet.rcu(|fleet| {
            let mut lanes: Vec<SharedLane> = match fleet {
                Some(fleet) if fleet.epoch == epoch => fleet.lanes.clone(),
                _ => Vec::new(),
            };
            lanes.retain(|lane| lane.load().is_some() || lane.is_awaited());
            lanes.push(Arc::clone(&lane));
            Some(Arc::new(Fleet { epoch, lanes }))
        });
    }

    /// Connects, and makes sure on this very socket that the node is what it has to be.
    fn dial(&self, topology: &Topology, host: &dyn Host) -> Result<SharedLane, (Error, Doubt)> {
        let connection = match &self.replica {
            None => connect_primary(&self.config, topology, host)?,
            Some(replica) => connect_replica(&self.config, replica, host)?,
        };
        Counters::add(&self.counters.connections, 1);
        let lane = Lane::new(connection, limits(&self.config), self.config.max_in_flight);
        if self.fleet.load().as_ref().is_none_or(|fleet| fleet.epoch < topology.epoch) {
            self.load_scripts(&lane, host);
        }
        Ok(Arc::new(lane))
    }

    /// The first connection to a primary brings the scripts along, so that no call needs a second
    /// try. One that fails costs nothing: its calls send their source then.
    fn load_scripts(&self, lane: &Lane<Connection>, host: &dyn Host) {
        let (bytes, replies) = self.scripts.loads();
        if replies > 0 {
            let now = Instant::now();
            let caller = Caller { now, deadline: now + self.config.command_timeout, host };
            let span = Span::Unit { bytes: bytes.len(), replies };
            let request = Request { bytes: &bytes, span, effect: Effect::Reads };
            let _ = lane.call(request, caller, &mut Vec::new());
        }
    }

    /// Leaves the lanes of every epoch but this one, and lets writes wait while they have to.
    pub(super) fn follow(&self, topology: &Topology) {
        let Some(fleet) = self.fleet.load_full() else { return };
        if fleet.epoch >= topology.epoch {
            let held = topology.phase.holds_writes();
            fleet.lanes.iter().for_each(|lane| _ = lane.hold_writes(held));
            return;
        }
        let to = topology.primary.as_ref().map_or("elsewhere".to_owned(), ToString::to_string);
        let why = Error::new(Kind::Unavailable, format!("the primary has changed to {to}"));
        for lane in &fleet.lanes {
            lane.retire(why.clone());
        }
    }

    pub(super) fn retire_all(&self, why: &Error) {
        for lane in self.fleet.swap(None).iter().flat_map(|fleet| &fleet.lanes) {
            lane.retire(why.clone());
        }
    }
}

/// The primary has changed while we connected to the former one.
pub(super) fn outdated() -> Error {
    Error::new(Kind::Unavailable, "the primary has changed")
}

/// Connects to the primary, and makes sure on this very socket that it is one.
pub(super) fn connect_primary(
    config: &Config,
    topology: &Topology,
    host: &dyn Host,
) -> Result<Connection, (Error, Doubt)> {
    let Some(primary) = &topology.primary else {
        return Err((Error::new(Kind::Unavailable, "no primary is known"), Doubt::None));
    };
    match connect(config, primary, host)? {
        (connection, Role::Primary) => Ok(connection),
        (_, other) => {
            let why = format!("{primary} is no primary but a {}", other.name());
            Err((Error::new(Kind::Unavailable, why), Doubt::NotPrimary))
        }
    }
}

/// Connects to a replica, and makes sure on this very socket that it is one and gets its data.
pub(super) fn connect_replica(
    config: &Config,
    replica: &Address,
    host: &dyn Host,
) -> Result<Connection, (Error, Doubt)> {
    match connect(config, replica, host)? {
        (connection, Role::Replica { linked: true, .. }) => Ok(connection),
        (_, role) => Err((unfit(replica, &role), Doubt::None)),
    }
}

/// Connects to a node at the address that is reachable from here.
pub(super) fn connect(
    config: &Config,
    announced: &Address,
    host: &dyn Host,
) -> Result<(Connection, Role), (Error, Doubt)> {
    let endpoint = topology::endpoint(&config.address_map.reachable(announced));
    let login = topology::login(config).map_err(|error| (error, Doubt::None))?;
    let dial = Dial {
        endpoint: &endpoint,
        tls: config.data.tls.as_ref(),
        login,
        limits: limits(config),
        deadline: Instant::now() + config.connect_timeout,
        peer_timeout: config.command_timeout,
    };
    match dial.connect(host) {
        Ok((connection, greeting)) => Ok((connection.into_wire(), greeting.role)),
        // A node that refuses our credentials is there, and may well be the primary.
        Err(error) if matches!(error.kind(), Kind::Auth | Kind::Config) => {
            Err((error, Doubt::None))
        }
        Err(error) => Err((error, Doubt::Unreachable)),
    }
}

pub(super) fn limits(config: &Config) -> Limits {
    Limits { bytes: config.max_reply_bytes, ..Limits::default() }
}
