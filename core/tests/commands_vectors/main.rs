//! Every case of `tests/vectors/commands`: the same files that each language runs, and the
//! replies among them against a real server.

#[path = "../support/mod.rs"]
mod support;

mod canonical;
mod encoding;
mod live;
mod replies;

use serde_json::Value;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use steadis::command::{self, Arg, Command, Encoded};
use steadis::error::Result;
use steadis::proto::shape::Shape;

/// One file of cases.
struct Vectors {
    path: PathBuf,
    cases: Vec<Value>,
}

impl Vectors {
    fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/commands");
        let mut paths: Vec<PathBuf> = fs::read_dir(folder)
            .expect("vectors")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|it| it == "json"))
            .collect();
        paths.sort();
        let read = |path: PathBuf| {
            let text = fs::read_to_string(&path).expect("a file");
            let cases = serde_json::from_str(&text);
            Self { cases: cases.unwrap_or_else(|error| panic!("{path:?}: {error}")), path }
        };
        paths.into_iter().map(read).collect()
    }
}

fn command(case: &Value) -> &'static Command {
    let name = case["command"].as_str().expect("a command");
    command::all().iter().find(|it| it.name == name).unwrap_or_else(|| panic!("no {name}"))
}

/// Encodes what a case calls: its `args` and `options`.
fn encode(command: &'static Command, call: &Value, out: &mut Vec<u8>) -> Result<Encoded> {
    let args: Vec<Arg<'static>> =
        call["args"].as_array().expect("args").iter().map(canonical::arg).collect();
    let options: Vec<(&str, Arg<'static>)> = match &call["options"] {
        Value::Object(options) => {
            options.iter().map(|(name, value)| (name.as_str(), canonical::arg(value))).collect()
        }
        _ => Vec::new(),
    };
    command.encode(&args, &options, out)
}

/// Runs a check on every case, and tells all that fail.
fn check_all(check: impl Fn(&Value) -> Result<(), String>) -> usize {
    let (mut count, mut failures) = (0, Vec::new());
    for file in Vectors::all() {
        for case in &file.cases {
            count += 1;
            if let Err(why) = check(case) {
                failures.push(format!("{case}\n    {why}"));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {count}:\n{}", failures.len(), failures.join("\n"));
    count
}

#[test]
fn every_command_has_its_vectors() {
    let files = Vectors::all();
    let cases = || files.iter().flat_map(|file| &file.cases);
    let encoded: HashSet<&str> =
        cases().filter(|case| case["argv"].is_array()).map(|case| command(case).name).collect();
    let lacks = |command: &&Command| !encoded.contains(command.name);
    let lacking: Vec<&str> = command::all().iter().filter(lacks).map(|it| it.name).collect();
    assert!(lacking.is_empty(), "no encoding of {lacking:?}");

    let (mut answered, mut shaped) = (HashSet::new(), HashSet::new());
    for case in cases().filter(|case| case["resp2"] != Value::Null) {
        let encoded = encode(command(case), case, &mut Vec::new()).expect("encoded");
        answered.insert(command(case).name);
        shaped.insert((command(case).name, std::ptr::from_ref(encoded.shape)));
    }
    let mut lacking = Vec::new();
    for command in command::all() {
        // What has no reply of a known kind is handed through, whatever it is.
        if command.reply.name != "-" && !answered.contains(command.name) {
            lacking.push(command.name.to_owned());
        }
        let replies = command.replies.iter().map(|(_, reply)| reply).chain([&command.reply]);
        for reply in replies.filter(|reply| !matches!(reply.shape, Shape::Raw)) {
            if !shaped.contains(&(command.name, std::ptr::from_ref(&reply.shape))) {
                lacking.push(format!("{} as {}", command.name, reply.name));
            }
        }
    }
    assert!(lacking.is_empty(), "no reply of {lacking:?}");
}
