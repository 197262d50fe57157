//! The blocking client: one thread for each worker.

use crate::log;
use crate::order::{Call, Order, PATIENCE, SCRIPT};
use crate::stream::Reader;
use rustix::process::{Pid, WaitOptions, waitpid};
use std::sync::atomic::{AtomicBool, Ordering};
use steadis::client::blocking::Subscription;
use steadis::client::{By, Exchange};
use steadis::command::Arg;
use steadis::proto::reply::Reply;
use steadis::{Client, Error};

/// What a worker keeps from round to round.
struct Kept {
    news: Subscription,
    reader: Reader,
}

impl Kept {
    fn new(client: &Client) -> Self {
        Self { news: client.subscription(), reader: Reader::new() }
    }
}

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
                let mut kept = Kept::new(client);
                for turn in (1..).take_while(|_| !stop.load(Ordering::Relaxed)) {
                    round(client, &mut kept, order, worker, turn);
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

fn round(client: &Client, kept: &mut Kept, order: &Order, worker: u64, turn: u64) {
    for step in order.round(worker, turn) {
        let start = log::now();
        let outcomes = perform(client, kept, &step.call);
        log::operation(&step, start, log::now(), &outcomes);
    }
    std::thread::sleep(order.pause(worker));
}

fn perform(client: &Client, kept: &mut Kept, call: &Call) -> Vec<Result<Reply, Error>> {
    match call {
        Call::Watch(key) => vec![watch(client, key)],
        Call::Listen(channel) => {
            kept.news.add(By::Channel, channel.as_bytes());
            vec![kept.news.next(Some(PATIENCE), &()).map(log::heard)]
        }
        Call::Read(stream) => {
            let reply = client.call(&kept.reader.request(stream));
            vec![reply.map(|reply| kept.reader.take(stream, &reply))]
        }
        Call::Script(keys) => vec![script(client, keys)],
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

fn script(client: &Client, keys: &[String; 2]) -> Result<Reply, Error> {
    let keys = [Arg::Text(&keys[0]), Arg::Text(&keys[1])];
    let mut exchange = Exchange::script(&client.script(SCRIPT), &keys, &[])?;
    client.run(&mut exchange, &client.options(), &())?;
    exchange.answer().map(|answer| answer.to_reply())
}

fn watch(client: &Client, key: &str) -> Result<Reply, Error> {
    let (next, replies) = client.watch(&[key], |view| {
        let next = view.call(&["GET", key])?.as_integer().unwrap_or_default() + 1;
        view.queue(&["SET", key, &next.to_string()])?;
        Ok(next)
    })?;
    replies.into_iter().collect::<Result<Vec<_>, _>>().map(|_| Reply::Integer(next))
}

/// A child that goes on with the client it inherited. That the client keeps clear of what other
/// threads may have locked in the parent is what is being tested.
fn fork(client: &Client, order: &Order, worker: u64) -> Option<Pid> {
    // SAFETY: the C library looks after its allocator in the child, and our log takes no lock.
    let child = unsafe { libc::fork() };
    match child {
        0 => {
            let mut kept = Kept::new(client);
            for turn in 1..=order.child_rounds {
                round(client, &mut kept, order, worker, turn);
            }
            // SAFETY: ends the child at once, without running what the parent registered.
            unsafe { libc::_exit(0) }
        }
        pid => Pid::from_raw(pid),
    }
}
