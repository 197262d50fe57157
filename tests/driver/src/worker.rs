//! A worker program at work: orders in, a log of operations out.

use crate::Fault;
use crate::operation::Operation;
use crate::scenario::Who;
use serde_json::{Value as Json, json};
use std::collections::HashMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a program may take to start, and to end.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Worker {
    process: Child,
    orders: ChildStdin,
    log: Arc<Log>,
}

/// What it has printed.
#[derive(Debug)]
pub(crate) struct Log {
    inner: Mutex<Lines>,
    bell: watch::Sender<()>,
}

#[derive(Debug, Default)]
pub(crate) struct Lines {
    pub(crate) operations: Vec<Operation>,
    /// Every line as it came.
    pub(crate) raw: Vec<String>,
    /// What it is ready to do, once it is.
    workloads: Option<Vec<String>>,
    events: Vec<String>,
    done: bool,
    /// Nothing more will come, and why.
    over: Option<Fault>,
}

impl Worker {
    /// Starts the program with these variables and none of ours; it waits for its order then.
    pub(crate) async fn spawn(
        command: &[String],
        environment: &[(String, String)],
    ) -> Result<Self, Fault> {
        let mut line = Command::new(&command[0]);
        line.args(&command[1..]).current_dir(crate::root());
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with("REDIS")) {
                line.env_remove(name);
            }
        }
        let mut process = line
            .envs(environment.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("the worker {} cannot be started: {error}", command[0]))?;
        let (Some(orders), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err("the worker has no stdin or no stdout".into());
        };
        let log = Arc::new(Log { inner: Mutex::default(), bell: watch::Sender::new(()) });
        tokio::spawn(listen(output, Arc::clone(&log)));
        let worker = Self { process, orders, log };
        let ready = |lines: &Lines| lines.workloads.is_some();
        worker.log.wait(ready, PATIENCE, || "it is not ready".into()).await?;
        Ok(worker)
    }

    /// Whether it knows this workload.
    pub(crate) fn can(&self, workload: &str) -> bool {
        let lines = self.log.lines();
        lines.workloads.iter().flatten().any(|known| known == workload)
    }

    pub(crate) fn log(&self) -> &Arc<Log> {
        &self.log
    }

    pub(crate) async fn send(&mut self, order: &Json) -> Result<(), Fault> {
        let line = format!("{order}\n");
        let sent = self.orders.write_all(line.as_bytes()).await;
        sent.map_err(|error| format!("the worker takes no orders: {error}"))
    }

    /// Has it end, and waits for what is still on its way.
    pub(crate) async fn stop(mut self, longest_call: Duration) -> Result<(), Fault> {
        self.send(&json!({ "do": "stop" })).await?;
        let missing = || "it did not come to an end".to_owned();
        self.log.wait(|lines| lines.done, longest_call + PATIENCE, missing).await?;
        drop(self.orders);
        match timeout(PATIENCE, self.process.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(format!("the worker ended with {status}")),
            Ok(Err(error)) => Err(format!("the worker cannot be waited for: {error}")),
            Err(_) => Err("the worker said that it was done, but its process goes on".into()),
        }
    }
}

impl Log {
    pub(crate) fn lines(&self) -> MutexGuard<'_, Lines> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `enough` holds of the log.
    pub(crate) async fn wait(
        &self,
        enough: impl Fn(&Lines) -> bool,
        patience: Duration,
        missing: impl Fn() -> String,
    ) -> Result<(), Fault> {
        let mut bell = self.bell.subscribe();
        let wait = async {
            loop {
                bell.borrow_and_update();
                {
                    let lines = self.lines();
                    if enough(&lines) {
                        return Ok(());
                    }
                    if let Some(why) = &lines.over {
                        return Err(why.clone());
                    }
                }
                // The sender lives in `self`.
                let _ = bell.changed().await;
            }
        };
        match timeout(patience, wait).await {
            Ok(outcome) => outcome,
            Err(_) => Err(format!("waited {} s for the worker: {}", patience.as_secs(), missing())),
        }
    }

    fn take(&self, line: String) {
        let mut lines = self.lines();
        if let Err(why) = lines.take(&line) {
            lines.over = Some(format!("the worker's line {line:?} is not understood: {why}"));
        }
        lines.raw.push(line);
        drop(lines);
        self.bell.send_replace(());
    }
}

impl Lines {
    fn take(&mut self, line: &str) -> Result<(), String> {
        let json: Json = serde_json::from_str(line).map_err(|error| error.to_string())?;
        if let Some(event) = json["event"].as_str() {
            self.events.push(event.to_owned());
        } else if json["done"] == true {
            self.done = true;
        } else if json["ready"] == true {
            let names = json["workloads"].as_array().into_iter().flatten();
            self.workloads = Some(names.filter_map(Json::as_str).map(str::to_owned).collect());
        } else {
            let operation = Operation::deserialize(json).map_err(|error| error.to_string())?;
            self.operations.push(operation);
        }
        Ok(())
    }

    /// How many workers have so many operations acknowledged that began after `since`.
    pub(crate) fn at_work(&self, since: u64, count: usize, who: Who) -> u64 {
        let mut acknowledged: HashMap<&str, usize> = HashMap::new();
        let children = who == Who::Children;
        for operation in &self.operations {
            if operation.acknowledged()
                && operation.start >= since
                && operation.by_child() == children
            {
                *acknowledged.entry(&operation.key).or_default() += 1;
            }
        }
        acknowledged.values().filter(|&&many| many >= count).count() as u64
    }

    pub(crate) fn failed_as(&self, kind: &str) -> bool {
        let kinds = self.operations.iter().filter_map(|operation| operation.error.as_ref());
        kinds.into_iter().any(|failure| failure.kind == kind)
    }

    pub(crate) fn told(&self, event: &str) -> bool {
        self.events.iter().any(|told| told == event)
    }
}

use serde::Deserialize;

async fn listen(output: ChildStdout, log: Arc<Log>) {
    let mut lines = BufReader::new(output).lines();
    let over = loop {
        match lines.next_line().await {
            Ok(Some(line)) => log.take(line),
            Ok(None) => break "the worker has ended".to_owned(),
            Err(error) => break format!("the worker's log cannot be read: {error}"),
        }
    };
    log.lines().over.get_or_insert(over);
    log.bell.send_replace(());
}
