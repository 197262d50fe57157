//! The blocking client and the tokio client on a single real node.

mod support;

use redis::{AsyncCommands, Commands, Script};
use std::net::TcpListener;
use std::time::{Duration, Instant};
use steadis::client::{By, Incoming};
use steadis::config::{Address, Config, Credentials, Secret, Seed, Target};
use steadis::proto::reply::Reply;
use steadis::topology::{Phase, State};
use steadis::{Client, Kind, aio};
use support::relay::Relay;
use support::{Redis, config, free_port};

fn client(redis: &Redis) -> Client {
    Client::new(config(redis.port))
}

fn place(redis: &Redis) -> String {
    format!("127.0.0.1:{}", redis.port)
}

fn words(lines: &[&str]) -> Vec<Vec<String>> {
    lines.iter().map(|line| line.split(' ').map(str::to_owned).collect()).collect()
}

#[test]
fn commands_pipelines_and_transactions() {
    let redis = Redis::start();
    let client = client(&redis);
    assert_eq!(client.call(&["SET", "k", "v"]).unwrap(), Reply::Simple(b"OK".into()));
    let replies = client.pipeline(&words(&["GET k", "INCR k", "INCR n"])).unwrap();
    assert_eq!(replies[0], Ok(Reply::Bulk(b"v".into())));
    let error = replies[1].clone().unwrap_err();
    assert_eq!((error.kind(), error.command()), (Kind::Server, Some("INCR")));
    assert_eq!(replies[2], Ok(Reply::Integer(1)));
    let replies = client.transaction(&words(&["INCR n", "INCR n"])).unwrap();
    assert_eq!(replies, [Ok(Reply::Integer(2)), Ok(Reply::Integer(3))]);
    let error = client.transaction(&words(&["INCR n", "NO.SUCH x"])).unwrap_err();
    assert!(error.message().contains("unknown command") && error.command() == Some("NO.SUCH"));
    assert_eq!(redis.cli(&["GET", "n"]), "3");
    assert!(client.pipeline::<String>(&[]).unwrap().is_empty());
    let topology = client.topology().unwrap();
    assert_eq!((topology.phase, topology.epoch), (Phase::Ready, 1));
}

#[test]
fn the_redis_crates_commands_work_on_it() {
    let redis = Redis::start();
    let mut client = client(&redis);
    let _: () = client.set("n", 41).unwrap();
    assert_eq!(client.incr::<_, _, i64>("n", 1).unwrap(), 42);
    let _: () = client.hset_multiple("h", &[("a", 1), ("b", 2)]).unwrap();
    let all: std::collections::HashMap<String, i64> = client.hgetall("h").unwrap();
    assert_eq!(all.len(), 2);
    let script = Script::new("return tonumber(ARGV[1]) + redis.call('GET', KEYS[1])");
    assert_eq!(script.key("n").arg(8).invoke::<i64>(&mut client).unwrap(), 50);
    let both: (i64, String) =
        redis::pipe().atomic().incr("n", 1).get("n").query(&mut client).unwrap();
    assert_eq!(both, (43, "43".to_owned()));
    let error = client.lpush::<_, _, i64>("n", 1).unwrap_err();
    assert_eq!(error.code(), Some("WRONGTYPE"));
}

/// A script that a demoted primary broke off may have run; the next one is not even tried there.
#[test]
fn a_primary_that_refused_gets_no_further_calls() {
    const SCRIPT: &[&str] = &["EVAL", "return redis.call('INCR', KEYS[1])", "1", "n"];
    let redis = Redis::start();
    let client = client(&redis);
    client.call(SCRIPT).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut apart = config(redis.port);
    apart.data.client_name = Some("apart".into());
    let other = aio::Client::new(apart);
    runtime.block_on(other.call(SCRIPT)).unwrap();
    let nobody = free_port().to_string();
    redis.cli(&["REPLICAOF", "127.0.0.1", &nobody]);
    assert_eq!(client.call(SCRIPT).unwrap_err().kind(), Kind::MaybeExecuted);
    assert_eq!(client.topology().unwrap().phase, Phase::Lost);
    runtime.block_on(async {
        assert_eq!(other.call(SCRIPT).await.unwrap_err().kind(), Kind::MaybeExecuted);
        let restored = async { redis.cli(&["REPLICAOF", "NO", "ONE"]) };
        let (reply, _) = tokio::join!(other.call(SCRIPT), restored);
        assert_eq!(reply.unwrap(), Reply::Integer(3), "it waited");
    });
    assert_eq!(client.call(SCRIPT).unwrap(), Reply::Integer(4));
}

