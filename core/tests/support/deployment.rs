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

    /// The variables that lead a program to them.
    pub(crate) fn environment(&self) -> [(&'static str, String); 2] {
        let list = format!("127.0.0.1:{}", self.sentinel_port);
        [("REDIS_SENTINEL_LIST", list), ("REDIS_SENTINEL_MASTER", "mymaster".to_owned())]
    }

    /// Has the Sentinel put a replica in the primary's place.
    pub(crate) fn fail_over(&self) {
        let port = self.sentinel_port.to_string();
        let arguments = ["-p", port.as_str(), "SENTINEL", "FAILOVER", "mymaster"];
        let output = Command::new("redis-cli").args(arguments).output().expect("redis-cli");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim_end(), "OK");
    }

    /// Waits until every node has this value.
    pub(crate) fn wait_for_value(&self, key: &str, value: &str) {
        while !self.nodes.iter().all(|node| node.cli(&["GET", key]) == value) {
            std::thread::yield_now();
        }
    }

    /// How many GET each node has answered since it was asked last.
    pub(crate) fn gets(&self) -> Vec<u64> {
        self.calls("get")
    }

    /// How many of these commands each node has answered since it was asked last.
    pub(crate) fn calls(&self, command: &str) -> Vec<u64> {
        let prefix = format!("cmdstat_{command}:calls=");
        let count = |node: &Redis| {
            let stats = node.cli(&["INFO", "commandstats"]);
            assert_eq!(node.cli(&["CONFIG", "RESETSTAT"]), "OK");
            let line = stats.lines().find_map(|line| line.strip_prefix(&prefix));
            line.map_or(0, |rest| rest.split(',').next().and_then(|it| it.parse().ok()).unwrap())
        };
        self.nodes.iter().map(count).collect()
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
