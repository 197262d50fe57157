//! A Sentinel in outline: what it sees, what it tells. `election` holds how it fails over.

use crate::election::Failover;
use crate::network::{ConnId, Host, Packet, SERVER};
use crate::node::Role;
use crate::plan::{node as node_address, sentinel as sentinel_address};
use crate::queue::{Event, Time};
use crate::world::World;
use std::collections::BTreeSet;
use std::time::Duration;
use steadis::topology::decide::{Answer, News};

/// What client and Sentinel say to each other.
#[derive(Debug, Clone)]
pub(crate) enum Talk {
    Ping,
    Pong,
    Subscribe,
    Subscribed,
    Ask,
    Answer(Answer),
    News(News),
}

pub(crate) struct Sentinel {
    pub(crate) alive: bool,
    pub(crate) gone: bool,
    pub(crate) frozen: bool,
    /// Its configuration: the primary, and the failover that made it one.
    pub(crate) primary: usize,
    pub(crate) config_epoch: u64,
    pub(crate) current_epoch: u64,
    /// For whom it voted last, and when.
    pub(crate) vote: (u64, usize),
    pub(crate) seen: Vec<Seen>,
    pub(crate) objectively_down: bool,
    pub(crate) failover: Option<Failover>,
    /// No failover of its own before this.
    pub(crate) rests_until: Time,
    last_tick: Time,
    tilt_until: Option<Time>,
    next_hello: Time,
    subscribers: BTreeSet<ConnId>,
}

/// A data node as one Sentinel sees it.
#[derive(Clone)]
pub(crate) struct Seen {
    last_ok: Time,
    next_ping: Time,
    next_info: Time,
    pub(crate) info_at: Time,
    pub(crate) role: Role,
    pub(crate) linked: bool,
    role_since: Time,
    pub(crate) down: bool,
}

impl Sentinel {
    pub(crate) fn new(nodes: usize) -> Self {
        let seen = |n: usize| Seen {
            last_ok: Time::ZERO,
            next_ping: Time::ZERO,
            next_info: Time::ZERO,
            info_at: Time::ZERO,
            role: if n == 0 { Role::Primary } else { Role::ReplicaOf(0) },
            linked: true,
            role_since: Time::ZERO,
            down: false,
        };
        Self {
            alive: true,
            gone: false,
            frozen: false,
            primary: 0,
            config_epoch: 0,
            current_epoch: 0,
            vote: (0, 0),
            seen: (0..nodes).map(seen).collect(),
            objectively_down: false,
            failover: None,
            rests_until: Time::ZERO,
            last_tick: Time::ZERO,
            tilt_until: None,
            next_hello: Time::ZERO,
            subscribers: BTreeSet::new(),
        }
    }

    pub(crate) fn runs(&self) -> bool {
        self.alive && !self.frozen
    }

    /// The primary as it tells it: during a failover, the promoted replica.
    pub(crate) fn named(&self) -> (usize, u64) {
        match &self.failover {
            Some(Failover { promoted: Some(promoted), reconfigures: true, epoch, .. }) => {
                (*promoted, *epoch)
            }
            _ => (self.primary, self.config_epoch),
        }
    }
}

impl World {
    pub(crate) fn on_sentinel_tick(&mut self, s: usize) {
        let pause = self.random.millis(50, 100);
        self.queue.push(self.now + pause, Event::SentinelTick(s));
        if !self.sentinels[s].runs() {
            return;
        }
        let last = std::mem::replace(&mut self.sentinels[s].last_tick, self.now);
        if self.now > last + Duration::from_secs(2) {
            self.sentinels[s].tilt_until = Some(self.now + self.plan.tilt);
            self.publish(s, News::Unsettled);
        }
        for n in 0..self.nodes.len() {
            self.look_at(s, n);
        }
        self.say_hello(s);
        let now = self.now;
        if self.sentinels[s].tilt_until.is_some_and(|until| now < until) {
            return;
        }
        if self.sentinels[s].tilt_until.take().is_some() {
            self.publish(s, News::Unsettled);
        }
        for n in 0..self.nodes.len() {
            self.judge_node(s, n);
        }
        self.judge_together(s);
        self.drive_failover(s);
    }

