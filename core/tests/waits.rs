//! What ends a wait, and what must not.

mod support;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use steadis::client::{CallOptions, Exchange};
use steadis::config::{Credentials, Secret};
use steadis::lane::call::Host;
use steadis::proto::reply::Reply;
use steadis::{Client, Error, Kind};
use support::{Redis, config};

fn client(redis: &Redis) -> Client {
    Client::new(config(redis.port))
}

fn place(redis: &Redis) -> String {
    format!("127.0.0.1:{}", redis.port)
}

/// A stall is no failover: what waits is answered late, and runs once.
#[test]
fn a_stalled_server_executes_everything_once() {
    let redis = Redis::start();
    let client = client(&redis);
    client.call(&["PING"]).unwrap();
    std::thread::scope(|scope| {
        let stall = scope.spawn(|| redis.cli(&["DEBUG", "SLEEP", "1.2"]));
        let counts: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| client.call(&["INCR", "n"]).unwrap().as_integer().unwrap()))
            .collect();
        let mut counts: Vec<i64> = counts.into_iter().map(|it| it.join().unwrap()).collect();
        counts.sort_unstable();
        assert_eq!(counts, (1..=16).collect::<Vec<i64>>());
        stall.join().unwrap();
    });
    assert_eq!(redis.cli(&["GET", "n"]), "16");
}

#[test]
fn a_blocking_pop_has_a_connection_of_its_own() {
    let redis = Redis::start();
    let mut config = config(redis.port);
    config.command_timeout = Duration::from_millis(200);
    let client = Client::new(config);
    std::thread::scope(|scope| {
        let pop = scope.spawn(|| client.call(&["BLPOP", "jobs", "0"]));
        while !redis.cli(&["CLIENT", "LIST"]).contains("cmd=blpop") {
            std::thread::yield_now();
        }
        // Longer than any other command may take, while others go on beside it.
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(500) {
            client.call(&["INCR", "n"]).unwrap();
        }
        client.call(&["RPUSH", "jobs", "one"]).unwrap();
        let reply = pop.join().unwrap().unwrap();
        assert_eq!(reply.as_list().unwrap()[1], Reply::Bulk(b"one".into()));
    });
    assert_eq!(client.call(&["BLPOP", "jobs", "0.01"]).unwrap(), Reply::Null);
    let error = client.call(&["BLPOP", "n", "1"]).unwrap_err();
    assert_eq!((error.code(), error.address()), (Some("WRONGTYPE"), Some(place(&redis).as_str())));
}

#[test]
fn closing_ends_every_wait_and_says_what_may_have_run() {
    let redis = Redis::start();
    let client = client(&redis);
    std::thread::scope(|scope| {
        let pop = scope.spawn(|| client.call(&["BLPOP", "jobs", "0"]).unwrap_err());
        let read = scope
            .spawn(|| client.call(&["XREAD", "BLOCK", "0", "STREAMS", "log", "$"]).unwrap_err());
        while !redis.cli(&["INFO", "clients"]).contains("blocked_clients:2") {
            std::thread::yield_now();
        }
        client.close();
        let (pop, read) = (pop.join().unwrap(), read.join().unwrap());
        assert_eq!((pop.kind(), read.kind()), (Kind::MaybeExecuted, Kind::Closed));
        assert!(pop.message().ends_with(": the client is closed"), "{pop}");
        assert_eq!(pop.address(), Some(place(&redis).as_str()));
    });
}

