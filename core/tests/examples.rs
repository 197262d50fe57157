//! The examples run, each as its own program, on a deployment with Sentinels.

mod support;

use std::path::PathBuf;
use std::process::{Command, Output};
use support::deployment::Deployment;

/// Examples are built beside the tests.
fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join("examples").join(name)
}

fn run(deployment: &Deployment, name: &str) -> Output {
    Command::new(program(name)).envs(deployment.environment()).output().unwrap()
}

/// A test that runs alone has nobody who built them before.
fn build() {
    let arguments = ["build", "--quiet", "--locked", "--examples", "--package", "steadis"];
    let status = Command::new(env!("CARGO")).args(arguments).status().unwrap();
    assert!(status.success());
}

#[test]
fn each_example_says_what_it_did() {
    build();
    let deployment = Deployment::start(1);
    for (name, says) in [
        ("connect", "cart:7 holds Some(\"3 items\")"),
        ("five_lines", "3 items"),
        ("pipeline", "a has Some(-10), b has Some(10)"),
        ("tokio", "visitors: Some(2080)"),
        ("typed", "41, 42 for Ann, 50\n100 in a task"),
    ] {
        let output = run(&deployment, name);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains(says), "{name}: {output:?}");
    }
}
