//! An event loop by hand, and a server that says what the test lets it say.

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
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// An event loop by hand, with a server that says what the test lets it say.
pub(crate) struct Host {
    pub(crate) session: Session,
    pub(crate) now: Instant,
    /// Open connections, and what was written to them since it was last looked at.
    pub(crate) written: HashMap<LinkId, Vec<u8>>,
    pub(crate) done: HashMap<Token, String>,
    pub(crate) errors: HashMap<Token, Error>,
    pub(crate) heard: usize,
}

impl Host {
    pub(crate) fn new() -> Self {
        let target = Target::Node(Endpoint::Tcp(address(1)));
        let mut config = Config::new(target);
        config.command_timeout = 5 * SECOND;
        config.failover_timeout = 30 * SECOND;
        let mut host = Self {
            session: Session::new(config),
            now: Instant::now(),
            written: HashMap::new(),
            done: HashMap::new(),
            errors: HashMap::new(),
            heard: 0,
        };
        host.turn(1, Phase::Ready);
        host
    }

    /// Shows the topology of this epoch.
    pub(crate) fn turn(&mut self, epoch: u64, phase: Phase) {
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

    pub(crate) fn with(
        &mut self,
        work: impl FnOnce(&mut Session, Instant, &mut dyn FnMut(Token, Completion<'_>)),
    ) {
        let Self { session, now, done, errors, heard, .. } = self;
        work(session, *now, &mut |token, completion| {
            let text = match completion {
                Completion::Reply(answer) => format!("{:?}", answer.to_reply()),
                Completion::Outcomes(outcomes) => format!("{:?}", outcomes.into_replies()),
                Completion::Ready => "ready".to_owned(),
                Completion::Again => "again".to_owned(),
                Completion::Failed(error) => {
                    let kind = error.kind().name().to_owned();
                    errors.insert(token, error);
                    kind
                }
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
    pub(crate) fn act(&mut self) {
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

    pub(crate) fn wake(&mut self) {
        self.with(|session, now, sink| session.wake(now, sink));
    }

    /// Lets this much time pass, waking the session whenever it asks to be woken.
    pub(crate) fn pass(&mut self, time: Duration) {
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

    pub(crate) fn say(&mut self, link: LinkId, bytes: &[u8]) {
        self.with(|session, now, sink| session.received(link, bytes, now, sink));
    }

    pub(crate) fn lose(&mut self, link: LinkId) {
        self.written.remove(&link);
        let why = Error::new(Kind::Unavailable, "the server closed the connection");
        self.with(|session, now, sink| session.closed(link, 0, why, now, sink));
    }

    /// Lets in whoever says HELLO.
    pub(crate) fn greet(&mut self) {
        while let Some(link) = self.where_written("HELLO") {
            self.written.insert(link, Vec::new());
            self.say(link, GREETING);
        }
    }

    /// The connection to which this was written.
    pub(crate) fn where_written(&self, word: &str) -> Option<LinkId> {
        let word = word.as_bytes();
        let has = |bytes: &[u8]| bytes.windows(word.len()).any(|part| part == word);
        self.written.iter().find(|(_, bytes)| has(bytes)).map(|(&link, _)| link)
    }

    /// The same, once everybody who wants to is let in; and it is not looked at again.
    pub(crate) fn reaches(&mut self, word: &str) -> LinkId {
        self.greet();
        let link =
            self.where_written(word).unwrap_or_else(|| panic!("no {word}: {:?}", self.written));
        self.written.insert(link, Vec::new());
        link
    }

    pub(crate) fn submit(&mut self, line: &str) -> Token {
        let exchange = exchange(line);
        let options = CallOptions::of(self.session.config());
        let token = self.session.submit(&exchange, options, self.now).unwrap();
        self.act();
        token
    }

    /// A subscription to these channels, confirmed.
    pub(crate) fn subscribe(&mut self, channels: &[&str]) -> (Token, LinkId) {
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

    pub(crate) fn next(&mut self, id: Token) -> Option<Incoming> {
        self.session.subscription_next(id).unwrap()
    }

    pub(crate) fn begin(&mut self, id: u64) -> Token {
        let token = self.session.watch_begin(id, self.now).unwrap();
        self.act();
        token
    }

    pub(crate) fn commit(&mut self, id: u64, line: &str) -> Token {
        let mut batch = Batch::default();
        batch.add_exchange(&exchange(line));
        let token = self.session.watch_commit(id, batch, self.now).unwrap();
        self.act();
        token
    }

    pub(crate) fn watch(&mut self) -> u64 {
        let options = CallOptions::of(self.session.config());
        self.session.watch_open(&["k"], options, self.now).unwrap()
    }

    pub(crate) fn outcome(&self, token: Token) -> &str {
        self.done.get(&token).map_or("none", String::as_str)
    }

    /// Doubts since the last look.
    pub(crate) fn overdue(&mut self) -> usize {
        let troubles = self.session.take_troubles();
        troubles.iter().filter(|(_, trouble)| *trouble == Trouble::Overdue).count()
    }
}

fn address(port: u16) -> Address {
    Address::new("127.0.0.1", port)
}

pub(crate) fn exchange(line: &str) -> Exchange {
    Exchange::raw(&line.split(' ').collect::<Vec<_>>()).unwrap()
}

/// What subscribers get, as RESP2 would write it.
pub(crate) fn push(parts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode::command(&mut bytes, parts);
    bytes
}

pub(crate) fn is_message(incoming: Option<Incoming>, text: &str) -> bool {
    matches!(incoming, Some(Incoming::Message { data, .. }) if data == text.as_bytes())
}
