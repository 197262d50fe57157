//! The hosted lane: the host moves the bytes, here between it and a real server.

mod support;

use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::time::{Duration, Instant};
use steadis::Kind;
use steadis::lane::hosted::{Arrival, Lane, Token};
use steadis::proto::encode;
use steadis::proto::ledger::{Fate, Span};
use steadis::proto::reply::Reply;
use steadis::proto::scan::Limits;
use support::Redis;

fn later() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn submit(lane: &mut Lane, token: Token, args: &[&str]) {
    let mut bytes = Vec::new();
    encode::command(&mut bytes, args);
    lane.submit(token, &bytes, Span::Command { bytes: bytes.len() }, Some(later())).unwrap();
}

#[test]
fn replies_find_their_tokens_and_pushes_are_told_apart() {
    let redis = Redis::start();
    let mut socket = redis.connect();
    let mut lane = Lane::new(Limits::default(), 100);
    submit(&mut lane, 0, &["HELLO", "3"]);
    submit(&mut lane, 1, &["SUBSCRIBE", "news"]);
    submit(&mut lane, 2, &["PUBLISH", "news", "hello"]);
    submit(&mut lane, 3, &["ECHO", "three"]);
    // SUBSCRIBE is confirmed out of band: its token has to be taken back by who knows that.
    assert!(lane.withdraw(1));
    submit(&mut lane, 4, &["ECHO", "four"]);
    socket.write_all(&lane.take_output()).unwrap();
    let (mut replies, mut chunk) = (HashMap::new(), [0; 7]);
    while lane.in_flight() > 0 {
        let count = socket.read(&mut chunk).unwrap();
        lane.feed(&chunk[..count], |arrival| match arrival {
            Arrival::Reply { token, frame, last } => {
                assert!(last);
                replies.insert(token, Reply::from_frame(frame));
            }
            Arrival::Push(frame) => panic!("{frame:?}"),
        })
        .unwrap();
    }
    assert_eq!(replies[&2], Reply::Integer(0));
    assert_eq!(replies[&3], Reply::Bulk(b"three".into()));
    assert_eq!(replies[&4], Reply::Bulk(b"four".into()));
    assert_eq!(replies.len(), 4);
}

#[test]
fn beyond_the_limit_the_lane_is_busy() {
    let mut lane = Lane::new(Limits::default(), 1);
    submit(&mut lane, 1, &["PING"]);
    let error = lane.submit(2, b"x", Span::Command { bytes: 1 }, Some(later())).unwrap_err();
    assert_eq!(error.kind(), Kind::Busy);
    assert!(error.retryable() && error.message().contains("max_in_flight"));
}

#[test]
fn overdue_commands_are_told_once_and_their_late_replies_still_have_tokens() {
    let mut lane = Lane::new(Limits::default(), 10);
    let start = Instant::now();
    let at = |ms| start + Duration::from_millis(ms);
    for (token, ms) in [(1, 300), (2, 100), (3, 200)] {
        lane.submit(token, b"+x\r\n", Span::Command { bytes: 4 }, Some(at(ms))).unwrap();
    }
    assert_eq!(lane.next_deadline(), Some(at(100)));
    assert_eq!(lane.overdue(at(99)), []);
    assert_eq!(lane.overdue(at(200)), [2, 3]);
    assert_eq!(lane.next_deadline(), Some(at(300)));
    assert_eq!(lane.overdue(at(250)), []);
    let mut tokens = Vec::new();
    let mut note = |arrival: Arrival<'_>| {
        if let Arrival::Reply { token, .. } = arrival {
            tokens.push(token);
        }
    };
    lane.feed(b"+1\r\n+2\r\n+3\r\n", &mut note).unwrap();
    assert_eq!(tokens, [1, 2, 3]);
    assert_eq!(lane.next_deadline(), None);
}

