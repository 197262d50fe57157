//! The blocking lane against a real server.

mod support;

use rustix::process::{Pid, Signal, kill_process};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use steadis::lane::blocking::Lane;
use steadis::lane::call::{Caller, Cause, Failure, Host, Request};
use steadis::lane::exclusive::Exclusive;
use steadis::lane::wire::Socket;
use steadis::policy::Effect;
use steadis::proto::encode;
use steadis::proto::ledger::{Fate, Span};
use steadis::proto::read::{Frame, Reader};
use steadis::proto::reply::Reply;
use steadis::proto::scan::Limits;
use steadis::{Error, Kind};
use support::Redis;

const PATIENCE: Duration = Duration::from_secs(20);

fn lane(redis: &Redis) -> Lane<Socket> {
    let socket = Socket::new(redis.connect()).expect("a socket");
    Lane::new(socket, Limits::default(), 10_000)
}

fn caller(patience: Duration) -> Caller<'static> {
    let now = Instant::now();
    Caller { now, deadline: now + patience, host: &() }
}

fn call(lane: &Lane<Socket>, args: &[&[u8]]) -> Result<Reply, Failure> {
    call_within(lane, args, PATIENCE)
}

fn call_within(lane: &Lane<Socket>, args: &[&[u8]], patience: Duration) -> Result<Reply, Failure> {
    call_as(lane, args, caller(patience))
}

fn call_as(lane: &Lane<Socket>, args: &[&[u8]], caller: Caller<'_>) -> Result<Reply, Failure> {
    let mut bytes = Vec::new();
    encode::command(&mut bytes, args);
    let span = Span::Command { bytes: bytes.len() };
    let mut frames = Vec::new();
    lane.call(Request { bytes: &bytes, span, effect: Effect::Writes }, caller, &mut frames)?;
    Ok(Reply::from_frame(Frame::check(&frames, Limits::default()).expect("whole replies")))
}

fn is_deadline(failure: &Failure) -> bool {
    matches!(failure.cause, Cause::Deadline)
}

#[test]
fn a_lone_caller_gets_its_replies() {
    let redis = Redis::start();
    let lane = lane(&redis);
    assert_eq!(call(&lane, &[b"SET", b"k", b"\x00\xff\r\n"]).unwrap(), Reply::Simple(b"OK".into()));
    assert_eq!(call(&lane, &[b"GET", b"k"]).unwrap(), Reply::Bulk(b"\x00\xff\r\n".into()));
    let error = call(&lane, &[b"INCR", b"k"]).unwrap();
    assert!(
        matches!(error, Reply::Error(line) if line.starts_with(b"ERR value is not an integer"))
    );
    assert_eq!(lane.in_flight(), 0);
}

#[test]
fn a_batch_and_a_transaction_come_back_in_order() {
    let redis = Redis::start();
    let lane = lane(&redis);
    let (mut bytes, mut ends) = (Vec::new(), Vec::new());
    for i in 0..1000 {
        encode::command(&mut bytes, &["ECHO", &i.to_string()]);
        ends.push(bytes.len());
    }
    let mut frames = Vec::new();
    let request = Request { bytes: &bytes, span: Span::Batch { ends }, effect: Effect::Writes };
    lane.call(request, caller(PATIENCE), &mut frames).unwrap();
    let mut reader = Reader::new(Frame::check(&frames, Limits::default()).unwrap());
    for i in 0..1000 {
        let reply = Reply::from_frame(reader.next_frame().unwrap());
        assert_eq!(reply, Reply::Bulk(i.to_string().into_bytes()));
    }
    assert!(reader.next_frame().is_none());

    bytes.clear();
    for command in [["MULTI"].as_slice(), &["INCR", "n"], &["INCR", "n"], &["EXEC"]] {
        encode::command(&mut bytes, command);
    }
    let request = Request {
        bytes: &bytes,
        span: Span::Unit { bytes: bytes.len(), replies: 4 },
        effect: Effect::Writes,
    };
    lane.call(request, caller(PATIENCE), &mut frames).unwrap();
    let last = frames.strip_prefix(b"+OK\r\n+QUEUED\r\n+QUEUED\r\n").expect("the replies before");
    assert_eq!(last, b"*2\r\n:1\r\n:2\r\n");
}

/// An error line of any bytes harms nobody, neither its caller nor a neighbour.
#[test]
fn an_error_line_that_is_not_utf8_disturbs_no_neighbour() {
    let redis = Redis::start();
    let lane = lane(&redis);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let reply = call(&lane, &[b"\xff\xfe"]).unwrap();
                    assert!(matches!(reply, Reply::Error(line) if line.contains(&0xff)));
                }
            });
            scope.spawn(|| {
                for _ in 0..500 {
                    assert!(matches!(call(&lane, &[b"INCR", b"n"]).unwrap(), Reply::Integer(_)));
                }
            });
        }
    });
    assert_eq!(redis.cli(&["GET", "n"]), "2000");
}

