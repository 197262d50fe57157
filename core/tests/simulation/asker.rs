//! ROLE checks and probes, step by step as the watch's tasks do them.

use crate::network::{CLIENT, ConnId, Host, User};
use crate::plan::node as address;
use crate::queue::Event;
use crate::world::World;
use std::time::Duration;
use steadis::proto::encode;
use steadis::proto::handshake::{Handshake, Login, Role};
use steadis::proto::read::Frame;
use steadis::proto::reply::Reply;
use steadis::proto::scan::{Limits, Scanner};
use steadis::topology::decide;
use steadis::{Error, Kind};

pub(crate) struct Asker {
    node: usize,
    /// A probe asks again and again; a check asks once.
    every: Option<Duration>,
    step: Step,
    conn: ConnId,
    input: Vec<u8>,
    turn: u64,
}

enum Step {
    Connecting,
    Greeting(Box<Handshake>),
    Asking,
    /// Sleeps before the next question, or before the next attempt.
    Resting {
        connected: bool,
    },
}

impl World {
    pub(crate) fn ask_role(&mut self, node: usize, every: Option<Duration>) {
        let id = self.watch.next_asker;
        self.watch.next_asker += 1;
        let conn = self.dial(Host::Node(node), User::Asker(id));
        let step = Step::Connecting;
        self.watch.askers.insert(id, Asker { node, every, step, conn, input: Vec::new(), turn: 0 });
        let patience = match every {
            Some(_) => self.patience(),
            None => self.patience().min(self.plan.config.connect_timeout),
        };
        self.set_asker(id, patience);
    }

    fn set_asker(&mut self, id: u64, after: Duration) {
        let Some(asker) = self.watch.askers.get_mut(&id) else { return };
        asker.turn += 1;
        self.queue.push(self.now + after, Event::Asker { id, turn: asker.turn });
    }

    pub(crate) fn asker_connected(&mut self, id: u64) {
        let mut out = Vec::new();
        let handshake = Handshake::new(Login::default(), &mut out);
        let Some(asker) = self.watch.askers.get_mut(&id) else { return };
        asker.step = Step::Greeting(Box::new(handshake));
        let conn = asker.conn;
        self.send_bytes(conn, CLIENT, out);
    }

    pub(crate) fn asker_received(&mut self, id: u64, bytes: &[u8]) {
        let Some(asker) = self.watch.askers.get_mut(&id) else { return };
        asker.input.extend_from_slice(bytes);
        let (mut at, mut out, mut role) = (0, Vec::new(), None);
        let mut scanner = Scanner::new(Limits::default());
        while let Ok(Some(length)) = scanner.scan(&asker.input[at..]) {
            let frame = Frame::trusted(&asker.input[at..at + length]);
            at += length;
            match &mut asker.step {
                Step::Greeting(handshake) => match handshake.reply(frame, &mut out) {
                    Ok(None) => {}
                    Ok(Some(greeting)) => role = Some(Ok(greeting.role)),
                    Err(error) => role = Some(Err(error)),
                },
                Step::Asking => role = Some(read_role(frame)),
                _ => {}
            }
            if role.is_some() {
                break;
            }
        }
        asker.input.drain(..at);
        let (conn, node, every) = (asker.conn, asker.node, asker.every);
        if !out.is_empty() {
            self.send_bytes(conn, CLIENT, out);
        }
        match (role, every) {
            (None, _) => {}
            (Some(role), None) => {
                self.drop_asker(id);
                self.decide(decide::Event::Role(address(node), role));
            }
            (Some(Ok(role)), Some(every)) => {
                asker_rests(self, id, true, every);
                self.decide(decide::Event::Role(address(node), Ok(role)));
            }
            (Some(Err(_)), Some(_)) => self.asker_ended(id, Error::new(Kind::Server, "refused")),
        }
    }

    /// A step took too long, or a pause is over.
    pub(crate) fn on_asker(&mut self, id: u64, turn: u64) {
        let Some(asker) = self.watch.askers.get_mut(&id).filter(|asker| asker.turn == turn) else {
            return;
        };
        match asker.step {
            Step::Resting { connected: true } => {
                asker.step = Step::Asking;
                let conn = asker.conn;
                let mut out = Vec::new();
                encode::command(&mut out, &["ROLE"]);
                self.set_asker(id, self.patience());
                self.send_bytes(conn, CLIENT, out);
            }
            Step::Resting { connected: false } => self.redial(id),
            _ => self.asker_ended(id, Error::new(Kind::Unavailable, "no answer in time")),
        }
    }

    fn redial(&mut self, id: u64) {
        let Some(node) = self.watch.askers.get(&id).map(|asker| asker.node) else { return };
        let conn = self.dial(Host::Node(node), User::Asker(id));
        if let Some(asker) = self.watch.askers.get_mut(&id) {
            (asker.conn, asker.step) = (conn, Step::Connecting);
            asker.input.clear();
        }
        self.set_asker(id, self.patience());
    }

    /// Its connection could not be made, or is gone, or it waits no longer.
    pub(crate) fn asker_ended(&mut self, id: u64, error: Error) {
        let Some(asker) = self.watch.askers.get(&id) else { return };
        let (conn, node) = (asker.conn, asker.node);
        let was_in = matches!(asker.step, Step::Asking | Step::Resting { connected: true });
        match asker.every {
            None => {
                self.drop_asker(id);
                self.decide(decide::Event::Role(address(node), Err(error)));
            }
            Some(every) => {
                self.close(conn, CLIENT, true);
                if was_in {
                    self.redial(id);
                } else {
                    asker_rests(self, id, false, every.max(Duration::from_millis(25)));
                }
            }
        }
    }

    fn drop_asker(&mut self, id: u64) {
        if let Some(asker) = self.watch.askers.remove(&id) {
            self.close(asker.conn, CLIENT, true);
        }
    }

    pub(crate) fn drop_probes(&mut self) {
        let probes = self.watch.askers.iter().filter(|(_, asker)| asker.every.is_some());
        for id in probes.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.drop_asker(id);
        }
    }
}

fn asker_rests(world: &mut World, id: u64, connected: bool, pause: Duration) {
    if let Some(asker) = world.watch.askers.get_mut(&id) {
        asker.step = Step::Resting { connected };
    }
    world.set_asker(id, pause);
}

fn read_role(frame: Frame<'_>) -> Result<Role, Error> {
    let reply = Reply::from_frame(frame);
    let fields = reply.as_list().unwrap_or_default();
    match fields.first().and_then(Reply::as_str) {
        Some("master") => Ok(Role::Primary),
        Some("slave") => Ok(Role::Replica {
            primary: fields[1].as_str().unwrap_or_default().to_owned(),
            port: fields[2].as_integer().unwrap_or(0) as u16,
            linked: fields[3].as_str() == Some("connected"),
        }),
        _ => Err(Error::new(Kind::Server, "no role")),
    }
}