#[test]
fn what_the_transport_never_wrote_was_not_sent() {
    let mut lane = Lane::new(Limits::default(), 10);
    for token in 0..4 {
        lane.submit(token, b"12345678", Span::Command { bytes: 8 }, Some(later())).unwrap();
        if token < 3 {
            assert_eq!(lane.take_output().len(), 8);
        }
    }
    let fates: Vec<_> = lane.on_lost(12).into_iter().map(|lost| (lost.token, lost.fates)).collect();
    let expected = [Fate::Sent, Fate::PartlySent, Fate::NotSent, Fate::NotSent];
    for (token, fate) in expected.into_iter().enumerate() {
        assert_eq!(fates[token], (token as Token, vec![fate]));
    }
    assert!(lane.in_flight() == 0 && !lane.has_output());
}

#[test]
fn a_lane_is_empty_handed_after_a_burst() {
    let mut lane = Lane::new(Limits::default(), 100_000);
    for token in 0..50_000 {
        submit(&mut lane, token, &["SET", "key", "value"]);
    }
    lane.take_output();
    let replies = b"+OK\r\n".repeat(50_000);
    let (first, second) = replies.split_at(100_001);
    let mut count = 0;
    lane.feed(first, |_| count += 1).unwrap();
    lane.feed(second, |_| count += 1).unwrap();
    assert_eq!((count, lane.in_flight()), (50_000, 0));
    assert!(lane.memory() < 8 << 10, "{} bytes are kept", lane.memory());
}

#[test]
fn what_is_no_reply_is_refused_and_every_command_keeps_its_fate() {
    for (bytes, reason) in [
        (b"+OK\r\nHTTP/1.1 400\r\n".as_slice(), "is this a Redis server"),
        (b"+OK\r\n$3\r\nabcde", "without CR LF"),
        (b"+OK\r\n*1\r\n$?\r\n", "streamed"),
    ] {
        let mut lane = Lane::new(Limits::default(), 10);
        for token in 0..2 {
            submit(&mut lane, token, &["INCR", "n"]);
        }
        lane.take_output();
        submit(&mut lane, 2, &["INCR", "n"]);
        let mut answered = Vec::new();
        let error = lane.feed(bytes, |arrival| {
            if let Arrival::Reply { token, .. } = arrival {
                answered.push(token);
            }
        });
        let error = error.unwrap_err();
        assert!(error.kind() == Kind::Server && error.message().contains(reason), "{error}");
        assert_eq!(answered, [0]);
        let fates: Vec<_> = lane.on_lost(0).into_iter().map(|it| (it.token, it.fates)).collect();
        assert_eq!(fates, [(1, vec![Fate::Sent]), (2, vec![Fate::NotSent])]);
    }
    let mut lane = Lane::new(Limits::default(), 10);
    assert!(lane.feed(b"+OK\r\n", |_| {}).unwrap_err().message().contains("nobody asked"));
}

proptest! {
    /// Commands, writes and reads in any order and any pieces; a server that answers each line
    /// with itself.
    #[test]
    fn any_interleaving_delivers_every_reply_to_its_token(
        steps in vec((0u8..3, 1usize..30), 1..200),
    ) {
        let mut lane = Lane::new(Limits::default(), 10_000);
        let (mut wire, mut next, mut right) = (Vec::new(), 0u64, 0u64);
        for (what, size) in steps.into_iter().chain([(1, 0), (2, usize::MAX)]) {
            match what {
                0 => {
                    let line = format!("+{next}\r\n").into_bytes();
                    lane.submit(next, &line, Span::Command { bytes: line.len() }, Some(later())).unwrap();
                    next += 1;
                }
                1 => wire.extend(lane.take_output()),
                _ => {
                    let chunk: Vec<u8> = wire.drain(..size.min(wire.len())).collect();
                    lane.feed(&chunk, |arrival| {
                        let Arrival::Reply { token, frame, last } = arrival else { panic!() };
                        assert!(last);
                        assert_eq!(frame.bytes(), format!("+{token}\r\n").as_bytes());
                        assert_eq!(token, right);
                        right += 1;
                    })
                    .unwrap();
                }
            }
        }
        prop_assert_eq!((right, lane.in_flight()), (next, 0));
    }
}
