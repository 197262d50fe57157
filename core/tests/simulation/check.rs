//! The promises, checked while a run goes on and after it.

use crate::history::{Fate, Op};
use crate::network::Host;
use crate::node::{Client, OpId, Role};
use crate::plan::{node as address, node_at};
use crate::queue::Time;
use crate::resp::command;
use crate::sentinel::Sentinel;
use crate::worker::Call;
use crate::world::{RECOVERY, World};
use std::time::Duration;
use steadis::proto::reply::Reply;
use steadis::topology::{Phase, Topology};
use steadis::{Error, Kind};

/// The newest primary that the client has accepted so far.
#[derive(Default)]
pub(crate) struct Accepted {
    epoch: u64,
    best: Option<(usize, u64)>,
}

impl World {
    pub(crate) fn violated(&mut self, what: String) {
        let at = self.now.as_secs_f64() * 1000.0;
        self.trace.line(self.now, || format!("VIOLATED {what}"));
        self.violations.push(format!("at {at:.3} ms: {what}"));
    }

    pub(crate) fn executed(&mut self, op: OpId, node: usize) {
        self.trace.line(self.now, || format!("{} executes op {op}", address(node)));
        self.trace.mix(op);
        self.history.execute(op, node, self.now);
    }

    /// P4: a socket carries commands only after the node said on it that it is the primary.
    pub(crate) fn check_verified(&mut self, n: usize, client: &Client, op: OpId) {
        if !client.told_primary {
            self.violated(format!("P4: op {op} came to {} on an unverified socket", address(n)));
        }
    }

    /// P4: nobody goes back to a primary while the one that replaced it is one.
    pub(crate) fn check_accepted(&mut self, topology: &Topology) {
        let Some(primary) = &topology.primary else { return };
        if topology.epoch < self.accepted.epoch {
            self.violated("P4: the epoch went back".to_owned());
        }
        if topology.epoch == self.accepted.epoch {
            return;
        }
        self.accepted.epoch = topology.epoch;
        self.stats.accepted += 1;
        let n = node_at(primary);
        // Sentinels can make a primary of one that was never anything else.
        let named = self.published.iter().filter(|(node, _)| *node == n);
        let named = named.map(|(_, epoch)| *epoch).max().unwrap_or(0);
        let generation = self.nodes[n].generation.max(named);
        if let Some((newer, best)) = self.accepted.best {
            let stands = self.nodes[newer].role == Role::Primary
                && self.nodes[newer].generation == best
                && self.published.contains(&(newer, best));
            if stands && generation < best {
                let newer = address(newer);
                self.violated(format!("P4: back to {primary}, which {newer} has replaced"));
            } else if stands {
                self.accepted.best = Some((n, generation));
            }
        }
        if self.accepted.best.is_none_or(|(_, best)| generation >= best) {
            self.accepted.best = Some((n, generation));
        }
    }

    /// P5: no write leaves while writes have to wait, though it was submitted before.
    pub(crate) fn check_held(&mut self, app: usize, link: u32, bytes: &[u8]) {
        let topology = self.apps[app].session.topology();
        let held = topology.is_some_and(|topology| topology.phase.holds_writes());
        let mut at = 0;
        while held && let Some((args, length)) = command(&bytes[at..]) {
            if matches!(args[0].as_slice(), b"INCRBY" | b"EVAL") {
                self.violated(format!("P5: a write leaves on link {link} while writes wait"));
            }
            at += length;
        }
    }

    /// P10.
    pub(crate) fn check_bounds(&mut self, app: usize) {
        let waiting = self.apps[app].session.waiting();
        let config = &self.plan.config;
        if waiting > config.max_in_flight + config.max_held {
            self.violated(format!("P10: {waiting} calls wait"));
        }
    }

    /// What an outcome means, and whether it may be.
    pub(crate) fn judge(&mut self, call: &Call, op: OpId, outcome: Result<Reply, Error>) -> Fate {
        let Op { reads, repeats, .. } = *self.history.op(op);
        match outcome {
            Ok(reply) => {
                let (value, right) = (reply.as_integer(), reads.unwrap_or(op));
                let target_repeats = self.history.op(right).repeats;
                let fits = match value {
                    None => reads.is_some() && reply.is_null(),
                    Some(value) if repeats || target_repeats => {
                        (value as u64).is_multiple_of(right)
                    }
                    Some(value) => value as u64 == right,
                };
                let lost = self.plan.calm && value.is_none() && reads.is_some();
                if !fits {
                    self.violated(format!("op {op} was answered {reply:?}"));
                } else if lost && self.history.was_done(right, call.submitted) {
                    self.violated(format!("P5: op {right} was acknowledged and is not there"));
                }
                Fate::Done
            }
            Err(error) => {
                self.check_failure(call, op, &error);
                match error.kind() {
                    Kind::MaybeExecuted => Fate::Maybe,
                    kind => Fate::Failed(kind),
                }
            }
        }
    }

