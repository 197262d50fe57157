//! The program as a user runs it.

use std::process::{Command, Output};

fn explain(variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_steadis"))
        .arg("explain")
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .expect("the program runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

#[test]
fn the_environment_of_the_process_is_explained() {
    let output = explain(
        &[("REDIS_SENTINEL_LIST", "s1,s2"), ("REDIS_PASSWORD", "hunter2"), ("REDIS_USER", "app")],
        &["--option", "db=2"],
    );
    let table = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let row = |name: &str| {
        let line = table.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(row("sentinels"), "sentinels s1:26379, s2:26379 REDIS_SENTINEL_LIST");
    assert_eq!(row("password"), "password *** REDIS_PASSWORD");
    assert_eq!(row("db"), "db 2 the option db");
    assert!(!table.contains("hunter2"));
}

#[test]
fn the_variable_that_a_provider_names_is_read() {
    let output = explain(&[("REDIS_PROVIDER", "MY_STORE"), ("MY_STORE", "redis://h:7000")], &[]);
    assert!(text(&output.stdout).contains("MY_STORE"), "{}", text(&output.stderr));
}

#[test]
fn warnings_go_to_standard_error() {
    let output = explain(&[("REDIS_HOST", "h"), ("REDIS_USER", "app")], &[]);
    assert!(output.status.success());
    assert!(text(&output.stderr).starts_with("warning: username is given without password"));
}

#[test]
fn nothing_configured_fails_with_the_remedy() {
    let output = explain(&[], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("steadis lab up"));
    assert!(output.stdout.is_empty());
}

#[test]
fn a_prefix_and_json() {
    let output = explain(&[("CACHE_REDIS_URL", "redis://c")], &["--prefix", "CACHE_", "--json"]);
    let json = text(&output.stdout);
    assert!(
        json.starts_with(r#"{"settings":[{"name":"host","value":"c","source":"CACHE_REDIS_URL"}"#),
        "{json}"
    );
    assert!(json.trim_end().ends_with(r#""warnings":[]}"#), "{json}");
}
