//! How labs begin and end: nothing outlives them, and what cannot begin says why.

mod harness;

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use harness::*;
use rustix::process::{Pid, Signal, getpgid, kill_process};
use serde_json::json;
use tempfile::TempDir;

/// `steadis lab …` with a temporary directory of its own.
fn lab(arguments: &[&str], directory: &TempDir) -> Command {
    let mut command = Command::new(STEADIS);
    command.arg("lab").args(arguments).env("TMPDIR", directory.path());
    command
}

/// A program that does not outlive a test that fails.
struct Program(Child);

impl Program {
    fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Every process that was started with this temporary directory.
fn processes_of(directory: &TempDir) -> Vec<i32> {
    let variable = format!("TMPDIR={}", directory.path().display());
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &i32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes())
    })
    .collect()
}

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid as i32).unwrap(), signal).unwrap();
}

/// It failed with status 2 and this on stderr, and left nothing behind.
fn refused(output: Output, directory: &Path) -> String {
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(lab_directories(directory), 0);
    stderr
}

#[test]
fn sigkill_leaves_no_server_and_the_next_lab_removes_the_files() {
    let directory = directory();
    let mut first = Serve::spawn(lab(&["serve", "--haproxy"], &directory));
    first.ok(json!({ "verb": "freeze", "name": "node2" }));
    first.ok(json!({ "verb": "freeze-sentinel", "name": "sentinel1" }));
    let pids = first.pids();
    assert_eq!(pids.len(), 7);
    first.child.kill().unwrap();
    for pid in pids {
        assert!(has_ended(pid, 2), "{pid} survived");
    }
    first.child.wait().unwrap();
    assert_eq!(lab_directories(directory.path()), 1);

    let second = Serve::spawn(lab(&["serve"], &directory));
    assert_eq!(lab_directories(directory.path()), 1, "the first one's is gone");
    let third = Serve::spawn(lab(&["serve"], &directory));
    assert_eq!(lab_directories(directory.path()), 2, "a living lab keeps its own");
    assert!(second.end().success());
    assert!(third.end().success());
    assert_eq!(lab_directories(directory.path()), 0);
}

#[test]
fn sigkill_during_the_start_leaves_no_server() {
    let directory = directory();
    let mut child =
        Program::start(lab(&["serve"], &directory).stdin(Stdio::piped()).stdout(Stdio::null()));
    while processes_of(&directory).len() < 2 {
        std::thread::yield_now();
    }
    child.0.kill().unwrap();
    child.0.wait().unwrap();
    for pid in processes_of(&directory) {
        assert!(has_ended(pid, 2), "{pid} survived");
    }
}

#[test]
fn closing_stdin_ends_serve() {
    let directory = directory();
    let mut lab = Serve::spawn(lab(&["serve"], &directory));
    lab.ok(json!({ "verb": "freeze", "name": "node1" }));
    let pids = lab.pids();
    assert!(lab.end().success());
    assert!(pids.into_iter().all(|pid| has_ended(pid, 0)));
    assert_eq!(lab_directories(directory.path()), 0);
}

#[test]
fn sigterm_ends_serve() {
    let directory = directory();
    let mut lab = Serve::spawn(lab(&["serve"], &directory));
    let pids = lab.pids();
    signal(lab.child.id(), Signal::TERM);
    assert!(lab.child.wait().unwrap().success());
    assert!(pids.into_iter().all(|pid| has_ended(pid, 0)));
    assert_eq!(lab_directories(directory.path()), 0);
}

