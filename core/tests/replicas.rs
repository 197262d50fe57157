//! Reads from real replicas: each policy, their lag, and what happens when they come and go.

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use steadis::client::{Batch, CallOptions, Exchange};
use steadis::config::{OptionValue, ReadFrom};
use steadis::proto::reply::Reply;
use steadis::{Client, Error, Event, Kind};
use support::deployment::Deployment;
use support::relay::Relay;

fn reader(client: &Client, policy: ReadFrom) -> CallOptions {
    client.options().reading_from(policy, None)
}

fn read(client: &Client, options: &CallOptions, args: &[&str]) -> Result<Reply, Error> {
    let mut exchange = Exchange::raw(args)?;
    client.run(&mut exchange, options, &())?;
    exchange.answer().map(|answer| answer.to_reply())
}

fn get(client: &Client, options: &CallOptions) -> Result<Reply, Error> {
    read(client, options, &["GET", "k"])
}

/// Sets the key, and waits until every node has it.
fn seed(client: &Client, deployment: &Deployment) {
    client.call(&["SET", "k", "v"]).unwrap();
    deployment.wait_for_value("k", "v");
}

/// A client that has all replicas in view.
fn client(deployment: &Deployment) -> Client {
    let client = Client::new(deployment.config());
    watch(&client, deployment);
    client
}

/// Reads until every replica has been read from.
fn watch(client: &Client, deployment: &Deployment) {
    seed(client, deployment);
    let all = reader(client, ReadFrom::Replica);
    loop {
        deployment.gets();
        (0..deployment.nodes.len() * 2).for_each(|_| drop(get(client, &all).unwrap()));
        if deployment.gets()[1..].iter().all(|count| *count > 0) {
            return;
        }
    }
}

#[test]
fn each_policy_reads_where_it_says() {
    let deployment = Deployment::start(2);
    let client = client(&deployment);
    let counts = |policy| {
        let options = reader(&client, policy);
        deployment.gets();
        for _ in 0..30 {
            get(&client, &options).unwrap();
        }
        deployment.gets()
    };
    assert_eq!(counts(ReadFrom::Primary), [30, 0, 0]);
    assert_eq!(counts(ReadFrom::Replica), [0, 15, 15]);
    assert_eq!(counts(ReadFrom::PreferReplica), [0, 15, 15]);
    assert_eq!(counts(ReadFrom::RoundRobin), [10, 10, 10]);
    assert_eq!(counts(ReadFrom::Nearest).iter().sum::<u64>(), 30);
    assert!(client.stats().from_replicas >= 80);
}

#[test]
fn the_nearest_node_is_the_one_behind_the_shortest_way() {
    let deployment = Deployment::start(1);
    let (primary, replica) = (deployment.nodes[0].port, deployment.nodes[1].port);
    let map = |from: u16, to: u16| format!("127.0.0.1:{from}=127.0.0.1:{to}");
    for (far, near) in [(primary, 1), (replica, 0)] {
        let relay = Relay::to(far, Duration::from_millis(20));
        let map = OptionValue::from(map(far, relay.port));
        let mut input = steadis::config::Input::new(steadis::config::Environment::none())
            .option("address_map", map);
        for (name, value) in deployment.config().to_options() {
            input = input.option(&name, value);
        }
        let client = Client::open(&input).unwrap();
        // Once it has answered, its way has been measured.
        watch(&client, &deployment);
        let nearest = reader(&client, ReadFrom::Nearest);
        loop {
            deployment.gets();
            (0..10).for_each(|_| drop(get(&client, &nearest).unwrap()));
            if deployment.gets()[near] == 10 {
                break;
            }
        }
    }
}

