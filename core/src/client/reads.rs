//! Which node answers what only reads. Pure: no I/O, the time is an argument.

use super::{Batch, CallOptions, Job};
use crate::config::{Address, Config, ReadFrom, Target};
use crate::error::{Error, Kind, Result};
use crate::topology::{Readable, Replica, Topology};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

/// A node in one epoch. The cursors that it hands out mean something there alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Origin(u64);

impl Origin {
    pub(super) fn of(epoch: u64, node: Option<&Address>) -> Self {
        let mut hasher = DefaultHasher::new();
        (epoch, node.map(|node| (&node.host, node.port))).hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// Where to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    Primary,
    /// By its place among the readable ones.
    Replica(usize),
}

/// One call that replicas may answer, and where it has been in vain.
#[derive(Debug)]
pub(super) struct Reading {
    policy: ReadFrom,
    pub(super) max_lag: Option<Duration>,
    /// It belongs to others that this node has answered.
    keeps_to: Option<Origin>,
    avoided: Vec<Address>,
}

impl Reading {
    /// How to read for this call; `None`: from the primary, or not at all.
    pub(super) fn of(
        job: &Job<'_>,
        options: &CallOptions,
        config: &Config,
    ) -> Result<Option<Self>> {
        if options.read_from == ReadFrom::Primary || !job.on_replica {
            return Ok(None);
        }
        if options.read_from == ReadFrom::Replica && matches!(config.target, Target::Node(_)) {
            return Err(Error::config(
                "read_from \"replica\" needs the Sentinels, who know the replicas of a primary; \
                 set the option sentinels, or read_from \"prefer_replica\"",
            )
            .during(job.name()));
        }
        Ok(Some(Self {
            policy: options.read_from,
            max_lag: options.max_lag,
            keeps_to: job.keeps_to,
            avoided: Vec::new(),
        }))
    }

    /// The node for now. `turn` grows with every call, so that they take turns.
    pub(super) fn choose(
        &self,
        topology: &Topology,
        readable: &Readable,
        now: Instant,
        turn: usize,
    ) -> Option<Node> {
        let replicas = || {
            let current = readable.epoch == topology.epoch;
            let all = readable.replicas.iter().enumerate().filter(move |_| current);
            all.filter_map(|(index, replica)| {
                let round_trip = replica.readable(self.max_lag, now)?;
                let avoided = self.avoided.contains(&replica.address);
                (!avoided).then_some((Node::Replica(index), round_trip))
            })
        };
        let primary = || {
            let known = topology.primary.is_some() && !topology.phase.holds_reads();
            let round_trip = readable.primary.unwrap_or(Duration::MAX);
            known.then_some((Node::Primary, round_trip)).into_iter()
        };
        let mut turn = turn;
        if let Some(origin) = self.keeps_to {
            let is_it = |node: &Node| {
                Origin::of(topology.epoch, address(*node, topology, readable)) == origin
            };
            let known = primary().chain(replicas()).map(|(node, _)| node).find(is_it);
            if known.is_some() {
                return known;
            }
            // Whoever begins begins at the same node as the others.
            turn = 0;
        }
        let nth = |count: usize| turn.checked_rem(count).unwrap_or(0);
        match self.policy {
            ReadFrom::Primary => primary().next(),
            ReadFrom::Replica => replicas().nth(nth(replicas().count())),
            ReadFrom::PreferReplica => {
                replicas().nth(nth(replicas().count())).or_else(|| primary().next())
            }
            ReadFrom::Nearest => {
                primary().chain(replicas()).min_by_key(|(_, round_trip)| *round_trip)
            }
            ReadFrom::RoundRobin => {
                let all = || primary().chain(replicas());
                all().nth(nth(all().count()))
            }
        }
        .map(|(node, _)| node)
    }

    /// It was there in vain: others first.
    pub(super) fn avoid(&mut self, replica: &Address) {
        if !self.avoided.contains(replica) {
            self.avoided.push(replica.clone());
        }
    }

    /// All of them have had their turn.
    pub(super) fn forgive(&mut self) {
        self.avoided.clear();
    }

    /// Nobody could answer in time, and why; `None` where it is the primary that is missing.
    pub(super) fn unavailable(&self, readable: &Readable, reason: Option<&Error>) -> Option<Error> {
        if self.policy != ReadFrom::Replica {
            return None;
        }
        let now = Instant::now();
        let complaint = |replica: &Replica| replica.complaint(self.max_lag, now);
        let mut said: Vec<String> = readable.replicas.iter().filter_map(complaint).collect();
        if readable.replicas.is_empty() {
            said.push("none is known".to_owned());
        }
        said.extend(reason.map(ToString::to_string));
        let message = format!("no replica to read from before the deadline: {}", said.join("; "));
        Some(Error::new(Kind::Unavailable, message))
    }
}

/// The node's address, as Sentinels announce it.
pub(super) fn address<'a>(
    node: Node,
    topology: &'a Topology,
    readable: &'a Readable,
) -> Option<&'a Address> {
    match node {
        Node::Primary => topology.primary.as_ref(),
        Node::Replica(index) => readable.replicas.get(index).map(|replica| &replica.address),
    }
}

/// Refuses what a replica cannot answer, where nothing else was asked for.
pub(super) fn refuse(job: &Job<'_>, options: &CallOptions) -> Result<()> {
    if !options.reads_only || job.on_replica {
        return Ok(());
    }
    let name = job.name();
    let why = format!(
        "{name} does more than read, or may: call it on the client itself, not on replica()"
    );
    Err(Error::usage(why).during(name))
}

/// The same for each command of a batch.
pub(super) fn refuse_batch(batch: &Batch, options: &CallOptions) -> Result<()> {
    (0..batch.len()).try_for_each(|index| refuse(&batch.job(index), options))
}
