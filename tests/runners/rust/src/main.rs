//! The worker of the scenarios: does what the driver orders and logs every operation.
//!
//! The protocol is in docs/scenarios.md. All cleverness is the driver's.

mod blocking;
mod log;
mod order;
mod stream;
mod tasks;

use std::io::{BufRead, stdin};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let blocking = match words.as_slice() {
        [] | ["--mode", "blocking"] => true,
        ["--mode", "tokio"] => false,
        _ => {
            eprintln!("usage: scenario-worker [--mode blocking|tokio]");
            return ExitCode::from(2);
        }
    };
    let mut lines = stdin().lock().lines().map_while(Result::ok);
    log::ready(if blocking { order::ALL } else { order::TASKS });
    let Some(first) = lines.next() else {
        return ExitCode::SUCCESS;
    };
    match order::Order::parse(&first) {
        Ok(order) if blocking => blocking::run(order, &mut lines),
        Ok(order) => tasks::run(order, &mut lines),
        Err(error) => {
            eprintln!("the order {first:?} is not understood: {error}");
            return ExitCode::from(2);
        }
    }
    log::done();
    ExitCode::SUCCESS
}
