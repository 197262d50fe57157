//! Everything there is in one run, and the loop that moves it.

use crate::app::App;
use crate::check::Accepted;
use crate::fault::Mend;
use crate::history::History;
use crate::network::{ConnId, Host, Network, Packet, SERVER, Side, User};
use crate::node::{Node, Role};
use crate::plan::Plan;
use crate::queue::{Event, Queue, Time};
use crate::random::Random;
use crate::sentinel::Sentinel;
use crate::socket::Socket;
use crate::trace::Trace;
use crate::watch::Watch;
use crate::worker::Worker;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use steadis::{Error, Kind};

/// How long the client may take to recover once the world has.
/// A fence that leads nowhere, because its Sentinel died, takes the longest.
pub(crate) const RECOVERY: Duration = Duration::from_secs(6);
/// How long a healed world may take to become sane; longer than any of its timers.
const HEALING: Duration = Duration::from_secs(180);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Faults happen.
    Active,
    /// No more faults, until the world has become sane.
    Healing,
    /// It is sane; the client follows.
    Recovering,
    /// Every call succeeds.
    Firm,
    /// No more calls.
    Over,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Stats {
    pub(crate) events: u64,
    pub(crate) calls: u64,
    pub(crate) acknowledged: u64,
    pub(crate) maybe: u64,
    pub(crate) lost: u64,
    pub(crate) accepted: u64,
    pub(crate) faults: u64,
    pub(crate) opened: u64,
    /// Sessions that came to a connection of others, that needed no handshake there, that parted.
    pub(crate) joined: u64,
    pub(crate) vouched: u64,
    pub(crate) parted: u64,
    pub(crate) wakes: u64,
    /// The most steps of the watch in one second.
    pub(crate) pace: u32,
    pub(crate) insane: u64,
    pub(crate) virtual_millis: u64,
}

/// What came of a run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) hash: u64,
    pub(crate) stats: Stats,
    pub(crate) violations: Vec<String>,
}

pub(crate) struct World {
    pub(crate) now: Time,
    pub(crate) base: Instant,
    pub(crate) queue: Queue,
    pub(crate) random: Random,
    pub(crate) plan: Plan,
    pub(crate) trace: Trace,
    pub(crate) network: Network,
    pub(crate) nodes: Vec<Node>,
    pub(crate) sentinels: Vec<Sentinel>,
    pub(crate) watch: Watch,
    pub(crate) apps: Vec<App>,
    pub(crate) sockets: BTreeMap<ConnId, Socket>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) history: History,
    pub(crate) phase: Phase,
    since: Time,
    pub(crate) mends: Vec<Option<Mend>>,
    pub(crate) was_locked_out: bool,
    /// Promotions that a Sentinel stands by.
    pub(crate) published: BTreeSet<(usize, u64)>,
    pub(crate) accepted: Accepted,
    pub(crate) stats: Stats,
    pub(crate) violations: Vec<String>,
}

impl World {
    pub(crate) fn new(seed: u64, loud: bool) -> Self {
        let mut random = Random::new(seed);
        let plan = Plan::draw(&mut random);
        let watch = Watch::new(&plan.config.target, plan.config.fence);
        let topology = Arc::new(watch.decide.topology());
        let app = |_| App::new(plan.config.clone(), &topology);
        let worker = |i| Worker::new(i % plan.apps);
        let node = |n| Node::new(if n == 0 { Role::Primary } else { Role::ReplicaOf(0) });
        Self {
            now: Time::ZERO,
            base: Instant::now(),
            queue: Queue::default(),
            trace: Trace::new(loud),
            network: Network::default(),
            nodes: (0..=plan.replicas).map(node).collect(),
            sentinels: (0..plan.sentinels).map(|_| Sentinel::new(plan.replicas + 1)).collect(),
            apps: (0..plan.apps).map(app).collect(),
            sockets: BTreeMap::new(),
            workers: (0..plan.workers).map(worker).collect(),
            watch,
            plan,
            random,
            history: History::default(),
            phase: Phase::Active,
            since: Time::ZERO,
            mends: Vec::new(),
            was_locked_out: false,
            published: BTreeSet::from([(0, 0)]),
            accepted: Accepted::default(),
            stats: Stats::default(),
            violations: Vec::new(),
        }
    }

