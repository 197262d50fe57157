//! The sockets of the event loop. In some runs its sessions share them, as in Node.js.

use crate::app::Transport;
use crate::network::{CLIENT, ConnId, Host, User};
use crate::queue::{Event, Time};
use crate::world::World;
use std::collections::BTreeMap;
use steadis::lane::trunk::{Seat, Trunk};
use steadis::proto::scan::Limits;
use steadis::{Error, Kind};

pub(crate) struct Socket {
    to: Host,
    open: bool,
    /// Not yet taken by the system, which has this much under way.
    backlog: Vec<u8>,
    under_way: usize,
    /// Sessions by their number, and their links.
    seats: BTreeMap<Seat, (usize, u32)>,
    next_seat: Seat,
    /// `None` while one session has it to itself.
    trunk: Option<Trunk>,
    heard_at: Time,
    /// A session has left it, and not because others crowded it.
    shunned: bool,
}

impl World {
    /// A connection for a session: one that there is, or a new one.
    pub(crate) fn seat(&mut self, app: usize, link: u32, to: Host, shareable: bool) -> Transport {
        let shared = if self.plan.shares && shareable { self.room(to) } else { None };
        let conn = shared.unwrap_or_else(|| {
            let conn = self.dial(to, User::Session);
            let socket = Socket {
                to,
                open: false,
                backlog: Vec::new(),
                under_way: 0,
                seats: BTreeMap::new(),
                next_seat: 0,
                trunk: None,
                heard_at: self.now,
                shunned: !shareable,
            };
            self.sockets.insert(conn, socket);
            self.stats.opened += 1;
            conn
        });
        self.stats.joined += u64::from(shared.is_some());
        let socket = self.sockets.get_mut(&conn).expect("it is there");
        if !socket.seats.is_empty() && socket.trunk.is_none() {
            socket.trunk = Some(Trunk::new(Limits::default()));
        }
        if socket.open {
            self.queue.push(self.now, Event::Joined { app, link });
        }
        let seat = socket.next_seat;
        socket.next_seat += 1;
        socket.seats.insert(seat, (app, link));
        Transport { conn, seat, epoch: self.epoch(app), parting: false }
    }

    /// A socket that one more session can use.
    fn room(&self, to: Host) -> Option<ConnId> {
        let lately = |at: Time| self.now - at < self.plan.config.command_timeout;
        let has_room = |socket: &Socket| match &socket.trunk {
            Some(trunk) => trunk.is_idle() && lately(socket.heard_at),
            None => socket
                .seats
                .values()
                .all(|&(app, link)| self.apps[app].session.can_share(link, self.instant())),
        };
        let suits = |socket: &Socket| !socket.shunned && socket.to == to && has_room(socket);
        self.sockets.iter().find(|(_, socket)| suits(socket)).map(|(&conn, _)| conn)
    }

    /// A session has no more use for its connection.
    pub(crate) fn leave(&mut self, transport: &Transport) {
        let Some(socket) = self.sockets.get_mut(&transport.conn) else { return };
        socket.seats.remove(&transport.seat);
        socket.shunned |= !transport.parting;
        if socket.seats.is_empty() {
            self.sockets.remove(&transport.conn);
            let abortive = self.random.chance(self.plan.abortive);
            self.close(transport.conn, CLIENT, abortive);
        }
    }

    /// Whether a session has others beside it, whose replies may keep its own waiting.
    pub(crate) fn is_crowded(&self, transport: &Transport) -> bool {
        let socket = self.sockets.get(&transport.conn);
        let trunk = socket.and_then(|socket| socket.trunk.as_ref());
        trunk.is_some_and(|trunk| trunk.is_crowded(transport.seat))
    }

    pub(crate) fn put(&mut self, transport: (ConnId, Seat), bytes: &[u8]) {
        let (conn, seat) = transport;
        let Some(socket) = self.sockets.get_mut(&conn) else { return };
        if let Some(trunk) = &mut socket.trunk {
            trunk.sent(seat, bytes);
        }
        socket.backlog.extend_from_slice(bytes);
        self.pump(conn);
    }

    fn pump(&mut self, conn: ConnId) {
        let Some(socket) = self.sockets.get_mut(&conn) else { return };
        let room = self.plan.window.saturating_sub(socket.under_way);
        let count = room.min(socket.backlog.len());
        if count == 0 {
            return;
        }
        let bytes = socket.backlog.drain(..count).collect();
        socket.under_way += count;
        self.send_bytes(conn, CLIENT, bytes);
    }

    /// The server has read so much.
    pub(crate) fn consumed(&mut self, conn: ConnId, count: usize) {
        let Some(socket) = self.sockets.get_mut(&conn) else { return };
        socket.under_way -= count;
        if !socket.backlog.is_empty() {
            let at = self.now + self.latency();
            self.queue.push(at, Event::Room(conn));
        }
    }

    pub(crate) fn on_room(&mut self, conn: ConnId) {
        self.pump(conn);
    }

    fn seated(&self, conn: ConnId) -> Vec<(usize, u32)> {
        self.sockets.get(&conn).map(|it| it.seats.values().copied().collect()).unwrap_or_default()
    }

    pub(crate) fn socket_connected(&mut self, conn: ConnId) {
        if let Some(socket) = self.sockets.get_mut(&conn) {
            socket.open = true;
        }
        for (app, link) in self.seated(conn) {
            self.link_connected(app, link, None);
        }
    }

    /// A session has taken a seat in a socket that is open already.
    pub(crate) fn on_joined(&mut self, app: usize, link: u32) {
        let Some((conn, seat)) = self.place(app, link) else { return };
        let others = self.sockets[&conn].seats.iter().filter(|(it, _)| **it != seat);
        let neighbour = others.map(|(_, it)| *it).next();
        self.link_connected(app, link, neighbour);
    }

    pub(crate) fn socket_received(&mut self, conn: ConnId, bytes: &[u8]) {
        let Some(socket) = self.sockets.get_mut(&conn) else { return };
        socket.heard_at = self.now;
        let Some(trunk) = &mut socket.trunk else {
            for (app, link) in self.seated(conn) {
                self.link_received(app, link, bytes);
            }
            return;
        };
        let mut runs = Vec::new();
        let fed = trunk.feed(bytes, |seat, run| {
            runs.extend(socket.seats.get(&seat).map(|&it| (it, run.to_vec())));
        });
        if trunk.is_idle() && socket.seats.len() == 1 {
            socket.trunk = None;
        }
        if let Err(why) = fed {
            self.violated(format!("a socket that is shared has lost count: {why}"));
        }
        for ((app, link), run) in runs {
            self.link_received(app, link, &run);
        }
    }

    pub(crate) fn socket_ended(&mut self, conn: ConnId) {
        let Some(socket) = self.sockets.remove(&conn) else { return };
        let what = if socket.open { "connection reset by peer" } else { "connection refused" };
        // How much of what is left was whose, nobody knows.
        let unwritten = if socket.trunk.is_none() { socket.backlog.len() } else { 0 };
        for (app, link) in socket.seats.into_values() {
            self.link_ended(app, link, unwritten, Error::new(Kind::Unavailable, what));
        }
    }
}
