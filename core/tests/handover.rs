//! The lane's hand-over under thousands of thread schedules: no lost wake-up, no second leader,
//! no misdelivered reply, no false fate.
//!
//! Needs the feature `model`. Waits never time out there, so a lost wake-up is a deadlock, which
//! the scheduler reports together with the schedule that leads to it.

use shuttle::rand::Rng;
use shuttle::sync::Mutex;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use steadis::lane::blocking::Lane;
use steadis::lane::call::{Caller, Cause, Host, Request};
use steadis::lane::door::{Door, Outing};
use steadis::lane::wire::{Interest, Ready, Wire};
use steadis::policy::Effect;
use steadis::proto::ledger::{Fate, Span};
use steadis::proto::scan::Limits;
use steadis::{Error, Kind};

/// A server in memory that answers each line with itself, in as small pieces as it likes.
#[derive(Debug, Default)]
struct Echo {
    inner: Mutex<Inner>,
    /// Whether writes may be cut short.
    choppy: bool,
}

#[derive(Debug, Default)]
struct Inner {
    received: Vec<u8>,
    replies: VecDeque<u8>,
    executed: Vec<Vec<u8>>,
    closed: bool,
}

impl Wire for Echo {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut random = shuttle::rand::thread_rng();
        let mut inner = self.inner.lock().unwrap();
        if inner.closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if self.choppy && random.gen_bool(0.2) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = if self.choppy { random.gen_range(1..=bytes.len()) } else { bytes.len() };
        for &byte in &bytes[..count] {
            inner.received.push(byte);
            if byte == b'\n' {
                let line = std::mem::take(&mut inner.received);
                inner.replies.extend(&line);
                inner.executed.push(line);
            }
        }
        Ok(count)
    }

    fn read(&self, into: &mut Vec<u8>) -> io::Result<usize> {
        let mut random = shuttle::rand::thread_rng();
        let mut inner = self.inner.lock().unwrap();
        if inner.replies.is_empty() {
            if inner.closed {
                return Ok(0);
            }
            drop(inner);
            shuttle::thread::yield_now();
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = random.gen_range(1..=inner.replies.len());
        into.extend(inner.replies.drain(..count));
        Ok(count)
    }

    fn wait(&self, _: Interest, _: Duration) -> io::Result<Ready> {
        shuttle::thread::yield_now();
        Ok(Ready { read: true, write: true })
    }

    fn is_over(&self) -> bool {
        self.inner.lock().unwrap().closed
    }

    /// What was executed last may never be answered.
    fn close(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.closed = true;
        if shuttle::rand::thread_rng().gen_bool(0.5) {
            inner.replies.clear();
        }
    }
}

/// Where the threads of the host language run, one at a time.
#[derive(Default)]
struct Room {
    door: Arc<Door>,
    lock: Mutex<()>,
}

struct Fickle {
    gives_up: bool,
    outing: Option<Outing>,
}

impl Host for Fickle {
    fn interrupted(&self) -> bool {
        self.gives_up && shuttle::rand::thread_rng().gen_bool(0.2)
    }

    fn outing(&self) -> Option<&Outing> {
        self.outing.as_ref()
    }
}

/// One call after the other, all in one outing.
fn call(lane: &Lane<Arc<Echo>>, room: Option<&Room>, names: &[String], gives_up: bool) {
    let host = Fickle { gives_up, outing: room.map(|room| Outing::new(Arc::clone(&room.door))) };
    host.outing.iter().for_each(Outing::leave);
    for name in names {
        host.outing.iter().for_each(Outing::stay);
        call_once(lane, name, &host);
    }
    host.outing.iter().for_each(Outing::knock);
    let inside = room.map(|room| room.lock.lock().unwrap());
    host.outing.iter().for_each(Outing::enter);
    drop(inside);
}

fn call_once(lane: &Lane<Arc<Echo>>, name: &str, host: &Fickle) {
    let line = format!("+{name}\r\n").into_bytes();
    let now = Instant::now();
    let caller = Caller { now, deadline: now + Duration::from_secs(3600), host };
    let request =
        Request { bytes: &line, span: Span::Command { bytes: line.len() }, effect: Effect::Writes };
    let mut frames = Vec::new();
    match lane.call(request, caller, &mut frames) {
        Ok(()) => assert_eq!(frames, line, "a reply of another call"),
        Err(failure) => {
            assert!(host.gives_up || matches!(failure.cause, Cause::Lost(_)), "{failure:?}");
            assert_eq!((failure.answered, failure.fates.len()), (0, 1));
            if failure.fates[0] != Fate::Sent {
                UNSENT.with_borrow_mut(|unsent| unsent.push(line));
            }
        }
    }
}

