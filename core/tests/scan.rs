//! Walks over many keys: to one node as long as it is there, and anew when it is not.

mod support;

use std::collections::HashSet;
use steadis::client::{CallOptions, Scan};
use steadis::command::{self, Arg};
use steadis::config::ReadFrom;
use steadis::proto::reply::Reply;
use steadis::{Client, aio};
use support::deployment::Deployment;

const KEYS: usize = 500;

fn scan() -> Scan {
    Scan::new(command::find(&["SCAN"]).unwrap(), &[], &[("count", Arg::Int(20))]).unwrap()
}

fn fill(client: &Client) {
    let keys = (0..KEYS).flat_map(|i| [format!("key:{i}"), "v".to_owned()]);
    let words: Vec<String> = ["MSET".to_owned()].into_iter().chain(keys).collect();
    client.call(&words).unwrap();
}

/// Takes one page, and adds what is in it.
fn page(scan: &mut Scan, client: &Client, options: &CallOptions, seen: &mut HashSet<Vec<u8>>) {
    let mut exchange = scan.request().unwrap();
    client.run(&mut exchange, options, &()).unwrap();
    add(scan.take(exchange.answer().unwrap()).unwrap().to_reply(), seen);
}

fn add(items: Reply, seen: &mut HashSet<Vec<u8>>) {
    let Reply::List(keys) = items else { panic!("{items:?}") };
    seen.extend(keys.iter().map(|key| key.as_bytes().unwrap().to_vec()));
}

#[test]
fn a_walk_over_replicas_stays_with_one_of_them() {
    let deployment = Deployment::start(2);
    let client = Client::new(deployment.config());
    fill(&client);
    deployment.wait_for_value(&format!("key:{}", KEYS - 1), "v");
    let options = client.options().reading_from(ReadFrom::Replica, None);
    // Both are in view once both have answered.
    loop {
        deployment.gets();
        (0..4).for_each(|_| get(&client, &options));
        if deployment.gets()[1..].iter().all(|count| *count > 0) {
            break;
        }
    }
    let (mut scan, mut seen) = (scan(), HashSet::new());
    while !scan.is_over() {
        page(&mut scan, &client, &options, &mut seen);
        get(&client, &options);
    }
    assert_eq!(seen.len(), KEYS);
    let calls = deployment.calls("scan");
    assert!(calls.iter().filter(|calls| **calls > 0).count() == 1 && calls[0] == 0, "{calls:?}");
}

fn get(client: &Client, options: &CallOptions) {
    let mut exchange = steadis::client::Exchange::raw(&["GET", "key:0"]).unwrap();
    client.run(&mut exchange, options, &()).unwrap();
}

#[test]
fn a_failover_in_between_costs_no_key() {
    let deployment = Deployment::start(1);
    let client = Client::new(deployment.config());
    fill(&client);
    deployment.wait_for_value(&format!("key:{}", KEYS - 1), "v");
    let options = client.options();
    let (mut scan, mut before, mut after) = (scan(), HashSet::new(), HashSet::new());
    page(&mut scan, &client, &options, &mut before);
    deployment.fail_over();
    while client.topology().unwrap().epoch == 1 {
        std::thread::yield_now();
    }
    while !scan.is_over() {
        page(&mut scan, &client, &options, &mut after);
    }
    assert_eq!(after.len(), KEYS);
}

#[tokio::test]
async fn tasks_walk_in_the_same_way() {
    let deployment = Deployment::start(1);
    let client = aio::Client::new(deployment.config());
    fill(&Client::new(deployment.config()));
    deployment.wait_for_value(&format!("key:{}", KEYS - 1), "v");
    let options = client.options().reading_from(ReadFrom::Replica, None);
    let (mut scan, mut seen) = (scan(), HashSet::new());
    while !scan.is_over() {
        let mut exchange = scan.request().unwrap();
        client.run(&mut exchange, options).await.unwrap();
        add(scan.take(exchange.answer().unwrap()).unwrap().to_reply(), &mut seen);
    }
    assert_eq!(seen.len(), KEYS);
    assert_eq!(deployment.calls("scan")[0], 0);
}
