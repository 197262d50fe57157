//! The worker programs of this tree, one for each kind of client.

use crate::{Fault, root};
use std::process::Command;

/// A client that can be put to work.
pub(crate) struct Worker {
    /// What tables call it.
    pub(crate) name: &'static str,
    /// Makes the program; run once, at the top of the tree.
    build: &'static [&'static str],
    /// Starts it.
    command: &'static [&'static str],
    /// It plays every scenario; the others play the core ones.
    pub(crate) plays_all: bool,
    /// It has a line in the demonstration.
    pub(crate) demonstrated: bool,
}

/// The first one that plays all is the one that a scenario is tried with while it is written.
pub(crate) const ALL: &[Worker] = &[
    Worker {
        name: "rust",
        build: BUILD_RUST,
        command: &["target/PROFILE/scenario-worker", "--mode", "blocking"],
        plays_all: true,
        demonstrated: true,
    },
    Worker {
        name: "rust-tokio",
        build: BUILD_RUST,
        command: &["target/PROFILE/scenario-worker", "--mode", "tokio"],
        plays_all: true,
        demonstrated: false,
    },
    Worker {
        name: "nodejs",
        build: &["node", "bindings/nodejs/build.mjs", "--dev"],
        command: &["node", "tests/runners/nodejs/worker.mjs"],
        plays_all: true,
        demonstrated: true,
    },
    Worker {
        name: "c",
        build: &["tests/runners/c/build", "CARGO-PROFILE"],
        command: &["target/c/PROFILE/scenario-worker"],
        plays_all: true,
        demonstrated: true,
    },
    Worker {
        name: "c-evented",
        build: &["tests/runners/c/build", "CARGO-PROFILE"],
        command: &["target/c/PROFILE/scenario-worker", "--evented"],
        plays_all: false,
        demonstrated: false,
    },
    Worker {
        name: "python",
        build: BUILD_PYTHON,
        command: &["python3", "tests/runners/python/worker.py"],
        plays_all: true,
        demonstrated: true,
    },
    Worker {
        name: "python-asyncio",
        build: BUILD_PYTHON,
        command: &["python3", "tests/runners/python/worker.py", "--mode", "asyncio"],
        plays_all: true,
        demonstrated: false,
    },
    Worker {
        name: "ruby",
        build: BUILD_RUBY,
        command: &["ruby", "tests/runners/ruby/worker.rb"],
        plays_all: true,
        demonstrated: true,
    },
];

const BUILD_PYTHON: &[&str] = &["bindings/python/build"];

const BUILD_RUBY: &[&str] = &["bindings/ruby/build"];

const BUILD_RUST: &[&str] = &[
    "cargo",
    "build",
    "--locked",
    "--quiet",
    "--profile",
    "CARGO-PROFILE",
    "--package",
    "steadis-scenario-worker",
];

impl Worker {
    /// Its command line, after it was built.
    pub(crate) fn make(&self) -> Result<Vec<String>, Fault> {
        let line = self.build.iter().map(|word| fill(word)).collect::<Vec<_>>();
        let built = Command::new(&line[0]).args(&line[1..]).current_dir(root()).status();
        match built {
            Ok(status) if status.success() => {
                Ok(self.command.iter().map(|word| fill(word)).collect())
            }
            Ok(status) => Err(format!("{} ended with {status}", line.join(" "))),
            Err(error) => Err(format!("{} cannot be run: {error}", line[0])),
        }
    }
}

/// The Rust worker is built as this program is.
fn fill(word: &str) -> String {
    let (folder, profile) =
        if cfg!(debug_assertions) { ("debug", "dev") } else { ("release", "release") };
    word.replace("CARGO-PROFILE", profile).replace("PROFILE", folder)
}
