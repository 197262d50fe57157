//! Clients in a language that lets one thread in at a time.

mod support;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use steadis::Client;
use steadis::client::Exchange;
use steadis::lane::call::Host;
use steadis::lane::door::{Door, Outing};
use support::{Redis, config};

/// The language: its lock, and the door to it.
#[derive(Default)]
struct Room {
    door: Arc<Door>,
    lock: Mutex<()>,
}

struct Visitor(Outing);

impl Host for Visitor {
    /// Asked while a call waits. Who waits has no turn at the door.
    fn interrupted(&self) -> bool {
        assert!(!self.0.is_called(), "keeps its turn and waits");
        false
    }

    fn outing(&self) -> Option<&Outing> {
        Some(&self.0)
    }
}

impl Room {
    fn call(&self, client: &Client, args: &[&str]) -> steadis::Result<()> {
        let visitor = Visitor(Outing::new(Arc::clone(&self.door)));
        let mut exchange = Exchange::raw(args)?;
        visitor.0.leave();
        let outcome = client.run(&mut exchange, &client.options(), &visitor);
        visitor.0.knock();
        let inside = self.lock.lock().unwrap();
        visitor.0.enter();
        drop(inside);
        outcome
    }
}

/// Called back with a refusal, a call goes out once more: it must not keep its turn at the door
/// meanwhile, or nobody else would ever be called.
#[test]
fn calls_that_go_out_again_give_their_turn_up() {
    let redis = Redis::start_with(&["--min-replicas-to-write", "1"]);
    let mut config = config(redis.port);
    config.lanes = Some(NonZeroUsize::MIN);
    config.failover_timeout = Duration::from_millis(300);
    let (client, room) = (Client::new(config), Room::default());
    thread::scope(|scope| {
        let refused: Vec<_> =
            (0..64).map(|_| scope.spawn(|| room.call(&client, &["INCR", "n"]))).collect();
        for call in refused {
            call.join().unwrap().expect_err("no replica, no write");
        }
    });
    redis.cli(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| room.call(&client, &["INCR", "n"]).unwrap());
        }
    });
    assert_eq!(redis.cli(&["GET", "n"]), "64");
}
