//! Optimistic transactions.

use crate::host::{Host, SECOND, exchange};
use std::time::Duration;
use steadis::Kind;
use steadis::topology::Phase;

#[test]
fn a_change_is_watched_read_and_committed_on_one_connection() {
    let mut host = Host::new();
    let id = host.watch();
    assert_eq!(
        host.session.watch_run(id, &exchange("GET k"), host.now).unwrap_err().kind(),
        Kind::Usage
    );
    let begin = host.begin(id);
    let link = host.reaches("WATCH");
    host.say(link, b"+OK\r\n");
    let read = host.session.watch_run(id, &exchange("GET k"), host.now).unwrap();
    host.act();
    assert_eq!(host.reaches("GET"), link);
    host.say(link, b"$1\r\n1\r\n");
    let write = host.session.watch_run(id, &exchange("INCR k"), host.now).unwrap_err();
    assert!(write.message().contains("queue it"), "{write}");
    let commit = host.commit(id, "INCR k");
    assert_eq!(host.reaches("EXEC"), link);
    host.say(link, b"+OK\r\n+QUEUED\r\n*-1\r\n");
    let outcomes = [host.outcome(begin), host.outcome(read), host.outcome(commit)];
    assert_eq!(outcomes, ["ready", "Bulk([49])", "again"]);
    // The next attempt finds it among the spare ones.
    let begin = host.begin(id);
    assert_eq!(host.reaches("WATCH"), link);
    host.say(link, b"+OK\r\n");
    let commit = host.commit(id, "INCR k");
    host.reaches("EXEC");
    host.say(link, b"+OK\r\n+QUEUED\r\n*1\r\n:2\r\n");
    assert_eq!([host.outcome(begin), host.outcome(commit)], ["ready", "[Ok(Integer(2))]"]);
    host.session.watch_close(id);
    host.act();
    assert!(host.written.contains_key(&link));
}

#[test]
fn a_loss_is_a_change_unless_the_transaction_was_sent() {
    let mut host = Host::new();
    let id = host.watch();
    let begin = host.begin(id);
    let link = host.reaches("WATCH");
    host.lose(link);
    let link = host.reaches("WATCH");
    host.say(link, b"+OK\r\n");
    assert_eq!(host.outcome(begin), "ready");

    let read = host.session.watch_run(id, &exchange("GET k"), host.now).unwrap();
    host.act();
    host.lose(link);
    assert_eq!((host.outcome(read), host.session.watch_is_lost(id)), ("Unavailable", true));
    let (read, commit) = (
        host.session.watch_run(id, &exchange("GET k"), host.now).unwrap(),
        host.commit(id, "INCR k"),
    );
    host.pass(Duration::ZERO);
    assert_eq!([host.outcome(read), host.outcome(commit)], ["Unavailable", "again"]);

    host.begin(id);
    host.pass(SECOND);
    let link = host.reaches("WATCH");
    host.say(link, b"+OK\r\n");
    let commit = host.commit(id, "INCR k");
    host.lose(link);
    assert_eq!(host.outcome(commit), "MaybeExecuted");
}

#[test]
fn a_transaction_waits_for_the_end_of_a_fence() {
    for (then, outcome) in [(1, "[Ok(Integer(2))]"), (2, "again")] {
        let mut host = Host::new();
        let id = host.watch();
        host.begin(id);
        let link = host.reaches("WATCH");
        host.say(link, b"+OK\r\n");
        host.turn(1, Phase::Fenced);
        let commit = host.commit(id, "INCR k");
        assert!(host.where_written("EXEC").is_none());
        host.turn(then, Phase::Ready);
        if then == 1 {
            host.reaches("EXEC");
            host.say(link, b"+OK\r\n+QUEUED\r\n*1\r\n:2\r\n");
        }
        assert_eq!(host.outcome(commit), outcome);
    }
}

#[test]
fn a_watch_that_is_closed_is_done_with() {
    let mut host = Host::new();
    let id = host.watch();
    host.begin(id);
    let link = host.reaches("WATCH");
    host.say(link, b"+OK\r\n");
    let commit = host.commit(id, "INCR k");
    host.session.watch_close(id);
    host.act();
    assert!(!host.written.contains_key(&link));
    assert_eq!((host.outcome(commit), host.session.waiting()), ("none", 0));
    let error = host.session.watch_begin(id, host.now).unwrap_err();
    assert!(error.message().contains("closed"));
}

#[test]
fn keys_that_always_change_end_it_with_the_deadline() {
    let mut host = Host::new();
    let id = host.watch();
    let error = loop {
        match host.session.watch_begin(id, host.now) {
            Ok(_) => {
                host.act();
                host.pass(SECOND);
                let link = host.reaches("WATCH");
                host.say(link, b"+OK\r\n");
                host.commit(id, "INCR k");
                host.say(link, b"+OK\r\n+QUEUED\r\n*-1\r\n");
            }
            Err(error) => break error,
        }
    };
    assert_eq!((error.kind(), error.command()), (Kind::Unavailable, Some("WATCH")));
    assert!(error.message().contains("change too often"), "{error}");
}