#[test]
fn the_tokio_client_does_the_same() {
    let redis = Redis::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut client = aio::Client::new(config(redis.port));
        let _: () = client.set("n", 41).await.unwrap();
        let script = Script::new("return redis.call('INCR', KEYS[1])");
        assert_eq!(script.key("n").invoke_async::<i64>(&mut client).await.unwrap(), 42);
        let both: (i64, i64) = redis::pipe()
            .atomic()
            .incr("n", 1)
            .incr("n", 1)
            .query_async(&mut client)
            .await
            .unwrap();
        assert_eq!(both, (43, 44));
        let (a, b): (i64, String) =
            redis::pipe().incr("n", 1).get("n").query_async(&mut client).await.unwrap();
        assert_eq!((a, b.as_str()), (45, "45"));
        // A dropped future ends its call and no other.
        let slow = client.call(&["DEBUG", "SLEEP", "0.1"]);
        assert!(tokio::time::timeout(Duration::from_millis(10), slow).await.is_err());
        let many = (0..200).map(|i| {
            let client = client.clone();
            tokio::spawn(async move {
                let text = format!("value {i}");
                let reply = client.call(&["ECHO", &text]).await.unwrap();
                assert_eq!(reply, Reply::Bulk(text.into_bytes()));
            })
        });
        for task in many.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        let error = client.call(&["INCR"]).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Server);
        client.close();
        assert_eq!(client.call(&["PING"]).await.unwrap_err().kind(), Kind::Closed);
    });
}

#[test]
fn a_task_waits_no_longer_than_its_deadline() {
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut config = config(mute.local_addr().unwrap().port());
        config.failover_timeout = Duration::from_millis(200);
        let client = aio::Client::new(config);
        // When the first has ended, there is nothing left that the timer has to wait for.
        for _ in 0..3 {
            let call = tokio::time::timeout(Duration::from_secs(20), client.call(&["GET", "k"]));
            let error = call.await.expect("an outcome in time").unwrap_err();
            assert_eq!(error.kind(), Kind::Unavailable, "{error}");
        }
    });
}

#[test]
fn a_restarted_server_is_found_again() {
    // Not one of the ports that the system hands out: nobody else shall take it meanwhile.
    let port = 20_000 + (std::process::id() % 10_000) as u16;
    let mut redis = Redis::start_at(port);
    let client = client(&redis);
    let (sender, events) = std::sync::mpsc::channel();
    client.on(move |event| drop(sender.send(event.clone()))).unwrap();
    client.call(&["PING"]).unwrap();
    // The first call may have had to wait, too, unless the first look around was quicker.
    let before = client.stats().held;
    assert!(before <= 1);
    redis.kill();
    std::thread::scope(|scope| {
        // A read: it is asked again if it should leave before the end of the connection is known.
        let waiting = scope.spawn(|| client.call(&["GET", "n"]));
        while client.topology().unwrap().phase != Phase::Lost || client.stats().held == before {
            std::thread::yield_now();
        }
        let _again = Redis::start_at(port);
        assert_eq!(waiting.join().unwrap().unwrap(), Reply::Null);
    });
    let stats = client.stats();
    assert_eq!((stats.calls, stats.failed), (2, 0));
    // The first call had to wait, too, unless the first look around was quicker.
    assert!((1..=2).contains(&stats.held), "{stats:?}");
    assert!(stats.held_micros > 0 && stats.connections == 2, "{stats:?}");
    assert_eq!(client.health().unwrap().state, State::Ready);
    // An interruption, and no failover: nobody took its place, neither now nor at the start.
    let told: Vec<&str> =
        std::iter::from_fn(|| events.try_recv().ok().map(|it| it.name())).collect();
    assert_eq!(told, ["hold", "resume"]);
}

