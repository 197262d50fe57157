//! Steadis' blocking lane: every thread calls the same few connections.

use crate::contender::{Contender, Workload};
use crate::tree::Tree;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use steadis::lane::blocking::Lane;
use steadis::lane::call::{Caller, Request};
use steadis::lane::wire::Socket;
use steadis::policy::Effect;
use steadis::proto::encode;
use steadis::proto::ledger::Span;
use steadis::proto::read::{Frame, Reader};
use steadis::proto::reply::Reply;
use steadis::proto::scan::Limits;

/// What is made of the replies.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Terms {
    C,
    Rust,
}

pub(crate) struct Steadis {
    terms: Terms,
    lanes: Vec<Lane<Socket>>,
    next: AtomicUsize,
}

impl Steadis {
    pub(crate) fn new(port: u16, lanes: usize, terms: Terms) -> Self {
        let lane = |_| {
            let socket = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
            socket.set_nodelay(true).expect("TCP_NODELAY");
            Lane::new(Socket::new(socket).expect("a socket"), Limits::default(), 100_000)
        };
        Self { terms, lanes: (0..lanes).map(lane).collect(), next: AtomicUsize::new(0) }
    }
}

impl Contender for Steadis {
    fn name(&self) -> String {
        let terms = if self.terms == Terms::C { "C" } else { "Rust" };
        format!("steadis for {terms}, {} lane(s)", self.lanes.len())
    }

    fn operation<'a>(&'a self, workload: Workload) -> Box<dyn FnMut() + Send + 'a> {
        let lane = &self.lanes[self.next.fetch_add(1, Ordering::Relaxed) % self.lanes.len()];
        let terms = self.terms;
        let mut bytes = Vec::new();
        let mut ends = Vec::new();
        let mut frames = Vec::new();
        let repeat = workload.repeat();
        Box::new(move || {
            bytes.clear();
            ends.clear();
            for _ in 0..repeat {
                encode::command(&mut bytes, workload.command());
                ends.push(bytes.len());
            }
            let span = if repeat == 1 {
                Span::Command { bytes: bytes.len() }
            } else {
                Span::Batch { ends: ends.clone() }
            };
            let now = Instant::now();
            let caller = Caller { now, deadline: now + Duration::from_secs(5), host: &() };
            lane.call(Request { bytes: &bytes, span, effect: Effect::Reads }, caller, &mut frames)
                .expect("replies");
            let mut replies = Reader::new(Frame::trusted(&frames));
            match terms {
                Terms::C => drop(std::hint::black_box(Tree::of(replies, repeat))),
                Terms::Rust => {
                    while let Some(reply) = Reply::next(&mut replies) {
                        std::hint::black_box(reply);
                    }
                }
            }
        })
    }
}