#[test]
fn a_killed_server_gives_every_command_its_fate() {
    let mut redis = Redis::start();
    let lane = lane(&redis);
    call(&lane, &[b"PING"]).unwrap();
    kill_process(Pid::from_raw(redis.pid() as i32).unwrap(), Signal::STOP).unwrap();
    std::thread::scope(|scope| {
        let waiting: Vec<_> =
            (0..8).map(|_| scope.spawn(|| call(&lane, &[b"INCR", b"n"]))).collect();
        while lane.in_flight() < 8 {
            std::thread::yield_now();
        }
        redis.kill();
        for failure in waiting.into_iter().map(|thread| thread.join().unwrap().unwrap_err()) {
            assert!(matches!(failure.cause, Cause::Lost(_)));
            assert_eq!(failure.fates.len(), 1);
        }
    });
    let failure = call(&lane, &[b"PING"]).unwrap_err();
    assert_eq!(failure.fates, [Fate::NotSent]);
    assert!(lane.over().is_some());
}

#[test]
fn retiring_a_lane_wakes_everybody_and_says_why() {
    let redis = Redis::start();
    let lane = lane(&redis);
    kill_process(Pid::from_raw(redis.pid() as i32).unwrap(), Signal::STOP).unwrap();
    std::thread::scope(|scope| {
        let waiting: Vec<_> =
            (0..4).map(|_| scope.spawn(|| call(&lane, &[b"INCR", b"n"]))).collect();
        while lane.in_flight() < 4 {
            std::thread::yield_now();
        }
        lane.retire(Error::new(Kind::Unavailable, "the primary has moved"));
        for failure in waiting.into_iter().map(|thread| thread.join().unwrap().unwrap_err()) {
            let Cause::Lost(why) = failure.cause else { panic!("{failure:?}") };
            assert_eq!(why.message(), "the primary has moved");
        }
    });
}

#[test]
fn a_deadline_ends_a_wait_and_its_reply_is_never_misdelivered() {
    let redis = Redis::start();
    let lane = lane(&redis);
    std::thread::scope(|scope| {
        let blocker = scope.spawn(|| call(&lane, &[b"BLPOP", b"never", b"0.3"]));
        while lane.in_flight() < 1 {
            std::thread::yield_now();
        }
        let failure =
            call_within(&lane, &[b"ECHO", b"late"], Duration::from_millis(20)).unwrap_err();
        assert!(is_deadline(&failure));
        assert_eq!(call(&lane, &[b"ECHO", b"mine"]).unwrap(), Reply::Bulk(b"mine".into()));
        assert_eq!(blocker.join().unwrap().unwrap(), Reply::Null);
    });
}

/// The leader's own wait ends, and the lead goes on to those who wait longer.
#[test]
fn a_leader_that_gives_up_hands_the_lead_on() {
    struct Impatient(AtomicBool);
    impl Host for Impatient {
        fn interrupted(&self) -> bool {
            self.0.load(Ordering::SeqCst)
        }
    }
    let redis = Redis::start();
    let lane = lane(&redis);
    let host = Impatient(AtomicBool::new(false));
    std::thread::scope(|scope| {
        let leader = scope.spawn(|| {
            let mut bytes = Vec::new();
            encode::command(&mut bytes, &["BLPOP", "never", "0.4"]);
            let span = Span::Command { bytes: bytes.len() };
            let now = Instant::now();
            struct Shared<'a>(&'a Impatient);
            impl Host for Shared<'_> {
                fn interrupted(&self) -> bool {
                    self.0.interrupted()
                }
            }
            let caller = Caller { now, deadline: now + PATIENCE, host: &Shared(&host) };
            lane.call(
                Request { bytes: &bytes, span, effect: Effect::Writes },
                caller,
                &mut Vec::new(),
            )
        });
        while lane.in_flight() < 1 {
            std::thread::yield_now();
        }
        let follower = scope.spawn(|| call(&lane, &[b"ECHO", b"follows"]));
        while lane.in_flight() < 2 {
            std::thread::yield_now();
        }
        host.0.store(true, Ordering::SeqCst);
        let failure = leader.join().unwrap().unwrap_err();
        assert!(matches!(failure.cause, Cause::Interrupted));
        assert_eq!(failure.fates, [Fate::Sent]);
        assert_eq!(follower.join().unwrap().unwrap(), Reply::Bulk(b"follows".into()));
    });
}

