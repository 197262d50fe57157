//! One scenario, from the start of its lab to the truth on its servers.

use crate::Fault;
use crate::operation::Operation;
use crate::scenario::{Deed, Scenario, Step};
use crate::variables::Variables;
use crate::worker::{Log, Worker};
use redis::Value;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use steadis_cli::lab::{Event, Lab, Request, now};

/// How long a step may be waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came of it, to be judged.
#[derive(Debug, Default)]
pub(crate) struct Played {
    pub(crate) operations: Vec<Operation>,
    pub(crate) promoted: Vec<u64>,
    /// Promotions after the Sentinels had called the primary down: no planned failover is one.
    pub(crate) replaced_as_down: u64,
    /// How long this process was kept from running at most, where it wanted to.
    pub(crate) lag: Duration,
    /// What the primary holds in the end.
    pub(crate) truth: BTreeMap<String, i64>,
    /// The logs of worker and lab, line by line.
    pub(crate) log: Vec<String>,
    /// What its steps came to.
    pub(crate) variables: Variables,
    /// Why it could not be played to its end.
    pub(crate) fault: Option<Fault>,
    /// The worker cannot do this.
    pub(crate) skipped: bool,
}

struct Stage<'a> {
    scenario: &'a Scenario,
    command: &'a [String],
    lab: &'a Lab,
    variables: Variables,
    worker: Option<Worker>,
    started: bool,
}

/// Plays the scenario with the worker that this command starts.
pub(crate) async fn play(scenario: &Scenario, command: &[String]) -> Result<Played, Fault> {
    let lab = Lab::start(scenario.options()?).await.map_err(|error| error.to_string())?;
    let mut events = lab.events().reader();
    let environment = lab.environment();
    let environment = environment.variables().map(|(name, value)| (name.to_owned(), value.into()));
    let mut variables = Variables::default();
    variables.set("env", Json::Object(environment.collect()));
    let status = lab.status();
    let nodes = status.nodes.into_iter().map(|node| node.server);
    for server in nodes.chain(status.sentinels) {
        variables.set(&server.name, json!({ "port": server.announced.port() }));
    }
    let mut stage = Stage { scenario, command, lab: &lab, variables, worker: None, started: false };
    let mut lag = Duration::ZERO;
    let fault = tokio::select! {
        done = stage.run() => done.err(),
        () = measure(&mut lag) => None,
    };
    let mut played = Played { fault, lag, ..Played::default() };
    if let Some(worker) = stage.worker {
        let log = Arc::clone(worker.log());
        played.skipped = !worker.can(&scenario.workload.name);
        let stopped = worker.stop(scenario.longest_call()).await;
        played.fault = played.fault.or(stopped.err());
        played.take_log(&log);
        let node = scenario.expect.truth.as_deref().unwrap_or("primary");
        match truth(&lab, node, &played.operations).await {
            Ok(truth) => played.truth = truth,
            Err(fault) => played.fault = played.fault.or(Some(fault)),
        }
    }
    played.variables = stage.variables;
    played.take_events(std::iter::from_fn(|| events.take()));
    Ok(played)
}

impl Played {
    fn take_log(&mut self, log: &Log) {
        let mut lines = log.lines();
        self.operations = std::mem::take(&mut lines.operations);
        self.log = std::mem::take(&mut lines.raw);
    }

    fn take_events(&mut self, events: impl Iterator<Item = Event>) {
        let mut called_down = false;
        for event in events {
            called_down |= event.event == "+odown";
            if event.event == "promoted" {
                self.promoted.push(event.at);
                self.replaced_as_down += u64::from(std::mem::take(&mut called_down));
            }
            self.log.push(json!({ "lab": event }).to_string());
        }
    }
}

