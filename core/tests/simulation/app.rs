//! An event loop around a `Session`: its transports, its timer, its turns.

use crate::network::{ConnId, Host};
use crate::plan::node_at;
use crate::queue::{Event, Time};
use crate::world::World;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use steadis::Error;
use steadis::client::Outcomes;
use steadis::client::hosted::{Action, Completion, Session};
use steadis::config::{Config, Endpoint};
use steadis::lane::hosted::Token;
use steadis::lane::trunk::Seat;
use steadis::proto::reply::Reply;
use steadis::topology::Topology;

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

pub(crate) struct Transport {
    pub(crate) conn: ConnId,
    pub(crate) seat: Seat,
    pub(crate) epoch: u64,
    /// The session leaves it for another.
    pub(crate) parting: bool,
}

/// A completion that outlives its frame.
pub(crate) enum Outcome {
    Reply(Reply),
    Outcomes(Outcomes),
    Failed(Error),
}

impl Outcome {
    fn of(completion: Completion<'_>) -> Self {
        match completion {
            Completion::Reply(answer) => Self::Reply(answer.to_reply()),
            Completion::Outcomes(outcomes) => Self::Outcomes(outcomes),
            Completion::Failed(error) => Self::Failed(error),
            other => panic!("nobody asked for {other:?}"),
        }
    }
}

impl App {
    pub(crate) fn new(config: Config, topology: &Arc<Topology>) -> Self {
        let mut session = Session::new(config);
        session.simulate(Arc::clone(topology));
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
            outcomes.push((token, Outcome::of(completion)));
        });
        self.deal(app, outcomes);
    }

    fn deal(&mut self, app: usize, outcomes: Vec<(Token, Outcome)>) {
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
            if self.parts(app, link) {
                continue;
            }
            let bytes = self.apps[app].session.take_output(link);
            self.write(app, link, bytes);
        }
        self.serve(app);
    }

    /// Has a session leave a connection that others crowd. `true`: it does.
    fn parts(&mut self, app: usize, link: u32) -> bool {
        let chance = self.random.chance(self.plan.parts);
        let (apps, can) = (&self.apps, self.apps[app].session.can_part(link));
        let crowded = chance || apps[app].links.get(&link).is_some_and(|it| self.is_crowded(it));
        if can && crowded {
            self.stats.parted += 1;
            self.note(|| format!("app {app} parts with link {link}"));
            if let Some(transport) = self.apps[app].links.get_mut(&link) {
                transport.parting = true;
            }
            self.run_session(app, |session, now, sink| session.part(link, now, sink));
        }
        can && crowded
    }

    fn act(&mut self, app: usize, action: Action) {
        match action {
            Action::Open { link, to: Endpoint::Tcp(to), shareable, .. } => {
                let transport = self.seat(app, link, Host::Node(node_at(&to)), shareable);
                let (epoch, conn) = (transport.epoch, transport.conn);
                self.note(|| {
                    format!("app {app} opens link {link} to {to} for epoch {epoch}: socket {conn}")
                });
                self.apps[app].links.insert(link, transport);
            }
            Action::Open { to, .. } => self.violated(format!("nothing listens at {to}")),
            Action::Write { link, bytes } => self.write(app, link, bytes),
            Action::Close { link } => {
                if let Some(transport) = self.apps[app].links.remove(&link) {
                    self.note(|| format!("app {app} closes link {link}"));
                    self.leave(&transport);
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
        let Some(transport) = self.apps[app].links.get(&link) else { return };
        let (place, epoch) = ((transport.conn, transport.seat), transport.epoch);
        if epoch < known {
            self.violated(format!("P4: written to epoch {epoch}, told of {known} already"));
        }
        self.put(place, &bytes);
    }

    /// Where a link is, if it is still there.
    pub(crate) fn place(&self, app: usize, link: u32) -> Option<(ConnId, Seat)> {
        self.apps[app].links.get(&link).map(|it| (it.conn, it.seat))
    }

    pub(crate) fn epoch(&self, app: usize) -> u64 {
        self.apps[app].session.topology().map_or(0, |topology| topology.epoch)
    }

    pub(crate) fn link_connected(
        &mut self,
        app: usize,
        link: u32,
        neighbour: Option<(usize, u32)>,
    ) {
        if self.place(app, link).is_none() {
            return;
        }
        let (now, mut outcomes, mut joined) = (self.instant(), Vec::new(), false);
        if let Some((other, theirs)) = neighbour
            && let Ok([mine, its]) = self.apps.get_disjoint_mut([app, other])
        {
            joined = mine.session.join(link, &its.session, theirs, now, &mut |token, it| {
                outcomes.push((token, Outcome::of(it)));
            });
        }
        self.stats.vouched += u64::from(joined);
        if joined {
            self.deal(app, outcomes);
        } else {
            self.run_session(app, |session, now, sink| session.opened(link, now, sink));
        }
    }

    pub(crate) fn link_received(&mut self, app: usize, link: u32, bytes: &[u8]) {
        if self.place(app, link).is_some() {
            self.run_session(app, |session, now, sink| session.received(link, bytes, now, sink));
        }
    }

    pub(crate) fn link_ended(&mut self, app: usize, link: u32, unwritten: usize, why: Error) {
        if self.apps[app].links.remove(&link).is_some() {
            self.note(|| format!("app {app} loses link {link}"));
            self.run_session(app, |session, now, sink| {
                session.closed(link, unwritten, why, now, sink);
            });
        }
    }

    pub(crate) fn on_changed(&mut self, app: usize) {
        self.apps[app].epoch = self.epoch(app);
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
