//! What an event loop's own connections come to, move by move: no socket, no clock.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use steadis::client::hosted::{Action, Completion, LinkId, Session};
use steadis::client::{Batch, By, CallOptions, Exchange, Incoming};
use steadis::config::{Address, Config, Endpoint, Target};
use steadis::lane::hosted::Token;
use steadis::proto::encode;
use steadis::topology::decide::Trouble;
use steadis::topology::{Phase, Topology};
use steadis::{Error, Kind};

/// To HELLO, two CLIENT SETINFO, and ROLE.
const GREETING: &[u8] = b"%0\r\n+OK\r\n+OK\r\n*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";
const SECOND: Duration = Duration::from_secs(1);

/// An event loop by hand, with a server that says what the test lets it say.
struct Host {
    session: Session,
    now: Instant,
    /// Open connections, and what was written to them since it was last looked at.
    written: HashMap<LinkId, Vec<u8>>,
    done: HashMap<Token, String>,
    heard: usize,
}

impl Host {
    fn new() -> Self {
        let target = Target::Node(Endpoint::Tcp(address(1)));
        let mut config = Config::new(target);
        config.command_timeout = 5 * SECOND;
        config.failover_timeout = 30 * SECOND;
        let mut host = Self {
            session: Session::new(config),
            now: Instant::now(),
            written: HashMap::new(),
            done: HashMap::new(),
            heard: 0,
        };
        host.turn(1, Phase::Ready);
        host
    }

    /// Shows the topology of this epoch.
    fn turn(&mut self, epoch: u64, phase: Phase) {
        self.session.simulate(Arc::new(Topology {
            epoch,
            phase,
            primary: Some(address(epoch as u16)),
            replicas: Vec::new(),
            sentinels: Vec::new(),
            reason: None,
            refused: None,
        }));
        self.wake();
    }

    fn with(
        &mut self,
        work: impl FnOnce(&mut Session, Instant, &mut dyn FnMut(Token, Completion<'_>)),
    ) {
        let Self { session, now, done, heard, .. } = self;
        work(session, *now, &mut |token, completion| {
            let text = match completion {
                Completion::Reply(answer) => format!("{:?}", answer.to_reply()),
                Completion::Outcomes(outcomes) => format!("{:?}", outcomes.into_replies()),
                Completion::Ready => "ready".to_owned(),
                Completion::Again => "again".to_owned(),
                Completion::Failed(error) => error.kind().name().to_owned(),
                Completion::Heard => {
                    *heard += 1;
                    return;
                }
            };
            assert!(done.insert(token, text).is_none(), "two outcomes");
        });
        self.act();
    }

    /// Does what the session asks for; every connection opens at once.
    fn act(&mut self) {
        while let Some(action) = self.session.poll() {
            match action {
                Action::Open { link, .. } => {
                    self.written.insert(link, Vec::new());
                    self.with(|session, now, sink| session.opened(link, now, sink));
                }
                Action::Write { link, bytes } => {
                    self.written.get_mut(&link).expect("an open connection").extend(bytes);
                }
                Action::Close { link } => drop(self.written.remove(&link)),
            }
        }
    }

    fn wake(&mut self) {
        self.with(|session, now, sink| session.wake(now, sink));
    }

    /// Lets this much time pass, waking the session whenever it asks to be woken.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.session.next_deadline().filter(|at| *at <= end) {
            assert!(self.now < end || at <= self.now, "time stands still");
            self.now = self.now.max(at);
            self.wake();
            if self.now >= end {
                break;
            }
        }
        self.now = end;
        self.wake();
    }

    fn say(&mut self, link: LinkId, bytes: &[u8]) {
        self.with(|session, now, sink| session.received(link, bytes, now, sink));
    }

    fn lose(&mut self, link: LinkId) {
        self.written.remove(&link);
        let why = Error::new(Kind::Unavailable, "the server closed the connection");
        self.with(|session, now, sink| session.closed(link, 0, why, now, sink));
    }

