//! Sentinels that answer late, or want a password.

mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;
use steadis::config::{Address, Config, Credentials, Secret, Seed, Target};
use steadis::{Client, Event};
use support::Redis;

const PATIENCE: Duration = Duration::from_secs(20);

/// The next command on this connection; `None` at its end.
fn command(input: &mut impl BufRead) -> Option<Vec<String>> {
    let words = count(input)?;
    let mut word = || {
        let mut word = vec![0; count(input)? + 2];
        input.read_exact(&mut word).ok()?;
        Some(String::from_utf8_lossy(&word).trim_end().to_owned())
    };
    (0..words).map(|_| word()).collect()
}

fn count(input: &mut impl BufRead) -> Option<usize> {
    let mut line = String::new();
    input.read_line(&mut line).ok()?;
    line.get(1..)?.trim_end().parse().ok()
}

fn array(words: &[&str]) -> String {
    let word = |word: &&str| format!("${}\r\n{word}\r\n", word.len());
    format!("*{}\r\n{}", words.len(), words.iter().map(word).collect::<String>())
}

/// Answers as a Sentinel does that watches this primary: each kind of question once, and then no
/// more. Who subscribes is handed over.
fn serve(mut socket: TcpStream, primary: u16, mut locked: bool, subscribers: &Sender<TcpStream>) {
    let mut input = BufReader::new(socket.try_clone().expect("a socket"));
    let mut answered = 0;
    let port = primary.to_string();
    while let Some(words) = command(&mut input) {
        let reply = match words[0].as_str() {
            "AUTH" if words[1..] == ["one-secret"] => {
                locked = false;
                "+OK\r\n".to_owned()
            }
            _ if locked => "-NOAUTH Authentication required.\r\n".to_owned(),
            "PING" => "+PONG\r\n".to_owned(),
            "SUBSCRIBE" => {
                let confirm = |(i, name): (usize, &String)| {
                    let length = name.len();
                    format!("*3\r\n$9\r\nsubscribe\r\n${length}\r\n{name}\r\n:{}\r\n", i + 1)
                };
                let confirmed: String = words[1..].iter().enumerate().map(confirm).collect();
                socket.write_all(confirmed.as_bytes()).expect("a subscriber");
                subscribers.send(socket.try_clone().expect("a socket")).expect("the test");
                continue;
            }
            "SENTINEL" if answered == 4 => continue,
            "SENTINEL" => {
                answered += 1;
                match words[1].as_str() {
                    "GET-MASTER-ADDR-BY-NAME" => array(&["127.0.0.1", &port]),
                    "MASTER" => {
                        let flags = ["flags", "master", "config-epoch", "1"];
                        array(&[&["ip", "127.0.0.1", "port", &port], &flags[..]].concat())
                    }
                    _ => "*0\r\n".to_owned(),
                }
            }
            other => panic!("a Sentinel is not asked {other}"),
        };
        socket.write_all(reply.as_bytes()).expect("a client");
    }
}

/// A Sentinel that serves the first two connections, and accepts no others after them.
fn sentinel(primary: u16, locked: bool) -> (u16, Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let (subscribers, subscribed) = mpsc::channel();
    std::thread::spawn(move || {
        for socket in listener.incoming().take(2).flatten() {
            let subscribers = subscribers.clone();
            std::thread::spawn(move || serve(socket, primary, locked, &subscribers));
        }
    });
    (port, subscribed)
}

/// The settings of a client that knows this Sentinel.
fn config(sentinel: u16) -> Config {
    let seeds = vec![Seed::new(Address::new("127.0.0.1", sentinel))];
    Config::new(Target::Sentinels { seeds, primary: Some("mymaster".to_owned()) })
}

#[test]
fn a_sentinel_that_answers_no_more_is_heard_on_its_old_subscription() {
    let redis = Redis::start();
    let (port, subscribed) = sentinel(redis.port, false);
    let client = Client::new(config(port));
    let (tell, told) = mpsc::channel();
    client.on(move |event| drop(tell.send(event.clone()))).unwrap();
    client.call(&["SET", "k", "v"]).unwrap();
    let mut subscriber = subscribed.recv_timeout(PATIENCE).unwrap();
    let wait_for = |what: fn(&Event) -> bool| {
        while !what(&told.recv_timeout(PATIENCE).expect("such an event")) {}
    };
    // It is asked again once the dust has settled, in vain, and refuses a new connection.
    wait_for(|event| matches!(event, Event::Sentinel { up: false, .. }));
    let primary = redis.port;
    let about = format!("slave r 127.0.0.1 1 @ mymaster 127.0.0.1 {primary}");
    let message = array(&["message", "+selected-slave", &about]);
    subscriber.write_all(message.as_bytes()).unwrap();
    wait_for(|event| matches!(event, Event::Hold { what: "writes", .. }));
    assert!(client.call(&["GET", "k"]).is_ok(), "reads go on");
}

#[test]
fn a_sentinel_that_wants_a_password_is_offered_that_of_the_nodes() {
    let redis = Redis::start_with(&["--requirepass", "one-secret"]);
    let (port, _subscribed) = sentinel(redis.port, true);
    let mut config = config(port);
    let password = Some(Secret::new("one-secret"));
    config.data.credentials = Some(Credentials { username: None, password });
    let client = Client::new(config);
    let (tell, told) = mpsc::channel();
    client.on(move |event| drop(tell.send(event.clone()))).unwrap();
    client.call(&["PING"]).unwrap();
    let warning = loop {
        if let Event::Warning { message } = told.recv_timeout(PATIENCE).expect("a warning") {
            break message;
        }
    };
    assert!(warning.contains("sentinel_password") && !warning.contains("one-secret"), "{warning}");
}
