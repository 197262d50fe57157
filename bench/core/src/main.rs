//! The blocking lane beside hiredis and the redis crate, in one process, in turns.
//!
//! Machines drift while a benchmark runs; so the contenders take turns of a fraction of a second,
//! and what counts is the ratio within each round. Medians over the rounds are printed.
//! Raw sockets are in the race as the limit: nobody can be faster than a client that does nothing.

mod awake;
mod contender;
mod hiredis;
mod lane;
mod raw;
mod redis_crate;
mod report;
mod server;
mod tree;

use contender::{Contender, Workload};
use lane::Terms;
use std::time::Duration;

fn main() {
    let rounds = setting("STEADIS_BENCH_ROUNDS", 15);
    let slice = Duration::from_millis(setting("STEADIS_BENCH_SLICE_MS", 150));
    let only = std::env::args().nth(1);
    if only.as_deref() == Some(awake::SPIN) {
        return awake::spin();
    }
    let server = server::Server::start();
    let awake = awake::Awake::keep();
    println!("ratio = operations per second against hiredis; a figure above 1 is faster");
    for workload in Workload::ALL {
        if only.as_ref().is_some_and(|only| !workload.name().contains(only.as_str())) {
            continue;
        }
        let contenders: Vec<Box<dyn Contender>> = vec![
            Box::new(hiredis::Hiredis::new(server.port)),
            Box::new(lane::Steadis::new(server.port, 1, Terms::C)),
            Box::new(lane::Steadis::new(server.port, 4, Terms::C)),
            Box::new(lane::Steadis::new(server.port, 4, Terms::Rust)),
            Box::new(redis_crate::RedisCrate::new(server.port)),
            Box::new(raw::Raw::new(server.port)),
        ];
        server.share_processors(workload.threads());
        report::print(workload, &contender::race(&contenders, workload, rounds as u32, slice));
    }
    drop(awake);
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}
