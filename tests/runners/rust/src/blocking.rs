//! The blocking client: one thread for each worker.

use crate::log;
use crate::order::{Call, Order};
use rustix::process::{Pid, WaitOptions, waitpid};
use std::sync::atomic::{AtomicBool, Ordering};
use steadis::proto::reply::Reply;
use steadis::{Client, Error};

/// The first worker number of a forked child; the parent's are below.
const CHILDREN: u64 = 1000;

pub(crate) fn run(order: Order, lines: &mut dyn Iterator<Item = String>) {
    let start = log::now();
    let client = match steadis::connect() {
        Ok(client) => client,
        Err(error) => return log::connect_failed(start, &error),
    };
    if let Err(error) = client.on(log::event) {
        return log::connect_failed(start, &error);
    }
    let stop = AtomicBool::new(false);
    let mut children = Vec::new();
    std::thread::scope(|threads| {
        for worker in 0..order.workers {
            let (order, client, stop) = (&order, &client, &stop);
            threads.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    round(client, order, worker);
                }
            });
        }
        for _ in lines.take_while(|line| line.contains("fork")) {
            children.extend(fork(&client, &order, CHILDREN + children.len() as u64));
        }
        stop.store(true, Ordering::Relaxed);
    });
    for child in children {
        // Its operations are in the log; there is nothing else to learn from it.
        let _ = waitpid(Some(child), WaitOptions::empty());
    }
}

fn round(client: &Client, order: &Order, worker: u64) {
    for step in order.round(worker) {
        let start = log::now();
        let outcomes = perform(client, &step.call);
        log::operation(&step, start, log::now(), &outcomes);
    }
    std::thread::sleep(order.think);
}

fn perform(client: &Client, call: &Call) -> Vec<Result<Reply, Error>> {
    match call {
        Call::Command(words) => vec![client.call(words)],
        Call::Transaction(commands) => vec![transaction(client, commands)],
        Call::Pipeline(commands) => {
            client.pipeline(commands).unwrap_or_else(|error| vec![Err(error); commands.len()])
        }
    }
}

fn transaction(client: &Client, commands: &[Vec<String>]) -> Result<Reply, Error> {
    client.transaction(commands)?.into_iter().collect::<Result<_, _>>().map(Reply::List)
}

/// A child that goes on with the client it inherited.
fn fork(client: &Client, order: &Order, worker: u64) -> Option<Pid> {
    // SAFETY: in the child of a process with threads only what those threads may have locked is
    // out of reach. The C library looks after its allocator, our log takes no lock, and that the
    // client keeps clear of its own is what is being tested.
    match unsafe { libc::fork() } {
        0 => {
            (0..order.child_rounds).for_each(|_| round(client, order, worker));
            // SAFETY: ends the child at once, without running what the parent registered.
            unsafe { libc::_exit(0) }
        }
        pid => Pid::from_raw(pid),
    }
}
