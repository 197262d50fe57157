//! `steadis lab run`: a command with a lab of its own.

use std::ffi::OsString;
use std::io::stdin;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use rustix::process::{Pid, Signal, getpgrp, kill_process};
use rustix::termios::tcgetpgrp;
use tokio::process::{Child, Command};

use super::deployment::Lab;
use super::error::{Doing, Result};
use super::options::Options;
use super::process::die_with_parent;
use super::signals::Signals;

/// Runs the command with the lab's environment and returns its exit status, as a shell would.
pub(crate) async fn run(options: Options, command: &[OsString]) -> Result<u8> {
    let mut signals = Signals::new()?;
    let lab = tokio::select! {
        lab = Lab::start(options) => lab?,
        signal = signals.next() => return Ok(status_after(signal.as_raw())),
    };
    let program = command[0].display();
    let mut child = Command::new(&command[0]);
    child.args(&command[1..]);
    // Settings for another deployment would mix with the lab's.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("REDIS_")) {
            child.env_remove(name);
        }
    }
    child.envs(lab.environment().variables()).kill_on_drop(true);
    die_with_parent(&mut child, Signal::TERM);
    let mut child = child.spawn().doing(format_args!("run {program}"))?;
    loop {
        tokio::select! {
            status = child.wait() => return Ok(exit_status(status.doing(format_args!("wait for {program}"))?)),
            signal = signals.next() => pass_on(signal, &child),
        }
    }
}

/// Gives the command a signal that the lab got, unless the terminal has given it to both.
fn pass_on(signal: Signal, child: &Child) {
    let from_terminal =
        signal != Signal::TERM && tcgetpgrp(stdin()).is_ok_and(|group| group == getpgrp());
    let pid = child.id().and_then(|pid| Pid::from_raw(pid as i32));
    if let (false, Some(pid)) = (from_terminal, pid) {
        // It may have ended just now.
        let _ = kill_process(pid, signal);
    }
}

fn exit_status(status: ExitStatus) -> u8 {
    match (status.code(), status.signal()) {
        (Some(code), _) => code as u8,
        (None, signal) => status_after(signal.unwrap_or_default()),
    }
}

fn status_after(signal: i32) -> u8 {
    128 + signal as u8
}
