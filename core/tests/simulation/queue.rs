//! What is going to happen, in virtual time.

use crate::network::{ConnId, Packet, Side};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Since the run began.
pub(crate) type Time = Duration;

/// `turn` tells an alarm that still counts from one that was set anew since.
#[derive(Debug)]
pub(crate) enum Event {
    Syn(ConnId),
    SynAck(ConnId),
    Deliver {
        conn: ConnId,
        side: Side,
        packet: Packet,
    },
    /// A path may be open again.
    Resume {
        conn: ConnId,
        side: Side,
    },
    /// A transport may write more.
    Room(ConnId),
    SentinelTick(usize),
    Hello {
        from: usize,
        to: usize,
    },
    /// A replica takes in what its primary has.
    Replicate(usize),
    ReplicationTick,
    Fault,
    Mend(usize),
    DecideTick {
        turn: u64,
    },
    Line {
        id: usize,
        turn: u64,
    },
    Asker {
        id: u64,
        turn: u64,
    },
    /// A session's timer, the note that the topology has changed, or the end of a loop's turn.
    Wake {
        app: usize,
        turn: u64,
    },
    Changed {
        app: usize,
    },
    Flush {
        app: usize,
    },
    /// A session is on a connection that was open already.
    Joined {
        app: usize,
        link: u32,
    },
    Worker(usize),
    Cancel {
        worker: usize,
        turn: u64,
    },
    /// Looks whether the world has become sane.
    Look,
}

struct Entry {
    at: Time,
    number: u64,
    event: Event,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

#[derive(Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Reverse<Entry>>,
    number: u64,
}

impl Queue {
    pub(crate) fn push(&mut self, at: Time, event: Event) {
        self.number += 1;
        self.heap.push(Reverse(Entry { at, number: self.number, event }));
    }

    pub(crate) fn pop(&mut self) -> Option<(Time, Event)> {
        self.heap.pop().map(|Reverse(entry)| (entry.at, entry.event))
    }
}
