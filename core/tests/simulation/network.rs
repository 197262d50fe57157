//! TCP as far as it matters: order, latency, pieces, cut paths, frozen peers, resets.
//!
//! A cut path loses nothing: what was sent arrives once it is mended, as TCP sends again. What
//! reaches a frozen process waits in its socket and is worked off when it thaws.

use crate::queue::{Event, Time};
use crate::sentinel::Talk;
use crate::world::World;
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

pub(crate) type ConnId = usize;

/// Who dialled has side 0, who was dialled side 1.
pub(crate) type Side = usize;
pub(crate) const CLIENT: Side = 0;
pub(crate) const SERVER: Side = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Host {
    App,
    Sentinel(usize),
    Node(usize),
}

#[derive(Debug)]
pub(crate) enum Packet {
    Bytes(Vec<u8>),
    /// With a Sentinel; whole messages, as their bytes are another library's.
    Talk(Talk),
    Fin,
    Reset,
}

/// What a connection is for, on the side that dialled.
#[derive(Debug, Clone, Copy)]
pub(crate) enum User {
    Session,
    Line(usize),
    Asker(u64),
}

pub(crate) struct Conn {
    pub(crate) ends: [Host; 2],
    pub(crate) user: User,
    open: [bool; 2],
    /// What each side sends.
    flows: [Flow; 2],
    attempts: u32,
}

#[derive(Default)]
struct Flow {
    /// Nothing arrives before what was sent before it.
    last: Time,
    /// Waits for the path to be mended.
    stalled: VecDeque<Packet>,
    /// Waits in the socket of a frozen process.
    held: VecDeque<Packet>,
}

#[derive(Default)]
pub(crate) struct Network {
    pub(crate) conns: Vec<Conn>,
    /// Directed: the first does not reach the second.
    cut: BTreeSet<(Host, Host)>,
    pub(crate) slow: bool,
}

impl World {
    pub(crate) fn latency(&mut self) -> Duration {
        let mut latency = self.plan.latency + self.random.span(Duration::ZERO, self.plan.jitter);
        if self.random.chance(self.plan.spikes) {
            latency += self.random.millis(20, 400);
        }
        if self.network.slow { latency + self.random.millis(50, 600) } else { latency }
    }

    pub(crate) fn dial(&mut self, to: Host, user: User) -> ConnId {
        let flows = [Flow::default(), Flow::default()];
        let ends = [Host::App, to];
        self.network.conns.push(Conn { ends, user, open: [true, false], flows, attempts: 0 });
        let conn = self.network.conns.len() - 1;
        let at = self.now + self.latency();
        self.queue.push(at, Event::Syn(conn));
        conn
    }

    pub(crate) fn on_syn(&mut self, conn: ConnId) {
        let Conn { ends: [from, to], open, .. } = self.network.conns[conn];
        if !open[CLIENT] {
            return;
        }
        let full = self.plan.short_backlog && self.is_frozen(to);
        let lost = self.is_cut(from, to) || self.random.chance(self.plan.syn_drop);
        if lost || full || self.is_gone(to) {
            let attempts = &mut self.network.conns[conn].attempts;
            *attempts += 1;
            let again = self.now + Duration::from_secs(1 << (*attempts - 1).min(4));
            self.queue.push(again, Event::Syn(conn));
        } else if self.is_alive(to) {
            self.network.conns[conn].open[SERVER] = true;
            let at = self.now + self.latency();
            self.queue.push(at, Event::SynAck(conn));
        } else {
            self.transmit(conn, SERVER, Packet::Reset);
        }
    }

    pub(crate) fn on_syn_ack(&mut self, conn: ConnId) {
        let Conn { ends: [from, to], open, .. } = self.network.conns[conn];
        if self.is_cut(to, from) {
            self.queue.push(self.now + Duration::from_secs(1), Event::SynAck(conn));
        } else if open[CLIENT] {
            self.on_connected(conn);
        }
    }

    /// Bytes travel in one piece or in several.
    pub(crate) fn send_bytes(&mut self, conn: ConnId, side: Side, mut bytes: Vec<u8>) {
        while bytes.len() > 1 && self.random.chance(self.plan.chop) {
            let rest = bytes.split_off(self.random.between(1, bytes.len() - 1));
            self.send(conn, side, Packet::Bytes(std::mem::replace(&mut bytes, rest)));
        }
        self.send(conn, side, Packet::Bytes(bytes));
    }

    pub(crate) fn send(&mut self, conn: ConnId, side: Side, packet: Packet) {
        if self.network.conns[conn].open[side] {
            self.transmit(conn, side, packet);
        }
    }

    fn transmit(&mut self, conn: ConnId, side: Side, packet: Packet) {
        let at = self.now + self.latency();
        let flow = &mut self.network.conns[conn].flows[side];
        flow.last = flow.last.max(at);
        self.queue.push(flow.last, Event::Deliver { conn, side: 1 - side, packet });
    }

