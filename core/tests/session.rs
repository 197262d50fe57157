//! The session of an event loop, without a socket: what goes out, for what came in.

use std::sync::Arc;
use std::time::Instant;
use steadis::Kind;
use steadis::client::hosted::{Action, Completion, Session};
use steadis::client::{CallOptions, Exchange};
use steadis::config::{Address, Config, Seed, Target};
use steadis::proto::reply::Reply;
use steadis::topology::{Phase, Topology};

const PRIMARY: &[u8] = b"%0\r\n+OK\r\n+OK\r\n*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";

/// A session that knows its primary.
fn session() -> Session {
    let seeds = vec![Seed::new(Address::new("s1", 26379))];
    let mut session = Session::new(Config::new(Target::Sentinels { seeds, primary: None }));
    let primary = Some(Address::new("A", 6379));
    session.simulate(Arc::new(Topology {
        epoch: 1,
        phase: Phase::Ready,
        primary,
        replicas: Vec::new(),
        sentinels: Vec::new(),
        reason: None,
        refused: None,
    }));
    session
}

#[test]
fn a_refused_call_goes_again_though_nothing_else_happens() {
    let mut session = session();
    let (options, now) = (CallOptions::of(session.config()), Instant::now());
    let exchange = Exchange::raw(&["INCR", "n"]).unwrap();
    let command = exchange.bytes().to_vec();
    let token = session.submit(&exchange, options, now).unwrap();
    let mut outcomes = Vec::new();
    let mut sink = |token, completion: Completion<'_>| match completion {
        Completion::Reply(answer) => outcomes.push((token, answer.to_reply())),
        other => panic!("{other:?}"),
    };
    let Some(Action::Open { link, .. }) = session.poll() else { panic!("it has to connect") };
    session.opened(link, now, &mut sink);
    assert!(matches!(session.poll(), Some(Action::Write { .. })), "the handshake");
    let mut sends = |session: &mut Session, reply: &[u8]| {
        session.received(link, reply, now, &mut sink);
        matches!(session.poll(), Some(Action::Write { bytes, .. }) if bytes == command)
    };
    assert!(sends(&mut session, PRIMARY));
    assert!(sends(&mut session, b"-LOADING Redis is loading the dataset in memory\r\n"));
    assert!(!sends(&mut session, b":1\r\n"));
    assert_eq!(outcomes, [(token, Reply::Integer(1))]);
}

#[test]
fn a_new_name_is_for_the_next_connection_and_for_the_one_there_is() {
    let mut session = session();
    let (options, now) = (CallOptions::of(session.config()), Instant::now());
    let refused = session.rename("two words", options, now).unwrap_err();
    assert!(refused.kind() == Kind::Usage && refused.message().contains("' '"), "{refused}");
    session.rename("worker", options, now).unwrap();
    let mut sink = |_, _: Completion<'_>| {};
    let Some(Action::Open { link, .. }) = session.poll() else { panic!("it has to connect") };
    session.opened(link, now, &mut sink);
    let named = |session: &mut Session| match session.poll() {
        Some(Action::Write { bytes, .. }) => bytes.windows(6).filter(|it| it == b"worker").count(),
        other => panic!("{other:?}"),
    };
    assert_eq!(named(&mut session), 1, "in the handshake");
    session.received(link, PRIMARY, now, &mut sink);
    assert_eq!(named(&mut session), 1, "as a command");
}
