//! The line to one Sentinel: asked on one connection, heard on another, checked for life.

use crate::network::{CLIENT, ConnId, Host, Packet, User};
use crate::plan::sentinel as address;
use crate::queue::Event;
use crate::sentinel::Talk;
use crate::world::World;
use std::time::Duration;
use steadis::topology::decide::{self, Answer};
use steadis::{Error, Kind};

const PULSE: Duration = Duration::from_secs(1);
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

pub(crate) struct Line {
    sentinel: usize,
    step: Step,
    asked: Option<ConnId>,
    heard: Option<ConnId>,
    /// The subscription before, which is listened to until there is another.
    before: Option<ConnId>,
    /// A question has been rung for, and is not yet attended to.
    question: bool,
    pause: Duration,
    turn: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Dialling,
    LoggingIn,
    DiallingAgain,
    Subscribing,
    /// Awaits an answer.
    Asking,
    Idle,
    /// Awaits a sign of life.
    Pinging,
    Resting,
}

impl Line {
    pub(crate) fn new(sentinel: usize) -> Self {
        Self {
            sentinel,
            step: Step::Resting,
            asked: None,
            heard: None,
            before: None,
            question: false,
            pause: RETRY.0,
            turn: 0,
        }
    }
}

impl World {
    pub(crate) fn connect_line(&mut self, id: usize) {
        let sentinel = Host::Sentinel(self.watch.lines[id].sentinel);
        let conn = self.dial(sentinel, User::Line(id));
        self.watch.lines[id].asked = Some(conn);
        self.step_line(id, Step::Dialling);
    }

    /// Every step has its time; idling lasts until the next sign of life is due.
    fn step_line(&mut self, id: usize, step: Step) {
        let patience = self.patience();
        let line = &mut self.watch.lines[id];
        line.step = step;
        line.turn += 1;
        let after = match step {
            Step::Idle => PULSE,
            Step::Resting => line.pause,
            _ => patience,
        };
        self.queue.push(self.now + after, Event::Line { id, turn: line.turn });
    }

    pub(crate) fn ring(&mut self, id: usize) {
        self.watch.lines[id].question = true;
        match self.watch.lines[id].step {
            Step::Resting => {
                self.watch.lines[id].question = false;
                self.reconnect_line(id);
            }
            Step::Idle | Step::Pinging => self.attend(id),
            _ => {}
        }
    }

    fn reconnect_line(&mut self, id: usize) {
        let line = &mut self.watch.lines[id];
        line.pause = (line.pause * 2).min(RETRY.1);
        self.connect_line(id);
    }

    /// Asks what has been rung for meanwhile.
    fn attend(&mut self, id: usize) {
        self.step_line(id, Step::Idle);
        if std::mem::take(&mut self.watch.lines[id].question) {
            self.ask_line(id);
        }
    }

    fn ask_line(&mut self, id: usize) {
        match self.watch.lines[id].asked.filter(|&conn| self.is_open(conn, CLIENT)) {
            Some(conn) => {
                self.step_line(id, Step::Asking);
                self.send(conn, CLIENT, Packet::Talk(Talk::Ask));
            }
            None => self.line_failed(id, "the connection was closed"),
        }
    }

    pub(crate) fn line_connected(&mut self, id: usize) {
        let Line { step, asked, heard, .. } = self.watch.lines[id];
        match (step, asked, heard) {
            (Step::Dialling, Some(asked), _) => {
                self.step_line(id, Step::LoggingIn);
                self.send(asked, CLIENT, Packet::Talk(Talk::Ping));
            }
            (Step::DiallingAgain, _, Some(heard)) => {
                self.step_line(id, Step::Subscribing);
                self.send(heard, CLIENT, Packet::Talk(Talk::Subscribe));
            }
            _ => {}
        }
    }

    pub(crate) fn line_received(&mut self, id: usize, talk: Talk) {
        match (talk, self.watch.lines[id].step) {
            (Talk::Pong, Step::LoggingIn) => {
                let sentinel = Host::Sentinel(self.watch.lines[id].sentinel);
                let conn = self.dial(sentinel, User::Line(id));
                self.watch.lines[id].heard = Some(conn);
                self.step_line(id, Step::DiallingAgain);
            }
            (Talk::Subscribed, Step::Subscribing) => {
                self.watch.lines[id].pause = RETRY.0;
                if let Some(before) = self.watch.lines[id].before.take() {
                    self.close(before, CLIENT, true);
                }
                self.ask_line(id);
            }
            (Talk::Answer(answer), Step::Asking) => {
                self.step_line(id, Step::Idle);
                self.decide(decide::Event::Answer(id, answer));
                if self.watch.lines[id].step == Step::Idle {
                    self.attend(id);
                }
            }
            (Talk::Pong, Step::Pinging) => self.attend(id),
            (Talk::News(news), _) => {
                self.decide(decide::Event::News(id, news));
            }
            _ => {}
        }
    }

    pub(crate) fn on_line(&mut self, id: usize, turn: u64) {
        let line = &self.watch.lines[id];
        if line.turn != turn {
            return;
        }
        match (line.step, line.heard) {
            (Step::Idle, Some(heard)) => {
                self.step_line(id, Step::Pinging);
                self.send(heard, CLIENT, Packet::Talk(Talk::Ping));
            }
            (Step::Resting, _) => self.reconnect_line(id),
            _ => self.line_failed(id, "no answer in time"),
        }
    }

    /// One of its connections has ended.
    pub(crate) fn line_ended(&mut self, id: usize, conn: ConnId) {
        let line = &mut self.watch.lines[id];
        line.before.take_if(|before| *before == conn);
        if line.asked == Some(conn) && matches!(line.step, Step::Idle | Step::Pinging) {
            // Nobody reads there; it shows at the next question.
            return;
        }
        let deaf = line.heard.take_if(|heard| *heard == conn).is_some();
        if line.asked == Some(conn) || deaf {
            self.line_failed(id, "the connection was closed");
        }
    }

    fn line_failed(&mut self, id: usize, why: &str) {
        let line = &mut self.watch.lines[id];
        // A subscription that came to nothing takes no other's place.
        let hears = matches!(line.step, Step::Asking | Step::Idle | Step::Pinging);
        let heard = line.heard.take();
        let obsolete = if hears { std::mem::replace(&mut line.before, heard) } else { heard };
        let conns = [line.asked.take(), obsolete];
        let question = std::mem::take(&mut line.question);
        let sentinel = address(line.sentinel);
        for conn in conns.into_iter().flatten() {
            self.close(conn, CLIENT, true);
        }
        self.step_line(id, Step::Resting);
        let error = Error::new(Kind::Unavailable, why).at(sentinel);
        self.decide(decide::Event::Answer(id, Answer::Failed(error)));
        if question && self.watch.lines[id].step == Step::Resting {
            self.reconnect_line(id);
        }
    }
}
