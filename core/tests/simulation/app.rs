//! An event loop around a `Session`: its transports, its timer, its turns.

use crate::network::{CLIENT, ConnId, Host, User};
use crate::plan::node_at;
use crate::queue::{Event, Time};
use crate::world::World;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use steadis::client::Outcomes;
use steadis::client::hosted::{Action, Completion, Session};
use steadis::config::{Config, Endpoint};
use steadis::lane::hosted::Token;
use steadis::proto::reply::Reply;
use steadis::topology::Topology;
use steadis::{Error, Kind};

pub(crate) struct App {
    pub(crate) session: Session,
    pub(crate) tokens: BTreeMap<Token, usize>,
    links: BTreeMap<u32, Transport>,
    /// The epoch that the loop has been told of.
    epoch: u64,
    wake_at: Option<Time>,
    turn: u64,
    flushes: bool,
    /// How often it was woken at this moment, to no end.
    spins: (Time, u32),
}

struct Transport {
    conn: ConnId,
    epoch: u64,
    open: bool,
    /// Not yet taken by the system, which has this much under way.
    backlog: Vec<u8>,
    under_way: usize,
}

/// A completion that outlives its frame.
pub(crate) enum Outcome {
    Reply(Reply),
    Outcomes(Outcomes),
    Failed(Error),
}

impl App {
    pub(crate) fn new(config: Config, topology: Topology) -> Self {
        let mut session = Session::new(config);
        session.simulate(Arc::new(topology));
        Self {
            session,
            tokens: BTreeMap::new(),
            links: BTreeMap::new(),
            epoch: 0,
            wake_at: None,
            turn: 0,
            flushes: false,
            spins: (Time::ZERO, 0),
        }
    }

    pub(crate) fn has_links(&self) -> bool {
        !self.links.is_empty()
    }
}

impl World {
    pub(crate) fn instant(&self) -> Instant {
        self.base + self.now
    }

