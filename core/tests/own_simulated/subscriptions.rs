//! Subscriptions.

use crate::host::{Host, SECOND, is_message, push};
use steadis::Kind;
use steadis::client::{By, Incoming};
use steadis::topology::Phase;

#[test]
fn messages_come_in_order_and_are_told_of_once() {
    let mut host = Host::new();
    let (id, link) = host.subscribe(&["news"]);
    assert_eq!(host.heard, 1);
    let two = [push(&["message", "news", "a"]), push(&["message", "news", "b"])].concat();
    let (first, rest) = two.split_at(11);
    host.say(link, first);
    host.say(link, rest);
    assert_eq!(host.heard, 2);
    assert!(is_message(host.next(id), "a") && is_message(host.next(id), "b"));
    assert_eq!(host.next(id), None);
    host.say(link, b">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\nc\r\n");
    assert!(is_message(host.next(id), "c") && host.heard == 3);
}

#[test]
fn after_a_failover_the_gap_comes_before_any_message() {
    let mut host = Host::new();
    let (id, old) = host.subscribe(&["a", "b"]);
    host.turn(2, Phase::Ready);
    let link = host.reaches("SUBSCRIBE");
    assert!(!host.written.contains_key(&old) && !host.session.subscription_ready(id));
    host.say(link, &push(&["subscribe", "a"]));
    host.say(link, &push(&["message", "a", "early"]));
    assert_eq!(host.next(id), None);
    host.say(link, &push(&["subscribe", "b"]));
    host.say(link, &push(&["message", "b", "after"]));
    assert!(matches!(host.next(id), Some(Incoming::Gap { since, until }) if since <= until));
    assert!(is_message(host.next(id), "after"));
}

#[test]
fn a_silent_server_is_asked_doubted_and_left() {
    let mut host = Host::new();
    let (id, link) = host.subscribe(&["news"]);
    host.pass(2 * SECOND);
    assert!(host.where_written("PING").is_none());
    host.pass(SECOND);
    assert_eq!(host.reaches("PING"), link);
    host.say(link, b"*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    host.pass(3 * SECOND);
    assert_eq!((host.reaches("PING"), host.overdue()), (link, 0));
    host.pass(3 * SECOND);
    assert_eq!(host.overdue(), 1);
    let second = host.reaches("SUBSCRIBE");
    assert_ne!(link, second);
    host.say(second, &push(&["subscribe", "news"]));
    let Some(Incoming::Gap { since, until }) = host.next(id) else { panic!("no gap") };
    assert!(until.duration_since(since).unwrap() >= 5 * SECOND);
}

#[test]
fn an_outage_is_told_once() {
    let mut host = Host::new();
    let (id, link) = host.subscribe(&["news"]);
    host.turn(1, Phase::Lost);
    host.lose(link);
    host.pass(29 * SECOND);
    assert_eq!(host.next(id), None);
    host.pass(2 * SECOND);
    assert_eq!(host.heard, 2);
    assert_eq!(host.session.subscription_next(id).unwrap_err().kind(), Kind::Unavailable);
    host.pass(100 * SECOND);
    assert_eq!(host.next(id), None);
    host.turn(2, Phase::Ready);
    let link = host.reaches("SUBSCRIBE");
    host.say(link, &push(&["subscribe", "news"]));
    assert!(matches!(host.next(id), Some(Incoming::Gap { .. })));
}

#[test]
fn one_refused_channel_does_not_take_the_others_with_it() {
    let mut host = Host::new();
    let (id, link) = host.subscribe(&["news"]);
    for channel in [b"secret".as_slice(), b"open"] {
        host.session.subscription_add(id, By::Channel, channel, host.now);
    }
    host.act();
    assert!(!host.session.subscription_ready(id));
    host.say(link, b"-NOPERM no\r\n");
    host.say(link, &push(&["subscribe", "open"]));
    assert!(host.session.subscription_ready(id));
    assert_eq!(host.session.subscription_error(id).unwrap().kind(), Kind::Auth);
    assert!(host.session.subscription_error(id).is_none());
    host.session.unsubscribe(id);
    host.act();
    assert!(host.written.is_empty());
    assert_eq!(host.session.subscription_next(id).unwrap_err().kind(), Kind::Usage);
}