    pub(crate) fn run(mut self) -> Report {
        for s in 0..self.sentinels.len() {
            let at = self.random.millis(0, 100);
            self.queue.push(at, Event::SentinelTick(s));
        }
        self.queue.push(Time::ZERO, Event::ReplicationTick);
        let first = match self.plan.far {
            // At its start a client waits for no Sentinel that is much further away than others.
            true => self.random.millis(1500, 3000),
            false if self.random.chance(0.2) => Time::ZERO,
            false => self.random.millis(300, 3000),
        };
        self.queue.push(first, Event::Fault);
        self.queue.push(self.plan.active, Event::Look);
        for worker in 0..self.workers.len() {
            let at = self.random.millis(0, 500);
            self.queue.push(at, Event::Worker(worker));
        }
        self.start_watch();
        while let Some((at, event)) = self.queue.pop() {
            self.now = at;
            self.stats.events += 1;
            self.trace.mix(at.as_nanos() as u64);
            if matches!(event, Event::Look) && self.look() {
                break;
            }
            self.happen(event);
            if self.violations.len() > 20 || self.stats.events > 5_000_000 {
                self.violated("given up".to_owned());
                break;
            }
        }
        self.check_history();
        self.stats.virtual_millis = self.now.as_millis() as u64;
        Report { hash: self.trace.hash(), stats: self.stats, violations: self.violations }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Syn(conn) => self.on_syn(conn),
            Event::SynAck(conn) => self.on_syn_ack(conn),
            Event::Deliver { conn, side, packet } => self.on_deliver(conn, side, packet),
            Event::Resume { conn, side } => self.on_resume(conn, side),
            Event::Room(conn) => self.on_room(conn),
            Event::SentinelTick(s) => self.on_sentinel_tick(s),
            Event::Hello { from, to } => self.on_hello(from, to),
            Event::Replicate(to) => self.on_replicate(to),
            Event::ReplicationTick => self.on_replication_tick(),
            Event::Fault => self.on_fault(),
            Event::Mend(index) => self.on_mend(index),
            Event::DecideTick { turn } => self.on_decide_tick(turn),
            Event::Line { id, turn } => self.on_line(id, turn),
            Event::Asker { id, turn } => self.on_asker(id, turn),
            Event::Wake { app, turn } => self.on_wake(app, turn),
            Event::Changed { app } => self.on_changed(app),
            Event::Flush { app } => self.on_flush(app),
            Event::Joined { app, link } => self.on_joined(app, link),
            Event::Worker(worker) => self.on_worker(worker),
            Event::Cancel { worker, turn } => self.on_cancel(worker, turn),
            Event::Look => self.queue.push(self.now + Duration::from_millis(250), Event::Look),
        }
    }

    /// Moves the run on to its next phase. `true`: it is over.
    fn look(&mut self) -> bool {
        let before = self.phase;
        let long = self.now - self.since;
        self.phase = match before {
            Phase::Active => Phase::Healing,
            Phase::Healing if self.is_sane() => Phase::Recovering,
            Phase::Healing if long > HEALING => {
                self.stats.insane += 1;
                Phase::Over
            }
            Phase::Recovering if long > RECOVERY => {
                self.check_recovered();
                Phase::Firm
            }
            Phase::Firm if long > Duration::from_secs(3) => Phase::Over,
            other => other,
        };
        if before != self.phase {
            self.since = self.now;
            self.note(|| String::from("the run goes on to its next phase"));
        }
        if before == Phase::Active {
            self.mend_all();
        }
        let idle = self.workers.iter().all(|worker| worker.call.is_none());
        self.phase == Phase::Over && (idle || long > Duration::from_secs(40))
    }

    pub(crate) fn note(&mut self, text: impl FnOnce() -> String) {
        self.trace.line(self.now, text);
    }

    pub(crate) fn on_connected(&mut self, conn: ConnId) {
        match self.network.conns[conn].user {
            User::Session => self.socket_connected(conn),
            User::Line(id) => self.line_connected(id),
            User::Asker(id) => self.asker_connected(id),
        }
    }

    pub(crate) fn on_data(&mut self, conn: ConnId, side: Side, packet: Packet) {
        let (ends, user) = (self.network.conns[conn].ends, self.network.conns[conn].user);
        if let Packet::Bytes(bytes) = &packet {
            self.trace.mix_bytes(bytes);
        }
        match (packet, side, ends[SERVER], user) {
            (Packet::Bytes(bytes), SERVER, Host::Node(n), _) => {
                self.node_received(n, conn, &bytes);
                self.consumed(conn, bytes.len());
            }
            (Packet::Talk(talk), SERVER, Host::Sentinel(s), _) => {
                self.sentinel_received(s, conn, &talk);
            }
            (Packet::Bytes(bytes), _, _, User::Session) => self.socket_received(conn, &bytes),
            (Packet::Bytes(bytes), _, _, User::Asker(id)) => self.asker_received(id, &bytes),
            (Packet::Talk(talk), _, _, User::Line(id)) => self.line_received(id, talk),
            _ => {}
        }
    }

    /// A side has learned that its connection is over.
    pub(crate) fn on_end(&mut self, conn: ConnId, side: Side) {
        let (ends, user) = (self.network.conns[conn].ends, self.network.conns[conn].user);
        match (side, ends[SERVER], user) {
            (SERVER, Host::Node(n), _) => {
                self.nodes[n].clients.remove(&conn);
            }
            (SERVER, Host::Sentinel(s), _) => self.forget_subscriber(s, conn),
            (_, _, User::Session) => self.socket_ended(conn),
            (_, _, User::Line(id)) => self.line_ended(id, conn),
            (_, _, User::Asker(id)) => {
                self.asker_ended(id, Error::new(Kind::Unavailable, "the connection was lost"));
            }
        }
    }
}
