//! Commands that wait on the server.

use crate::host::{Host, SECOND, exchange};
use steadis::client::CallOptions;
use steadis::client::hosted::LinkId;
use steadis::topology::Phase;

#[test]
fn a_blocking_command_has_its_own_time_and_the_way_back() {
    let mut host = Host::new();
    let pop = host.submit("BLPOP jobs 12");
    let link = host.reaches("BLPOP");
    host.pass(16 * SECOND);
    assert_eq!((host.overdue(), host.outcome(pop)), (3, "none"));
    host.pass(2 * SECOND);
    assert_eq!(host.outcome(pop), "MaybeExecuted");
    assert!(!host.written.contains_key(&link));
}

#[test]
fn a_short_timeout_cuts_no_wait_short() {
    let mut host = Host::new();
    let options = CallOptions { timeout: Some(SECOND), ..CallOptions::of(host.session.config()) };
    let pop = host.session.submit(&exchange("BLPOP jobs 12"), options, host.now).unwrap();
    host.act();
    let link = host.reaches("BLPOP");
    host.pass(12 * SECOND);
    assert_eq!(host.outcome(pop), "none");
    host.say(link, b"*-1\r\n");
    assert_eq!(host.outcome(pop), "Null");
}

#[test]
fn a_connection_is_given_on_to_the_next_who_needs_one() {
    let mut host = Host::new();
    let first = host.submit("BLPOP jobs 0");
    let link = host.reaches("BLPOP");
    host.say(link, b"*2\r\n$4\r\njobs\r\n$1\r\na\r\n");
    assert!(host.outcome(first).contains("Bulk"));
    assert_eq!(host.session.next_deadline(), None);
    let second = host.submit("XREAD BLOCK 0 STREAMS log $");
    assert_eq!(host.reaches("XREAD"), link);
    let third = host.submit("BLPOP jobs 0");
    assert_ne!(host.reaches("BLPOP"), link);
    // And nobody asked for the one that all share.
    assert_eq!(host.written.len(), 2);
    assert_eq!((host.outcome(second), host.outcome(third)), ("none", "none"));
}

#[test]
fn no_more_than_a_few_are_kept() {
    let mut host = Host::new();
    for _ in 0..12 {
        host.submit("BLPOP jobs 0");
    }
    host.greet();
    let links: Vec<LinkId> = host.written.keys().copied().collect();
    for link in links {
        host.say(link, b"*2\r\n$4\r\njobs\r\n$1\r\na\r\n");
    }
    assert_eq!((host.done.len(), host.written.len()), (12, 8));
}

#[test]
fn a_failover_asks_reads_again_and_is_honest_about_writes() {
    let mut host = Host::new();
    let pop = host.submit("BLPOP jobs 0");
    host.reaches("BLPOP");
    let read = host.submit("XREAD BLOCK 0 STREAMS log $");
    host.reaches("XREAD");
    // Never sent, so never run.
    host.turn(1, Phase::Fenced);
    let held = host.submit("BRPOP jobs 0");
    host.greet();
    assert!(host.where_written("BRPOP").is_none());
    host.turn(2, Phase::Ready);
    let link = host.reaches("XREAD");
    host.say(link, b"*-1\r\n");
    assert_eq!((host.outcome(pop), host.outcome(read)), ("MaybeExecuted", "Null"));
    // The node that it was sent to, which is the primary no more.
    assert_eq!(host.errors[&pop].address(), Some("127.0.0.1:1"));
    let link = host.reaches("BRPOP");
    host.say(link, b"-UNBLOCKED force unblock from blocking operation\r\n");
    let link = host.reaches("BRPOP");
    host.say(link, b"*-1\r\n");
    assert_eq!(host.outcome(held), "Null");
}

#[test]
fn nobody_waits_for_a_primary_that_is_gone() {
    let mut host = Host::new();
    let pop = host.submit("BLPOP jobs 0");
    host.reaches("BLPOP");
    let read = host.submit("XREAD BLOCK 0 STREAMS log $");
    host.reaches("XREAD");
    host.pass(100 * SECOND);
    host.turn(1, Phase::Lost);
    host.pass(29 * SECOND);
    assert_eq!((host.outcome(pop), host.outcome(read)), ("none", "none"));
    host.pass(2 * SECOND);
    assert_eq!((host.outcome(pop), host.outcome(read)), ("MaybeExecuted", "Timeout"));
    assert!(host.written.is_empty());
}

#[test]
fn a_refusal_is_not_repeated_for_ever() {
    let mut host = Host::new();
    let pop = host.submit("BLPOP jobs 0");
    let began = host.now;
    while host.outcome(pop) == "none" {
        assert!(host.now - began < 300 * SECOND);
        let link = host.reaches("BLPOP");
        host.say(link, b"-LOADING Redis is loading the dataset in memory\r\n");
        host.pass(SECOND / 5);
    }
    assert_eq!(host.outcome(pop), "Unavailable");
    assert!(host.now - began > 30 * SECOND);
}

#[test]
fn a_caller_that_is_gone_takes_nothing() {
    let mut host = Host::new();
    let pop = host.submit("BLPOP jobs 0");
    let link = host.reaches("BLPOP");
    host.session.cancel(pop);
    host.act();
    assert!(!host.written.contains_key(&link) && host.done.is_empty());
    // One that was not sent yet costs no connection.
    let pop = host.submit("BLPOP jobs 0");
    host.session.cancel(pop);
    host.submit("BRPOP jobs 0");
    host.reaches("BRPOP");
    assert!(host.where_written("BLPOP").is_none());
    assert_eq!(host.written.len(), 1);
}
