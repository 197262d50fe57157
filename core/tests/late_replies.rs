//! A reply that comes after its call was given up is nobody's, least of all a later attempt's.

mod support;

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};
use steadis::client::hosted::{Action, Completion, LinkId, Session};
use steadis::client::{Batch, CallOptions};
use steadis::config::{Address, Config, Endpoint, Target};
use steadis::proto::reply::Reply;
use steadis::topology::{Phase, Topology};
use steadis::{Kind, Result};
use support::Redis;

/// An event loop by hand.
struct Host {
    session: Session,
    sockets: HashMap<LinkId, TcpStream>,
    outcomes: Vec<Result<Reply>>,
}

impl Host {
    fn new(redis: &Redis) -> Self {
        let primary = Address::new("127.0.0.1", redis.port);
        let mut session = Session::new(Config::new(Target::Node(Endpoint::Tcp(primary.clone()))));
        session.simulate(Arc::new(Topology {
            epoch: 1,
            phase: Phase::Ready,
            primary: Some(primary),
            replicas: Vec::new(),
            sentinels: Vec::new(),
            reason: None,
            refused: None,
        }));
        Self { session, sockets: HashMap::new(), outcomes: Vec::new() }
    }

    fn with(&mut self, work: impl FnOnce(&mut Session, &mut dyn FnMut(u64, Completion<'_>))) {
        let outcomes = &mut self.outcomes;
        work(&mut self.session, &mut |_, completion| match completion {
            Completion::Outcomes(all) => outcomes.extend(all.into_replies()),
            other => panic!("{other:?}"),
        });
    }

    /// Does what the session asks for. Whether these bytes were among what it wrote, and where.
    fn act(&mut self, redis: &Redis, now: Instant, wanted: &[u8]) -> Option<LinkId> {
        let mut written = None;
        while let Some(action) = self.session.poll() {
            match action {
                Action::Open { link, .. } => {
                    self.sockets.insert(link, redis.connect());
                    self.with(|session, sink| session.opened(link, now, sink));
                }
                Action::Write { link, bytes } => {
                    (&self.sockets[&link]).write_all(&bytes).unwrap();
                    let here = bytes.windows(wanted.len()).any(|part| part == wanted);
                    written = written.or(here.then_some(link));
                }
                Action::Close { link } => drop(self.sockets.remove(&link)),
            }
        }
        written
    }

    fn read(&mut self, link: LinkId) -> Vec<u8> {
        let mut bytes = vec![0; 4096];
        let count = (&self.sockets[&link]).read(&mut bytes).unwrap();
        bytes.truncate(count);
        bytes
    }

    /// Shakes hands until these bytes are written.
    fn until_written(&mut self, redis: &Redis, now: Instant, wanted: &[u8]) -> LinkId {
        loop {
            if let Some(link) = self.act(redis, now, wanted) {
                return link;
            }
            let link = *self.sockets.keys().next().expect("a connection");
            let bytes = self.read(link);
            self.with(|session, sink| session.received(link, &bytes, now, sink));
        }
    }
}

#[test]
fn a_late_reply_is_not_that_of_the_next_attempt() {
    let redis = Redis::start();
    redis.cli(&["SET", "k", "value"]);
    let mut host = Host::new(&redis);
    let mut batch = Batch::default();
    batch.add_raw(&["INCR", "n"]).unwrap();
    batch.add_raw(&["GET", "k"]).unwrap();
    let now = Instant::now();
    let options = CallOptions::of(host.session.config());
    host.session.submit_pipeline(batch, options, now).unwrap();
    let first = host.until_written(&redis, now, b"GET");
    let mut late = Vec::new();
    while !late.ends_with(b"value\r\n") {
        late.extend(host.read(first));
    }

    let now = now + Duration::from_secs(6);
    host.with(|session, sink| session.wake(now, sink));
    host.with(|session, sink| session.received(first, &late, now, sink));
    assert!(host.outcomes.is_empty(), "{:?}", host.outcomes);

    let second = host.until_written(&redis, now, b"GET");
    assert_ne!(first, second);
    while host.outcomes.is_empty() {
        let bytes = host.read(second);
        host.with(|session, sink| session.received(second, &bytes, now, sink));
    }
    assert_eq!(host.outcomes[0].as_ref().unwrap_err().kind(), Kind::MaybeExecuted);
    assert_eq!(host.outcomes[1], Ok(Reply::Bulk(b"value".into())));
}
