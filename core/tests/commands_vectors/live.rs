//! The recorded replies are those of a real server.
//!
//! With `STEADIS_RECORD=1` in the environment they are recorded anew, which rewrites the files.

use crate::support::Redis;
use crate::{Vectors, canonical, command, encode};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use steadis::proto::encode as wire;
use steadis::proto::read::Frame;
use steadis::proto::reply::Reply;
use steadis::proto::scan::Scanner;

struct Connection(TcpStream);

impl Connection {
    fn open(redis: &Redis, protocol: &str) -> Self {
        let mut connection = Self(redis.connect());
        // A command that is cut short gets no answer: that is a failure, not a wait.
        let limit = Some(std::time::Duration::from_secs(10));
        connection.0.set_read_timeout(limit).expect("a timeout");
        connection.call(&["HELLO", protocol]);
        connection
    }

    fn send(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.0.write_all(bytes).expect("sent");
        let (mut scanner, mut answer, mut chunk) = (Scanner::default(), Vec::new(), [0; 65536]);
        while scanner.scan(&answer).expect("well-formed").is_none() {
            let length = self.0.read(&mut chunk).expect("an answer");
            assert!(length > 0, "the server has hung up");
            answer.extend_from_slice(&chunk[..length]);
        }
        answer
    }

    fn call(&mut self, args: &[&str]) -> Vec<u8> {
        let mut bytes = Vec::new();
        wire::command(&mut bytes, args);
        self.send(&bytes)
    }

    /// What the server answers to a case, on empty data but for what the case sets up.
    fn ask(&mut self, case: &Value) -> Vec<u8> {
        self.call(&["FLUSHALL"]);
        self.call(&["FUNCTION", "FLUSH"]);
        for line in case["setup"].as_array().into_iter().flatten() {
            let args = line.as_array().expect("a command").iter();
            let args: Vec<&str> = args.map(|arg| arg.as_str().expect("text")).collect();
            assert_ne!(self.call(&args)[0], b'-', "{line}");
        }
        let mut bytes = Vec::new();
        encode(command(case), case, &mut bytes).expect("encoded");
        self.send(&bytes)
    }
}

fn value(case: &Value, bytes: &[u8]) -> Value {
    let encoded = encode(command(case), case, &mut Vec::new()).expect("encoded");
    canonical::value(&Reply::shaped(Frame::trusted(bytes), encoded.shape))
}

fn argv(case: &Value) -> Value {
    let mut bytes = Vec::new();
    encode(command(case), case, &mut bytes).expect("encoded");
    canonical::value(&Reply::from_frame(Frame::trusted(&bytes)))
}

#[test]
fn a_server_answers_as_recorded() {
    let redis = Redis::start();
    let record = std::env::var_os("STEADIS_RECORD").is_some();
    let mut second = Connection::open(&redis, "2");
    let mut third = Connection::open(&redis, "3");
    let mut failures = Vec::new();
    for mut file in Vectors::all() {
        for case in &mut file.cases {
            if record && case.get("calls").is_none() {
                case["argv"] = argv(case);
            }
            if case.get("calls").is_some() || case.get("handmade").is_some() {
                if record && case.get("resp2").is_some() {
                    case["value"] = value(case, case["resp3"].as_str().expect("text").as_bytes());
                }
                continue;
            }
            // Times of a millisecond ago can differ from one call to the next, seldom often.
            let (resp2, resp3) = std::iter::repeat_with(|| (second.ask(case), third.ask(case)))
                .take(50)
                .find(|(resp2, resp3)| value(case, resp2) == value(case, resp3))
                .unwrap_or_default();
            if resp2.is_empty() {
                failures.push(format!("{case}: RESP2 and RESP3 differ"));
                continue;
            }
            let now = value(case, &resp3);
            if record {
                case["resp2"] = canonical::text(&resp2);
                case["resp3"] = canonical::text(&resp3);
                case["value"] = now;
            } else {
                let same = match case.get("volatile") {
                    Some(_) => canonical::build(&now) == canonical::build(&case["value"]),
                    None => now == case["value"],
                };
                if !same {
                    failures.push(format!("{case}\n    {now}"));
                }
            }
        }
        if record {
            let lines: Vec<String> = file.cases.iter().map(|case| format!("  {case}")).collect();
            std::fs::write(&file.path, format!("[\n{}\n]\n", lines.join(",\n"))).expect("written");
        }
    }
    assert!(failures.is_empty(), "{}:\n{}", failures.len(), failures.join("\n"));
}
