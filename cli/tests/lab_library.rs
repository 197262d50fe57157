//! The lab in-process, as a demonstration drives it.

mod harness;

use std::time::Duration;

use harness::has_ended;
use steadis_cli::lab::{Condition, Lab, Options, Pattern, State, now};

const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test]
async fn a_lab_is_a_value() {
    let options = Options { replicas: 1, sentinels: 1, ..Options::default() };
    let lab = Lab::start(options).await.unwrap();
    let mut events = lab.events().reader();
    let status = lab.status();
    assert_eq!(status.primary, "node1");
    let pids: Vec<i32> = status
        .nodes
        .iter()
        .map(|node| &node.server)
        .chain(&status.sentinels)
        .filter_map(|server| server.pid)
        .collect();
    assert_eq!(pids.len(), 3);
    let list = lab.environment().get("REDIS_SENTINEL_LIST").map(str::to_owned);
    assert_eq!(list, Some(status.sentinels[0].address.to_string()));

    let begin = now();
    lab.failover(None).await.unwrap();
    lab.wait(&Condition::Primary("node2".into()), PATIENCE).await.unwrap();
    let promoted = Pattern { event: "promoted".into(), name: None, since: begin };
    let promoted = lab.wait(&Condition::Event(promoted), PATIENCE).await.unwrap().unwrap();
    assert_eq!(promoted.name, "node2");
    while events.next().await != promoted {}
    lab.kill("replica").await.unwrap();
    assert_eq!(lab.status().nodes[0].server.state, State::Down);

    drop(lab);
    assert!(pids.into_iter().all(|pid| has_ended(pid, 0)));
}

#[tokio::test]
async fn settings_are_not_for_everybody() {
    let password = "unspeakable".parse().unwrap();
    let options = Options {
        password: Some(password),
        replicas: 0,
        sentinels: 1,
        acl: true,
        ..Options::default()
    };
    let lab = Lab::start(options).await.unwrap();
    let shown = format!("{lab:?} {:?} {:?}", lab.environment(), lab.status());
    assert!(!shown.contains("unspeakable"), "{shown}");
}
