//! What a client costs while it does nothing.

mod support;

use std::time::Duration;
use steadis::Client;
use steadis::proto::reply::Reply;
use support::{Redis, config};

/// Bytes of memory that this process has in use.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("our own status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a line of it");
    let kilobytes = line.split_whitespace().nth(1).and_then(|word| word.parse::<usize>().ok());
    kilobytes.expect("a number") << 10
}

fn clients(redis: &Redis, count: usize) -> Vec<Client> {
    let client = |_| {
        let mut config = config(redis.port);
        config.command_timeout = Duration::from_secs(20);
        let client = Client::new(config);
        assert_eq!(client.call(&["SET", "k", "v"]).unwrap(), Reply::Simple(b"OK".into()));
        client
    };
    (0..count).map(client).collect()
}

#[test]
fn an_idle_client_costs_a_few_kilobytes() {
    let redis = Redis::start();
    // What the first ones cost is there once, however many follow.
    let first = clients(&redis, 20);
    let before = resident();
    let many = clients(&redis, 400);
    let each = resident().saturating_sub(before) / many.len();
    println!("{each} bytes for each client");
    assert!(each < 12 << 10, "{each} bytes for each of {} clients", first.len() + many.len());
}
