//! Subscriptions of tasks, and of threads where they differ.

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use steadis::client::{By, Incoming};
use steadis::config::{Environment, Input, OptionValue, Protocol};
use steadis::{Client, Event, Kind, aio};
use support::deployment::Deployment;
use support::relay::Relay;
use support::{Redis, config};

fn message(channel: &str, pattern: Option<&str>, data: &str) -> Incoming {
    Incoming::Message {
        channel: channel.into(),
        pattern: pattern.map(Into::into),
        data: data.into(),
    }
}

/// Either protocol: in RESP2 nothing but its place tells a message from a reply.
async fn survives_its_connection(protocol: Protocol) {
    let redis = Redis::start();
    let mut config = config(redis.port);
    config.protocol = protocol;
    let client = aio::Client::new(config);
    let mut news = client.subscribe(&["news"]).await.unwrap();
    news.add(By::Pattern, b"user.*");
    news.add(By::Shard, b"orders");
    news.ready().await.unwrap();
    client.call(&["PUBLISH", "news", "one"]).await.unwrap();
    assert_eq!(news.next().await.unwrap(), message("news", None, "one"));
    client.call(&["PUBLISH", "user.7", "two"]).await.unwrap();
    assert_eq!(news.next().await.unwrap(), message("user.7", Some("user.*"), "two"));
    client.call(&["SPUBLISH", "orders", "three"]).await.unwrap();
    assert_eq!(news.next().await.unwrap(), message("orders", None, "three"));

    redis.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    let Incoming::Gap { since, until } = news.next().await.unwrap() else {
        panic!("no word of the gap")
    };
    assert!(since <= until);
    client.call(&["PUBLISH", "user.8", "four"]).await.unwrap();
    assert_eq!(news.next().await.unwrap(), message("user.8", Some("user.*"), "four"));

    news.remove(By::Pattern, b"user.*");
    while redis.cli(&["PUBSUB", "NUMPAT"]) != "0" {
        tokio::task::yield_now().await;
    }
    client.call(&["PUBLISH", "user.9", "nobody"]).await.unwrap();
    client.call(&["PUBLISH", "news", "five"]).await.unwrap();
    assert_eq!(news.next().await.unwrap(), message("news", None, "five"));
    drop(news);
    while !redis.cli(&["PUBSUB", "CHANNELS"]).is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_subscription_survives_its_connection_and_tells_of_the_gap() {
    survives_its_connection(Protocol::Resp3).await;
}

#[tokio::test]
async fn so_it_does_in_resp2() {
    survives_its_connection(Protocol::Resp2).await;
}

/// More than is kept for it, while it is looking away.
#[tokio::test]
async fn a_slow_subscriber_gets_what_there_was_room_for_and_a_gap() {
    // The server's own limit would end the connection.
    let redis = Redis::start_with(&["--client-output-buffer-limit", "pubsub 0 0 0"]);
    let client = aio::Client::new(config(redis.port));
    let mut news = client.subscribe(&["news"]).await.unwrap();
    let large = "x".repeat(1 << 20);
    for _ in 0..64 {
        client.call(&["PUBLISH", "news", &large]).await.unwrap();
    }
    // What the kernel still has then is less than what was too much.
    while !redis.cli(&["CLIENT", "LIST", "TYPE", "pubsub"]).contains(" omem=0 ") {
        tokio::task::yield_now().await;
    }
    let mut before = 0;
    while let Incoming::Message { data, .. } = news.next().await.unwrap() {
        assert_eq!(data.len(), large.len());
        before += 1;
    }
    assert!((30..=32).contains(&before), "{before}");
    // Room for many is left by now.
    client.call(&["PUBLISH", "news", "last"]).await.unwrap();
    let last = message("news", None, "last");
    let mut after = 0;
    while news.next().await.unwrap() != last {
        after += 1;
    }
    assert!(before + after < 64, "{before} + {after}");
}

/// A thread that does not look keeps nothing at all: the server ends its connection in the end.
#[test]
fn a_slow_thread_gets_what_was_on_its_way_and_a_gap() {
    let redis = Redis::start_with(&["--client-output-buffer-limit", "pubsub 4mb 0 0"]);
    let client = Client::new(config(redis.port));
    let mut news = client.subscribe(&["news"]).unwrap();
    let large = "x".repeat(1 << 20);
    for _ in 0..64 {
        client.call(&["PUBLISH", "news", &large]).unwrap();
    }
    let mut next = || news.next(None, &()).unwrap().unwrap();
    let mut before = 0;
    while let Incoming::Message { data, .. } = next() {
        assert_eq!(data.len(), large.len());
        before += 1;
    }
    assert!(before < 64);
    client.call(&["PUBLISH", "news", "last"]).unwrap();
    assert_eq!(next(), message("news", None, "last"));
}

/// An idle network and a silent server look the same, until one asks.
#[tokio::test]
async fn a_silent_server_is_noticed() {
    let redis = Redis::start();
    let mut config = config(redis.port);
    config.command_timeout = Duration::from_millis(200);
    config.connect_timeout = Duration::from_millis(200);
    config.failover_timeout = Duration::from_millis(500);
    let client = aio::Client::new(config);
    let mut news = client.subscribe(&["news"]).await.unwrap();
    while !redis.cli(&["INFO", "commandstats"]).contains("cmdstat_ping") {
        tokio::task::yield_now().await;
    }
    let frozen = redis.freeze();
    let began = Instant::now();
    // On a busy machine it may have seemed silent before.
    let error = loop {
        match news.next().await {
            Ok(incoming) => assert!(matches!(incoming, Incoming::Gap { .. }), "{incoming:?}"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), Kind::Unavailable, "{error}");
    assert!(began.elapsed() < Duration::from_secs(10));
    drop(frozen);
    assert!(matches!(news.next().await.unwrap(), Incoming::Gap { .. }));
    client.call(&["PUBLISH", "news", "back"]).await.unwrap();
    assert_eq!(news.next().await.unwrap(), message("news", None, "back"));
}

#[tokio::test]
async fn a_refused_channel_is_told_and_the_others_are_heard() {
    let redis = Redis::start();
    redis.cli(&["ACL", "SETUSER", "default", "resetchannels", "&news"]);
    let client = aio::Client::new(config(redis.port));
    let mut news = client.subscription().unwrap();
    news.add(By::Channel, b"secret");
    news.add(By::Channel, b"news");
    let error = news.next().await.unwrap_err();
    assert_eq!((error.kind(), error.code()), (Kind::Auth, Some("NOPERM")));
    news.ready().await.unwrap();
    client.call(&["PUBLISH", "news", "open"]).await.unwrap();
    assert_eq!(news.next().await.unwrap(), message("news", None, "open"));
    assert_eq!(client.subscribe(&["secret"]).await.unwrap_err().code(), Some("NOPERM"));
}

#[tokio::test]
async fn closing_the_client_ends_the_wait() {
    let redis = Redis::start();
    let client = aio::Client::new(config(redis.port));
    let mut news = client.subscribe(&["news"]).await.unwrap();
    let waiting = tokio::spawn(async move { (news.next().await, news.next().await) });
    tokio::task::yield_now().await;
    client.close();
    let (first, second) = waiting.await.unwrap();
    assert_eq!(first.unwrap_err().kind(), Kind::Closed);
    assert_eq!(second.unwrap_err().kind(), Kind::Closed);
}

/// A client that has a long way to the replica, and is told of a failover: how many hear the
/// channel at the new primary then.
fn subscribers_when_told(deployment: &Deployment) -> (Client, mpsc::Receiver<String>) {
    let replica = &deployment.nodes[1];
    let relay = Relay::to(replica.port, Duration::from_millis(40));
    let map = format!("127.0.0.1:{}=127.0.0.1:{}", replica.port, relay.port);
    let mut input = Input::new(Environment::none()).option("address_map", OptionValue::from(map));
    for (name, value) in deployment.config().to_options() {
        input = input.option(&name, value);
    }
    let client = Client::open(&input).unwrap();
    client.call(&["PING"]).unwrap();
    let (tell, told) = mpsc::channel();
    let place = ("127.0.0.1", replica.port);
    let listen = move |event: &Event| {
        if event.name() == "failover" {
            let mut promoted = TcpStream::connect(place).unwrap();
            promoted.write_all(b"PUBSUB NUMSUB news\r\n").unwrap();
            let mut answer = [0; 99];
            let length = promoted.read(&mut answer).unwrap();
            drop(tell.send(String::from_utf8_lossy(&answer[..length]).into_owned()));
        }
    };
    client.on(listen).unwrap();
    (client, told)
}

const ONE_SUBSCRIBER: &str = "*2\r\n$4\r\nnews\r\n:1\r\n";

#[test]
fn a_failover_is_told_of_once_a_thread_hears_the_new_primary() {
    let deployment = Deployment::start(1);
    let (client, told) = subscribers_when_told(&deployment);
    let mut news = client.subscribe(&["news"]).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| news.next(None, &()).unwrap().unwrap());
        deployment.fail_over();
        assert_eq!(told.recv().unwrap(), ONE_SUBSCRIBER);
        assert!(matches!(waiting.join().unwrap(), Incoming::Gap { .. }));
    });
}

#[tokio::test]
async fn a_failover_is_told_of_once_a_task_hears_the_new_primary() {
    let deployment = Deployment::start(1);
    let (client, told) = subscribers_when_told(&deployment);
    let tasks = aio::Client::new(client.config().clone());
    let mut news = tasks.subscribe(&["news"]).await.unwrap();
    let waiting = tokio::spawn(async move { (news.next().await.unwrap(), news) });
    deployment.fail_over();
    let told = tokio::task::spawn_blocking(move || told.recv().unwrap());
    assert_eq!(told.await.unwrap(), ONE_SUBSCRIBER);
    assert!(matches!(waiting.await.unwrap(), (Incoming::Gap { .. }, _)));
}
