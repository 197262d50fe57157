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

fn topology(epoch: u64) -> Arc<Topology> {
    Arc::new(Topology {
        epoch,
        phase: Phase::Ready,
        primary: Some(Address::new("A", 6379)),
        replicas: Vec::new(),
        sentinels: Vec::new(),
        reason: None,
        refused: None,
    })
}

/// A session that knows its primary.
fn session() -> Session {
    session_of(&topology(1))
}

fn session_of(topology: &Arc<Topology>) -> Session {
    let seeds = vec![Seed::new(Address::new("s1", 26379))];
    let mut session = Session::new(Config::new(Target::Sentinels { seeds, primary: None }));
    session.simulate(Arc::clone(topology));
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

#[test]
fn who_parts_with_a_connection_takes_along_what_has_not_left_and_overtakes_nothing() {
    let mut session = session();
    let (options, now) = (CallOptions::of(session.config()), Instant::now());
    let mut outcomes = Vec::new();
    let mut sink = |token, completion: Completion<'_>| match completion {
        Completion::Reply(answer) => outcomes.push((token, answer.to_reply())),
        other => panic!("{other:?}"),
    };
    let incr = |session: &mut Session, key| {
        let exchange = Exchange::raw(&["INCR", key]).unwrap();
        session.submit(&exchange, options, now).unwrap()
    };
    let opens = |session: &mut Session, sink: &mut dyn FnMut(u64, Completion<'_>)| {
        let Some(Action::Open { link, shareable, .. }) = session.poll() else { panic!("opens") };
        assert!(shareable);
        session.opened(link, now, sink);
        assert!(matches!(session.poll(), Some(Action::Write { .. })), "the handshake");
        assert!(!session.can_share(link, now), "it waits for the reply to the handshake");
        session.received(link, PRIMARY, now, sink);
        link
    };
    let first = incr(&mut session, "first");
    let crowded = opens(&mut session, &mut sink);
    assert!(matches!(session.poll(), Some(Action::Write { .. })));
    assert!(!session.can_part(crowded), "nothing is left to send");
    let second = incr(&mut session, "second");
    assert!(session.can_part(crowded));
    session.part(crowded, now, &mut sink);
    let third = incr(&mut session, "third");
    assert!(session.poll().is_none(), "the first is under way: nothing goes before its reply");
    session.received(crowded, b":1\r\n", now, &mut sink);
    assert!(matches!(session.poll(), Some(Action::Close { link }) if link == crowded));
    let own = opens(&mut session, &mut sink);
    let Some(Action::Write { bytes, .. }) = session.poll() else { panic!("both go out") };
    let sent = String::from_utf8(bytes).unwrap();
    assert!(sent.find("second").unwrap() < sent.find("third").unwrap() && !sent.contains("first"));
    session.received(own, b":2\r\n:3\r\n", now, &mut sink);
    assert!(session.can_share(own, now));
    assert!(!session.can_share(own, now + session.config().command_timeout), "it may be dead");
    let replies = [1, 2, 3].map(Reply::Integer);
    assert_eq!(outcomes, [first, second, third].into_iter().zip(replies).collect::<Vec<_>>());
}

#[test]
fn who_joins_a_verified_connection_asks_nothing_unless_it_was_verified_for_another_primary() {
    let (now, known) = (Instant::now(), topology(1));
    let mut sink = |_, _: Completion<'_>| {};
    let mut opens = |session: &mut Session, join: Option<(&Session, u32)>| {
        let options = CallOptions::of(session.config());
        session.submit(&Exchange::raw(&["PING"]).unwrap(), options, now).unwrap();
        let Some(Action::Open { link, .. }) = session.poll() else { panic!("opens") };
        let joined =
            join.is_some_and(|(other, theirs)| session.join(link, other, theirs, now, &mut sink));
        if !joined {
            session.opened(link, now, &mut sink);
        }
        let Some(Action::Write { bytes, .. }) = session.poll() else { panic!("writes") };
        assert_eq!(joined, !bytes.windows(4).any(|it| it == b"ROLE"));
        (link, joined)
    };
    let mut first = session_of(&known);
    let (link, _) = opens(&mut first, None);
    assert!(!opens(&mut session_of(&known), Some((&first, link))).1, "nothing is verified yet");
    first.received(link, PRIMARY, now, &mut |_, _| {});
    assert!(opens(&mut session_of(&known), Some((&first, link))).1);
    assert!(!opens(&mut session_of(&topology(1)), Some((&first, link))).1, "another deployment");
    let mut moved = session_of(&topology(1));
    let after = topology(2);
    first.simulate(Arc::clone(&after));
    moved.simulate(after);
    assert!(!opens(&mut moved, Some((&first, link))).1, "it was verified in an earlier epoch");
}