/// A host that ends a wait once in a while, as Ctrl-C or a cancelled task does.
struct Moody(std::cell::Cell<u64>);

impl Host for Moody {
    fn interrupted(&self) -> bool {
        self.0.set(self.0.get().wrapping_mul(6364136223846793005).wrapping_add(1));
        self.0.get() >> 60 == 0
    }
}

/// Threads, sizes, timeouts and cancels of all kinds: every reply belongs to its command.
#[test]
fn every_reply_belongs_to_its_command() {
    let redis = Redis::start();
    let lane = lane(&redis);
    let (right, late) = (AtomicU64::new(0), AtomicU64::new(0));
    let end = Instant::now() + Duration::from_secs(storm_seconds());
    std::thread::scope(|scope| {
        for thread in 0..64u64 {
            let (lane, right, late) = (&lane, &right, &late);
            scope.spawn(move || {
                let mut random = thread * 7919 + 1;
                let mut next = move |below: u64| {
                    random ^= random << 13;
                    random ^= random >> 7;
                    random ^= random << 17;
                    random % below
                };
                while Instant::now() < end {
                    let size = match next(1000) {
                        0 => 16 << 20,
                        1..=20 => next(1 << 18),
                        _ => next(200),
                    } as usize;
                    let mut value = format!("{thread}:{}:", next(1 << 40)).into_bytes();
                    value.resize(value.len() + size, b'x');
                    // Half of a large command cannot be called back, and would end the lane.
                    let patience = match next(20) {
                        0 if size < 200 => Duration::from_micros(next(3000)),
                        _ => PATIENCE,
                    };
                    let moody = Moody(std::cell::Cell::new(next(u64::MAX)));
                    let host: &dyn Host = if size < 200 { &moody } else { &() };
                    let now = Instant::now();
                    let caller = Caller { now, deadline: now + patience, host };
                    match call_as(lane, &[b"ECHO", &value], caller) {
                        Ok(reply) => {
                            assert!(reply == Reply::Bulk(value), "a reply of another command");
                            right.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(Failure { cause: Cause::Deadline | Cause::Interrupted, .. }) => {
                            late.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(failure) => panic!("{failure:?}"),
                    }
                }
            });
        }
    });
    println!("{right:?} right, {late:?} late");
    assert!(lane.memory() < 100 << 10, "{} bytes are kept after the storm", lane.memory());
    assert!(right.into_inner() > 1000 && late.into_inner() > 10);
}

fn storm_seconds() -> u64 {
    std::env::var("STEADIS_STORM_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

/// The server lies in no way, and still it could take the process with it.
#[test]
fn a_reply_beyond_the_limit_ends_the_lane_and_not_the_process() {
    let redis = Redis::start();
    redis.cli(&["SETRANGE", "huge", "536870911", "x"]);
    let lane = lane(&redis);
    let failure = call(&lane, &[b"GET", b"huge"]).unwrap_err();
    let Cause::Lost(why) = failure.cause else { panic!("{failure:?}") };
    assert!(why.message().contains("max_reply_bytes"), "{why}");
    assert_eq!(failure.fates, [Fate::Sent]);
    // Another lane to the same server is not touched by it.
    assert_eq!(call(&self::lane(&redis), &[b"PING"]).unwrap(), Reply::Simple(b"PONG".into()));
}

/// Peers that break the protocol: everyone who waits learns of it, with his fate.
#[test]
fn garbage_half_frames_and_surplus_replies_end_the_lane_with_a_reason() {
    for (answer, reason) in [
        (b"HTTP/1.1 400 Bad Request\r\n".as_slice(), "is this a Redis server"),
        (b"$5\r\nab", "closed the connection"),
        (b"+OK\r\n+AGAIN\r\n", "nobody asked for"),
        (b"$3\r\nabcde", "without CR LF"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let lane = Lane::new(Socket::new(socket).unwrap(), Limits::default(), 10);
        let server = std::thread::spawn(move || {
            let (mut peer, _) = listener.accept().unwrap();
            peer.read_exact(&mut [0; 14]).unwrap();
            peer.write_all(answer).unwrap();
        });
        let first = call(&lane, &[b"PING"]);
        server.join().unwrap();
        let failure = first.and_then(|_| call(&lane, &[b"PING"])).unwrap_err();
        let Cause::Lost(why) = failure.cause else { panic!("{failure:?}") };
        assert!(why.message().contains(reason), "{why}");
        assert_eq!(failure.fates.len(), 1);
    }
}

/// A wait of its own length on a connection of its own.
#[test]
fn a_blocking_pop_waits_longer_than_other_commands_may() {
    let redis = Redis::start();
    let socket = Socket::new(redis.connect()).unwrap();
    let mut own = Exclusive::new(socket, Limits::default());
    let mut bytes = Vec::new();
    encode::command(&mut bytes, &["BLPOP", "jobs", "0"]);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while redis.cli(&["CLIENT", "LIST"]).matches("cmd=blpop").count() == 0 {
                std::thread::yield_now();
            }
            redis.cli(&["RPUSH", "jobs", "one"]);
        });
        let span = Span::Command { bytes: bytes.len() };
        let mut frames = Vec::new();
        own.call(
            Request { bytes: &bytes, span, effect: Effect::Writes },
            caller(PATIENCE),
            &mut frames,
        )
        .unwrap();
        assert_eq!(frames, b"*2\r\n$4\r\njobs\r\n$3\r\none\r\n");
    });
}

/// Beyond the limit a clear refusal, and nothing of it is sent.
#[test]
fn a_full_lane_refuses_at_once() {
    let redis = Redis::start();
    let lane = Lane::new(Socket::new(redis.connect()).unwrap(), Limits::default(), 2);
    kill_process(Pid::from_raw(redis.pid() as i32).unwrap(), Signal::STOP).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| call(&lane, &[b"INCR", b"n"]));
        }
        while lane.in_flight() < 2 {
            std::thread::yield_now();
        }
        let failure = call(&lane, &[b"INCR", b"n"]).unwrap_err();
        assert!(matches!(failure.cause, Cause::Full));
        assert_eq!(failure.fates, [Fate::NotSent]);
        lane.retire(Error::new(Kind::Closed, "closed"));
    });
}

