//! What the driver asks for, and the commands that it comes to.

use serde_json::Value as Json;
use std::time::Duration;

/// The workloads of the blocking client, and those of the client for tasks.
pub(crate) const ALL: &[&str] = &[
    "increments",
    "reads",
    "pipelines",
    "transactions",
    "scripts",
    "blocking",
    "streams",
    "watch",
    "pubsub",
    "fork",
];
pub(crate) const TASKS: &[&str] = ALL.split_at(ALL.len() - 1).0;

/// How long a worker waits for its partner before it looks whether to stop.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

/// The driver's first line.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) workload: String,
    pub(crate) workers: u64,
    think: Duration,
    /// The rounds of a forked child.
    pub(crate) child_rounds: u64,
    batch: u64,
    prefix: String,
}

/// One operation, or a batch of them.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) op: &'static str,
    pub(crate) key: String,
    pub(crate) call: Call,
}

#[derive(Debug)]
pub(crate) enum Call {
    Command(Vec<String>),
    Pipeline(Vec<Vec<String>>),
    Transaction(Vec<Vec<String>>),
    /// Adds one to this key, which nobody else may change meanwhile.
    Watch(String),
    /// Adds one to each of these keys, by a script.
    Script([String; 2]),
    /// Waits for the next message of this channel.
    Listen(String),
    /// Waits for the next entry of this stream.
    Read(String),
}

pub(crate) const SCRIPT: &str = "return {redis.call('INCR', KEYS[1]), redis.call('INCR', KEYS[2])}";

impl Order {
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let order: Json = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let text = |key: &str| order[key].as_str().map(str::to_owned).ok_or(format!("no {key}"));
        let number = |key: &str| order[key].as_u64().ok_or(format!("no {key}"));
        Ok(Self {
            workload: text("workload")?,
            workers: number("workers")?,
            think: Duration::from_millis(number("think_ms")?),
            child_rounds: number("child_rounds")?,
            batch: number("batch")?,
            prefix: text("prefix")?,
        })
    }

    /// How long a worker sleeps between two rounds. Who waits for a partner has no need of it.
    pub(crate) fn pause(&self, worker: u64) -> Duration {
        let pairs = ["blocking", "streams", "pubsub"].contains(&self.workload.as_str());
        let waits = pairs && worker.is_multiple_of(2);
        if waits { Duration::ZERO } else { self.think }
    }

    /// What the worker of this number does in its round of this number, which begins at one.
    pub(crate) fn round(&self, worker: u64, round: u64) -> Vec<Step> {
        // Workers 6 and 7 share what is called 7: one takes or hears what the other gives.
        let (gives, shared) = (worker % 2 == 1, format!("{}n{}:shared", self.prefix, worker | 1));
        let number = round.to_string();
        let key = format!("{}n{worker}", self.prefix);
        let command = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        let (a, b) = (format!("{key}:a"), format!("{key}:b"));
        let incr = |key: &str| command(&["INCR", key]);
        let get = Call::Command(command(&["GET", &key]));
        let step = |op, call| Step { op, key: key.clone(), call };
        match self.workload.as_str() {
            "reads" => vec![step("get", get)],
            "pipelines" => {
                let batch = (0..self.batch).map(|_| incr(&key)).collect();
                vec![step("incr", Call::Pipeline(batch))]
            }
            "transactions" => vec![step("multi", Call::Transaction(vec![incr(&a), incr(&b)]))],
            "scripts" => vec![step("eval", Call::Script([a, b]))],
            "blocking" if gives => {
                vec![step("push", Call::Command(command(&["RPUSH", &shared, &number])))]
            }
            "blocking" => vec![step("pop", Call::Command(command(&["BLPOP", &shared, "1"])))],
            "streams" if gives => {
                vec![step("add", Call::Command(command(&["XADD", &shared, "*", "n", &number])))]
            }
            "streams" => vec![step("entry", Call::Read(shared))],
            "pubsub" if gives => {
                vec![step("publish", Call::Command(command(&["PUBLISH", &shared, &number])))]
            }
            "pubsub" => vec![step("message", Call::Listen(shared))],
            "watch" => vec![step("watch", Call::Watch(key.clone()))],
            _ => vec![step("incr", Call::Command(incr(&key))), step("get", get)],
        }
    }
}
