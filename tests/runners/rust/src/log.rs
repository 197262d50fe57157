//! The lines on stdout. Each is one write without any lock, so that a forked child can log too.

use crate::order::Step;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value as Json, json};
use steadis::client::Incoming;
use steadis::proto::reply::Reply;
use steadis::{Error, Event};

/// Nanoseconds of CLOCK_MONOTONIC.
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

pub(crate) fn ready(workloads: &[&str]) {
    print(&json!({ "ready": true, "workloads": workloads }));
}

pub(crate) fn done() {
    print(&json!({ "done": true }));
}

/// The driver knows what the environment is to lead to, so this too is an operation.
pub(crate) fn connect_failed(start: u64, error: &Error) {
    print(
        &json!({ "op": "connect", "key": "", "start": start, "end": now(), "error": failure(error) }),
    );
}

/// One line for each outcome of a step.
pub(crate) fn operation(step: &Step, start: u64, end: u64, outcomes: &[Result<Reply, Error>]) {
    for outcome in outcomes {
        let mut line = json!({ "op": step.op, "key": step.key, "start": start, "end": end });
        match outcome {
            Ok(reply) => line["value"] = value(reply),
            Err(error) => line["error"] = failure(error),
        }
        print(&line);
    }
}

pub(crate) fn event(event: &Event) {
    print(&json!({ "event": event.name(), "at": now(), "says": format!("{event:?}") }));
}

/// What a subscriber got, as the reply that it never was.
pub(crate) fn heard(incoming: Option<Incoming>) -> Reply {
    match incoming {
        None => Reply::Null,
        Some(Incoming::Message { data, .. }) => Reply::Bulk(data),
        Some(Incoming::Gap { .. }) => Reply::Simple(b"gap".into()),
    }
}

fn failure(error: &Error) -> Json {
    json!({ "kind": error.kind().name(), "code": error.code(), "message": error.to_string() })
}

fn value(reply: &Reply) -> Json {
    match reply {
        Reply::List(items) => items.iter().map(value).collect(),
        Reply::Null => Json::Null,
        other => match (other.as_integer(), other.as_str()) {
            (Some(number), _) => number.into(),
            (None, Some(text)) => text.into(),
            (None, None) => format!("{other:?}").into(),
        },
    }
}

fn print(line: &Json) {
    let line = format!("{line}\n");
    // A driver that has gone needs no log.
    let _ = rustix::io::write(rustix::stdio::stdout(), line.as_bytes());
}