    fn check_failure(&mut self, call: &Call, op: OpId, error: &Error) {
        let early = self.now + Duration::from_millis(5) < call.whole;
        let tight = self.plan.config.max_held < 100;
        let refused = ["READONLY", "LOADING", "MASTERDOWN", "NOREPLICAS"];
        let allowed = match error.kind() {
            Kind::MaybeExecuted => self.history.is_write(op),
            Kind::Unavailable => !early,
            Kind::Timeout => !early && !self.history.is_write(op),
            Kind::Busy => tight,
            Kind::Auth => self.was_locked_out,
            Kind::Server => !early && error.code().is_some_and(|code| refused.contains(&code)),
            _ => false,
        };
        if !allowed {
            self.violated(format!("P2: op {op} failed with {error:?}"));
        } else if call.firm && error.kind() != Kind::Busy {
            self.violated(format!("all is well, and yet op {op} failed with {error:?}"));
        } else if self.plan.calm {
            self.violated(format!("a planned failover made op {op} fail with {error:?}"));
        }
    }

    /// Every Sentinel and every node agree, and all of them are up.
    pub(crate) fn is_sane(&self) -> bool {
        let primary = self.sentinels[0].primary;
        let knows = |it: &Sentinel| {
            it.seen.iter().zip(&self.nodes).all(|(seen, node)| seen.role == node.role)
        };
        let sentinels = self.sentinels.iter().all(|it| {
            let settled = it.failover.is_none() && !it.seen[primary].down;
            it.runs() && it.primary == primary && settled && knows(it)
        });
        let nodes = self.nodes.iter().enumerate().all(|(n, node)| {
            let role = if n == primary { Role::Primary } else { Role::ReplicaOf(primary) };
            node.runs()
                && node.role == role
                && (n == primary || node.linked)
                && self.now >= node.loading_until
        });
        sentinels && nodes
    }

    /// Some time after the world has become sane, the client is as well.
    pub(crate) fn check_recovered(&mut self) {
        let topology = self.watch.decide.topology();
        let primary = address(self.sentinels[0].primary);
        if topology.phase != Phase::Ready || topology.primary.as_ref() != Some(&primary) {
            let (phase, of) = (topology.phase, topology.primary);
            self.violated(format!("{primary} is well, and the client is {phase:?} at {of:?}"));
        }
        // One reply that will never come may have had to be waited for.
        let quick = self.plan.config.command_timeout + Duration::from_millis(1500) < RECOVERY;
        let early = |call: &Call| call.submitted + RECOVERY < self.now;
        let waiting = self.workers.iter().filter_map(|it| it.call.as_ref()).filter(|it| early(it));
        if quick && waiting.count() > 0 {
            self.violated(format!(
                "{primary} is well, and a call waits as if it had been forgotten"
            ));
        }
    }

    /// P1, P3, P5 and P7, once everything has come to rest.
    pub(crate) fn check_history(&mut self) {
        let mut found = Vec::new();
        let last = &self.nodes[self.sentinels[0].primary];
        for (id, op) in self.history.ops().filter(|(_, op)| op.reads.is_none()) {
            let Op { executed, repeats, fate, ended, .. } = op;
            let later = |end: &Time| executed.iter().any(|(_, at)| at > end);
            if executed.len() > 1 && !repeats {
                found.push(format!("P1: op {id} was executed {executed:?}"));
            }
            match fate {
                Fate::Failed(kind) if !executed.is_empty() => {
                    found.push(format!("P3: op {id} failed with {kind:?}, and ran {executed:?}"));
                }
                Fate::CancelledUnsent if later(ended) => {
                    found
                        .push(format!("P3: op {id} was held when cancelled, and ran {executed:?}"));
                }
                Fate::Done if executed.is_empty() => {
                    found.push(format!("op {id} was acknowledged and never ran"));
                }
                Fate::Done if !last.values.contains_key(&id) => {
                    self.stats.lost += 1;
                    if self.plan.calm {
                        found.push(format!("P5: op {id} was acknowledged and is lost"));
                    }
                }
                Fate::Maybe => self.stats.maybe += 1,
                Fate::Done => self.stats.acknowledged += 1,
                Fate::Open => found.push(format!("P7: op {id} never ended")),
                _ => {}
            }
        }
        found.into_iter().for_each(|what| self.violated(what));
    }

    /// All who can fail or be cut off.
    pub(crate) fn hosts(&self) -> Vec<Host> {
        let nodes = (0..self.nodes.len()).map(Host::Node);
        let sentinels = (0..self.sentinels.len()).map(Host::Sentinel);
        [Host::App].into_iter().chain(nodes).chain(sentinels).collect()
    }
}
