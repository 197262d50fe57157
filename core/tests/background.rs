//! The background thread: one for all, deaf to signals, idle while there is nothing to do, and gone
//! with the last client. A program of its own: it looks at all threads of its process.

mod support;

use std::fs::{read_dir, read_to_string};
use std::path::PathBuf;
use std::time::Duration;
use steadis::config::{Address, Config, Seed, Target};
use steadis::{Client, Kind, Reply};
use support::deployment::Deployment;
use support::{Redis, config, free_port};

/// The threads of this process that bear our name.
fn threads() -> Vec<PathBuf> {
    let tasks = read_dir("/proc/self/task").expect("the threads").flatten();
    let name = |task: &PathBuf| read_to_string(task.join("comm")).unwrap_or_default();
    tasks.map(|task| task.path()).filter(|task| name(task).trim_end() == "steadis").collect()
}

/// How long the only one of them has been running so far.
fn worked() -> Duration {
    let figures = read_to_string(threads()[0].join("schedstat")).expect("its figures");
    let running = figures.split(' ').next().expect("the first figure");
    Duration::from_nanos(running.parse().expect("a number"))
}

/// A caller that does nothing but wait, for two seconds.
fn wait(client: &Client) {
    assert_eq!(client.call(&["BLPOP", "nothing", "2"]), Ok(Reply::Null));
}

/// Sentinels that refuse every connection.
fn nobody() -> Config {
    let seed = || Seed::new(Address::new("127.0.0.1", free_port()));
    let seeds = vec![seed(), seed(), seed()];
    let mut config = Config::new(Target::Sentinels { seeds, primary: Some("mymaster".into()) });
    config.failover_timeout = Duration::from_secs(2);
    config
}

fn main() {
    let (redis, deployment) = (Redis::start(), Deployment::start(1));
    let (single, watched) = (Client::new(config(redis.port)), Client::new(deployment.config()));
    assert_eq!(threads().len(), 0, "a thread before the first call");
    single.call(&["PING"]).expect("an answer");
    assert_eq!(threads().len(), 1);
    watched.call(&["PING"]).expect("an answer");
    let twin = Client::new(deployment.config());
    twin.call(&["SET", "k", "v"]).expect("an answer");
    assert_eq!(threads().len(), 1, "one thread for several clients and deployments");
    assert_eq!(single.call(&["GET", "k"]), Ok(Reply::Null), "deployments are kept apart");

    let status = read_to_string(threads()[0].join("status")).expect("its status");
    let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:\t"));
    let blocked = u64::from_str_radix(blocked.expect("the mask"), 16).expect("a number");
    let terminal = [libc::SIGINT, libc::SIGTERM, libc::SIGCHLD, libc::SIGALRM, libc::SIGUSR1];
    assert!(terminal.iter().all(|signal| blocked & (1 << (signal - 1)) != 0), "{blocked:x}");

    let before = worked();
    wait(&watched);
    let idle = worked() - before;
    assert!(idle < Duration::from_millis(100), "it worked {idle:?} while there was nothing to do");

    drop(twin);
    assert_eq!(threads().len(), 1, "others still need it");
    watched.close();
    drop((single, watched));
    while !threads().is_empty() {
        std::thread::yield_now();
    }

    let lost = Client::new(nobody());
    assert_eq!(lost.call(&["PING"]).unwrap_err().kind(), Kind::Unavailable);
    let hectic = worked();
    assert!(hectic < Duration::from_millis(400), "it worked {hectic:?} to find nobody");
    drop(lost);
    while !threads().is_empty() {
        std::thread::yield_now();
    }
    println!("test the background thread ... ok ({idle:?} idle, {hectic:?} without any Sentinel)");
}
