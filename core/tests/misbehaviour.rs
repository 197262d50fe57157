//! A server that breaks the protocol, or its word: who asked it learns what became of each
//! command and which server it was, and nobody else notices.

mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;
use steadis::client::{CallOptions, Exchange};
use steadis::proto::reply::Reply;
use steadis::{Client, Error, Kind};
use support::{Redis, config};

const PATIENCE: Duration = Duration::from_secs(20);

/// A way to a real server on which one command gets an answer of ours, and another has to wait.
struct Spoiler {
    port: u16,
    held: Arc<(Mutex<bool>, Condvar)>,
}

impl Spoiler {
    fn before(redis: &Redis, answer: &'static [u8], closes: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let held = Arc::new((Mutex::new(false), Condvar::new()));
        let (server, gate) = (redis.port, Arc::clone(&held));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                let (mut back, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || std::io::copy(&mut back, &mut to));
                let gate = Arc::clone(&gate);
                std::thread::spawn(move || spoil(client, server, &gate, answer, closes));
            }
        });
        Self { port, held }
    }

    fn wait_until_held(&self) {
        let held = self.held.0.lock().unwrap();
        drop(self.held.1.wait_while(held, |held| !*held).unwrap());
    }

    fn release(&self) {
        *self.held.0.lock().unwrap() = false;
        self.held.1.notify_all();
    }
}

fn spoil(
    mut from: TcpStream,
    mut to: TcpStream,
    held: &(Mutex<bool>, Condvar),
    answer: &[u8],
    closes: bool,
) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let bytes = &bytes[..count];
        let holds = |word: &[u8]| bytes.windows(word.len()).any(|part| part == word);
        if holds(b"spoiled") {
            from.write_all(answer).unwrap();
            if closes {
                from.shutdown(Shutdown::Both).unwrap();
            }
            continue;
        }
        if holds(b"held") {
            let mut gate = held.0.lock().unwrap();
            *gate = true;
            held.1.notify_all();
            drop(held.1.wait_while(gate, |held| *held).unwrap());
        }
        if to.write_all(bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

/// What comes of two writes in one pipeline, while another lane waits for its reply.
fn outcomes(answer: &'static [u8], closes: bool) -> (Vec<Result<Reply, Error>>, String) {
    let redis = Redis::start();
    let spoiler = Spoiler::before(&redis, answer, closes);
    let mut config = config(spoiler.port);
    config.command_timeout = Duration::from_millis(500);
    let client = Client::new(config);
    let outcomes = std::thread::scope(|scope| {
        let neighbour = scope.spawn(|| {
            let options = CallOptions { timeout: Some(PATIENCE), ..client.options() };
            let mut echo = Exchange::raw(&["ECHO", "held"]).unwrap();
            client.run(&mut echo, &options, &()).unwrap();
            echo.answer().unwrap().to_reply()
        });
        spoiler.wait_until_held();
        let outcomes = client.pipeline(&[vec!["SET", "spoiled", "1"], vec!["INCR", "n"]]);
        spoiler.release();
        assert_eq!(neighbour.join().unwrap(), Reply::Bulk(b"held".into()));
        outcomes.unwrap()
    });
    // Nothing of it has reached the server, and the next call does not see any of it either.
    assert_eq!(client.call(&["GET", "n"]).unwrap(), Reply::Null);
    (outcomes, format!("127.0.0.1:{}", spoiler.port))
}

#[test]
fn every_command_gets_its_fate_and_the_address_is_named() {
    for (answer, closes, answered, reason) in [
        (b"HTTP/1.1 400 Bad Request\r\n".as_slice(), false, 0, "is this a Redis server"),
        (b"+OK\r\n$5\r\nab", true, 1, "closed the connection"),
        (b"+OK\r\n$3\r\nabcde", false, 1, "without CR LF"),
        (b"+OK\r\n*2\r\n:1\r\n", false, 1, "in time"),
        (b"", false, 0, "in time"),
    ] {
        let (outcomes, address) = outcomes(answer, closes);
        let (well, lost) = outcomes.split_at(answered);
        assert!(well.iter().all(|outcome| *outcome == Ok(Reply::Simple(b"OK".into()))));
        for error in lost.iter().map(|outcome| outcome.as_ref().unwrap_err()) {
            assert_eq!((error.kind(), error.maybe_executed()), (Kind::MaybeExecuted, true));
            assert!(error.message().contains(reason), "{error}");
            assert_eq!(error.address(), Some(address.as_str()), "{error}");
            assert!(error.to_string().contains(&address), "{error}");
        }
        assert_eq!(lost.len(), 2 - answered);
    }
}

/// A reply too many belongs to nobody: whoever asks next is asked on another connection.
#[test]
fn a_surplus_reply_is_never_that_of_the_next_command() {
    let (outcomes, _) = outcomes(b"+OK\r\n:7\r\n$5\r\nextra\r\n", false);
    assert_eq!(outcomes, [Ok(Reply::Simple(b"OK".into())), Ok(Reply::Integer(7))]);
}
