//! A real redis-server of a test's own: loopback, a free port, gone with the test.

#![allow(dead_code)] // every test file uses its part

pub(crate) mod deployment;
pub(crate) mod relay;

use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use steadis::config::{Address, Config, Endpoint, Target};

/// The settings of a client of this server alone.
pub(crate) fn config(port: u16) -> Config {
    Config::new(Target::Node(Endpoint::Tcp(Address::new("127.0.0.1", port))))
}

pub(crate) struct Redis {
    process: Child,
    pub(crate) port: u16,
    _dir: tempfile::TempDir,
}

impl Redis {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server and waits until it says that it accepts connections.
    pub(crate) fn start_with(options: &[&str]) -> Self {
        // Another may take the port between our look and its start.
        std::iter::repeat_with(|| Self::try_start(free_port(), options)).flatten().next().unwrap()
    }

    /// Starts a server where one was before.
    pub(crate) fn start_at(port: u16) -> Self {
        Self::try_start(port, &[]).expect("the port is free again")
    }

    fn try_start(port: u16, options: &[&str]) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut process = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--enable-debug-command", "yes"])
            .args(["--dir", &dir.path().to_string_lossy()])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server (apt-get install redis-server)");
        let mut lines = BufReader::new(process.stdout.take().expect("its log")).lines();
        let ready = lines.any(|line| {
            line.is_ok_and(|line| line.to_lowercase().contains("ready to accept connections"))
        });
        if !ready {
            process.wait().expect("its end");
            return None;
        }
        // Its log must go on being read, or it would block one day.
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { process, port, _dir: dir })
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        socket.set_nodelay(true).expect("TCP_NODELAY");
        socket
    }

    /// What redis-cli prints for a command.
    pub(crate) fn cli(&self, args: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string()])
            .args(args)
            .output()
            .expect("redis-cli (apt-get install redis-tools)");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Waits until its link to its primary is up.
    pub(crate) fn wait_for_link(&self) {
        while !self.cli(&["INFO", "replication"]).contains("master_link_status:up") {
            std::thread::yield_now();
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Stops the server, which does not answer any more but keeps its sockets, until the guard is
    /// dropped.
    pub(crate) fn freeze(&self) -> Frozen {
        let process = Pid::from_raw(self.pid() as i32).expect("a process");
        kill_process(process, Signal::STOP).expect("SIGSTOP");
        Frozen(process)
    }

    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("a kill");
        self.process.wait().expect("its end");
    }
}

pub(crate) struct Frozen(Pid);

impl Drop for Frozen {
    fn drop(&mut self) {
        kill_process(self.0, Signal::CONT).expect("SIGCONT");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}
