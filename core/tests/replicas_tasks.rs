//! The same reads from replicas by the tokio client.

mod support;

use std::time::Duration;
use steadis::aio::Client;
use steadis::client::{CallOptions, Exchange};
use steadis::config::ReadFrom;
use steadis::proto::reply::Reply;
use steadis::{Error, Kind};
use support::deployment::Deployment;

fn reader(client: &Client, policy: ReadFrom) -> CallOptions {
    client.options().reading_from(policy, None)
}

async fn read(client: &Client, options: CallOptions, args: &[&str]) -> Result<Reply, Error> {
    let mut exchange = Exchange::raw(args)?;
    client.run(&mut exchange, options).await?;
    exchange.answer().map(|answer| answer.to_reply())
}

async fn get(client: &Client, options: CallOptions) -> Result<Reply, Error> {
    read(client, options, &["GET", "k"]).await
}

/// A client that has all replicas in view.
async fn client(deployment: &Deployment) -> Client {
    let client = Client::new(deployment.config());
    client.call(&["SET", "k", "v"]).await.unwrap();
    deployment.wait_for_value("k", "v");
    let all = reader(&client, ReadFrom::Replica);
    loop {
        deployment.gets();
        for _ in 0..deployment.nodes.len() * 2 {
            get(&client, all).await.unwrap();
        }
        if deployment.gets()[1..].iter().all(|count| *count > 0) {
            return client;
        }
    }
}

#[tokio::test]
async fn each_policy_reads_where_it_says_and_writes_are_refused() {
    let deployment = Deployment::start(2);
    let client = client(&deployment).await;
    for (policy, expected) in [
        (ReadFrom::Primary, [30, 0, 0]),
        (ReadFrom::Replica, [0, 15, 15]),
        (ReadFrom::PreferReplica, [0, 15, 15]),
        (ReadFrom::RoundRobin, [10, 10, 10]),
    ] {
        deployment.gets();
        for _ in 0..30 {
            assert_eq!(get(&client, reader(&client, policy)).await, Ok(Reply::Bulk(b"v".into())));
        }
        assert_eq!(deployment.gets(), expected, "{policy:?}");
    }
    let options = reader(&client, ReadFrom::Replica);
    let error = read(&client, options, &["SET", "k", "w"]).await.unwrap_err();
    assert_eq!((error.kind(), error.command()), (Kind::Usage, Some("SET")));
    let mut config = deployment.config();
    config.read_from = ReadFrom::PreferReplica;
    let both = Client::new(config);
    both.ready().await.unwrap();
    assert_eq!(both.call(&["SET", "k", "w"]).await.unwrap(), Reply::Simple(b"OK".into()));
}

#[tokio::test]
async fn reads_go_on_while_replicas_die_one_by_one() {
    let mut deployment = Deployment::start(2);
    let client = client(&deployment).await;
    let preferring = reader(&client, ReadFrom::PreferReplica);
    for victim in [1, 2] {
        let reading = tokio::spawn({
            let client = client.clone();
            async move {
                for _ in 0..2000 {
                    get(&client, preferring).await.unwrap();
                }
            }
        });
        get(&client, preferring).await.unwrap();
        deployment.nodes[victim].kill();
        reading.await.unwrap();
    }
    let mut only = reader(&client, ReadFrom::Replica);
    only.timeout = Some(Duration::from_millis(300));
    let error = get(&client, only).await.unwrap_err();
    assert_eq!((error.kind(), error.command()), (Kind::Unavailable, Some("GET")));
    assert!(error.message().contains("no replica to read from"), "{error}");
}

#[tokio::test]
async fn a_replica_without_its_primary_hands_the_read_on() {
    let deployment = Deployment::start(2);
    let client = client(&deployment).await;
    let options = reader(&client, ReadFrom::Replica);
    let stray = &deployment.nodes[1];
    stray.cli(&["CONFIG", "SET", "replica-serve-stale-data", "no"]);
    stray.cli(&["REPLICAOF", "127.0.0.1", &support::free_port().to_string()]);
    // It answers MASTERDOWN until that is noticed.
    loop {
        deployment.gets();
        for _ in 0..20 {
            assert_eq!(get(&client, options).await, Ok(Reply::Bulk(b"v".into())));
        }
        if deployment.gets()[2] == 20 {
            break;
        }
    }
    assert!(stray.cli(&["GET", "k"]).starts_with("MASTERDOWN"));
}

#[tokio::test]
async fn reads_survive_a_failover_and_leave_the_promoted_node() {
    let deployment = Deployment::start(2);
    let client = client(&deployment).await;
    let options = reader(&client, ReadFrom::Replica);
    deployment.fail_over();
    let promoted = loop {
        get(&client, options).await.unwrap();
        let promoted = |node: &support::Redis| node.cli(&["ROLE"]).starts_with("master");
        // The former primary goes on saying so.
        if let Some(index) = deployment.nodes[1..].iter().position(promoted) {
            break index + 1;
        }
    };
    // A write is answered by the new primary only.
    client.call(&["SET", "k", "new"]).await.unwrap();
    assert_eq!(deployment.nodes[promoted].cli(&["GET", "k"]), "new");
    deployment.gets();
    for _ in 0..50 {
        get(&client, options).await.unwrap();
    }
    let counts = deployment.gets();
    assert_eq!((counts[promoted], counts.iter().sum::<u64>()), (0, 50), "{counts:?}");
}

#[tokio::test]
async fn streams_are_awaited_on_replicas_too() {
    let deployment = Deployment::start(1);
    let client = client(&deployment).await;
    let options = reader(&client, ReadFrom::Replica);
    let wait = ["XREAD", "BLOCK", "0", "STREAMS", "s", "0"];
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { read(&client, options, &wait).await.unwrap() }
    });
    while !deployment.nodes[1].cli(&["INFO", "clients"]).contains("blocked_clients:1") {
        tokio::task::yield_now().await;
    }
    client.call(&["XADD", "s", "1-1", "f", "v"]).await.unwrap();
    let text = |text: &str| Reply::Bulk(text.into());
    let entry = Reply::List(vec![text("1-1"), Reply::List(vec![text("f"), text("v")])]);
    let expected = Reply::Map(vec![(text("s"), Reply::List(vec![entry]))]);
    assert_eq!(waiting.await.unwrap(), expected);
}