    fn run_session(
        &mut self,
        app: usize,
        run: impl FnOnce(&mut Session, Instant, &mut dyn FnMut(Token, Completion<'_>)),
    ) {
        let (now, mut outcomes) = (self.instant(), Vec::new());
        run(&mut self.apps[app].session, now, &mut |token, completion| {
            let outcome = match completion {
                Completion::Reply(answer) => Outcome::Reply(answer.to_reply()),
                Completion::Outcomes(outcomes) => Outcome::Outcomes(outcomes),
                Completion::Failed(error) => Outcome::Failed(error),
                other => panic!("nobody asked for {other:?}"),
            };
            outcomes.push((token, outcome));
        });
        for (token, outcome) in outcomes {
            match self.apps[app].tokens.remove(&token) {
                Some(worker) => self.call_ended(worker, outcome),
                None => {
                    self.violated(format!("token {token} ended, and was none's or ended before"))
                }
            }
        }
        self.serve(app);
    }

    /// Does what the session wants done.
    pub(crate) fn serve(&mut self, app: usize) {
        for (epoch, trouble) in self.apps[app].session.take_troubles() {
            self.decide(steadis::topology::decide::Event::Trouble { epoch, trouble });
        }
        loop {
            let session = &mut self.apps[app].session;
            let next = if self.plan.lazy { session.poll_connections() } else { session.poll() };
            let Some(action) = next else { break };
            self.act(app, action);
        }
        let waits = !self.apps[app].session.links_with_output().is_empty();
        if waits && !std::mem::replace(&mut self.apps[app].flushes, true) {
            let delay = self.random.millis(0, 1);
            self.queue.push(self.now + delay, Event::Flush { app });
        }
        self.check_bounds(app);
        let deadline = self.apps[app].session.next_deadline();
        let wake_at = deadline.map(|at| at.saturating_duration_since(self.base).max(self.now));
        if wake_at != self.apps[app].wake_at {
            self.apps[app].wake_at = wake_at;
            self.apps[app].turn += 1;
            if let Some(at) = wake_at {
                self.queue.push(at, Event::Wake { app, turn: self.apps[app].turn });
            }
        }
    }

    pub(crate) fn on_flush(&mut self, app: usize) {
        self.apps[app].flushes = false;
        for link in self.apps[app].session.links_with_output() {
            let bytes = self.apps[app].session.take_output(link);
            self.write(app, link, bytes);
        }
        self.serve(app);
    }

    fn act(&mut self, app: usize, action: Action) {
        match action {
            Action::Open { link, to: Endpoint::Tcp(to), .. } => {
                self.stats.opened += 1;
                let conn = self.dial(Host::Node(node_at(&to)), User::Session { app, link });
                let epoch = self.apps[app].session.topology().map_or(0, |topology| topology.epoch);
                self.note(|| format!("app {app} opens link {link} to {to} for epoch {epoch}"));
                let transport =
                    Transport { conn, epoch, open: false, backlog: Vec::new(), under_way: 0 };
                self.apps[app].links.insert(link, transport);
            }
            Action::Open { to, .. } => self.violated(format!("nothing listens at {to}")),
            Action::Write { link, bytes } => self.write(app, link, bytes),
            Action::Close { link } => {
                if let Some(transport) = self.apps[app].links.remove(&link) {
                    self.note(|| format!("app {app} closes link {link}"));
                    let abortive = self.random.chance(self.plan.abortive);
                    self.close(transport.conn, CLIENT, abortive);
                }
            }
        }
    }

    fn write(&mut self, app: usize, link: u32, bytes: Vec<u8>) {
        self.trace.line(self.now, || {
            format!("app {app} writes to link {link}: {}", crate::resp::shown(&bytes))
        });
        self.check_held(app, link, &bytes);
        let known = self.apps[app].epoch;
        let Some(transport) = self.apps[app].links.get_mut(&link) else { return };
        let epoch = transport.epoch;
        transport.backlog.extend_from_slice(&bytes);
        if epoch < known {
            self.violated(format!("P4: written to epoch {epoch}, told of {known} already"));
        }
        self.pump(app, link);
    }

    fn pump(&mut self, app: usize, link: u32) {
        let Some(transport) = self.apps[app].links.get_mut(&link) else { return };
        let room = self.plan.window.saturating_sub(transport.under_way);
        let count = room.min(transport.backlog.len());
        if count == 0 {
            return;
        }
        let bytes = transport.backlog.drain(..count).collect();
        transport.under_way += count;
        let conn = transport.conn;
        self.send_bytes(conn, CLIENT, bytes);
    }

    /// The server has read so much.
    pub(crate) fn consumed(&mut self, conn: ConnId, count: usize) {
        let User::Session { app, link } = self.network.conns[conn].user else { return };
        let Some(transport) = self.apps[app].links.get_mut(&link) else { return };
        transport.under_way -= count;
        if !transport.backlog.is_empty() {
            let at = self.now + self.latency();
            self.queue.push(at, Event::Room(conn));
        }
    }

    pub(crate) fn on_room(&mut self, conn: ConnId) {
        if let User::Session { app, link } = self.network.conns[conn].user {
            self.pump(app, link);
        }
    }

    pub(crate) fn link_connected(&mut self, app: usize, link: u32) {
        if let Some(transport) = self.apps[app].links.get_mut(&link) {
            transport.open = true;
            self.run_session(app, |session, now, sink| session.opened(link, now, sink));
        }
    }

    pub(crate) fn link_received(&mut self, app: usize, link: u32, bytes: &[u8]) {
        if self.apps[app].links.contains_key(&link) {
            self.run_session(app, |session, now, sink| session.received(link, bytes, now, sink));
        }
    }

    pub(crate) fn link_ended(&mut self, app: usize, link: u32) {
        let Some(transport) = self.apps[app].links.remove(&link) else { return };
        self.note(|| format!("app {app} loses link {link}"));
        let what = if transport.open { "connection reset by peer" } else { "connection refused" };
        let why = Error::new(Kind::Unavailable, what);
        let unwritten = transport.backlog.len();
        self.run_session(app, |session, now, sink| session.closed(link, unwritten, why, now, sink));
    }

    pub(crate) fn on_changed(&mut self, app: usize) {
        self.apps[app].epoch =
            self.apps[app].session.topology().map_or(0, |topology| topology.epoch);
        self.wake(app);
    }

    pub(crate) fn on_wake(&mut self, app: usize, turn: u64) {
        if turn != self.apps[app].turn {
            return;
        }
        self.apps[app].wake_at = None;
        let (now, spins) = (self.now, &mut self.apps[app].spins);
        *spins = if spins.0 == now { (now, spins.1 + 1) } else { (now, 0) };
        if spins.1 > 3 {
            self.violated(format!("app {app} spins: its next deadline stays in the past"));
            return;
        }
        self.wake(app);
    }

    fn wake(&mut self, app: usize) {
        self.stats.wakes += 1;
        self.run_session(app, |session, now, sink| session.wake(now, sink));
    }
}