impl Stage<'_> {
    async fn run(&mut self) -> Result<(), Fault> {
        for (index, step) in self.scenario.steps.iter().enumerate() {
            let done = self.step(step).await;
            done.map_err(|fault| format!("step {}: {fault}", index + 1))?;
            if self.worker.as_ref().is_some_and(|it| !it.can(&self.scenario.workload.name)) {
                return Ok(());
            }
        }
        match self.started {
            true => Ok(()),
            false => Err("no step starts the worker".into()),
        }
    }

    async fn step(&mut self, step: &Step) -> Result<(), Fault> {
        let workers = self.scenario.workload.workers;
        match step {
            Step::Worker { worker } => self.command(*worker).await,
            Step::Lab(verb) => self.lab(verb).await,
            Step::Pause { pause_ms } => {
                tokio::time::sleep(Duration::from_millis(*pause_ms)).await;
                Ok(())
            }
            Step::Acknowledged { acknowledged, of } => {
                let since = now();
                let log = self.log()?;
                let wanted = if *of == crate::scenario::Who::Children { 1 } else { workers };
                let at_work = || log.lines().at_work(since, *acknowledged, *of);
                let missing = || format!("{} of {wanted} got {acknowledged} answers", at_work());
                let enough = |lines: &crate::worker::Lines| {
                    lines.at_work(since, *acknowledged, *of) >= wanted
                };
                log.wait(enough, PATIENCE, missing).await
            }
            Step::Failed { failed, by } => {
                let missing = || format!("too few operations failed as {failed}");
                self.log()?.wait(|lines| lines.failed_as(failed) >= *by, PATIENCE, missing).await
            }
            Step::Event { event } => {
                let missing = || format!("it told of no {event}");
                self.log()?.wait(|lines| lines.told(event), PATIENCE, missing).await
            }
        }
    }

    fn log(&self) -> Result<&Arc<Log>, Fault> {
        self.worker.as_ref().map(Worker::log).ok_or_else(|| "no step has started the worker".into())
    }

    async fn command(&mut self, deed: Deed) -> Result<(), Fault> {
        let worker = match &mut self.worker {
            Some(worker) => worker,
            None => {
                let environment = self.environment()?;
                self.worker.insert(Worker::spawn(self.command, &environment).await?)
            }
        };
        match deed {
            Deed::Spawn => Ok(()),
            Deed::Start => {
                self.started = true;
                worker.send(&self.scenario.workload.order("")).await
            }
            Deed::Fork => worker.send(&json!({ "do": "fork" })).await,
        }
    }

    /// The lab's variables, as the scenario changes them.
    fn environment(&self) -> Result<Vec<(String, String)>, Fault> {
        let lab = self.lab.environment();
        let changed = &self.scenario.environment;
        let kept = lab.variables().filter(|(name, _)| !changed.contains_key(*name));
        let mut variables: Vec<(String, String)> =
            kept.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        for (name, value) in changed {
            if let Some(value) = value {
                variables.push((name.clone(), self.variables.text(value)?));
            }
        }
        Ok(variables)
    }

    async fn lab(&mut self, verb: &Map<String, Json>) -> Result<(), Fault> {
        let at = now();
        let mut verb = verb.clone();
        let name = verb.remove("as");
        let filled = self.variables.fill(&Json::Object(verb))?;
        let request = Request::parse(filled).map_err(|error| error.to_string())?;
        let mut result = request.run(self.lab).await.map_err(|error| error.to_string())?;
        if let (Some(name), Some(fields)) =
            (name.as_ref().and_then(Json::as_str), result.as_object_mut())
        {
            let address = fields.get("address").and_then(Json::as_str);
            let port = address.and_then(|address| address.rsplit(':').next()).map(Json::from);
            fields.extend(port.map(|port| ("port".to_owned(), port)));
            fields.entry("at").or_insert(at.into());
            self.variables.set(name, result);
        }
        Ok(())
    }
}

/// Notes how late a short sleep ends at worst.
async fn measure(lag: &mut Duration) {
    const NAP: Duration = Duration::from_millis(5);
    loop {
        let began = Instant::now();
        tokio::time::sleep(NAP).await;
        *lag = began.elapsed().saturating_sub(NAP).max(*lag);
    }
}

/// What this node holds of every key that was written.
pub(crate) async fn truth(
    lab: &Lab,
    node: &str,
    operations: &[Operation],
) -> Result<BTreeMap<String, i64>, Fault> {
    let written = operations.iter().filter(|operation| operation.writes());
    let mut keys: Vec<String> = written.flat_map(Operation::values).map(|(key, _)| key).collect();
    keys.sort();
    keys.dedup();
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let words: Vec<&str> = ["MGET"].into_iter().chain(keys.iter().map(String::as_str)).collect();
    let reply = lab.call(node, &words, PATIENCE).await.map_err(|error| error.to_string())?;
    let values: Vec<Option<i64>> = match reply {
        Value::Array(_) => redis::from_redis_value(reply).map_err(|error| error.to_string())?,
        other => return Err(format!("the primary answered MGET with {other:?}")),
    };
    Ok(keys.into_iter().zip(values.into_iter().map(Option::unwrap_or_default)).collect())
}
