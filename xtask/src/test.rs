//! Runs every test there is, and ends with one count.

use crate::{LANGUAGES, Language, command, root};
use std::io::{BufRead, BufReader};
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

/// A part of the suite, in the order of their cost.
#[derive(Clone, Copy)]
struct Stage {
    name: &'static str,
    what: &'static str,
    line: &'static [&'static str],
}

const STAGES: &[Stage; 4] = &[
    Stage {
        name: "rust",
        what: "core and program: units, properties, vectors, real servers",
        line: &["cargo", "test", "--locked", "--workspace", "--no-fail-fast"],
    },
    Stage {
        name: "scenarios",
        what: "failovers of every kind against real servers, and the promises",
        line: &[
            "cargo",
            "run",
            "--quiet",
            "--locked",
            "--package",
            "steadis-scenarios",
            "--",
            "run",
            "all",
        ],
    },
    Stage {
        name: "schedules",
        what: "the hand-over of the lead under thousands of thread schedules",
        line: &[
            "cargo",
            "test",
            "--locked",
            "--package",
            "steadis",
            "--features",
            "model",
            "--test",
            "handover",
        ],
    },
    Stage {
        name: "fuzz",
        what: "thirty seconds for each fuzz target",
        line: &["fuzz/run", "all", "30"],
    },
];

#[derive(Default, Clone, Copy)]
struct Count {
    passed: u64,
    failed: u64,
}

/// What one stage came to.
struct Outcome {
    name: &'static str,
    count: Count,
    took: Duration,
    well: bool,
}

/// All stages, or those named.
pub(crate) fn test(wanted: &[&str]) -> ExitCode {
    let stages = stages();
    if let Some(unknown) = wanted.iter().find(|name| !stages.iter().any(|it| it.name == **name)) {
        let names: Vec<&str> = stages.iter().map(|stage| stage.name).collect();
        eprintln!("there is no stage {unknown:?}; there are {}", names.join(", "));
        return ExitCode::from(2);
    }
    let chosen = stages.iter().filter(|stage| wanted.is_empty() || wanted.contains(&stage.name));
    let outcomes: Vec<Outcome> = chosen.map(run).collect();
    println!();
    let mut all = Count::default();
    for Outcome { name, count, took, well } in &outcomes {
        let mark = if *well { "ok" } else { "FAILED" };
        let seconds = took.as_secs_f64();
        println!(
            "{name:<12} {:>5} passed {:>3} failed {seconds:>6.1} s  {mark}",
            count.passed, count.failed
        );
        all.passed += count.passed;
        // A stage that could not run to its end has failed, whatever it has counted.
        all.failed += if *well { count.failed } else { count.failed.max(1) };
    }
    println!("{} passed, {} failed", all.passed, all.failed);
    if all.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Rust first, then each language that has tests of its own, then what takes long.
fn stages() -> Vec<Stage> {
    let [rust, rest @ ..] = STAGES;
    let languages = LANGUAGES.iter().filter(|language| root().join(language.test[0]).exists());
    let language = |it: &Language| Stage { name: it.name, what: "its own tests", line: it.test };
    std::iter::once(*rust).chain(languages.map(language)).chain(rest.iter().copied()).collect()
}

fn run(stage: &Stage) -> Outcome {
    println!("\n── {}: {}", stage.name, stage.what);
    let began = Instant::now();
    let mut count = Count::default();
    let well = match command(stage.line).stdout(Stdio::piped()).spawn() {
        Ok(mut process) => {
            let output = process.stdout.take();
            for line in output.into_iter().flat_map(|output| BufReader::new(output).split(b'\n')) {
                let Ok(line) = line else { break };
                let line = String::from_utf8_lossy(&line);
                println!("{line}");
                if let Some(found) = read(&line) {
                    count.passed += found.passed;
                    count.failed += found.failed;
                }
            }
            process.wait().is_ok_and(|status| status.success())
        }
        Err(error) => {
            eprintln!("{} cannot be run: {error}", stage.line[0]);
            false
        }
    };
    Outcome { name: stage.name, count, took: began.elapsed(), well }
}

/// The counts in a closing line: cargo's, or the plain "N passed, N failed".
fn read(line: &str) -> Option<Count> {
    let (counts, between) = match line.strip_prefix("test result: ") {
        Some(rest) => (rest.split_once(". ")?.1, " passed; "),
        None => (line, " passed, "),
    };
    let (passed, rest) = counts.split_once(between)?;
    let (failed, rest) = rest.split_once(" failed")?;
    // Test programs have closing lines of their own, which say the same in other words.
    let is_all = rest.is_empty() || rest.starts_with(';');
    is_all.then_some(Count { passed: passed.parse().ok()?, failed: failed.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_counted_and_others_are_not() {
        let read = |line| read(line).map(|count| (count.passed, count.failed));
        let cargo = "test result: ok. 13 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(read(cargo), Some((13, 2)));
        assert_eq!(read("251 passed, 0 failed"), Some((251, 0)));
        assert_eq!(read("running 13 tests"), None);
        assert_eq!(read("1 passed"), None);
        assert_eq!(read("3 failed, 694 passed in 494.95s (0:08:14)"), None);
        assert_eq!(read("694 passed, 3 failed in 494.95s"), None);
    }
}
