//! `steadis lab serve`: one JSON request per line on stdin, one JSON answer or event per line on stdout.

use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt, BufReader, stdin};
use tokio::task::JoinSet;

use super::clock;
use super::deployment::Lab;
use super::error::{Doing, Error, Result};
use super::options::Options;
use super::request::Request;
use super::signals::Signals;

/// Serves until stdin is closed or a signal comes.
pub(crate) async fn serve(options: Options) -> Result<()> {
    let mut signals = Signals::new()?;
    let lab = tokio::select! {
        lab = Lab::start(options) => Arc::new(lab?),
        _ = signals.next() => return Ok(()),
    };
    let mut events = lab.events().reader();
    let ready = json!({
        "event": "ready", "at": clock::now(), "name": "lab",
        "environment": lab.environment().json(), "status": lab.status(),
    });
    let out = printer();
    if out.send(ready).is_err() {
        return Ok(());
    }
    let mut requests = BufReader::new(stdin()).lines();
    let mut answers = JoinSet::new();
    loop {
        let line = tokio::select! {
            biased;
            event = events.next() => serde_json::to_value(event).doing("write an event")?,
            Some(answer) = answers.join_next() => answer.doing("answer")?,
            request = requests.next_line() => match request.doing("read stdin")? {
                Some(line) => {
                    // Each runs on its own, so that one can be made while another waits.
                    answers.spawn(answer(line, lab.clone()));
                    continue;
                }
                None => return Ok(()),
            },
            _ = signals.next() => return Ok(()),
        };
        if out.send(line).is_err() {
            return Ok(());
        }
    }
}

/// Prints lines on a thread of its own: a runner that does not read must not hold up the lab.
/// Sending fails when nobody reads any more.
fn printer() -> Sender<Json> {
    let (lines, to_print) = channel::<Json>();
    std::thread::spawn(move || {
        let mut out = std::io::stdout().lock();
        for line in to_print {
            if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
                return;
            }
        }
    });
    lines
}

/// Its time stamp is that of the beginning, so that whatever the request causes comes later.
async fn answer(line: String, lab: Arc<Lab>) -> Json {
    let at = clock::now();
    let (id, request) = take_id(&line);
    let result = match request.and_then(Request::parse) {
        Ok(request) => request.run(&lab).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(result) => json!({ "id": id, "at": at, "result": result }),
        Err(error) => json!({ "id": id, "at": at, "error": error.to_string() }),
    }
}

/// The request without its id, and the id, which is null if there is none.
fn take_id(line: &str) -> (Json, Result<Json>) {
    match serde_json::from_str(line) {
        Ok(Json::Object(mut request)) => {
            let id = request.remove("id").unwrap_or_default();
            (id, Ok(Json::Object(request)))
        }
        Ok(_) => (
            Json::Null,
            Err(Error::new(
                "a request is a JSON object, for example {\"id\":1,\"verb\":\"status\"}",
            )),
        ),
        Err(error) => (Json::Null, Err(Error::new(format!("the line is not JSON: {error}")))),
    }
}
