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

/// A language with a binding. Each script is there or not, knows nothing of the others, and ends
/// with an exit status; `test` prints "N passed, N failed" as well.
struct Language {
    name: &'static str,
    test: &'static [&'static str],
    lint: &'static [&'static str],
    bench: &'static [&'static str],
}

const LANGUAGES: &[Language] = &[
    Language {
        name: "c",
        test: &["bindings/c/test"],
        lint: &["bindings/c/lint"],
        bench: &["bench/c/run"],
    },
    Language {
        name: "python",
        test: &["bindings/python/test"],
        lint: &["bindings/python/lint"],
        bench: &["bench/python/run"],
    },
    Language {
        name: "nodejs",
        test: &["bindings/nodejs/test"],
        lint: &["bindings/nodejs/lint"],
        bench: &["bench/nodejs/run"],
    },
    Language {
        name: "ruby",
        test: &["bindings/ruby/test"],
        lint: &["bindings/ruby/lint"],
        bench: &["bench/ruby/run"],
    },
];

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
