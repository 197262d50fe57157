//! What the Makefile calls: generates, tests, lints and measures.

mod bench;
mod commands;
mod configuration;
mod generate;
mod lint;
mod stubs;
mod test;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const USAGE: &str = "usage: cargo xtask generate [--check] | test [STAGE…] | lint | bench [PAGE]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["generate"] => generate::generate(false),
        ["generate", "--check"] => generate::generate(true),
        ["test", stages @ ..] => test::test(stages),
        ["lint"] => lint::lint(),
        ["bench", pages @ ..] => bench::bench(pages),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// The top of the tree.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A command line, to be run at the top of the tree.
fn command(line: &[&str]) -> Command {
    let mut command = Command::new(line[0]);
    command.args(&line[1..]).current_dir(root());
    command
}