#[test]
fn up_prints_the_environment_and_every_change_until_ctrl_c() {
    let directory = directory();
    let mut child = Program::start(lab(&["up"], &directory).stdout(Stdio::piped()));
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut until = |text: &str| -> Vec<String> {
        let mut seen = Vec::new();
        loop {
            let line = lines.next().unwrap_or_else(|| panic!("no {text:?} in {seen:?}"));
            let found = line.contains(text);
            seen.push(line);
            if found {
                return seen;
            }
        }
    };
    let start = until("node1 is the primary");
    for variable in ["REDIS_SENTINEL_LIST", "REDIS_SENTINEL_MASTER", "REDIS_SENTINEL_URL"] {
        assert!(start.iter().any(|line| line.starts_with(&format!("export {variable}='"))));
    }
    let pids: Vec<i32> =
        start.iter().filter_map(|line| line.split_once(" pid ")?.1.parse().ok()).collect();
    assert_eq!(pids.len(), 6);

    kill_process(Pid::from_raw(pids[0]).unwrap(), Signal::KILL).unwrap();
    until("node1 is down (signal: 9 (SIGKILL))");
    until("is the primary");
    until("switches to node");

    signal(child.0.id(), Signal::INT);
    assert!(child.0.wait().unwrap().success());
    assert!(pids.into_iter().all(|pid| has_ended(pid, 0)));
    assert_eq!(lab_directories(directory.path()), 0);
}

#[test]
fn up_on_a_terminal_draws_a_picture_until_ctrl_c() {
    let directory = directory();
    let mut terminal = Program::start(
        Command::new("script")
            .args(["-qec", &format!("{STEADIS} lab up"), "/dev/null"])
            .env("TMPDIR", directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped()),
    );
    let mut stdin = terminal.0.stdin.take().unwrap();
    let mut stdout = terminal.0.stdout.take().unwrap();
    let mut screen = String::new();
    let mut read_until = |text: &str| {
        while !screen.contains(text) {
            let mut bytes = [0; 4096];
            let count = stdout.read(&mut bytes).unwrap();
            assert!(count > 0, "no {text:?} in {screen:?}");
            screen += &String::from_utf8_lossy(&bytes[..count]);
        }
        screen.clone()
    };
    let picture = read_until("\x1b[J");
    let row = picture.lines().find(|line| line.contains("  node1 ")).unwrap();
    assert!(row.contains("primary") && row.contains("\x1b[32m"), "{row:?}");
    let pid = row.split_once("pid ").unwrap().1.split('\x1b').next().unwrap();
    let node = Pid::from_raw(pid.parse().unwrap()).unwrap();
    // Ctrl-C reaches the lab alone, which then ends its servers.
    assert_eq!(getpgid(Some(node)).unwrap(), node);
    let pids = processes_of(&directory);
    kill_process(node, Signal::KILL).unwrap();
    // The picture is drawn over the old one, and shows what happened.
    let picture = read_until("node1 is down (signal: 9 (SIGKILL))");
    assert!(picture.contains("A\r\x1b[K"), "{picture:?}");

    stdin.write_all(b"\x03").unwrap();
    read_until("\x1b[?25h");
    assert!(terminal.0.wait().unwrap().success());
    assert!(pids.into_iter().all(|pid| has_ended(pid, 0)));
    assert_eq!(lab_directories(directory.path()), 0);
}

#[test]
fn up_ends_when_nobody_reads_what_it_prints() {
    let directory = directory();
    let mut child = Program::start(lab(&["up"], &directory).stdout(Stdio::piped()));
    drop(child.0.stdout.take());
    assert!(child.0.wait().unwrap().success());
    assert_eq!(lab_directories(directory.path()), 0);
}

#[test]
fn run_gives_the_command_an_environment_that_leads_to_the_primary() {
    let directory = directory();
    let script = r#"redis-cli -p "${REDIS_SENTINEL_LIST##*:}" \
        sentinel get-master-addr-by-name "$REDIS_SENTINEL_MASTER"; echo "${REDIS_URL-unset}""#;
    let output = lab(&["run", "--primary-name", "redis01", "--", "sh", "-c", script], &directory)
        .env("REDIS_URL", "redis://elsewhere")
        .output()
        .unwrap();
    assert!(output.status.success());
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!((lines[0], lines[2]), ("127.0.0.1", "unset"));
    lines[1].parse::<u16>().unwrap();
    assert_eq!(lab_directories(directory.path()), 0);
}

