//! How Sentinels fail over: election, choice, promotion, reconfiguration.

use crate::node::Role;
use crate::plan::node as address;
use crate::queue::Time;
use crate::sentinel::Sentinel;
use crate::world::World;
use std::time::Duration;
use steadis::topology::decide::News;

pub(crate) struct Failover {
    pub(crate) epoch: u64,
    forced: bool,
    step: Step,
    since: Time,
    pub(crate) chosen: Option<usize>,
    /// The chosen replica, once it said that it is a primary.
    pub(crate) promoted: Option<usize>,
    pub(crate) reconfigures: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    WaitStart,
    SelectReplica,
    Promote,
    WaitPromotion,
    Reconfigure,
}

impl Failover {
    fn go(&mut self, step: Step, now: Time) {
        (self.step, self.since) = (step, now);
    }
}

impl World {
    /// SENTINEL FAILOVER; refused while one is under way or no replica is fit.
    pub(crate) fn fail_over(&mut self, s: usize) {
        if self.sentinels[s].failover.is_none() && self.fit_replica(s).is_some() {
            self.start_failover(s, true);
        }
    }

    fn start_failover(&mut self, s: usize, forced: bool) {
        let now = self.now;
        let rest = self.plan.failover_timeout * 2 + self.random.millis(0, 1000);
        if forced {
            // Two operators at once can give one epoch to two primaries. No client can mend that.
            let newest = self.sentinels.iter().map(|it| it.current_epoch).max().unwrap_or(0);
            self.sentinels.iter_mut().for_each(|it| it.current_epoch = newest + 1);
        } else {
            self.sentinels[s].current_epoch += 1;
        }
        let sentinel = &mut self.sentinels[s];
        sentinel.rests_until = now + rest;
        let (epoch, primary) = (sentinel.current_epoch, sentinel.primary);
        sentinel.failover = Some(Failover {
            epoch,
            forced,
            step: Step::WaitStart,
            since: now,
            chosen: None,
            promoted: None,
            reconfigures: false,
        });
        self.publish(s, News::Attempt { of: address(primary) });
    }

    pub(crate) fn drive_failover(&mut self, s: usize) {
        let now = self.now;
        let Some(Failover { step, since, chosen, .. }) = self.sentinels[s].failover else {
            if self.sentinels[s].objectively_down && now >= self.sentinels[s].rests_until {
                self.start_failover(s, false);
            }
            return;
        };
        let late = now > since + self.plan.failover_timeout;
        let primary = address(self.sentinels[s].primary);
        match (step, chosen) {
            (Step::WaitStart, _) => self.wait_for_election(s),
            (Step::SelectReplica, _) => match self.fit_replica(s) {
                None => self.abort(s),
                Some(replica) => {
                    let chosen = News::Chosen { of: primary, replica: address(replica) };
                    // +selected-slave and +failover-state-send-slaveof-noone.
                    self.publish(s, chosen.clone());
                    self.publish(s, chosen);
                    if let Some(failover) = &mut self.sentinels[s].failover {
                        failover.chosen = Some(replica);
                        failover.go(Step::Promote, now);
                        // Of one that was replaced and not yet told, nothing more is asked.
                        let node = &mut self.nodes[replica];
                        if node.role == Role::Primary {
                            node.generation = failover.epoch;
                        }
                    }
                }
            },
            (Step::Promote, Some(replica)) => {
                // A frozen one has the order in its socket.
                if self.sees_node(s, replica) || self.nodes[replica].frozen {
                    let failover = self.sentinels[s].failover.as_mut().expect("it is under way");
                    failover.go(Step::WaitPromotion, now);
                    let epoch = failover.epoch;
                    self.reconfigure(replica, Role::Primary, epoch);
                } else if late {
                    self.abort(s);
                }
            }
            (Step::WaitPromotion, _) if late => self.abort(s),
            (Step::Reconfigure, Some(promoted)) => self.reconfigure_others(s, promoted, late),
            _ => {}
        }
    }

    fn wait_for_election(&mut self, s: usize) {
        let now = self.now;
        let Some(Failover { epoch, forced, since, .. }) = self.sentinels[s].failover else {
            return;
        };
        let mut votes = 0;
        for voter in self.peers(s).into_iter().chain([s]) {
            let rest = self.plan.failover_timeout * 2 + self.random.millis(0, 1000);
            let peer = &mut self.sentinels[voter];
            if !forced && peer.vote.0 < epoch && peer.current_epoch <= epoch {
                (peer.vote, peer.current_epoch) = ((epoch, s), epoch);
                if voter != s {
                    peer.rests_until = now + rest;
                }
            }
            votes += usize::from(peer.vote == (epoch, s));
        }
        let needed = self.plan.quorum.max(self.sentinels.len() / 2 + 1);
        let primary = address(self.sentinels[s].primary);
        if forced || votes >= needed {
            // +failover-state-select-slave, as those hear it who are far away, and the others.
            let of = primary;
            let far = self.plan.far;
            self.publish(s, if far { News::Started { of } } else { News::Elected { of } });
            if let Some(failover) = &mut self.sentinels[s].failover {
                failover.go(Step::SelectReplica, now);
            }
        } else if now > since + self.plan.failover_timeout.min(Duration::from_secs(10)) {
            self.abort(s);
        }
    }

    fn abort(&mut self, s: usize) {
        self.sentinels[s].failover = None;
        let of = address(self.sentinels[s].primary);
        self.publish(s, News::Aborted { of });
    }

    fn fit_replica(&mut self, s: usize) -> Option<usize> {
        let period = self.plan.info * 3 + Duration::from_secs(5);
        let sentinel = &self.sentinels[s];
        let fit = |&n: &usize| {
            let seen = &sentinel.seen[n];
            n != sentinel.primary && !seen.down && self.now <= seen.info_at + period
        };
        let fit: Vec<usize> = (0..self.nodes.len()).filter(fit).collect();
        (!fit.is_empty()).then(|| self.random.pick(&fit))
    }

    /// Its INFO says that the chosen replica is a primary now.
    pub(crate) fn notice_promotion(&mut self, s: usize, n: usize) {
        let now = self.now;
        let Sentinel { seen, failover, primary, .. } = &mut self.sentinels[s];
        let Some(failover) = failover else { return };
        let expected = failover.step == Step::WaitPromotion && failover.chosen == Some(n);
        if !expected || seen[n].role != Role::Primary {
            return;
        }
        failover.promoted = Some(n);
        failover.reconfigures = true;
        failover.go(Step::Reconfigure, now);
        self.published.insert((n, failover.epoch));
        let of = address(*primary);
        self.publish(s, News::Chosen { of, replica: address(n) });
        self.spread_word(s);
    }

    fn reconfigure_others(&mut self, s: usize, promoted: usize, late: bool) {
        let mut missing = 0;
        for n in 0..self.nodes.len() {
            let sentinel = &self.sentinels[s];
            if n == promoted || n == sentinel.primary || sentinel.seen[n].down {
                continue;
            }
            let done =
                sentinel.seen[n].role == Role::ReplicaOf(promoted) && sentinel.seen[n].linked;
            missing += usize::from(!done);
            if self.sees_node(s, n) {
                self.reconfigure(n, Role::ReplicaOf(promoted), 0);
            }
        }
        if missing == 0 || late {
            let epoch = self.sentinels[s].failover.as_ref().map_or(0, |failover| failover.epoch);
            self.adopt(s, promoted, epoch);
            self.sentinels[s].failover = None;
        }
    }
}