    /// Lets in whoever says HELLO.
    fn greet(&mut self) {
        while let Some(link) = self.where_written("HELLO") {
            self.written.insert(link, Vec::new());
            self.say(link, GREETING);
        }
    }

    /// The connection to which this was written.
    fn where_written(&self, word: &str) -> Option<LinkId> {
        let word = word.as_bytes();
        let has = |bytes: &[u8]| bytes.windows(word.len()).any(|part| part == word);
        self.written.iter().find(|(_, bytes)| has(bytes)).map(|(&link, _)| link)
    }

    /// The same, once everybody who wants to is let in; and it is not looked at again.
    fn reaches(&mut self, word: &str) -> LinkId {
        self.greet();
        let link =
            self.where_written(word).unwrap_or_else(|| panic!("no {word}: {:?}", self.written));
        self.written.insert(link, Vec::new());
        link
    }

    fn submit(&mut self, line: &str) -> Token {
        let exchange = exchange(line);
        let options = CallOptions::of(self.session.config());
        let token = self.session.submit(&exchange, options, self.now).unwrap();
        self.act();
        token
    }

    /// A subscription to these channels, confirmed.
    fn subscribe(&mut self, channels: &[&str]) -> (Token, LinkId) {
        let id = self.session.subscribe(self.now);
        for channel in channels {
            self.session.subscription_add(id, By::Channel, channel.as_bytes(), self.now);
        }
        self.act();
        let link = self.reaches("SUBSCRIBE");
        for channel in channels {
            self.say(link, &push(&["subscribe", channel]));
        }
        assert!(self.session.subscription_ready(id));
        (id, link)
    }

    fn next(&mut self, id: Token) -> Option<Incoming> {
        self.session.subscription_next(id).unwrap()
    }

    fn begin(&mut self, id: u64) -> Token {
        let token = self.session.watch_begin(id, self.now).unwrap();
        self.act();
        token
    }

    fn commit(&mut self, id: u64, line: &str) -> Token {
        let mut batch = Batch::default();
        batch.add_exchange(&exchange(line));
        let token = self.session.watch_commit(id, batch, self.now).unwrap();
        self.act();
        token
    }

    fn watch(&mut self) -> u64 {
        let options = CallOptions::of(self.session.config());
        self.session.watch_open(&["k"], options, self.now).unwrap()
    }

    fn outcome(&self, token: Token) -> &str {
        self.done.get(&token).map_or("none", String::as_str)
    }

    /// Doubts since the last look.
    fn overdue(&mut self) -> usize {
        let troubles = self.session.take_troubles();
        troubles.iter().filter(|(_, trouble)| *trouble == Trouble::Overdue).count()
    }
}

fn address(port: u16) -> Address {
    Address::new("127.0.0.1", port)
}

fn exchange(line: &str) -> Exchange {
    Exchange::raw(&line.split(' ').collect::<Vec<_>>()).unwrap()
}

/// What subscribers get, as RESP2 would write it.
fn push(parts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode::command(&mut bytes, parts);
    bytes
}

fn is_message(incoming: Option<Incoming>, text: &str) -> bool {
    matches!(incoming, Some(Incoming::Message { data, .. }) if data == text.as_bytes())
}

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

#[test]
fn closing_tells_everybody() {
    let mut host = Host::new();
    let (id, _) = host.subscribe(&["news"]);
    let pop = host.submit("BLPOP jobs 0");
    let watch = host.watch();
    let begin = host.begin(watch);
    host.with(|session, _, sink| session.close(sink));
    assert_eq!([host.outcome(pop), host.outcome(begin)], ["Closed", "Closed"]);
    assert_eq!(host.session.subscription_next(id).unwrap_err().kind(), Kind::Closed);
    assert_eq!((host.heard, host.written.len()), (2, 0));
}
