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

/// Who has answered, as far as it matters.
#[derive(Debug, Default)]
pub(super) struct Who {
    /// For what goes on there.
    pub(super) origin: Origin,
    /// For errors.
    pub(super) node: Option<Address>,
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

    /// All of them have had their turn. `true`: there were any.
    pub(super) fn forgive(&mut self) -> bool {
        let any = !self.avoided.is_empty();
        self.avoided.clear();
        any
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
    if !options.reads_only {
        return Ok(());
    }
    (0..batch.len()).try_for_each(|index| refuse(&batch.job(index), options))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Effect;
    use crate::proto::ledger::Span;
    use crate::topology::{Following, Phase};

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn reading(policy: ReadFrom, max_lag: Option<Duration>) -> Reading {
        Reading { policy, max_lag, keeps_to: None, avoided: Vec::new() }
    }

    fn topology() -> Topology {
        let mut topology = Topology::unknown();
        topology.phase = Phase::Ready;
        (topology.epoch, topology.primary) = (3, Some(Address::new("a", 1)));
        topology
    }

    /// Replicas with these round trips, each further behind than the one before.
    fn readable(now: Instant, round_trips: &[u64]) -> Readable {
        let replicas = round_trips.iter().zip(["b", "c", "d"]).enumerate();
        let replicas = replicas.map(|(index, (&round_trip, name))| Replica {
            address: Address::new(name, 1),
            state: Following::Follows {
                as_of: now.checked_sub(MS(100 * index as u64)),
                round_trip: MS(round_trip),
            },
        });
        Readable { epoch: 3, primary: Some(MS(5)), replicas: replicas.collect() }
    }

    fn chosen(policy: ReadFrom, readable: &Readable, turns: usize) -> Vec<Option<Node>> {
        let (now, topology) = (Instant::now(), topology());
        (0..turns)
            .map(|turn| reading(policy, None).choose(&topology, readable, now, turn))
            .collect()
    }

    #[test]
    fn each_policy_chooses_in_its_way() {
        use Node::{Primary, Replica};
        use ReadFrom::{Nearest, PreferReplica, Replica as Only, RoundRobin};
        let now = Instant::now();
        let (two, none) = (readable(now, &[9, 2]), readable(now, &[]));
        let in_turn = [Some(Replica(0)), Some(Replica(1)), Some(Replica(0))];
        assert_eq!(chosen(PreferReplica, &two, 3), in_turn);
        assert_eq!(chosen(Only, &two, 3), in_turn);
        assert_eq!(chosen(RoundRobin, &two, 3), [Primary, Replica(0), Replica(1)].map(Some));
        assert_eq!(chosen(Nearest, &two, 2), [Some(Replica(1)); 2]);
        assert_eq!(chosen(Nearest, &readable(now, &[9, 7]), 2), [Some(Primary); 2]);
        for policy in [PreferReplica, RoundRobin, Nearest] {
            assert_eq!(chosen(policy, &none, 2), [Some(Primary); 2], "{policy:?}");
        }
        assert_eq!(chosen(Only, &none, 1), [None]);
        let another = Readable { epoch: 2, ..two };
        assert_eq!(chosen(PreferReplica, &another, 1), [Some(Primary)]);
        assert_eq!(chosen(Only, &another, 1), [None]);
    }

    #[test]
    fn a_lost_primary_one_that_lags_and_one_tried_in_vain_are_passed_over() {
        let now = Instant::now();
        let (readable, mut topology) = (readable(now, &[1, 1, 1]), topology());
        let all = |reading: &Reading, topology: &Topology| -> Vec<Node> {
            (0..4).filter_map(|turn| reading.choose(topology, &readable, now, turn)).collect()
        };
        let (b, c, d) = (Node::Replica(0), Node::Replica(1), Node::Replica(2));
        let mut robin = reading(ReadFrom::RoundRobin, Some(MS(100)));
        assert_eq!(all(&robin, &topology), [Node::Primary, b, c, Node::Primary]);
        topology.phase = Phase::Lost;
        assert_eq!(all(&robin, &topology), [b, c, b, c]);
        robin.avoid(&Address::new("b", 1));
        assert_eq!(all(&robin, &topology), [c; 4]);
        robin.avoid(&Address::new("c", 1));
        assert_eq!(all(&robin, &topology), []);
        robin.forgive();
        assert_eq!(all(&robin, &topology), [b, c, b, c]);
        topology.phase = Phase::Fenced;
        let patient = reading(ReadFrom::RoundRobin, None);
        assert_eq!(all(&patient, &topology), [Node::Primary, b, c, d]);
    }

    #[test]
    fn what_belongs_together_stays_with_one_node() {
        let now = Instant::now();
        let (mut readable, topology) = (readable(now, &[1, 1]), topology());
        let mut scan = reading(ReadFrom::Replica, None);
        scan.keeps_to = Some(Origin::default());
        let first = |turn| scan.choose(&topology, &readable, now, turn);
        assert_eq!((first(0), first(1)), (Some(Node::Replica(0)), Some(Node::Replica(0))));
        scan.keeps_to = Some(Origin::of(3, Some(&Address::new("c", 1))));
        assert_eq!(scan.choose(&topology, &readable, now, 0), Some(Node::Replica(1)));
        readable.replicas.remove(1);
        assert_eq!(scan.choose(&topology, &readable, now, 7), Some(Node::Replica(0)));
    }

    #[test]
    fn what_only_the_primary_can_do_goes_there_or_nowhere() {
        let mut config =
            Config::new(Target::Node(crate::config::Endpoint::Tcp(Address::new("a", 1))));
        config.read_from = ReadFrom::Replica;
        let options = CallOptions::of(&config);
        let bytes = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n";
        let (span, wait) = (Span::Command { bytes: bytes.len() }, crate::command::Wait::No);
        let effect = Effect::Writes;
        let mut job = Job { bytes, span, effect, wait, on_replica: false, keeps_to: None };
        assert!(Reading::of(&job, &options, &config).unwrap().is_none());
        assert!(refuse(&job, &options).is_ok());
        let error = refuse(&job, &options.reading_from(ReadFrom::Replica, None)).unwrap_err();
        assert_eq!((error.kind(), error.command()), (Kind::Usage, Some("SET")));
        job.on_replica = true;
        let error = Reading::of(&job, &options, &config).unwrap_err();
        assert!(error.kind() == Kind::Config && error.message().contains("sentinels"), "{error}");
    }
}