#[test]
fn nobody_there_says_so_before_the_deadline() {
    let mut config = config(free_port());
    config.failover_timeout = Duration::from_millis(150);
    let began = Instant::now();
    let error = Client::new(config).call(&["INCR", "n"]).unwrap_err();
    assert_eq!((error.kind(), error.command()), (Kind::Unavailable, Some("INCR")));
    assert!(error.message().contains("refused") && error.retryable(), "{error}");
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn what_each_sentinel_said_and_when_is_told() {
    let seeds = vec![Seed::new(Address::new("127.0.0.1", free_port()))];
    let target = Target::Sentinels { seeds, primary: Some("main".into()) };
    let mut config = Config::new(target);
    config.failover_timeout = Duration::from_millis(150);
    let error = Client::new(config).call(&["INCR", "n"]).unwrap_err();
    assert!(error.message().contains("refused") && error.message().contains(" s ago)"), "{error}");
}

#[test]
fn a_replica_is_no_primary() {
    let primary = Redis::start();
    let port = primary.port.to_string();
    let replica = Redis::start_with(&["--replicaof", "127.0.0.1", &port]);
    let mut config = config(replica.port);
    config.failover_timeout = Duration::from_millis(150);
    let error = Client::new(config).call(&["INCR", "n"]).unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.message().contains("is a replica"), "{error}");
}

#[test]
fn wrong_credentials_are_no_reason_to_wait() {
    let redis = Redis::start_with(&["--requirepass", "right"]);
    let mut config = config(redis.port);
    config.data.credentials =
        Some(Credentials { username: None, password: Some(Secret::new("canary")) });
    let error = Client::new(config).call(&["INCR", "n"]).unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    assert!(error.message().contains("WRONGPASS") && !format!("{error:?}").contains("canary"));
}

#[test]
fn held_commands_are_bounded() {
    let mut config = config(free_port());
    config.max_held = 1;
    config.failover_timeout = Duration::from_secs(20);
    let client = Client::new(config);
    let (sender, errors) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let (sender, client) = (sender.clone(), &client);
            scope.spawn(move || sender.send(client.call(&["INCR", "n"]).unwrap_err()).unwrap());
        }
        // One waits; the other may not.
        let busy = errors.recv().unwrap();
        assert_eq!(busy.kind(), Kind::Busy);
        assert!(busy.message().contains("max_held"), "{busy}");
        client.close();
        assert_eq!(errors.recv().unwrap().kind(), Kind::Closed);
    });
    assert_eq!(client.call(&["PING"]).unwrap_err().kind(), Kind::Closed);
}

/// A write that was sent may have run when its client is closed; a read is merely not answered.
#[test]
fn close_is_honest_about_what_was_sent() {
    let redis = Redis::start();
    for (command, kind) in [("incr", Kind::MaybeExecuted), ("exists", Kind::Closed)] {
        let relay = Relay::to(redis.port, Duration::ZERO);
        let client = Client::new(config(relay.port));
        client.ready().unwrap();
        relay.shut();
        let error = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| client.call(&[command, "n"]).unwrap_err());
            let ran = format!("cmdstat_{command}:calls=1");
            while !redis.cli(&["INFO", "commandstats"]).contains(&ran) {
                std::thread::yield_now();
            }
            client.close();
            waiting.join().unwrap()
        });
        assert_eq!(error.kind(), kind, "{error}");
    }
}

