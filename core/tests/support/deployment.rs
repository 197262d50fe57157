//! A primary, replicas in sync with it, and a Sentinel that watches them.

use super::{Redis, free_port};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use steadis::config::{Address, Config, Seed, Target};

pub(crate) struct Deployment {
    pub(crate) nodes: Vec<Redis>,
    sentinel: Child,
    sentinel_port: u16,
    _dir: tempfile::TempDir,
}

impl Deployment {
    /// Node 0 is the primary. The Sentinel calls a node down after one second of silence.
    pub(crate) fn start(replicas: usize) -> Self {
        let nodes: Vec<Redis> = (0..=replicas)
            .map(|_| Redis::start_with(&["--repl-diskless-sync-delay", "0"]))
            .collect();
        for replica in &nodes[1..] {
            replica.cli(&["REPLICAOF", "127.0.0.1", &nodes[0].port.to_string()]);
        }
        nodes[1..].iter().for_each(Redis::wait_for_link);
        let dir = tempfile::tempdir().expect("a temporary directory");
        let known = nodes[1..].iter().map(|it| it.port);
        let (sentinel, sentinel_port) = watch(dir.path(), nodes[0].port, known);
        Self { nodes, sentinel, sentinel_port, _dir: dir }
    }

    /// The settings of a client that finds them through the Sentinel.
    pub(crate) fn config(&self) -> Config {
        let address = Address::new("127.0.0.1", self.sentinel_port);
        let seed = Seed { address, tls: None, credentials: None };
        Config::new(Target::Sentinels { seeds: vec![seed], primary: Some("mymaster".into()) })
    }

    /// Has the Sentinel put a replica in the primary's place.
    pub(crate) fn fail_over(&self) {
        let port = self.sentinel_port.to_string();
        let arguments = ["-p", port.as_str(), "SENTINEL", "FAILOVER", "mymaster"];
        let output = Command::new("redis-cli").args(arguments).output().expect("redis-cli");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), "OK");
    }

    /// The node behind a port.
    pub(crate) fn node(&self, port: u16) -> &Redis {
        self.nodes.iter().find(|node| node.port == port).expect("one of the nodes")
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        let _ = self.sentinel.kill();
        let _ = self.sentinel.wait();
    }
}

fn watch(dir: &std::path::Path, primary: u16, replicas: impl Iterator<Item = u16>) -> (Child, u16) {
    let known: Vec<String> =
        replicas.map(|it| format!("sentinel known-replica mymaster 127.0.0.1 {it}\n")).collect();
    let start = || {
        let port = free_port();
        let file = dir.join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor mymaster 127.0.0.1 {primary} 1\n\
             sentinel down-after-milliseconds mymaster 1000\n\
             sentinel failover-timeout mymaster 5000\n{}",
            known.concat()
        );
        std::fs::write(&file, text).expect("its configuration");
        let mut process = Command::new("redis-server")
            .arg(&file)
            .arg("--sentinel")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server (apt-get install redis-server)");
        let mut lines = BufReader::new(process.stdout.take().expect("its log")).lines();
        let ready = lines.any(|line| line.is_ok_and(|line| line.contains("+monitor master")));
        if !ready {
            process.wait().expect("its end");
            return None;
        }
        std::thread::spawn(move || lines.for_each(drop));
        Some((process, port))
    };
    // Another may take the port between our look and its start.
    std::iter::repeat_with(start).flatten().next().expect("a Sentinel")
}