    pub(crate) fn sees_node(&self, s: usize, n: usize) -> bool {
        self.nodes[n].runs() && self.reach_each_other(Host::Sentinel(s), Host::Node(n))
    }

    fn sees_peer(&self, s: usize, peer: usize) -> bool {
        s != peer
            && self.sentinels[peer].runs()
            && self.reach_each_other(Host::Sentinel(s), Host::Sentinel(peer))
    }

    pub(crate) fn peers(&self, s: usize) -> Vec<usize> {
        (0..self.sentinels.len()).filter(|&peer| self.sees_peer(s, peer)).collect()
    }

    fn look_at(&mut self, s: usize, n: usize) {
        let (now, sees) = (self.now, self.sees_node(s, n));
        let sentinel = &mut self.sentinels[s];
        let busy = sentinel.failover.is_some() || sentinel.objectively_down;
        let period = if busy { Duration::from_secs(1) } else { self.plan.info };
        let seen = &mut sentinel.seen[n];
        if now >= seen.next_ping {
            seen.next_ping = now + self.plan.down_after.min(Duration::from_secs(1)) / 2;
            if sees {
                seen.last_ok = now;
            }
        }
        let due = seen.next_info.min(seen.info_at + period);
        if !sees || now < due {
            return;
        }
        seen.next_info = now + period;
        seen.info_at = now;
        seen.linked = self.nodes[n].linked;
        if seen.role != self.nodes[n].role {
            seen.role = self.nodes[n].role;
            seen.role_since = now;
        }
        self.notice_promotion(s, n);
        self.convert(s, n);
    }

    fn judge_node(&mut self, s: usize, n: usize) {
        let now = self.now;
        let is_primary = self.sentinels[s].primary == n;
        let seen = &mut self.sentinels[s].seen[n];
        let silent = now > seen.last_ok + self.plan.down_after;
        let patience = self.plan.down_after + self.plan.info * 2;
        let impostor = is_primary && seen.role != Role::Primary && now > seen.role_since + patience;
        let down = silent || impostor;
        if seen.down == down {
            return;
        }
        seen.down = down;
        if is_primary {
            let primary = node_address(n);
            self.publish(s, if down { News::Down { primary } } else { News::Up { primary } });
        }
    }

    fn judge_together(&mut self, s: usize) {
        let sentinel = &self.sentinels[s];
        let primary = sentinel.primary;
        let agrees = |peer: &usize| {
            let peer = &self.sentinels[*peer];
            peer.primary == primary && peer.seen[primary].down
        };
        let voices = 1 + self.peers(s).iter().filter(|peer| agrees(peer)).count();
        let down = sentinel.seen[primary].down && voices >= self.plan.quorum;
        if down != sentinel.objectively_down {
            self.sentinels[s].objectively_down = down;
            let primary = node_address(primary);
            self.publish(s, if down { News::Down { primary } } else { News::Up { primary } });
        }
    }

    /// Tells its peers, by way of the nodes, what it takes for the primary.
    fn say_hello(&mut self, s: usize) {
        if self.now < self.sentinels[s].next_hello {
            return;
        }
        self.sentinels[s].next_hello = self.now + Duration::from_secs(2);
        self.spread_word(s);
    }

    pub(crate) fn spread_word(&mut self, s: usize) {
        for peer in self.peers(s) {
            let delay = self.random.millis(10, 150);
            self.queue.push(self.now + delay, Event::Hello { from: s, to: peer });
        }
    }

    pub(crate) fn on_hello(&mut self, from: usize, to: usize) {
        if !self.sentinels[from].runs() || !self.sees_peer(from, to) {
            return;
        }
        let (primary, epoch) = self.sentinels[from].named();
        let current = self.sentinels[from].current_epoch;
        let sentinel = &mut self.sentinels[to];
        sentinel.current_epoch = sentinel.current_epoch.max(current);
        if epoch > sentinel.named().1 {
            self.adopt(to, primary, epoch);
        }
    }

