//! Every case of `tests/vectors/config`: the same files that each language runs.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use steadis::config::{Config, Environment, Input, OptionValue, Resolved, Secrets, Unit};

#[test]
fn every_case_has_its_exact_result() {
    let mut count = 0;
    let mut failures = Vec::new();
    for (file, cases) in vectors() {
        for case in &cases {
            count += 1;
            if let Err(why) = check(case) {
                failures.push(format!("{file}: {}: {why}", case["name"]));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {count}:\n{}", failures.len(), failures.join("\n"));
    assert!(count >= 250, "only {count} cases");
}

#[test]
fn case_names_are_unique() {
    let mut seen = std::collections::HashSet::new();
    for (file, cases) in vectors() {
        for case in cases {
            let name = case["name"].as_str().expect("a name").to_owned();
            assert!(seen.insert(name.clone()), "{file}: {name} twice");
        }
    }
}

fn vectors() -> Vec<(String, Vec<Value>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/config");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .expect("vectors")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a readable file");
        let cases = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{path:?}: {why}"));
        (path.file_name().expect("a name").to_string_lossy().into_owned(), cases)
    };
    paths.into_iter().map(read).collect()
}

fn check(case: &Value) -> Result<(), String> {
    let fields = case.as_object().expect("an object");
    let known = ["name", "env", "url", "options", "unit", "files", "expect", "error", "warnings"];
    if let Some(odd) = fields.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("unknown field {odd}"));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().to_str().expect("UTF-8");
    for (name, content) in map(case.get("files")) {
        fs::write(folder.path().join(name), content.as_str().expect("text")).expect("written");
    }
    let resolved = Config::resolve(&input(case, place));
    match (case.get("expect"), case.get("error"), resolved) {
        (Some(expected), None, Ok(resolved)) => {
            compare(expected, &resolved)?;
            warnings(case, &resolved.warnings)
        }
        (None, Some(expected), Err(error)) => {
            let phrase = expected["phrase"].as_str().expect("a phrase").replace("{dir}", place);
            if expected["kind"] != error.kind().name() || !error.message().contains(&phrase) {
                return Err(format!("{error:?} lacks {phrase:?}"));
            }
            Ok(())
        }
        (_, _, Ok(resolved)) => {
            Err(format!("resolved to {}", resolved.config.to_json(Secrets::Shown)))
        }
        (_, _, Err(error)) => Err(format!("refused: {error:?}")),
    }
}

fn compare(expected: &Value, resolved: &Resolved) -> Result<(), String> {
    let json = resolved.config.to_json(Secrets::Shown);
    let got: Value = serde_json::from_str(&json).map_err(|why| format!("{why} in {json}"))?;
    if got != *expected {
        return Err(format!("got {json}"));
    }
    Ok(())
}

/// As many warnings as phrases, each phrase in a warning of its own.
fn warnings(case: &Value, got: &[String]) -> Result<(), String> {
    let phrases: Vec<&str> = case
        .get("warnings")
        .and_then(Value::as_array)
        .map(|phrases| phrases.iter().map(|phrase| phrase.as_str().expect("text")).collect())
        .unwrap_or_default();
    let mut left: Vec<&String> = got.iter().collect();
    for phrase in &phrases {
        match left.iter().position(|warning| warning.contains(phrase)) {
            Some(index) => drop(left.remove(index)),
            None => return Err(format!("no warning says {phrase:?} in {got:?}")),
        }
    }
    if left.is_empty() { Ok(()) } else { Err(format!("unexpected warnings {left:?}")) }
}

fn map(value: Option<&Value>) -> Map<String, Value> {
    value.and_then(Value::as_object).cloned().unwrap_or_default()
}

fn input(case: &Value, folder: &str) -> Input {
    let text = |value: &Value| value.as_str().expect("text").replace("{dir}", folder);
    let environment: Environment =
        map(case.get("env")).iter().map(|(name, value)| (name.clone(), text(value))).collect();
    let mut input = Input::new(environment);
    input.url = case.get("url").map(text);
    input.options =
        map(case.get("options")).into_iter().map(|(name, value)| (name, option(value))).collect();
    input.unit = match case.get("unit").and_then(Value::as_str) {
        Some("ms") => Unit::Milliseconds,
        _ => Unit::Seconds,
    };
    input
}

fn option(value: Value) -> OptionValue {
    match value {
        Value::Null => OptionValue::Null,
        Value::Bool(flag) => OptionValue::Bool(flag),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => OptionValue::Int(whole),
            None => OptionValue::Float(number.as_f64().expect("a number")),
        },
        Value::String(text) => OptionValue::Text(text),
        Value::Array(items) => OptionValue::List(items.into_iter().map(option).collect()),
        Value::Object(entries) => OptionValue::Map(
            entries.into_iter().map(|(name, value)| (name, option(value))).collect(),
        ),
    }
}
