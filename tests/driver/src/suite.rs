//! Many scenarios, a few at a time, each in a process of its own.

use crate::Fault;
use crate::check::{Terms, Verdict, check};
use crate::play::play;
use crate::scenario::{Scenario, files};
use crate::table::{errors, seconds, table};
use crate::workers;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a run that proves nothing is repeated.
const AGAIN: usize = 3;
/// No scenario takes longer, waits in vain included.
const LONGEST: Duration = Duration::from_secs(150);

#[derive(clap::Args)]
pub(crate) struct Run {
    /// Names (planned, kill, …), files, or all
    scenarios: Vec<String>,

    /// The command that starts the worker; by default every worker of this tree
    #[arg(long, value_name = "COMMAND")]
    worker: Option<String>,

    /// Keep what worker and lab said, one file for each scenario; without it only of those that fail
    #[arg(long, value_name = "DIR")]
    keep_log: Option<PathBuf>,

    /// How many at once; by default two for each processor, for they wait more than they work
    #[arg(long)]
    jobs: Option<usize>,
}

#[derive(clap::Args)]
pub(crate) struct Play {
    file: PathBuf,
    #[arg(long)]
    worker: String,
    #[arg(long)]
    log: Option<PathBuf>,
}

/// One scenario with one worker.
struct Job {
    file: PathBuf,
    story: String,
    worker: String,
    command: String,
}

/// What came of it.
struct Outcome {
    name: String,
    story: String,
    verdict: Verdict,
    took: Duration,
}

impl Run {
    pub(crate) fn run(&self) -> Result<bool, Fault> {
        let jobs = Mutex::new(self.jobs()?);
        let done = Mutex::new(Vec::new());
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let began = Instant::now();
        std::thread::scope(|threads| {
            for _ in 0..self.jobs.unwrap_or(cores * 2).max(1) {
                threads.spawn(|| {
                    let next = || lock(&jobs).pop_front();
                    while let Some(job) = next() {
                        let outcome = job.run(self.keep_log.as_deref());
                        outcome.print();
                        lock(&done).push(outcome);
                    }
                });
            }
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by(|a, b| a.name.cmp(&b.name));
        println!("\n{}", table(&rows(&done)));
        let failed = done.iter().filter(|it| !it.verdict.broken.is_empty()).count();
        let skipped = done.iter().filter(|it| it.verdict.skipped).count();
        if skipped > 0 {
            println!("{skipped} skipped: the worker does not know the workload");
        }
        println!("{} scenarios in {}", done.len(), seconds(began.elapsed()));
        println!("{} passed, {failed} failed", done.len() - failed - skipped);
        Ok(failed == 0)
    }

    fn jobs(&self) -> Result<VecDeque<Job>, Fault> {
        let workers: Vec<(String, String, bool)> = match &self.worker {
            Some(command) => vec![("worker".to_owned(), command.clone(), true)],
            None => {
                let made = workers::ALL.iter().map(|worker| {
                    Ok((worker.name.to_owned(), worker.make()?.join(" "), worker.plays_all))
                });
                made.collect::<Result<_, Fault>>()?
            }
        };
        let mut jobs = VecDeque::new();
        for file in files(&self.scenarios)? {
            let scenario = Scenario::read(&file)?;
            for (worker, command, plays_all) in &workers {
                if *plays_all || scenario.core {
                    let (worker, command) = (worker.clone(), command.clone());
                    let (file, story) = (file.clone(), scenario.story.clone());
                    jobs.push_back(Job { file, story, worker, command });
                }
            }
        }
        Ok(jobs)
    }
}

impl Job {
    fn run(&self, keep_log: Option<&Path>) -> Outcome {
        let began = Instant::now();
        let stem = self.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = format!("{stem} ({})", self.worker);
        let folder = keep_log.map_or_else(|| crate::root().join("target/scenarios"), PathBuf::from);
        let log = folder.join(format!("{stem}.{}.jsonl", self.worker));
        let play = || {
            self.verdict(&log)
                .unwrap_or_else(|fault| Verdict { broken: vec![fault], ..Verdict::default() })
        };
        let mut verdict = play();
        for _ in 0..AGAIN {
            let Some(lag) = verdict.too_busy else { break };
            println!("again   {name}: nobody could run for {}", seconds(lag));
            verdict = play();
        }
        if keep_log.is_none() && verdict.broken.is_empty() {
            // It may never have been written.
            let _ = std::fs::remove_file(&log);
        }
        Outcome { name, story: self.story.clone(), verdict, took: began.elapsed() }
    }

    fn verdict(&self, log: &Path) -> Result<Verdict, Fault> {
        // This very program, even if another has been built in its place meanwhile.
        let mut command = Command::new("/proc/self/exe");
        command.arg("play").arg(&self.file).arg("--worker").arg(&self.command);
        command.arg("--log").arg(log).stdin(Stdio::null()).stderr(Stdio::inherit());
        let output = command.output().map_err(|error| format!("cannot be played: {error}"))?;
        serde_json::from_slice(&output.stdout)
            .map_err(|_| format!("the driver ended with {} and no verdict", output.status))
    }
}

impl Outcome {
    fn mark(&self) -> &'static str {
        match (self.verdict.broken.is_empty(), self.verdict.skipped) {
            (false, _) => "FAILED",
            (true, true) => "skipped",
            (true, false) => "ok",
        }
    }

    fn print(&self) {
        println!("{:<7} {} in {}", self.mark(), self.name, seconds(self.took));
        if !self.verdict.broken.is_empty() {
            println!("        {}", self.story);
        }
        for fault in &self.verdict.broken {
            println!("        {fault}");
        }
    }
}

fn rows(outcomes: &[Outcome]) -> Vec<Vec<String>> {
    let head = ["", "acknowledged", "lost", "twice", "pause", "to first answer", "errors", ""];
    let row = |it: &Outcome| {
        let verdict = &it.verdict;
        vec![
            it.name.clone(),
            verdict.acknowledged.to_string(),
            verdict.lost.to_string(),
            verdict.twice.to_string(),
            seconds(verdict.longest_pause),
            verdict.to_first_answer.map_or_else(|| "–".into(), seconds),
            errors(&verdict.errors),
            it.mark().to_owned(),
        ]
    };
    [head.map(str::to_owned).to_vec()].into_iter().chain(outcomes.iter().map(row)).collect()
}

impl Play {
    pub(crate) fn run(&self) -> Result<bool, Fault> {
        let scenario = Scenario::read(&self.file)?;
        let command: Vec<String> = self.worker.split_whitespace().map(str::to_owned).collect();
        if command.is_empty() {
            return Err("--worker is empty; write the command that starts the worker".into());
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let played = runtime.block_on(async {
            tokio::time::timeout(LONGEST, play(&scenario, &command))
                .await
                .unwrap_or_else(|_| Err(format!("it was not over after {} s", LONGEST.as_secs())))
        });
        let verdict = match played {
            Ok(played) => {
                self.keep(&played.log)?;
                check(&played, &Terms::of(&scenario, &played.variables))
            }
            Err(fault) => Verdict { broken: vec![fault], ..Verdict::default() },
        };
        println!("{}", serde_json::to_string(&verdict).map_err(|error| error.to_string())?);
        Ok(verdict.broken.is_empty())
    }

    fn keep(&self, lines: &[String]) -> Result<(), Fault> {
        let Some(path) = &self.log else { return Ok(()) };
        let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        folder
            .and_then(|()| std::fs::write(path, lines.join("\n") + "\n"))
            .map_err(|error| format!("{} cannot be written: {error}", path.display()))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