    /// Changes its configuration.
    pub(crate) fn adopt(&mut self, s: usize, primary: usize, epoch: u64) {
        let now = self.now;
        let sentinel = &mut self.sentinels[s];
        let before = std::mem::replace(&mut sentinel.primary, primary);
        sentinel.config_epoch = epoch;
        self.published.insert((primary, epoch));
        if before == primary {
            return;
        }
        let sentinel = &mut self.sentinels[s];
        sentinel.failover = None;
        sentinel.objectively_down = false;
        for seen in &mut sentinel.seen {
            (seen.down, seen.last_ok, seen.role_since) = (false, now, now);
        }
        self.note(|| format!("s{} switches to {}, epoch {epoch}", s + 1, node_address(primary)));
        let (from, to) = (node_address(before), node_address(primary));
        self.publish(s, News::Switch { from, to });
    }

    /// Puts nodes right that have had the wrong role for long.
    fn convert(&mut self, s: usize, n: usize) {
        let sentinel = &self.sentinels[s];
        let primary = sentinel.primary;
        let (seen, chief) = (&sentinel.seen[n], &sentinel.seen[primary]);
        let wrong = n != primary && seen.role != Role::ReplicaOf(primary);
        let sane = !chief.down && chief.role == Role::Primary;
        let long = self.now > seen.role_since + self.plan.convert && !seen.down;
        if wrong && sane && long && sentinel.failover.is_none() && sentinel.tilt_until.is_none() {
            self.sentinels[s].seen[n].role_since = self.now;
            self.reconfigure(n, Role::ReplicaOf(primary), 0);
        }
    }

    pub(crate) fn publish(&mut self, s: usize, news: News) {
        self.note(|| format!("s{} publishes {news:?}", s + 1));
        for conn in self.sentinels[s].subscribers.clone() {
            self.send(conn, SERVER, Packet::Talk(Talk::News(news.clone())));
        }
    }

    pub(crate) fn sentinel_received(&mut self, s: usize, conn: ConnId, talk: &Talk) {
        let reply = match talk {
            Talk::Ping => Talk::Pong,
            Talk::Subscribe => {
                self.sentinels[s].subscribers.insert(conn);
                Talk::Subscribed
            }
            Talk::Ask => Talk::Answer(self.answer(s)),
            _ => return,
        };
        self.send(conn, SERVER, Packet::Talk(reply));
    }

    fn answer(&self, s: usize) -> Answer {
        let sentinel = &self.sentinels[s];
        let (named, epoch) = sentinel.named();
        let replicas = (0..self.nodes.len()).filter(|&n| n != sentinel.primary);
        let absent = replicas.clone().filter(|&n| sentinel.seen[n].down);
        let others = (0..self.sentinels.len()).filter(|&other| other != s);
        Answer::Names {
            primary: node_address(named),
            config_epoch: Some(epoch),
            down: sentinel.seen[sentinel.primary].down,
            replacing: sentinel.failover.is_some() && named == sentinel.primary,
            chosen: sentinel.failover.as_ref().and_then(|it| it.chosen).map(node_address),
            absent: absent.map(node_address).collect(),
            replicas: Some(replicas.map(node_address).collect()),
            sentinels: others.map(sentinel_address).collect(),
        }
    }

    pub(crate) fn forget_subscriber(&mut self, s: usize, conn: ConnId) {
        self.sentinels[s].subscribers.remove(&conn);
    }

    /// It has written down whom it names; a failover that has not got so far is forgotten.
    pub(crate) fn kill_sentinel(&mut self, s: usize, gone: bool) {
        let sentinel = &mut self.sentinels[s];
        (sentinel.primary, sentinel.config_epoch) = sentinel.named();
        (sentinel.alive, sentinel.frozen, sentinel.gone) = (false, false, gone);
        sentinel.failover = None;
        sentinel.subscribers.clear();
        self.drop_conns(Host::Sentinel(s), gone);
    }

    /// Its configuration is on disk; what it saw is not.
    pub(crate) fn restart_sentinel(&mut self, s: usize) {
        let now = self.now;
        let sentinel = &mut self.sentinels[s];
        (sentinel.alive, sentinel.gone, sentinel.objectively_down) = (true, false, false);
        sentinel.last_tick = now;
        for seen in &mut sentinel.seen {
            (seen.down, seen.last_ok, seen.role_since) = (false, now, now);
        }
        self.resume_stalled();
    }
}