#[test]
fn an_idle_lane_holds_a_few_kilobytes() {
    let redis = Redis::start();
    let lane = lane(&redis);
    for _ in 0..100 {
        call(&lane, &[b"PING"]).unwrap();
    }
    assert!(lane.memory() < 24 << 10, "{} bytes are kept", lane.memory());
    let large = vec![b'x'; 4 << 20];
    call(&lane, &[b"ECHO", &large]).unwrap();
    call(&lane, &[b"PING"]).unwrap();
    assert!(lane.memory() < 100 << 10, "{} bytes are kept", lane.memory());
}

/// What a caller appended while another waits for replies has not left: it comes back. How many had
/// left already is a matter of luck, so this is tried until some had not.
#[test]
fn writes_that_have_to_wait_come_back_unless_they_have_left() {
    let redis = Redis::start();
    let lane = lane(&redis);
    call(&lane, &[b"PING"]).unwrap();
    let (mut total, mut recalled) = (0, 0);
    while recalled == 0 {
        let frozen = redis.freeze();
        std::thread::scope(|scope| {
            let callers: Vec<_> =
                (0..4).map(|_| scope.spawn(|| call(&lane, &[b"INCR", b"n"]))).collect();
            while lane.in_flight() < 4 {
                std::thread::yield_now();
            }
            lane.hold_writes(true);
            let sent = lane.in_flight();
            let refused = call(&lane, &[b"INCR", b"n"]).unwrap_err();
            assert_eq!(refused.fates, [Fate::NotSent]);
            drop(frozen);
            let outcomes: Vec<_> = callers.into_iter().map(|it| it.join().unwrap()).collect();
            let failures: Vec<_> = outcomes.iter().filter_map(|it| it.as_ref().err()).collect();
            assert_eq!(failures.len(), 4 - sent);
            assert!(failures.iter().all(|failure| failure.fates == [Fate::NotSent]));
            (total, recalled) = (total + sent, recalled + failures.len());
        });
        let read = call_reading(&lane);
        assert!(
            matches!(read, Ok(Reply::Bulk(n)) if n == total.to_string().as_bytes()),
            "reads go on"
        );
        lane.hold_writes(false);
    }
    assert_eq!(call(&lane, &[b"INCR", b"n"]).unwrap(), Reply::Integer(total as i64 + 1));
}

fn call_reading(lane: &Lane<Socket>) -> Result<Reply, Failure> {
    let mut bytes = Vec::new();
    encode::command(&mut bytes, &["GET", "n"]);
    let (span, mut frames) = (Span::Command { bytes: bytes.len() }, Vec::new());
    let request = Request { bytes: &bytes, span, effect: Effect::Reads };
    lane.call(request, caller(PATIENCE), &mut frames)?;
    Ok(Reply::from_frame(Frame::check(&frames, Limits::default()).expect("whole replies")))
}
