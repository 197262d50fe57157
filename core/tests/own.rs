//! Connections of one's own in an event loop: commands that wait on the server.

mod support;

use std::time::{Duration, Instant};
use steadis::proto::reply::Reply;
use steadis::{Kind, aio};
use support::{Redis, config};
use tokio::task::JoinHandle;

fn client(redis: &Redis) -> aio::Client {
    let mut config = config(redis.port);
    config.command_timeout = Duration::from_millis(200);
    aio::Client::new(config)
}

/// A task that calls a command.
fn spawn(client: &aio::Client, line: &'static str) -> JoinHandle<steadis::Result<Reply>> {
    let client = client.clone();
    tokio::spawn(async move { client.call(&line.split(' ').collect::<Vec<_>>()).await })
}

/// Waits until so many clients are in this command.
async fn until_waiting(redis: &Redis, command: &str, count: usize) {
    let last = format!("cmd={command} ");
    while redis.cli(&["CLIENT", "LIST"]).matches(&last).count() != count {
        tokio::task::yield_now().await;
    }
}

fn popped(outcome: steadis::Result<Reply>) -> Reply {
    outcome.unwrap().as_list().unwrap()[1].clone()
}

#[tokio::test]
async fn a_blocking_pop_leaves_its_neighbours_alone() {
    let redis = Redis::start();
    let client = client(&redis);
    let pop = spawn(&client, "BLPOP jobs 0");
    until_waiting(&redis, "blpop", 1).await;
    // Longer than any other command may take, while others go on beside it.
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(500) {
        client.call(&["INCR", "n"]).await.unwrap();
    }
    client.call(&["RPUSH", "jobs", "one"]).await.unwrap();
    assert_eq!(popped(pop.await.unwrap()), Reply::Bulk(b"one".into()));
    assert_eq!(client.call(&["BLPOP", "jobs", "0.01"]).await.unwrap(), Reply::Null);
    let error = client.call(&["BLPOP", "n", "1"]).await.unwrap_err();
    assert_eq!(error.code(), Some("WRONGTYPE"));
    assert_eq!(error.address(), Some(format!("127.0.0.1:{}", redis.port).as_str()));
    // One connection for all, one for whoever waits, one of this redis-cli.
    assert_eq!(redis.cli(&["CLIENT", "LIST"]).matches("id=").count(), 3);
}

#[tokio::test]
async fn many_wait_at_once_and_few_connections_are_kept() {
    let redis = Redis::start();
    let client = client(&redis);
    let pops: Vec<_> = (0..20).map(|_| spawn(&client, "BLPOP jobs 0")).collect();
    until_waiting(&redis, "blpop", 20).await;
    for i in 0..20 {
        client.call(&["RPUSH", "jobs", &i.to_string()]).await.unwrap();
    }
    let mut values = Vec::new();
    for pop in pops {
        values.push(popped(pop.await.unwrap()).as_integer().unwrap());
    }
    values.sort_unstable();
    assert_eq!(values, (0..20).collect::<Vec<i64>>());
    while redis.cli(&["CLIENT", "LIST"]).matches("id=").count() != 8 + 2 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_stream_is_waited_for_and_asked_again_after_a_loss() {
    let redis = Redis::start();
    let client = client(&redis);
    let read = spawn(&client, "XREAD BLOCK 0 STREAMS log $");
    until_waiting(&redis, "xread", 1).await;
    redis.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
    until_waiting(&redis, "xread", 1).await;
    redis.cli(&["XADD", "log", "1-1", "k", "v"]);
    let reply = read.await.unwrap().unwrap();
    assert!(format!("{reply:?}").contains("Bulk"), "{reply:?}");
    assert!(client.call(&["XREAD", "BLOCK", "10", "STREAMS", "log", "$"]).await.unwrap().is_null());
}

#[tokio::test]
async fn a_pop_whose_connection_is_lost_may_have_run() {
    let redis = Redis::start();
    let client = client(&redis);
    let pop = spawn(&client, "BLPOP jobs 0");
    until_waiting(&redis, "blpop", 1).await;
    redis.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
    let error = pop.await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.command()), (Kind::MaybeExecuted, Some("BLPOP")));
    // A spare connection that is gone is not given out.
    redis.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
    assert_eq!(client.call(&["BLPOP", "jobs", "0.01"]).await.unwrap(), Reply::Null);
}

#[tokio::test]
async fn a_cancelled_pop_takes_nothing() {
    let redis = Redis::start();
    let client = client(&redis);
    let pop = spawn(&client, "BLPOP jobs 0");
    until_waiting(&redis, "blpop", 1).await;
    pop.abort();
    until_waiting(&redis, "blpop", 0).await;
    client.call(&["RPUSH", "jobs", "one"]).await.unwrap();
    assert_eq!(redis.cli(&["LLEN", "jobs"]), "1");
}

/// Whoever has nothing to say on purpose is still asked whether it lives.
#[tokio::test]
async fn a_silent_server_is_not_waited_for() {
    let redis = Redis::start();
    let mut config = config(redis.port);
    config.command_timeout = Duration::from_millis(200);
    config.connect_timeout = Duration::from_millis(200);
    config.failover_timeout = Duration::from_millis(500);
    let client = aio::Client::new(config);
    let pop = spawn(&client, "BLPOP jobs 0");
    let read = spawn(&client, "XREAD BLOCK 0 STREAMS log $");
    until_waiting(&redis, "blpop", 1).await;
    until_waiting(&redis, "xread", 1).await;
    let frozen = redis.freeze();
    let error = pop.await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.command()), (Kind::MaybeExecuted, Some("BLPOP")));
    assert!(error.message().contains("silent"), "{error}");
    let error = read.await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.command()), (Kind::Timeout, Some("XREAD")));
    drop(frozen);
    assert_eq!(client.call(&["BLPOP", "jobs", "0.01"]).await.unwrap(), Reply::Null);
}

/// Its timer has nothing to wait for until then.
#[tokio::test]
async fn a_call_after_a_pause_has_a_deadline_too() {
    let redis = Redis::start();
    let mut config = config(redis.port);
    config.command_timeout = Duration::from_millis(200);
    config.connect_timeout = Duration::from_millis(200);
    let client = aio::Client::new(config);
    client.call(&["PING"]).await.unwrap();
    // Longer than any of its deadlines.
    aio::Client::new(support::config(redis.port)).call(&["DEBUG", "SLEEP", "0.6"]).await.unwrap();
    let _frozen = redis.freeze();
    let call = client.call(&["INCR", "n"]);
    let in_time = tokio::time::timeout(Duration::from_secs(20), call).await.expect("an outcome");
    assert_eq!(in_time.unwrap_err().kind(), Kind::MaybeExecuted);
}
