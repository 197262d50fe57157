//! A scenario file: a story, what is done to the lab meanwhile, and how it must end.

use crate::Fault;
use clap::Parser;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use steadis_cli::lab;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// One sentence for the reader.
    pub(crate) story: String,
    /// Options as on the command line of `steadis lab`.
    #[serde(default)]
    lab: String,
    /// It is played with every client of a language, not only with the first.
    #[serde(default)]
    pub(crate) core: bool,
    #[serde(default)]
    pub(crate) workload: Workload,
    /// Variables besides those of the lab; null takes one away.
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, Option<String>>,
    pub(crate) steps: Vec<Step>,
    #[serde(default)]
    pub(crate) expect: Expect,
}

/// What the worker is told to do.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Workload {
    #[serde(rename = "is")]
    pub(crate) name: String,
    pub(crate) workers: u64,
    pub(crate) think_ms: u64,
    /// Commands of one pipeline.
    pub(crate) batch: u64,
    /// Rounds of a forked child.
    pub(crate) child_rounds: u64,
}

impl Default for Workload {
    fn default() -> Self {
        Self { name: "increments".into(), workers: 8, think_ms: 10, batch: 10, child_rounds: 250 }
    }
}

impl Workload {
    /// The driver's first line to a worker.
    pub(crate) fn order(&self, prefix: &str) -> Json {
        let Self { name, workers, think_ms, batch, child_rounds } = self;
        json!({
            "workload": name, "workers": workers, "think_ms": think_ms, "batch": batch,
            "child_rounds": child_rounds, "prefix": prefix,
        })
    }

    /// Writes that one worker has in flight at once.
    pub(crate) fn in_flight(&self) -> u64 {
        if self.name == "pipelines" { self.batch } else { 1 }
    }
}

/// One line of a scenario.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Step {
    Worker {
        worker: Deed,
    },
    /// Waits until every worker has so many more operations acknowledged.
    Acknowledged {
        acknowledged: usize,
        #[serde(default)]
        of: Who,
    },
    /// Waits until so many workers have had an operation that failed in this way.
    Failed {
        failed: String,
        #[serde(default = "one")]
        by: u64,
    },
    /// Waits until the client has told of such an event.
    Event {
        event: String,
    },
    /// The story's own time.
    Pause {
        pause_ms: u64,
    },
    /// A verb of the lab; `as` gives its result a name.
    Lab(Map<String, Json>),
}

fn one() -> u64 {
    1
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Deed {
    /// Starts the program; it touches nothing yet.
    Spawn,
    /// Sends the order.
    Start,
    Fork,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Who {
    #[default]
    Workers,
    Children,
}

/// How it must end.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Expect {
    /// How often a primary crashes or freezes. Each time Redis itself may lose what it acknowledged
    /// last; after that, nothing more.
    pub(crate) crashes: u64,
    /// Kinds of error that may occur, and how often at most for each write in flight.
    pub(crate) may_fail: BTreeMap<String, u64>,
    /// A kind of error that must occur, and what it has to say.
    pub(crate) must_fail: Option<Failure>,
    /// The node that holds the truth in the end; the one promoted last unless named.
    pub(crate) truth: Option<String>,
}

impl Expect {
    /// The same where Sentinels have replaced so many primaries that they took for down: on a busy
    /// machine that is not only what the story does.
    pub(crate) fn with_crashes(&self, crashes: u64) -> Self {
        let mut expect = self.clone();
        let more = crashes.saturating_sub(self.crashes);
        if more > 0 {
            expect.crashes += more;
            *expect.may_fail.entry("MaybeExecuted".to_owned()).or_default() += more;
        }
        expect
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Failure {
    pub(crate) kind: String,
    pub(crate) says: Vec<String>,
}

impl Scenario {
    pub(crate) fn read(path: &Path) -> Result<Self, Fault> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        serde_json::from_str(&text)
            .map_err(|error| format!("{} is not understood: {error}", path.display()))
    }

    /// The lab it is played in.
    pub(crate) fn options(&self) -> Result<lab::Options, Fault> {
        #[derive(Parser)]
        struct Line {
            #[command(flatten)]
            options: lab::Options,
        }
        let words = ["lab"].into_iter().chain(self.lab.split_whitespace());
        let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
        Ok(line.options)
    }

    /// How long a call may take at the very most, by the client's own settings.
    pub(crate) fn longest_call(&self) -> Duration {
        let span = |variable: &str, default: u64| {
            let text = self.environment.get(variable).and_then(Option::as_deref);
            let seconds = text.and_then(|text| text.strip_suffix('s')?.parse().ok());
            Duration::from_secs(seconds.unwrap_or(default))
        };
        span("REDIS_FAILOVER_TIMEOUT", 30) + span("REDIS_COMMAND_TIMEOUT", 5)
    }
}

/// The files of these names or paths; `all` is every file there is.
pub(crate) fn files(wanted: &[String]) -> Result<Vec<PathBuf>, Fault> {
    let folder = crate::root().join("tests/scenarios");
    if wanted.is_empty() || wanted.iter().any(|name| name == "all") {
        let entries = std::fs::read_dir(&folder)
            .map_err(|error| format!("{} cannot be read: {error}", folder.display()))?;
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.retain(|path| path.extension().is_some_and(|it| it == "json"));
        files.sort();
        return Ok(files);
    }
    let file = |name: &String| match name.strip_suffix(".json") {
        Some(_) => PathBuf::from(name),
        None => folder.join(name).with_extension("json"),
    };
    Ok(wanted.iter().map(file).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_understood() {
        let files = files(&[]).unwrap();
        assert!(files.len() >= 30, "{} files", files.len());
        for file in files {
            let scenario = Scenario::read(&file).unwrap();
            scenario.options().unwrap();
            assert!(scenario.story.ends_with('.'), "{}: {}", file.display(), scenario.story);
            for step in &scenario.steps {
                if let Step::Lab(verb) = step {
                    assert!(verb.contains_key("verb"), "{}: {verb:?}", file.display());
                }
            }
        }
    }

    /// What each scenario plays: its workload, and the verbs of the lab.
    fn played() -> Vec<(String, Vec<String>)> {
        let read = |file: PathBuf| {
            let scenario = Scenario::read(&file).unwrap();
            let reads = scenario.environment.contains_key("REDIS_READ_FROM");
            let verb = |step: &Step| match step {
                Step::Lab(verb) => verb["verb"].as_str().map(str::to_owned),
                _ => None,
            };
            let workload = if reads { "replica reads" } else { &scenario.workload.name };
            (workload.to_owned(), scenario.steps.iter().filter_map(verb).collect())
        };
        files(&[]).unwrap().into_iter().map(read).collect()
    }

    #[test]
    fn every_kind_of_call_is_played_through_every_kind_of_failover() {
        let played = played();
        let calls = ["pipelines", "transactions", "watch", "scripts", "blocking", "streams"];
        for call in calls.into_iter().chain(["pubsub", "replica reads"]) {
            for way in ["kill", "freeze", "failover"] {
                let shows = |(workload, verbs): &(String, Vec<String>)| {
                    workload == call && verbs.iter().any(|verb| verb == way)
                };
                assert!(played.iter().any(shows), "no scenario of {call} through {way}");
            }
        }
    }
}
