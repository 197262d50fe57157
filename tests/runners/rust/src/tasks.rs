//! The client for tasks: one tokio task for each worker, all on one thread.

use crate::log;
use crate::order::{Call, Order, PATIENCE, SCRIPT};
use crate::stream::Reader;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use steadis::Error;
use steadis::aio::{Client, Subscription, View};
use steadis::client::{Batch, By, Exchange, Outcomes};
use steadis::command::Arg;
use steadis::proto::reply::Reply;
use tokio::runtime::Builder;
use tokio::time::timeout;

pub(crate) fn run(order: Order, lines: &mut dyn Iterator<Item = String>) {
    let start = log::now();
    let client = match steadis::aio::connect() {
        Ok(client) => client,
        Err(error) => return log::connect_failed(start, &error),
    };
    let order = Arc::new(order);
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let tasks = std::thread::spawn(move || {
        let runtime = match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return eprintln!("no tokio runtime: {error}"),
        };
        runtime.block_on(async {
            let workers: Vec<_> = (0..order.workers)
                .map(|worker| {
                    let (client, order) = (client.clone(), Arc::clone(&order));
                    tokio::spawn(rounds(client, order, worker, Arc::clone(&stopped)))
                })
                .collect();
            for worker in workers {
                if let Err(error) = worker.await {
                    eprintln!("a worker ended early: {error}");
                }
            }
        });
    });
    // Whatever comes next, or the end of stdin, is the end.
    lines.next();
    stop.store(true, Ordering::Relaxed);
    if tasks.join().is_err() {
        eprintln!("the tasks ended early");
    }
}

/// What a worker keeps from round to round.
struct Kept {
    news: Option<Subscription>,
    reader: Reader,
}

async fn rounds(client: Client, order: Arc<Order>, worker: u64, stop: Arc<AtomicBool>) {
    let mut kept = Kept { news: None, reader: Reader::new() };
    for turn in (1..).take_while(|_| !stop.load(Ordering::Relaxed)) {
        for step in order.round(worker, turn) {
            let start = log::now();
            let outcomes = perform(&client, &mut kept, &step.call).await;
            log::operation(&step, start, log::now(), &outcomes);
        }
        tokio::time::sleep(order.pause(worker)).await;
    }
}

async fn perform(client: &Client, kept: &mut Kept, call: &Call) -> Vec<Result<Reply, Error>> {
    match call {
        Call::Watch(key) => vec![watch(client, key).await],
        Call::Listen(channel) => vec![listen(client, &mut kept.news, channel).await],
        Call::Read(stream) => {
            let reply = client.call(&kept.reader.request(stream)).await;
            vec![reply.map(|reply| kept.reader.take(stream, &reply))]
        }
        Call::Script(keys) => vec![script(client, keys).await],
        Call::Command(words) => vec![client.call(words).await],
        Call::Transaction(commands) => vec![transaction(client, commands).await],
        Call::Pipeline(commands) => match pipeline(client, commands).await {
            Ok(outcomes) => outcomes.into_replies(),
            Err(error) => vec![Err(error); commands.len()],
        },
    }
}

async fn transaction(client: &Client, commands: &[Vec<String>]) -> Result<Reply, Error> {
    let outcomes = client.transaction(batch(commands)?).await?;
    outcomes.into_replies().into_iter().collect::<Result<_, _>>().map(Reply::List)
}

async fn script(client: &Client, keys: &[String; 2]) -> Result<Reply, Error> {
    let keys = [Arg::Text(&keys[0]), Arg::Text(&keys[1])];
    let mut exchange = Exchange::script(&client.script(SCRIPT), &keys, &[])?;
    client.run(&mut exchange, client.options()).await?;
    exchange.answer().map(|answer| answer.to_reply())
}

async fn watch(client: &Client, key: &str) -> Result<Reply, Error> {
    let add_one = |view: View| async move {
        let next = view.call(&["GET", key]).await?.as_integer().unwrap_or_default() + 1;
        view.queue(&["SET", key, &next.to_string()])?;
        Ok(next)
    };
    let (next, replies) = client.watch(&[key], add_one).await?;
    replies.into_iter().collect::<Result<Vec<_>, _>>().map(|_| Reply::Integer(next))
}

async fn listen(
    client: &Client,
    news: &mut Option<Subscription>,
    channel: &str,
) -> Result<Reply, Error> {
    let news = match news {
        Some(news) => news,
        None => {
            let mut fresh = client.subscription()?;
            fresh.add(By::Channel, channel.as_bytes());
            news.insert(fresh)
        }
    };
    match timeout(PATIENCE, news.next()).await {
        Ok(incoming) => incoming.map(|incoming| log::heard(Some(incoming))),
        Err(_) => Ok(log::heard(None)),
    }
}

async fn pipeline(client: &Client, commands: &[Vec<String>]) -> Result<Outcomes, Error> {
    client.pipeline(batch(commands)?).await
}

fn batch(commands: &[Vec<String>]) -> Result<Batch, Error> {
    let mut batch = Batch::default();
    commands.iter().try_for_each(|words| batch.add_raw(words))?;
    Ok(batch)
}