#[test]
fn only_reads_go_to_replicas() {
    let deployment = Deployment::start(1);
    let client = client(&deployment);
    let options = reader(&client, ReadFrom::Replica);
    for args in [["SET", "k", "w"], ["INCRBY", "n", "1"], ["EVAL", "return 1", "0"]] {
        let error = read(&client, &options, &args).unwrap_err();
        assert_eq!((error.kind(), error.command()), (Kind::Usage, Some(args[0])));
        assert!(error.message().contains("call it on the client itself"), "{error}");
    }
    let batch = |commands: &[&[&str]]| {
        let mut batch = Batch::default();
        commands.iter().for_each(|args| batch.add_raw(args).unwrap());
        batch
    };
    let (reads, mixed) =
        (&[&["GET", "k"][..], &["EXISTS", "k"]], &[&["GET", "k"][..], &["DEL", "k"]]);
    deployment.gets();
    let replies = client.run_pipeline(batch(reads), &options, &()).unwrap().into_replies();
    assert_eq!(replies, [Ok(Reply::Bulk(b"v".into())), Ok(Reply::Integer(1))]);
    let replies = client.run_transaction(batch(reads), &options, &()).unwrap().into_replies();
    assert_eq!(replies, [Ok(Reply::Bulk(b"v".into())), Ok(Reply::Integer(1))]);
    assert_eq!(deployment.gets(), [0, 2]);
    let errors = [
        client.run_pipeline(batch(mixed), &options, &()).unwrap_err(),
        client.run_transaction(batch(mixed), &options, &()).unwrap_err(),
    ];
    assert!(errors.iter().all(|it| it.kind() == Kind::Usage && it.command() == Some("DEL")));
    // A client that merely prefers replicas writes to the primary.
    let mut config = deployment.config();
    config.read_from = ReadFrom::PreferReplica;
    let both = Client::new(config);
    watch(&both, &deployment);
    deployment.gets();
    both.ready().unwrap();
    assert_eq!(both.call(&["SET", "k", "w"]).unwrap(), Reply::Simple(b"OK".into()));
    both.run_pipeline(batch(mixed), &both.options(), &()).unwrap();
    both.call(&["GET", "other"]).unwrap();
    assert_eq!(deployment.gets(), [1, 1]);
    let single = Client::new(support::config(deployment.nodes[0].port));
    let error = get(&single, &reader(&single, ReadFrom::Replica)).unwrap_err();
    assert_eq!(error.kind(), Kind::Config);
    get(&single, &reader(&single, ReadFrom::PreferReplica)).unwrap();
}

#[test]
fn a_replica_that_lags_is_left_out_until_it_has_caught_up() {
    let deployment = Deployment::start(1);
    let relay = Relay::to(deployment.nodes[0].port, Duration::ZERO);
    let client = client(&deployment);
    deployment.nodes[1].cli(&["REPLICAOF", "127.0.0.1", &relay.port.to_string()]);
    deployment.nodes[1].wait_for_link();
    let lax = reader(&client, ReadFrom::Replica);
    let mut strict =
        client.options().reading_from(ReadFrom::Replica, Some(Duration::from_millis(100)));
    assert_eq!(get(&client, &strict).unwrap(), Reply::Bulk(b"v".into()));
    relay.shut();
    client.call(&["SET", "k", "newer"]).unwrap();
    strict.timeout = Some(Duration::from_millis(300));
    let error = loop {
        if let Err(error) = get(&client, &strict) {
            break error;
        }
    };
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.message().contains("s behind (option max_lag)"), "{error}");
    assert_eq!(get(&client, &lax).unwrap(), Reply::Bulk(b"v".into()));
    let preferring = CallOptions { read_from: ReadFrom::PreferReplica, ..strict };
    assert_eq!(get(&client, &preferring).unwrap(), Reply::Bulk(b"newer".into()));
    relay.open();
    strict.timeout = None;
    assert_eq!(get(&client, &strict).unwrap(), Reply::Bulk(b"newer".into()));
}

#[test]
fn reads_go_on_while_replicas_die_one_by_one() {
    let mut deployment = Deployment::start(2);
    let client = client(&deployment);
    let preferring = reader(&client, ReadFrom::PreferReplica);
    for victim in [1, 2] {
        std::thread::scope(|scope| {
            let reading = scope.spawn(|| (0..2000).all(|_| get(&client, &preferring).is_ok()));
            get(&client, &preferring).unwrap();
            deployment.nodes[victim].kill();
            assert!(reading.join().unwrap());
        });
    }
    assert_eq!(get(&client, &preferring).unwrap(), Reply::Bulk(b"v".into()));
    let mut only = reader(&client, ReadFrom::Replica);
    only.timeout = Some(Duration::from_millis(300));
    let error = get(&client, &only).unwrap_err();
    assert_eq!((error.kind(), error.command()), (Kind::Unavailable, Some("GET")));
    for node in &deployment.nodes[1..] {
        assert!(error.message().contains(&format!("127.0.0.1:{}", node.port)), "{error}");
    }
    assert_eq!(client.stats().failed, 1);
}