/// A rotated password is picked up with the next connection; a refusal ends with the rotation.
#[test]
fn a_rotated_password_file_is_read_again() {
    let redis = Redis::start_with(&["--requirepass", "old"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "old\n").unwrap();
    let mut config = config(redis.port);
    config.data.credentials =
        Some(Credentials { username: None, password: Some(Secret::file(file.path())) });
    let client = Client::new(config);
    client.call(&["SET", "k", "v"]).unwrap();
    client.call(&["CONFIG", "SET", "requirepass", "new"]).unwrap();
    client.call(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no"]).unwrap();
    assert_eq!(client.call(&["GET", "k"]).unwrap_err().kind(), Kind::Auth);
    std::fs::write(&file, "new\n").unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let reply = std::iter::repeat_with(|| client.call(&["GET", "k"]))
        .take_while(|_| Instant::now() < deadline)
        .find_map(Result::ok);
    assert_eq!(reply, Some(Reply::Bulk(b"v".into())));
}

#[test]
fn a_function_supplies_user_and_password() {
    let redis = Redis::start();
    redis.cli(&["ACL", "SETUSER", "app", "on", ">token", "~*", "+@all"]);
    let mut config = config(redis.port);
    let password = Secret::login(|| Ok(("app".to_owned(), "token".to_owned())));
    config.data.credentials =
        Some(Credentials { username: Some("nobody".to_owned()), password: Some(password) });
    let client = Client::new(config);
    assert_eq!(client.call(&["ACL", "WHOAMI"]).unwrap(), Reply::Bulk(b"app".into()));
}

/// Every error of a server says whose it is.
#[test]
fn errors_name_the_node() {
    let redis = Redis::start();
    let client = client(&redis);
    let wrong = || words(&["SET n word", "INCR n"]);
    let place = place(&redis);
    let named = |error: &steadis::Error| error.address() == Some(place.as_str());
    assert!(named(client.pipeline(&wrong()).unwrap()[1].as_ref().unwrap_err()));
    assert!(named(&client.call(&["INCR", "n"]).unwrap_err()));
    assert!(named(client.transaction(&wrong()).unwrap()[1].as_ref().unwrap_err()));
    let discarded = client.transaction(&words(&["SET n 1", "INCR"])).unwrap_err();
    assert!(named(&discarded) && discarded.command() == Some("INCR"), "{discarded}");
    let misread = client.watch(&["n"], |view| view.call(&["LLEN", "n"]));
    assert!(named(&misread.unwrap_err()));
}

#[test]
fn a_watched_change_is_repeated_until_nobody_interferes() {
    let redis = Redis::start();
    let client = client(&redis);
    client.call(&["SET", "stock", "100"]).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let (left, replies) = client
                        .watch(&["stock"], |view| {
                            let left = view.call(&["GET", "stock"])?.as_integer().unwrap() - 1;
                            view.queue(&["SET", "stock", &left.to_string()])?;
                            Ok(left)
                        })
                        .unwrap();
                    assert!(left < 100 && replies == [Ok(Reply::Simple(b"OK".into()))]);
                }
            });
        }
    });
    assert_eq!(redis.cli(&["GET", "stock"]), "60");
    let nothing = client.watch(&["stock"], |view| view.call(&["GET", "stock"])).unwrap();
    assert_eq!(nothing, (Reply::Bulk(b"60".into()), Vec::new()));
    let error = client.watch(&["stock"], |view| view.queue(&["LPUSH", "stock"])).unwrap_err();
    assert_eq!(error.command(), Some("LPUSH"));
}

#[test]
fn a_subscription_survives_its_connection_and_tells_of_the_gap() {
    let redis = Redis::start();
    let client = client(&redis);
    let mut news = client.subscribe(&["news"]).unwrap();
    news.add(By::Pattern, b"user.*");
    let mut next = || news.next(Some(Duration::from_secs(10)), &()).unwrap().unwrap();
    let message = |channel: &str, pattern: Option<&str>, data: &str| Incoming::Message {
        channel: channel.into(),
        pattern: pattern.map(Into::into),
        data: data.into(),
    };
    client.call(&["PUBLISH", "news", "one"]).unwrap();
    assert_eq!(next(), message("news", None, "one"));
    while redis.cli(&["PUBSUB", "NUMPAT"]) != "1" {
        std::thread::yield_now();
    }
    client.call(&["PUBLISH", "user.7", "two"]).unwrap();
    assert_eq!(next(), message("user.7", Some("user.*"), "two"));
    redis.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    let Incoming::Gap { since, until } = next() else { panic!("no word of the gap") };
    assert!(since <= until);
    client.call(&["PUBLISH", "user.8", "three"]).unwrap();
    assert_eq!(next(), message("user.8", Some("user.*"), "three"));
    assert_eq!(news.next(Some(Duration::from_millis(30)), &()).unwrap(), None);
    client.close();
    assert_eq!(news.next(None, &()).unwrap_err().kind(), Kind::Closed);
}

/// An idle network and a silent server look the same, until one asks.
#[test]
fn a_subscription_asks_a_silent_server_for_a_sign_of_life() {
    let redis = Redis::start();
    let mut config = config(redis.port);
    config.command_timeout = Duration::from_millis(200);
    let mut news = Client::new(config).subscribe(&["news"]).unwrap();
    while !redis.cli(&["INFO", "commandstats"]).contains("cmdstat_ping") {
        // Nothing comes; or a gap, if the machine is so slow that the server seemed gone.
        news.next(Some(Duration::from_millis(50)), &()).unwrap();
    }
}
