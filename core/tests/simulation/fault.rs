//! What goes wrong, and how it is put right again.

use crate::network::{Host, User};
use crate::node::Role;
use crate::queue::Event;
use crate::world::{Phase, World};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Planned,
    Kill,
    KillPrimary,
    /// Killed, and back before anybody calls it down.
    Bounce,
    PowerCut,
    Freeze,
    FreezePrimary,
    Stall,
    KillSentinel,
    FreezeSentinel,
    /// Kills or freezes the Sentinel that is failing over.
    HitLeader,
    Cut,
    CutOneWay,
    IsolatePrimary,
    IsolateSentinel,
    /// The primary and one Sentinel are cut off from the others for long; the clients see both sides.
    Split,
    /// The clients lose all Sentinels.
    CutSentinels,
    /// The clients lose all Sentinels but one that knows least.
    LeaveOne,
    BreakOne,
    BreakAll,
    LockOut,
    Storm,
}

impl Kind {
    pub(crate) const ALL: [Kind; 22] = [
        Kind::Planned,
        Kind::Kill,
        Kind::KillPrimary,
        Kind::Bounce,
        Kind::PowerCut,
        Kind::Freeze,
        Kind::FreezePrimary,
        Kind::Stall,
        Kind::KillSentinel,
        Kind::FreezeSentinel,
        Kind::HitLeader,
        Kind::Cut,
        Kind::CutOneWay,
        Kind::IsolatePrimary,
        Kind::IsolateSentinel,
        Kind::Split,
        Kind::CutSentinels,
        Kind::LeaveOne,
        Kind::BreakOne,
        Kind::BreakAll,
        Kind::LockOut,
        Kind::Storm,
    ];
}

/// How a fault is put right.
#[derive(Debug, Clone)]
pub(crate) enum Mend {
    Restart(usize),
    Thaw(usize),
    RestartSentinel(usize),
    ThawSentinel(usize),
    Paths(Vec<(Host, Host)>),
    LetIn(usize),
    Calm,
}

impl World {
    pub(crate) fn on_fault(&mut self) {
        if self.phase != Phase::Active {
            return;
        }
        let pause = self.random.around(self.plan.pause) + Duration::from_millis(1);
        self.queue.push(self.now + pause, Event::Fault);
        let kind = self.random.pick(&self.plan.faults);
        let any = self.random.below(self.nodes.len());
        let primaries = (0..self.nodes.len()).filter(|&n| self.nodes[n].role == Role::Primary);
        let primaries: Vec<usize> = primaries.collect();
        let primary = if primaries.is_empty() { any } else { self.random.pick(&primaries) };
        let s = self.random.below(self.sentinels.len());
        self.note(|| format!("fault {kind:?}"));
        self.stats.faults += 1;
        let long = self.random.millis(100, 12_000);
        match kind {
            Kind::Planned => self.plan_failover(s),
            Kind::Kill => self.strike_node(any, long, false),
            Kind::KillPrimary => self.strike_node(primary, long, false),
            Kind::Bounce => {
                let soon = self.random.millis(1, 400);
                self.strike_node(primary, soon, false);
            }
            Kind::PowerCut => self.strike_node(primary, long, true),
            Kind::Freeze => self.freeze_node(any, long),
            Kind::FreezePrimary => self.freeze_node(primary, long),
            Kind::Stall => {
                let while_ = self.random.millis(5, 2500);
                self.freeze_node(primary, while_);
            }
            Kind::KillSentinel => self.strike_sentinel(s, long),
            Kind::FreezeSentinel => self.freeze_sentinel(s, long),
            Kind::HitLeader => {
                let leads = |s: &usize| self.sentinels[*s].failover.is_some();
                if let Some(leader) = (0..self.sentinels.len()).find(leads) {
                    if self.random.chance(0.5) {
                        self.strike_sentinel(leader, long);
                    } else {
                        self.freeze_sentinel(leader, long);
                    }
                }
            }
            Kind::Cut | Kind::CutOneWay => {
                let hosts = self.hosts();
                let (a, b) = (self.random.pick(&hosts), self.random.pick(&hosts));
                let both = [(a, b), (b, a)];
                let count = if kind == Kind::Cut { 2 } else { 1 };
                self.cut_paths(both[..count].to_vec(), long);
            }
            Kind::IsolatePrimary => self.isolate(Host::Node(primary), long),
            Kind::IsolateSentinel => self.isolate(Host::Sentinel(s), long),
            Kind::Split => {
                let side = [Host::Node(primary), Host::Sentinel(s)];
                let hosts = self.hosts().into_iter();
                let others = hosts.filter(|host| *host != Host::App && !side.contains(host));
                let paths = others
                    .flat_map(|it| side.into_iter().flat_map(move |host| [(host, it), (it, host)]));
                let paths = paths.collect();
                let longer = self.random.millis(5000, 40_000);
                self.cut_paths(paths, longer);
            }
            Kind::CutSentinels => self.hide_sentinels(None, long),
            Kind::LeaveOne => {
                let stale = (0..self.sentinels.len()).min_by_key(|&s| self.sentinels[s].named().1);
                self.hide_sentinels(stale, long);
            }
            Kind::BreakOne | Kind::BreakAll => self.break_some(kind == Kind::BreakAll),
            Kind::LockOut => {
                self.nodes[primary].locked_out = true;
                self.was_locked_out = true;
                self.mend_later(Mend::LetIn(primary), long);
            }
            Kind::Storm => {
                self.network.slow = true;
                self.mend_later(Mend::Calm, long / 4);
            }
        }
    }

