//! Plays the scenarios against a real Sentinel lab, and checks the promises in a log of every operation.
//!
//! | file | what it holds |
//! |---|---|
//! | `scenario` | a scenario file |
//! | `variables` | `${name}` in its steps and environment |
//! | `workers` | the worker programs of this tree |
//! | `worker` | one of them at work, and its log |
//! | `operation` | a line of that log |
//! | `play` | one scenario from start to end |
//! | `count` | what one key may hold, by what its writer was told |
//! | `check` | the promises |
//! | `figures` | what is printed and never judged |
//! | `suite` | many scenarios at once, and the table |
//! | `table` | columns of text |
//! | `demo`, `screen` | a live view for newcomers |

mod check;
mod count;
mod demo;
mod feed;
mod figures;
mod operation;
mod play;
mod queue;
mod scenario;
mod screen;
mod suite;
mod table;
mod variables;
mod worker;
mod workers;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// What went wrong, in a sentence for whoever reads the table.
pub(crate) type Fault = String;

/// Plays the scenarios of tests/scenarios and checks what Steadis promises
#[derive(Parser)]
#[command(name = "scenarios")]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Plays scenarios: files, names, or all
    Run(suite::Run),
    /// Plays one scenario here and prints its verdict as JSON
    #[command(hide = true)]
    Play(suite::Play),
    /// Shows three failovers live
    Demo,
}

fn main() -> ExitCode {
    let outcome = match Program::parse().command {
        Command::Run(run) => run.run(),
        Command::Play(play) => play.run(),
        Command::Demo => demo::run(),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("scenarios: {fault}");
            ExitCode::from(2)
        }
    }
}

/// The top of the tree.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
