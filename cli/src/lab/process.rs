//! One server program of the lab, which ends with the lab whatever ends the lab.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, getpid, getppid, kill_process,
    set_parent_process_death_signal, waitid,
};
use serde::Serialize;
use tokio::process::{Child, Command};
use tokio::sync::watch;

use super::error::{Doing, Error, Result};
use super::events::Events;

/// How long a program may take to answer once it is started.
const START: Duration = Duration::from_secs(10);

/// Whether a server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It runs.
    Running,
    /// It was stopped with SIGSTOP.
    Frozen,
    /// There is no such process.
    Down,
}

/// A program that can be started, killed, frozen and started again.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    program: PathBuf,
    arguments: Vec<OsString>,
    log: PathBuf,
    life: watch::Sender<Option<Life>>,
    events: Arc<Events>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Life {
    pid: Pid,
    frozen: bool,
}

impl Process {
    /// A program that does not run yet; what it prints goes to the file `log`.
    pub(crate) fn new(
        name: &str,
        program: PathBuf,
        arguments: Vec<OsString>,
        log: PathBuf,
        events: Arc<Events>,
    ) -> Self {
        Self { name: name.into(), program, arguments, log, life: watch::Sender::new(None), events }
    }

    /// Starts the program; call it from a thread that lives as long as the lab.
    pub(crate) fn start(&self) -> Result<()> {
        if self.life.borrow().is_some() {
            return Err(Error::new(format!("{} runs already; kill it first", self.name)));
        }
        let what = format!("start {} ({})", self.name, self.program.display());
        let child = self.spawn().doing(&what)?;
        let pid = child.id().and_then(|pid| Pid::from_raw(pid as i32));
        let pid = pid.ok_or_else(|| Error::new(format!("cannot {what}: it has no pid")))?;
        self.life.send_replace(Some(Life { pid, frozen: false }));
        self.events.push("started", &self.name, None);
        tokio::spawn(bury(child, self.name.clone(), self.life.clone(), self.events.clone()));
        Ok(())
    }

    /// Starts the program and waits until it is `ready`; if it ends instead, the error says why.
    pub(crate) async fn start_until(&self, ready: impl Future<Output = ()>) -> Result<()> {
        self.start()?;
        let cause = tokio::select! {
            ready = tokio::time::timeout(START, ready) => match ready {
                Ok(()) => return Ok(()),
                Err(_) => format!("it did not answer within {} s", START.as_secs()),
            },
            () = self.down() => format!("{} ended", self.program.display()),
        };
        let (name, log) = (&self.name, self.last_words());
        Err(Error::new(format!("{name} did not start: {cause}; its log ends with:{log}")))
    }

    fn spawn(&self) -> io::Result<Child> {
        let output = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            // Ctrl-C in the terminal is for the lab, which then ends its servers.
            .process_group(0);
        die_with_parent(&mut command, Signal::KILL);
        command.spawn()
    }

    /// Whether it runs.
    pub(crate) fn state(&self) -> State {
        match *self.life.borrow() {
            None => State::Down,
            Some(Life { frozen: true, .. }) => State::Frozen,
            Some(_) => State::Running,
        }
    }

    /// Its pid, while it runs.
    pub(crate) fn pid(&self) -> Option<i32> {
        self.life.borrow().map(|life| life.pid.as_raw_pid())
    }

    /// Waits until it runs.
    pub(crate) async fn running(&self) {
        self.becomes(|life| life.is_some_and(|life| !life.frozen)).await;
    }

    /// Waits until there is no such process.
    pub(crate) async fn down(&self) {
        self.becomes(|life| life.is_none()).await;
    }

    async fn becomes(&self, condition: impl FnMut(&Option<Life>) -> bool) {
        // It fails only when the sender is gone, which `self` holds.
        let _ = self.life.subscribe().wait_for(condition).await;
    }

    /// Kills it with SIGKILL and waits until it is gone.
    pub(crate) async fn kill(&self) -> Result<()> {
        self.signal(Signal::KILL)?;
        self.down().await;
        Ok(())
    }

    /// Stops it with SIGSTOP and waits until it stands still.
    pub(crate) async fn freeze(&self) -> Result<()> {
        let life = self.signal(Signal::STOP)?;
        while !is_stopped(life.pid)? {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.life.send_replace(Some(Life { frozen: true, ..life }));
        self.events.push("frozen", &self.name, None);
        Ok(())
    }

    /// Lets it go on with SIGCONT.
    pub(crate) fn thaw(&self) -> Result<()> {
        if self.state() != State::Frozen {
            return Err(Error::new(format!("{} is not frozen; freeze it first", self.name)));
        }
        let life = self.signal(Signal::CONT)?;
        self.life.send_replace(Some(Life { frozen: false, ..life }));
        self.events.push("thawed", &self.name, None);
        Ok(())
    }

    fn signal(&self, signal: Signal) -> Result<Life> {
        // `bury` clears the pid in the very poll that reaps the process, so it is never another's.
        let life = *self.life.borrow();
        let life = life.ok_or_else(|| {
            Error::new(format!("{} does not run; start it with restart", self.name))
        })?;
        kill_process(life.pid, signal).doing(format_args!("signal {}", self.name))?;
        Ok(life)
    }

    /// The last lines the program printed.
    pub(crate) fn last_words(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(8)..];
        last.iter().map(|line| format!("\n  {line}")).collect()
    }

    /// Sends SIGKILL if it runs; `wait` comes after.
    pub(crate) fn end(&self) {
        let _ = self.signal(Signal::KILL);
    }

    /// Blocks until the process no longer runs; for the end of the lab, after `end`.
    pub(crate) fn wait(&self) {
        let life = *self.life.borrow();
        if let Some(life) = life {
            // NOWAIT leaves the reaping to its owner.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            let _ = waitid(WaitId::Pid(life.pid), options);
        }
    }
}

async fn bury(
    mut child: Child,
    name: String,
    life: watch::Sender<Option<Life>>,
    events: Arc<Events>,
) {
    let status = child.wait().await;
    life.send_replace(None);
    let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
    events.push("exited", &name, Some(how));
}

/// Has the kernel send `signal` to the command's process when the calling thread ends.
pub(crate) fn die_with_parent(command: &mut Command, signal: Signal) {
    let parent = getpid();
    let prepare = move || {
        set_parent_process_death_signal(Some(signal))?;
        // The parent may have died before the line above.
        if getppid() != Some(parent) {
            return Err(Errno::SRCH.into());
        }
        Ok(())
    };
    // SAFETY: between fork and exec `prepare` makes two system calls; it allocates nothing and
    // takes no lock that another thread of the parent may have held.
    unsafe { command.pre_exec(prepare) };
}

fn is_stopped(pid: Pid) -> Result<bool> {
    let path = format!("/proc/{}/stat", pid.as_raw_pid());
    let stat = fs::read_to_string(&path).doing(format_args!("read {path}"))?;
    // The program's name, in parentheses, may itself contain any character.
    Ok(stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('T')))
}

/// Finds a program on the PATH, or where Debian keeps daemons.
pub(crate) fn find(program: &str, package: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    find_in(places, program).ok_or_else(|| {
        Error::new(format!(
            "{program} is not installed or not on the PATH; install it with: apt-get install {package}"
        ))
    })
}

fn find_in(places: impl Iterator<Item = PathBuf>, program: &str) -> Option<PathBuf> {
    places.filter(|place| place.is_absolute()).map(|place| place.join(program)).find(|p| is_file(p))
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file())
}