#[test]
fn a_replica_without_its_primary_hands_the_read_on() {
    let deployment = Deployment::start(2);
    let client = client(&deployment);
    let options = reader(&client, ReadFrom::Replica);
    let stray = &deployment.nodes[1];
    stray.cli(&["CONFIG", "SET", "replica-serve-stale-data", "no"]);
    stray.cli(&["REPLICAOF", "127.0.0.1", &support::free_port().to_string()]);
    // It answers MASTERDOWN until that is noticed.
    loop {
        deployment.gets();
        for _ in 0..20 {
            assert_eq!(get(&client, &options).unwrap(), Reply::Bulk(b"v".into()));
        }
        if deployment.gets()[2] == 20 && !stray.cli(&["GET", "k"]).starts_with("v") {
            break;
        }
    }
    let refused = stray.cli(&["GET", "k"]);
    assert!(refused.starts_with("MASTERDOWN"), "{refused}");
}

#[test]
fn a_frozen_replica_costs_one_reply_time_at_the_most() {
    let deployment = Deployment::start(2);
    let mut config = deployment.config();
    config.command_timeout = Duration::from_millis(200);
    let client = Client::new(config);
    watch(&client, &deployment);
    let options = reader(&client, ReadFrom::Replica);
    let _frozen = deployment.nodes[1].freeze();
    for _ in 0..200 {
        assert_eq!(get(&client, &options).unwrap(), Reply::Bulk(b"v".into()));
    }
}

#[test]
fn after_a_failover_the_former_replica_is_none() {
    let deployment = Deployment::start(2);
    let client = client(&deployment);
    let options = reader(&client, ReadFrom::Replica);
    let (tell, told) = mpsc::channel();
    client.on(move |event| drop(tell.send(event.clone()))).unwrap();
    deployment.fail_over();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| (0..3000).all(|_| get(&client, &options).is_ok()));
        let (over, client) = (&over, &client);
        let writing = scope.spawn(move || {
            while !over.load(Ordering::Relaxed) {
                client.call(&["INCR", "n"]).unwrap();
            }
        });
        let failover = told.iter().find(|event| matches!(event, Event::Failover { .. }));
        let Some(Event::Failover { from: Some(from), to, epoch: 2, held: 1.., .. }) = failover
        else {
            panic!("{failover:?}")
        };
        over.store(true, Ordering::Relaxed);
        writing.join().unwrap();
        assert_eq!(from, format!("127.0.0.1:{}", deployment.nodes[0].port));
        let port = to.rsplit(':').next().unwrap().parse().unwrap();
        assert!(reading.join().unwrap());
        deployment.gets();
        for _ in 0..50 {
            get(client, &options).unwrap();
        }
        let counts = deployment.gets();
        let promoted = deployment.nodes.iter().position(|node| node.port == port).unwrap();
        assert_eq!((counts[promoted], counts.iter().sum::<u64>()), (0, 50), "{counts:?}");
        // The former primary is read from once it follows the new one.
        deployment.nodes[0].cli(&["REPLICAOF", "127.0.0.1", &port.to_string()]);
        loop {
            (0..10).for_each(|_| drop(get(client, &options).unwrap()));
            if deployment.gets()[0] > 0 {
                break;
            }
        }
    });
}

#[test]
fn streams_are_awaited_on_replicas_too() {
    let deployment = Deployment::start(1);
    let client = client(&deployment);
    let options = reader(&client, ReadFrom::Replica);
    let wait = ["XREAD", "BLOCK", "0", "STREAMS", "s", "0"];
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| read(&client, &options, &wait).unwrap());
        while !deployment.nodes[1].cli(&["INFO", "clients"]).contains("blocked_clients:1") {
            std::thread::yield_now();
        }
        client.call(&["XADD", "s", "1-1", "f", "v"]).unwrap();
        let text = |text: &str| Reply::Bulk(text.into());
        let entry = Reply::List(vec![text("1-1"), Reply::List(vec![text("f"), text("v")])]);
        let expected = Reply::Map(vec![(text("s"), Reply::List(vec![entry]))]);
        assert_eq!(waiting.join().unwrap(), expected);
    });
    let error = read(&client, &options, &["BLPOP", "q", "0"]).unwrap_err();
    assert_eq!(error.kind(), Kind::Usage);
}
