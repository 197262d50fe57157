//! Drives `steadis lab` the way a test runner in any language does.

// Each test file is a crate of its own and uses a part of this.
#![allow(dead_code, unreachable_pub)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::Value;
use serde_json::{Value as Json, json};

/// The program under test.
pub const STEADIS: &str = env!("CARGO_BIN_EXE_steadis");

/// How long a wait may take on a loaded machine.
pub const PATIENCE_MS: u64 = 40_000;

/// With Sentinel's usual second, one failover in ten is followed by another at once: after a
/// switch a Sentinel may take a second to connect to the new primary, and calls it down.
pub const ONE_FAILOVER: [&str; 2] = ["--down-after", "1500ms"];

/// A `steadis lab serve` and the conversation with it.
pub struct Serve {
    pub child: Child,
    pub stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    pub ready: Json,
    pub events: Vec<Json>,
    requests: u64,
}

impl Serve {
    pub fn start(options: &[&str]) -> Self {
        let mut command = Command::new(STEADIS);
        command.args(["lab", "serve"]).args(options);
        Self::spawn(command)
    }

    /// A lab in which a killed primary means one failover and not two.
    pub fn steady(options: &[&str]) -> Self {
        Self::start(&[&ONE_FAILOVER, options].concat())
    }

    pub fn spawn(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the lab starts");
        let stdin = child.stdin.take();
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("the lab speaks");
        let ready: Json = serde_json::from_str(&line).expect("the first line is JSON");
        assert_eq!(ready["event"], "ready", "{ready}");
        Self { child, stdin, stdout, ready, events: Vec::new(), requests: 0 }
    }

    /// Sends a request without waiting for its answer, and returns its id.
    pub fn send(&mut self, mut request: Json) -> u64 {
        self.requests += 1;
        request["id"] = json!(self.requests);
        self.send_line(&request.to_string());
        self.requests
    }

    pub fn send_line(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("stdin is open");
        writeln!(stdin, "{line}").expect("the lab reads");
    }

    /// The next answer; events that come before it are kept.
    pub fn answer(&mut self) -> Json {
        loop {
            let mut line = String::new();
            let bytes = self.stdout.read_line(&mut line).expect("the lab speaks");
            assert!(bytes > 0, "the lab ended");
            let line: Json = serde_json::from_str(&line).expect("every line is JSON");
            if line.get("event").is_none() {
                return line;
            }
            self.events.push(line);
        }
    }