#[test]
fn run_passes_the_exit_status_on() {
    let directory = directory();
    let small = ["run", "--replicas", "0", "--sentinels", "1", "--", "sh", "-c"];
    let status =
        |script: &str| lab(&[&small[..], &[script]].concat(), &directory).status().unwrap().code();
    assert_eq!(status("exit 0"), Some(0));
    assert_eq!(status("exit 7"), Some(7));
    assert_eq!(status("kill -9 $$"), Some(137));
    let output = lab(&["run", "--", "/no/such/program"], &directory).output().unwrap();
    let stderr = refused(output, directory.path());
    assert!(stderr.starts_with("steadis: cannot run /no/such/program"), "{stderr}");
}

#[test]
fn run_passes_signals_on_to_the_command() {
    let directory = directory();
    let script = "trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done";
    let mut child = Program::start(
        lab(&["run", "--", "sh", "-c", script], &directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped()),
    );
    let mut line = String::new();
    BufReader::new(child.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    signal(child.0.id(), Signal::TERM);
    assert_eq!(child.0.wait().unwrap().code(), Some(3));
    assert_eq!(lab_directories(directory.path()), 0);
}

#[test]
fn a_missing_program_is_named_with_its_remedy() {
    let directory = directory();
    let output = lab(&["up"], &directory).env("PATH", "").output().unwrap();
    let stderr = refused(output, directory.path());
    assert_eq!(
        stderr,
        "steadis: redis-server is not installed or not on the PATH; \
         install it with: apt-get install redis-server\n"
    );
}

#[test]
fn bad_options_are_refused() {
    let directory = directory();
    for (arguments, reason) in [
        (&["--nodes", "3"][..], "unexpected argument '--nodes'"),
        (&["--sentinels", "0"], "0 is not in 1..=20"),
        (&["--down-after", "1"], "write 1s, 1.5s or 500ms"),
        (&["--node-config", "maxmemory"], "write KEY=VALUE, for example maxmemory=64mb"),
        (&["--primary-name", "my master"], "write letters, digits, _, - and . only"),
        (&["--password", "with space"], "--password must be 1 to 100 printable ASCII"),
    ] {
        let output = lab(&["up"], &directory).args(arguments).output().unwrap();
        let stderr = refused(output, directory.path());
        assert!(stderr.contains(reason), "{arguments:?}: {stderr}");
    }
    let output = lab(&["run"], &directory).output().unwrap();
    assert!(refused(output, directory.path()).contains("<COMMAND>..."));
}

#[test]
fn a_server_that_does_not_start_shows_the_end_of_its_log() {
    let directory = directory();
    for (option, server) in [("--node-config", "node1"), ("--sentinel-config", "sentinel")] {
        let output = lab(&["up", option, "bad=directive"], &directory).output().unwrap();
        let stderr = refused(output, directory.path());
        assert!(stderr.starts_with(&format!("steadis: {server}")), "{stderr}");
        assert!(stderr.contains(" did not start: "), "{stderr}");
        assert!(stderr.contains(">>> 'bad directive'"), "{stderr}");
    }
}

#[test]
fn an_unusable_haproxy_is_an_error_too() {
    let (directory, programs) = (directory(), directory());
    symlink("/usr/bin/redis-server", programs.path().join("redis-server")).unwrap();
    // It stands for an HAProxy that does not like its configuration.
    let script = "#!/bin/sh\necho no, thank you\nexit 1\n";
    let fake = programs.path().join("haproxy");
    std::fs::write(&fake, script).unwrap();
    std::process::Command::new("chmod").arg("+x").arg(&fake).status().unwrap();
    let output =
        lab(&["up", "--haproxy"], &directory).env("PATH", programs.path()).output().unwrap();
    let stderr = refused(output, directory.path());
    assert!(stderr.starts_with("steadis: haproxy did not start: "), "{stderr}");
    assert!(stderr.contains("no, thank you"), "{stderr}");
}