/// The call asked for both: its time to block comes on top.
#[test]
fn a_short_timeout_cuts_no_wait_short() {
    let redis = Redis::start();
    let client = client(&redis);
    let options = CallOptions { timeout: Some(Duration::from_millis(100)), ..client.options() };
    let mut pop = Exchange::raw(&["BLPOP", "jobs", "0.4"]).unwrap();
    client.run(&mut pop, &options, &()).unwrap();
    assert!(pop.answer().unwrap().to_reply().is_null());
    std::thread::scope(|scope| {
        let read = scope.spawn(|| {
            let mut read = Exchange::raw(&["XREAD", "BLOCK", "0", "STREAMS", "log", "$"]).unwrap();
            client.run(&mut read, &options, &()).map(|()| read.answer().is_ok())
        });
        let waits = Instant::now();
        while !redis.cli(&["INFO", "clients"]).contains("blocked_clients:1")
            || waits.elapsed() < 4 * options.timeout.unwrap()
        {
            std::thread::yield_now();
        }
        client.call(&["XADD", "log", "*", "k", "v"]).unwrap();
        assert!(read.join().unwrap().unwrap());
    });
}

/// The time it may wait on the server is no time to be refused again and again.
#[test]
fn a_blocking_pop_that_is_refused_ends_with_the_deadline() {
    let redis = Redis::start_with(&["--min-replicas-to-write", "1"]);
    let mut config = config(redis.port);
    config.failover_timeout = Duration::from_millis(300);
    let (sender, outcome) = std::sync::mpsc::channel();
    let client = Client::new(config);
    std::thread::spawn(move || sender.send(client.call(&["BLPOP", "jobs", "0"])));
    let error = outcome.recv_timeout(Duration::from_secs(20)).expect("an end").unwrap_err();
    assert_eq!((error.code(), error.command()), (Some("NOREPLICAS"), Some("BLPOP")));
}

/// A host that ends a wait as soon as it may.
struct Impatient;

impl Host for Impatient {
    fn interrupted(&self) -> bool {
        true
    }
}

/// While one call connects, which takes as long as a password takes, the others can be called away.
#[test]
fn a_wait_behind_another_calls_dial_can_be_ended() {
    let redis = Redis::start_with(&["--requirepass", "secret"]);
    let (asked, is_asked) = mpsc::channel();
    let (answer, answers) = mpsc::channel::<()>();
    let (dialler, answers) = (std::thread::current().id(), Mutex::new(answers));
    let password = Secret::callback(move || {
        if std::thread::current().id() == dialler {
            asked.send(()).unwrap();
            answers.lock().unwrap().recv().unwrap();
        }
        Ok("secret".into())
    });
    let mut config = config(redis.port);
    config.data.credentials = Some(Credentials { username: None, password: Some(password) });
    let client = Client::new(config);
    let shared = client.clone();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            is_asked.recv().unwrap();
            let mut ping = Exchange::raw(&["PING"]).unwrap();
            let ended = shared.run(&mut ping, &shared.options(), &Impatient).unwrap_err();
            assert!(ended.message().contains("interrupted"), "{ended}");
            answer.send(()).unwrap();
        });
        assert_eq!(client.call(&["PING"]).unwrap(), Reply::Simple(b"PONG".into()));
    });
}

/// A host that ends the wait once its password was asked for.
struct Leaving(Arc<AtomicU64>);

impl Host for Leaving {
    fn interrupted(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

/// A host in whose language the password has to be asked for cannot be asked once it has left.
#[test]
fn a_call_that_is_called_away_while_it_connects_does_not_try_again() {
    let redis = Redis::start_with(&["--requirepass", "secret"]);
    let (caller, asked) = (std::thread::current().id(), Arc::new(AtomicU64::new(0)));
    let host = Leaving(Arc::clone(&asked));
    let password = Secret::callback(move || {
        if std::thread::current().id() == caller {
            asked.fetch_add(1, Ordering::SeqCst);
            return Err(Error::new(Kind::Unavailable, "the caller has left"));
        }
        Ok("secret".into())
    });
    let mut config = config(redis.port);
    config.data.credentials = Some(Credentials { username: None, password: Some(password) });
    let client = Client::new(config);
    let mut pop = Exchange::raw(&["BLPOP", "jobs", "1"]).unwrap();
    let ended = client.run(&mut pop, &client.options(), &host).unwrap_err();
    assert!(ended.message().contains("interrupted"), "{ended}");
    assert_eq!(host.0.load(Ordering::SeqCst), 1);
}
