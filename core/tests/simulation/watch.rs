//! The client's watch: carries out what `Decide` decides, as the background thread does.

use crate::asker::Asker;
use crate::line::Line;
use crate::network::Host;
use crate::plan::{node_at, sentinel_at};
use crate::queue::{Event, Time};
use crate::world::World;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use steadis::config::Target;
use steadis::topology::decide::{self, Action, Decide, Probe, Timing};

pub(crate) struct Watch {
    pub(crate) decide: Decide,
    pub(crate) lines: Vec<Line>,
    pub(crate) askers: BTreeMap<u64, Asker>,
    pub(crate) next_asker: u64,
    probing: Option<Probe>,
    wake_at: Option<Time>,
    turn: u64,
    /// Questions to all Sentinels, ROLE checks and ticks since the second began.
    pace: (u64, u32),
}

impl Watch {
    pub(crate) fn new(target: &Target, fence: bool) -> Self {
        let Target::Sentinels { seeds, .. } = target else { unreachable!("always Sentinels") };
        let seeds = seeds.iter().map(|seed| seed.address.clone()).collect();
        Self {
            decide: Decide::new(seeds, fence, Timing::default()),
            lines: Vec::new(),
            askers: BTreeMap::new(),
            next_asker: 0,
            probing: None,
            wake_at: None,
            turn: 0,
            pace: (0, 0),
        }
    }
}

impl World {
    pub(crate) fn start_watch(&mut self) {
        let actions = self.watch.decide.start(self.now);
        self.carry_out(actions);
    }

    pub(crate) fn on_decide_tick(&mut self, turn: u64) {
        if turn == self.watch.turn {
            self.watch.wake_at = None;
            self.count_step("ticks");
            self.decide(decide::Event::Tick);
        }
    }

    pub(crate) fn decide(&mut self, event: decide::Event) {
        self.trace.line(self.now, || format!("decide: {event:?}"));
        let actions = self.watch.decide.handle(self.now, event);
        self.carry_out(actions);
    }

    fn carry_out(&mut self, actions: Vec<Action>) {
        let sentinels: Vec<usize> = self.watch.decide.sentinels().map(sentinel_at).collect();
        for &sentinel in sentinels.iter().skip(self.watch.lines.len()) {
            self.watch.lines.push(Line::new(sentinel));
            self.connect_line(self.watch.lines.len() - 1);
        }
        for action in actions {
            self.trace.mix(0xdec1de);
            match action {
                Action::Ask => {
                    self.count_step("rounds of questions");
                    (0..self.watch.lines.len()).for_each(|line| self.ring(line));
                }
                Action::Check(node) => {
                    self.count_step("checks");
                    self.ask_role(node_at(&node), None);
                }
                Action::Publish => self.show_topology(),
                Action::Tell(told) => self.note(|| format!("told: {told:?}")),
            }
        }
        self.renew_probes();
        let wake_at = self.watch.decide.wake_at();
        if wake_at <= self.now {
            self.violated(format!("the watch spins: to be woken at {wake_at:?}, which is past"));
        } else if self.watch.wake_at != Some(wake_at) {
            self.watch.turn += 1;
            self.watch.wake_at = Some(wake_at);
            self.queue.push(wake_at, Event::DecideTick { turn: self.watch.turn });
        }
    }

    fn show_topology(&mut self) {
        let topology = Arc::new(self.watch.decide.topology());
        self.note(|| {
            let Some(primary) = &topology.primary else { return format!("topology: {topology:?}") };
            format!("topology: epoch {}, {:?}, {primary}", topology.epoch, topology.phase)
        });
        self.check_accepted(&topology);
        for app in 0..self.apps.len() {
            self.apps[app].session.simulate(Arc::clone(&topology));
            let delay = self.random.millis(0, 2);
            self.queue.push(self.now + delay, Event::Changed { app });
        }
    }

    /// A new pace, or other nodes, take new probers.
    fn renew_probes(&mut self) {
        let wanted = self.watch.decide.probe();
        if wanted == self.watch.probing {
            return;
        }
        self.drop_probes();
        for node in wanted.iter().flat_map(|probe| &probe.nodes) {
            let every = wanted.as_ref().map(|probe| probe.every);
            self.ask_role(node_at(node), every);
        }
        self.watch.probing = wanted;
    }

    /// Nothing may go on at a pace that would keep a processor busy.
    fn count_step(&mut self, what: &str) {
        let second = self.now.as_secs();
        let pace = &mut self.watch.pace;
        *pace = if pace.0 == second { (second, pace.1 + 1) } else { (second, 1) };
        self.stats.pace = self.stats.pace.max(pace.1);
        if pace.1 == 200 {
            self.violated(format!("the watch is in a hurry: 200 {what} and the like in a second"));
        }
    }

    pub(crate) fn is_frozen(&self, host: Host) -> bool {
        match host {
            Host::App => false,
            Host::Sentinel(s) => self.sentinels[s].frozen,
            Host::Node(n) => self.nodes[n].frozen,
        }
    }

    pub(crate) fn is_alive(&self, host: Host) -> bool {
        match host {
            Host::App => true,
            Host::Sentinel(s) => self.sentinels[s].alive,
            Host::Node(n) => self.nodes[n].alive,
        }
    }

    /// Its machine is off.
    pub(crate) fn is_gone(&self, host: Host) -> bool {
        match host {
            Host::App => false,
            Host::Sentinel(s) => self.sentinels[s].gone,
            Host::Node(n) => self.nodes[n].gone,
        }
    }

    /// How long a step of the watch may take.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_millis(500)
    }
}
