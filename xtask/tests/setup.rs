//! What `xtask/setup` does on machines that lack something.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

const NEEDED: [&str; 5] = ["cc", "c++", "redis-server", "redis-cli", "haproxy"];

/// A machine of its own: these programs, a user, and an apt-get that only takes notes.
struct Machine(TempDir);

impl Machine {
    fn new(user: u32, programs: &[&str]) -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        for tool in ["dirname", "ls"] {
            symlink(Path::new("/usr/bin").join(tool), machine.0.path().join(tool)).unwrap();
        }
        machine.put("id", &format!("echo {user}"));
        machine.put("cargo", "exit 0");
        machine.put("apt-get", &format!("echo \"$@\" >> '{}'", machine.notes().display()));
        programs.iter().for_each(|program| machine.put(program, "exit 0"));
        // A tree of its own, without languages, whose needs would come on top.
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/setup");
        fs::create_dir(machine.0.path().join("xtask")).unwrap();
        fs::copy(script, machine.0.path().join("xtask/setup")).unwrap();
        machine
    }

    fn put(&self, program: &str, script: &str) {
        let path = self.0.path().join(program);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    }

    fn notes(&self) -> std::path::PathBuf {
        self.0.path().join("notes")
    }

    fn set_up(&self) -> Output {
        let script = self.0.path().join("xtask/setup");
        let mut command = Command::new("/bin/sh");
        command.arg(script).arg("test").env("PATH", self.0.path()).output().unwrap()
    }
}

#[test]
fn a_user_is_told_what_to_type() {
    let machine = Machine::new(1000, &[]);
    let output = machine.set_up();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("sudo apt-get update && sudo apt-get install -y"), "{stderr}");
    for package in ["gcc", "g++", "redis-server", "redis-tools", "haproxy"] {
        assert!(stderr.contains(&format!(" {package}")), "{package}: {stderr}");
    }
    assert!(!machine.notes().exists(), "nothing was installed");
}

#[test]
fn root_gets_what_is_missing_and_nothing_else() {
    let machine = Machine::new(0, &["cc", "c++", "redis-cli", "redis-server"]);
    assert!(machine.set_up().status.success());
    let notes = fs::read_to_string(machine.notes()).unwrap();
    assert!(notes.starts_with("update") && notes.contains("install"), "{notes}");
    assert!(notes.contains(" haproxy") && !notes.contains("redis"), "{notes}");
}

#[test]
fn a_second_run_is_silent() {
    let machine = Machine::new(1000, &NEEDED);
    let output = machine.set_up();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
}
