//! Optimistic transactions of tasks.

mod support;

use std::cell::Cell;
use std::future::Ready;
use std::time::Duration;
use steadis::client::Exchange;
use steadis::command::Arg;
use steadis::proto::reply::Reply;
use steadis::{Error, Kind, aio, command};
use support::{Redis, config, free_port};

#[tokio::test]
async fn a_watched_change_is_repeated_until_nobody_interferes() {
    let redis = Redis::start();
    let client = aio::Client::new(config(redis.port));
    client.call(&["SET", "stock", "100"]).await.unwrap();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                for _ in 0..5 {
                    let take_one = |view: aio::View| async move {
                        let left = view.call(&["GET", "stock"]).await?.as_integer().unwrap() - 1;
                        view.queue(&["SET", "stock", &left.to_string()])?;
                        Ok(left)
                    };
                    let (left, replies) = client.watch(&["stock"], take_one).await.unwrap();
                    assert!(left < 100 && replies == [Ok(Reply::Simple(b"OK".into()))]);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(redis.cli(&["GET", "stock"]), "60");
}

#[tokio::test]
async fn what_only_reads_reads_it_all_at_one_moment() {
    let redis = &Redis::start();
    let client = aio::Client::new(config(redis.port));
    let turns = &Cell::new(0);
    let look = |view: aio::View| async move {
        turns.set(turns.get() + 1);
        let a = view.call(&["GET", "a"]).await?;
        if turns.get() == 1 {
            redis.cli(&["MSET", "a", "1", "b", "1"]);
        }
        Ok((a, view.call(&["GET", "b"]).await?))
    };
    let ((a, b), outcomes) = client.watch(&["a", "b"], look).await.unwrap();
    assert_eq!((a, outcomes.len()), (b, 0));
    assert_eq!(turns.get(), 2);
}

#[tokio::test]
async fn a_lost_connection_counts_as_a_change() {
    let redis = &Redis::start();
    let client = aio::Client::new(config(redis.port));
    for passes_its_error_on in [true, false] {
        let turns = &Cell::new(0);
        let change = |view: aio::View| async move {
            turns.set(turns.get() + 1);
            if turns.get() == 1 {
                redis.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
            }
            let read = view.call(&["GET", "n"]).await;
            assert_eq!(read.is_err(), turns.get() == 1);
            if passes_its_error_on {
                read?;
            }
            view.queue(&["INCR", "n"])
        };
        client.watch(&["n"], change).await.unwrap();
        assert_eq!(turns.get(), 2);
    }
    assert_eq!(redis.cli(&["GET", "n"]), "2");
}

#[tokio::test]
async fn errors_end_it_and_leave_nothing_behind() {
    let redis = Redis::start();
    let client = aio::Client::new(config(redis.port));
    client.call(&["SET", "text", "abc"]).await.unwrap();
    let own = |_: aio::View| async { Err::<(), _>(Error::usage("mine")) };
    assert_eq!(client.watch(&["n"], own).await.unwrap_err().message(), "mine");

    let writes = |view: aio::View| async move { view.call(&["INCR", "n"]).await };
    let error = client.watch(&["n"], writes).await.unwrap_err();
    assert_eq!((error.kind(), error.command()), (Kind::Usage, Some("INCR")));

    let misread = |view: aio::View| async move { view.call(&["LLEN", "text"]).await };
    assert_eq!(client.watch(&["n"], misread).await.unwrap_err().code(), Some("WRONGTYPE"));

    let misspelt = |view: aio::View| async move { view.queue(&["LPUSH", "n"]) };
    assert_eq!(client.watch(&["n"], misspelt).await.unwrap_err().command(), Some("LPUSH"));

    let partly = |view: aio::View| async move {
        view.queue(&["INCR", "text"])?;
        view.queue(&["INCR", "n"])
    };
    let ((), outcomes) = client.watch(&["n"], partly).await.unwrap();
    assert_eq!(outcomes[0].as_ref().unwrap_err().command(), Some("INCR"));
    assert_eq!(outcomes[1], Ok(Reply::Integer(1)));

    let none: [&str; 0] = [];
    let error = client.watch(&none, own).await.unwrap_err();
    assert!(error.message().contains("needs the keys"));
    while redis.cli(&["CLIENT", "LIST"]).contains(" watch=1") {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn reads_have_the_shape_of_their_command() {
    let redis = Redis::start();
    redis.cli(&["HSET", "h", "a", "1"]);
    let client = aio::Client::new(config(redis.port));
    let read = |view: aio::View| async move {
        let hgetall = command::find(&["HGETALL"]).unwrap();
        let mut exchange = Exchange::new(hgetall, &[Arg::Text("h")], &[])?;
        view.run(&mut exchange).await?;
        Ok(exchange.answer()?.to_reply())
    };
    let (map, _) = client.watch(&["h"], read).await.unwrap();
    let (a, one) = (Reply::Bulk(b"a".into()), Reply::Bulk(b"1".into()));
    assert_eq!(map, Reply::Map(vec![(a, one)]));
}

#[tokio::test]
async fn without_a_primary_it_ends_with_the_deadline() {
    let mut config = config(free_port());
    config.failover_timeout = Duration::from_millis(150);
    let client = aio::Client::new(config);
    let never = |_: aio::View| -> Ready<steadis::Result<()>> { panic!("nothing to look at") };
    let error = client.watch(&["k"], never).await.unwrap_err();
    assert_eq!((error.kind(), error.command()), (Kind::Unavailable, Some("WATCH")));
}