    pub(crate) fn on_deliver(&mut self, conn: ConnId, side: Side, packet: Packet) {
        let ends = self.network.conns[conn].ends;
        let (from, to) = (ends[1 - side], ends[side]);
        let stuck = self.is_cut(from, to) || self.is_gone(to);
        let stalled = &mut self.network.conns[conn].flows[1 - side].stalled;
        if stuck || !stalled.is_empty() {
            stalled.push_back(packet);
        } else {
            self.arrive(conn, side, packet);
        }
    }

    pub(crate) fn on_resume(&mut self, conn: ConnId, side: Side) {
        let ends = self.network.conns[conn].ends;
        if self.is_cut(ends[1 - side], ends[side]) || self.is_gone(ends[side]) {
            return;
        }
        while let Some(packet) = self.network.conns[conn].flows[1 - side].stalled.pop_front() {
            self.arrive(conn, side, packet);
        }
    }

    fn arrive(&mut self, conn: ConnId, side: Side, packet: Packet) {
        let Conn { ends, open, .. } = self.network.conns[conn];
        if !open[side] {
            if open[1 - side] && !matches!(packet, Packet::Fin | Packet::Reset) {
                self.transmit(conn, side, Packet::Reset);
            }
            return;
        }
        if self.is_frozen(ends[side]) {
            let held = &mut self.network.conns[conn].flows[1 - side].held;
            if matches!(packet, Packet::Reset) {
                held.clear();
            }
            held.push_back(packet);
        } else {
            self.take(conn, side, packet);
        }
    }

    fn take(&mut self, conn: ConnId, side: Side, packet: Packet) {
        match packet {
            Packet::Fin | Packet::Reset => {
                if side == SERVER && matches!(packet, Packet::Fin) {
                    self.transmit(conn, side, Packet::Fin);
                }
                self.network.conns[conn].open[side] = false;
                self.on_end(conn, side);
            }
            data if self.network.conns[conn].open[side] => self.on_data(conn, side, data),
            _ => {}
        }
    }

    /// Closes one side. What it has sent still arrives, unless it is `abortive` and the other
    /// side has not read it.
    pub(crate) fn close(&mut self, conn: ConnId, side: Side, abortive: bool) {
        let last = if abortive { Packet::Reset } else { Packet::Fin };
        self.send(conn, side, last);
        self.network.conns[conn].open[side] = false;
    }

    /// A connection breaks in the middle: both sides learn of it, each in its time.
    pub(crate) fn break_off(&mut self, conn: ConnId) {
        for side in [CLIENT, SERVER] {
            if self.network.conns[conn].open[1 - side] {
                let at = self.now + self.latency();
                self.queue.push(at, Event::Deliver { conn, side, packet: Packet::Reset });
            }
        }
    }

    pub(crate) fn open_conns(&self, with: impl Fn(&Conn) -> bool) -> Vec<ConnId> {
        let conns = self.network.conns.iter().enumerate();
        conns.filter(|(_, conn)| conn.open != [false; 2] && with(conn)).map(|(id, _)| id).collect()
    }

    /// A process ends; its machine says so to everybody it talked to, unless it went as well.
    pub(crate) fn drop_conns(&mut self, of: Host, silently: bool) {
        for id in self.open_conns(|conn| conn.ends.contains(&of)) {
            let side = usize::from(self.network.conns[id].ends[SERVER] == of);
            self.network.conns[id].flows[1 - side].held.clear();
            if silently {
                self.network.conns[id].open[side] = false;
            } else {
                let abortive = self.random.chance(0.5);
                self.close(id, side, abortive);
            }
        }
    }

    /// A thawed process works off what its sockets hold.
    pub(crate) fn work_off(&mut self, host: Host) {
        for id in self.open_conns(|conn| conn.ends[SERVER] == host) {
            while let Some(packet) = self.network.conns[id].flows[CLIENT].held.pop_front() {
                self.take(id, SERVER, packet);
            }
        }
    }

    pub(crate) fn is_open(&self, conn: ConnId, side: Side) -> bool {
        self.network.conns[conn].open[side]
    }

    pub(crate) fn is_cut(&self, from: Host, to: Host) -> bool {
        self.network.cut.contains(&(from, to))
    }

    pub(crate) fn reach_each_other(&self, a: Host, b: Host) -> bool {
        !self.is_cut(a, b) && !self.is_cut(b, a)
    }

    pub(crate) fn cut(&mut self, from: Host, to: Host) {
        self.network.cut.insert((from, to));
    }

    pub(crate) fn mend(&mut self, from: Host, to: Host) {
        if self.network.cut.remove(&(from, to)) {
            self.resume_stalled();
        }
    }

    pub(crate) fn resume_stalled(&mut self) {
        for conn in 0..self.network.conns.len() {
            for side in [CLIENT, SERVER] {
                if !self.network.conns[conn].flows[1 - side].stalled.is_empty() {
                    let at = self.now + self.latency();
                    self.queue.push(at, Event::Resume { conn, side });
                }
            }
        }
    }
}
