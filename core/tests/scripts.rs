//! Scripts run by their digest, and nobody has to know whether the server has seen them.

mod support;

use std::sync::Arc;
use steadis::client::{Batch, Exchange, Script};
use steadis::command::Arg;
use steadis::{Client, Reply};
use support::{Redis, config};

const SOURCE: &str = "return redis.call('INCRBY', KEYS[1], ARGV[1])";

fn run(client: &Client, script: &Arc<Script>) -> Reply {
    let mut exchange = Exchange::script(script, &[Arg::Text("n")], &[Arg::Int(2)]).unwrap();
    client.run(&mut exchange, &client.options(), &()).unwrap();
    exchange.answer().unwrap().to_reply()
}

fn batch(script: &Arc<Script>) -> Batch {
    let mut batch = Batch::default();
    for _ in 0..3 {
        batch.add_script(script, &[Arg::Text("n")], &[Arg::Int(2)]).unwrap();
        batch.add_raw(&["GET", "n"]).unwrap();
    }
    batch
}

/// How often the server was given the source, by EVAL or SCRIPT LOAD.
fn told(redis: &Redis) -> usize {
    let stats = redis.cli(&["INFO", "commandstats"]);
    let calls = |name: &str| {
        let line =
            stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{name}:calls=")));
        line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
    };
    calls("eval") + calls("script|load")
}

#[test]
fn a_script_that_the_server_has_forgotten_runs_all_the_same() {
    let redis = Redis::start();
    let client = Client::new(config(redis.port));
    let script = client.script(SOURCE);
    assert_eq!(run(&client, &script), Reply::Integer(2));
    assert_eq!(told(&redis), 1);
    redis.cli(&["SCRIPT", "FLUSH"]);
    assert_eq!(run(&client, &script), Reply::Integer(4));
    assert_eq!(run(&client, &script), Reply::Integer(6));
    assert_eq!(told(&redis), 2);
    let numbers = |outcomes: steadis::client::Outcomes| -> Vec<i64> {
        outcomes
            .into_replies()
            .into_iter()
            .map(|reply| reply.unwrap().as_integer().unwrap())
            .collect()
    };
    redis.cli(&["SCRIPT", "FLUSH"]);
    let outcomes = client.run_pipeline(batch(&script), &client.options(), &()).unwrap();
    // Three were refused and went again, behind the others.
    assert_eq!(numbers(outcomes), [8, 6, 10, 6, 12, 6]);
    redis.cli(&["SCRIPT", "FLUSH"]);
    let outcomes = client.run_transaction(batch(&script), &client.options(), &()).unwrap();
    assert_eq!(numbers(outcomes), [14, 14, 16, 16, 18, 18]);
}

#[test]
fn a_new_connection_brings_the_scripts_along() {
    let redis = Redis::start();
    let client = Client::new(config(redis.port));
    let script = client.script(SOURCE);
    client.call(&["PING"]).unwrap();
    assert_eq!(redis.cli(&["SCRIPT", "EXISTS", script.digest()]), "1");
    let hit = run(&client, &script);
    assert_eq!((hit, told(&redis)), (Reply::Integer(2), 1));
}

#[test]
fn an_error_inside_a_script_is_the_callers() {
    let redis = Redis::start();
    let client = Client::new(config(redis.port));
    let script = client.script("return redis.error_reply('NOSCRIPT made up')");
    let mut exchange = Exchange::script(&script, &[], &[]).unwrap();
    client.run(&mut exchange, &client.options(), &()).unwrap();
    assert_eq!(exchange.answer().unwrap_err().code(), Some("NOSCRIPT"));
}

#[tokio::test]
async fn tasks_run_scripts_as_well() {
    let redis = Redis::start();
    let client = steadis::aio::Client::new(config(redis.port));
    let script = client.script(SOURCE);
    for expected in [2, 4] {
        redis.cli(&["SCRIPT", "FLUSH"]);
        let mut exchange = Exchange::script(&script, &[Arg::Text("n")], &[Arg::Int(2)]).unwrap();
        client.run(&mut exchange, client.options()).await.unwrap();
        assert_eq!(exchange.answer().unwrap().to_reply(), Reply::Integer(expected));
    }
    redis.cli(&["SCRIPT", "FLUSH"]);
    let replies = client.pipeline(batch(&script)).await.unwrap().into_replies();
    assert_eq!(replies[4], Ok(Reply::Integer(10)));
    redis.cli(&["SCRIPT", "FLUSH"]);
    let replies = client.transaction(batch(&script)).await.unwrap().into_replies();
    assert_eq!(replies[4], Ok(Reply::Integer(16)));
}