thread_local! {
    /// What must never be executed: the model's threads all live on one.
    static UNSENT: std::cell::RefCell<Vec<Vec<u8>>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// What happens to the lane while it is in use.
#[derive(Clone, Copy, PartialEq)]
enum Turn {
    Nothing,
    Retired,
    /// Writes have to wait, and need not any more.
    Held,
}

/// Three threads with two calls each, and one that does something to the lane.
fn scene(choppy: bool, gives_up: bool, turn: Turn) -> impl Fn() + Send + Sync + 'static {
    staged(choppy, gives_up, turn, false)
}

/// The same, in a language that lets one thread in at a time.
fn scene_in_a_room(choppy: bool, gives_up: bool, turn: Turn) -> impl Fn() + Send + Sync {
    staged(choppy, gives_up, turn, true)
}

fn staged(choppy: bool, gives_up: bool, turn: Turn, in_a_room: bool) -> impl Fn() + Send + Sync {
    move || {
        UNSENT.with_borrow_mut(Vec::clear);
        let wire = Arc::new(Echo { choppy, ..Echo::default() });
        let lane = Arc::new(Lane::new(Arc::clone(&wire), Limits::default(), 100));
        let room = in_a_room.then(Arc::<Room>::default);
        let threads: Vec<_> = (0..3)
            .map(|thread| {
                let (lane, room) = (Arc::clone(&lane), room.clone());
                shuttle::thread::spawn(move || {
                    let names = [0, 1].map(|call| format!("{thread}.{call}"));
                    let together = shuttle::rand::thread_rng().gen_range(1..=2);
                    for names in names.chunks(together) {
                        call(&lane, room.as_deref(), names, gives_up && thread != 0);
                    }
                })
            })
            .collect();
        match turn {
            Turn::Nothing => {}
            Turn::Retired => lane.retire(Error::new(Kind::Unavailable, "the primary has moved")),
            Turn::Held => {
                lane.hold_writes(true);
                lane.hold_writes(false);
            }
        }
        for thread in threads {
            thread.join().unwrap();
        }
        // Whoever comes last leads, and clears what was abandoned.
        call(&lane, room.as_deref(), &["last".into()], false);
        let inner = wire.inner.lock().unwrap();
        UNSENT.with_borrow(|unsent| {
            for line in unsent {
                assert!(!inner.executed.contains(line), "executed after it was reported unsent");
            }
        });
        for (i, line) in inner.executed.iter().enumerate() {
            assert!(!inner.executed[..i].contains(line), "executed twice");
        }
        if turn == Turn::Nothing && !gives_up {
            assert_eq!(inner.executed.len(), 7);
        }
    }
}

const SCHEDULES: usize = 4000;

#[test]
fn everybody_is_served() {
    shuttle::check_random(scene(false, false, Turn::Nothing), SCHEDULES);
    shuttle::check_pct(scene(false, false, Turn::Nothing), SCHEDULES, 3);
}

#[test]
fn everybody_is_served_when_writes_are_cut_short() {
    shuttle::check_random(scene(true, false, Turn::Nothing), SCHEDULES);
}

#[test]
fn callers_that_give_up_harm_nobody() {
    shuttle::check_random(scene(false, true, Turn::Nothing), SCHEDULES);
    shuttle::check_random(scene(true, true, Turn::Nothing), SCHEDULES);
}

#[test]
fn a_retired_lane_settles_with_true_fates() {
    shuttle::check_random(scene(false, false, Turn::Retired), SCHEDULES);
    shuttle::check_random(scene(true, true, Turn::Retired), SCHEDULES);
    shuttle::check_pct(scene(true, true, Turn::Retired), SCHEDULES, 3);
}

#[test]
fn everybody_comes_back_through_a_door() {
    shuttle::check_random(scene_in_a_room(false, false, Turn::Nothing), SCHEDULES);
    shuttle::check_random(scene_in_a_room(true, true, Turn::Nothing), SCHEDULES);
    shuttle::check_random(scene_in_a_room(true, true, Turn::Retired), SCHEDULES);
    shuttle::check_random(scene_in_a_room(true, true, Turn::Held), SCHEDULES);
    shuttle::check_pct(scene_in_a_room(false, true, Turn::Nothing), SCHEDULES, 3);
}

#[test]
fn what_had_not_left_comes_back_when_writes_are_held() {
    shuttle::check_random(scene(false, false, Turn::Held), SCHEDULES);
    shuttle::check_random(scene(true, false, Turn::Held), SCHEDULES);
    shuttle::check_random(scene(true, true, Turn::Held), SCHEDULES);
    shuttle::check_pct(scene(true, true, Turn::Held), SCHEDULES, 3);
}