    fn plan_failover(&mut self, s: usize) {
        let fit = !self.plan.calm || self.is_sane();
        if fit && self.sentinels[s].runs() {
            self.fail_over(s);
        }
    }

    fn strike_node(&mut self, n: usize, long: Duration, gone: bool) {
        if self.nodes[n].alive {
            self.kill_node(n, gone);
            self.mend_later(Mend::Restart(n), long);
        }
    }

    fn freeze_node(&mut self, n: usize, long: Duration) {
        if self.nodes[n].runs() {
            self.nodes[n].frozen = true;
            self.mend_later(Mend::Thaw(n), long);
        }
    }

    fn strike_sentinel(&mut self, s: usize, long: Duration) {
        if self.sentinels[s].alive {
            let gone = self.random.chance(0.3);
            self.kill_sentinel(s, gone);
            self.mend_later(Mend::RestartSentinel(s), long);
        }
    }

    fn freeze_sentinel(&mut self, s: usize, long: Duration) {
        if self.sentinels[s].runs() {
            self.sentinels[s].frozen = true;
            self.mend_later(Mend::ThawSentinel(s), long);
        }
    }

    fn isolate(&mut self, host: Host, long: Duration) {
        // From everybody, or only from the others of its kind: the clients still see it.
        let seen = self.random.chance(0.5);
        let others =
            self.hosts().into_iter().filter(|&it| it != host && !(seen && it == Host::App));
        let paths = others.flat_map(|it| [(host, it), (it, host)]).collect();
        self.cut_paths(paths, long);
    }

    fn hide_sentinels(&mut self, but: Option<usize>, long: Duration) {
        let all = (0..self.sentinels.len()).filter(|&s| Some(s) != but).map(Host::Sentinel);
        let paths = all.flat_map(|s| [(Host::App, s), (s, Host::App)]).collect();
        self.cut_paths(paths, long);
    }

    fn cut_paths(&mut self, paths: Vec<(Host, Host)>, long: Duration) {
        for &(from, to) in paths.iter().filter(|(from, to)| from != to) {
            self.cut(from, to);
        }
        self.mend_later(Mend::Paths(paths), long);
    }

    fn break_some(&mut self, all: bool) {
        let ours = self.open_conns(|conn| all || matches!(conn.user, User::Session));
        if all {
            ours.into_iter().for_each(|conn| self.break_off(conn));
        } else if !ours.is_empty() {
            let conn = self.random.pick(&ours);
            self.break_off(conn);
        }
    }

    fn mend_later(&mut self, mend: Mend, after: Duration) {
        self.mends.push(Some(mend));
        self.queue.push(self.now + after, Event::Mend(self.mends.len() - 1));
    }

    pub(crate) fn on_mend(&mut self, index: usize) {
        let Some(mend) = self.mends[index].take() else { return };
        self.note(|| format!("mend {mend:?}"));
        match mend {
            Mend::Restart(n) => {
                let loading = self.random.millis(0, 800);
                self.restart_node(n, loading);
            }
            Mend::Thaw(n) if self.nodes[n].frozen => self.thaw_node(n),
            Mend::RestartSentinel(s) => self.restart_sentinel(s),
            Mend::ThawSentinel(s) if self.sentinels[s].frozen => {
                self.sentinels[s].frozen = false;
                self.work_off(Host::Sentinel(s));
            }
            Mend::Paths(paths) => {
                paths.into_iter().for_each(|(from, to)| self.mend(from, to));
            }
            Mend::LetIn(n) => self.nodes[n].locked_out = false,
            Mend::Calm => self.network.slow = false,
            Mend::Thaw(_) | Mend::ThawSentinel(_) => {}
        }
    }

    pub(crate) fn mend_all(&mut self) {
        (0..self.mends.len()).for_each(|index| self.on_mend(index));
        (self.plan.lost_replies, self.plan.syn_drop, self.plan.spikes) = (0.0, 0.0, 0.0);
        self.plan.window = 1 << 16;
    }
}