    /// Makes a request and returns the whole answer.
    pub fn ask(&mut self, request: Json) -> Json {
        let id = self.send(request);
        let answer = self.answer();
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    /// Makes a request that succeeds and returns its result.
    pub fn ok(&mut self, request: Json) -> Json {
        let answer = self.ask(request.clone());
        assert!(answer.get("error").is_none(), "{request}: {answer}");
        answer["result"].clone()
    }

    /// Makes a request that fails and returns its error.
    pub fn error(&mut self, request: Json) -> String {
        let answer = self.ask(request.clone());
        let error = answer["error"].as_str();
        error.unwrap_or_else(|| panic!("{request} did not fail: {answer}")).to_owned()
    }

    /// Waits until something holds.
    pub fn until(&mut self, condition: Json) -> Json {
        self.ok(json!({ "verb": "wait", "until": condition, "timeout_ms": PATIENCE_MS }))
    }

    /// Waits for the first such event since a time stamp.
    pub fn event(&mut self, event: &str, name: &str, since: u64) -> Json {
        self.until(json!({ "event": { "event": event, "name": name, "since": since } }))
    }

    pub fn call(&mut self, name: &str, command: &[&str]) -> Json {
        self.ok(json!({ "verb": "call", "name": name, "command": command }))["reply"].clone()
    }

    pub fn status(&mut self) -> Json {
        self.ok(json!({ "verb": "status" }))
    }

    pub fn primary(&mut self) -> String {
        text(&self.status()["primary"])
    }

    /// A variable of the lab's environment.
    pub fn variable(&self, name: &str) -> String {
        text(&self.ready["environment"][name])
    }

    /// Where applications reach a server.
    pub fn address(&mut self, name: &str) -> SocketAddr {
        text(&self.server(name)["address"]).parse().expect("an address")
    }

    /// What the status says about a server.
    pub fn server(&mut self, name: &str) -> Json {
        let status = self.status();
        let servers = ["nodes", "sentinels"].map(|kind| status[kind].as_array().cloned());
        let mut servers = servers.into_iter().flatten().flatten();
        servers.find(|server| server["name"] == name).unwrap_or_else(|| panic!("no {name}"))
    }

    /// The pids of all servers.
    pub fn pids(&mut self) -> Vec<i32> {
        let status = self.status();
        let servers = ["nodes", "sentinels"].map(|kind| status[kind].as_array().cloned());
        let haproxy = status.get("haproxy").cloned();
        let servers = servers.into_iter().flatten().flatten().chain(haproxy);
        servers.filter_map(|server| server["pid"].as_i64()).map(|pid| pid as i32).collect()
    }

    /// Ends the lab by closing its stdin.
    pub fn end(mut self) -> std::process::ExitStatus {
        drop(self.stdin.take());
        self.child.wait().expect("the lab ends")
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

static LAB: LazyLock<Mutex<Serve>> = LazyLock::new(|| Mutex::new(Serve::start(&[])));

/// The lab that the tests of a file share, with its first primary and everybody well.
pub fn lab() -> MutexGuard<'static, Serve> {
    let mut lab = LAB.lock().unwrap_or_else(PoisonError::into_inner);
    lab.until(json!("in-sync"));
    lab.until(json!("agreed"));
    lab
}

/// A connection that gives up reading after some time.
pub fn dial(address: SocketAddr, patience: Duration) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(patience)).unwrap();
    stream
}

/// Enough to see that nothing comes.
pub const SOON: Duration = Duration::from_millis(200);

/// Enough for what does come.
pub const LATE: Duration = Duration::from_secs(20);

/// What it answers to PING.
pub fn ping(stream: &mut TcpStream) -> std::io::Result<String> {
    stream.write_all(b"PING\r\n")?;
    receive(stream)
}

/// What comes next.
pub fn receive(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut answer = [0; 64];
    let bytes = stream.read(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..bytes]).into_owned())
}

/// The text in a JSON string.
pub fn text(json: &Json) -> String {
    json.as_str().unwrap_or_else(|| panic!("not a string: {json}")).to_owned()
}

/// A time stamp.
pub fn at(json: &Json) -> u64 {
    json["at"].as_u64().unwrap_or_else(|| panic!("no time stamp: {json}"))
}

/// A connection such as an application makes.
pub fn connect(address: SocketAddr) -> redis::RedisResult<redis::Connection> {
    redis::Client::open(format!("redis://{address}"))?.get_connection()
}

/// Runs a command on a connection.
pub fn run(connection: &mut redis::Connection, command: &[&str]) -> redis::RedisResult<Value> {
    redis::cmd(command[0]).arg(&command[1..]).query(connection)
}

/// What a node says it is: `master` or `slave`.
pub fn role(connection: &mut redis::Connection) -> redis::RedisResult<String> {
    let Value::Array(reply) = run(connection, &["ROLE"])? else { panic!("ROLE is an array") };
    redis::from_redis_value(reply[0].clone()).map_err(Into::into)
}

/// Waits until a process has ended; false when it still runs after so many seconds.
pub fn has_ended(pid: i32, seconds: i64) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    let pid = Pid::from_raw(pid).expect("a pid");
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else {
        return true;
    };
    let timeout = Timespec { tv_sec: seconds, tv_nsec: 0 };
    poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&timeout)).expect("poll") == 1
}

/// The lab directories below a temporary directory.
pub fn lab_directories(parent: &Path) -> usize {
    let entries = std::fs::read_dir(parent).expect("a directory").flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().contains("steadis-lab-")).count()
}
