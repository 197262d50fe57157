//! A data node: a few commands, a role, and asynchronous replication.

use crate::network::{ConnId, Host, SERVER};
use crate::plan::node as address;
use crate::queue::{Event, Time};
use crate::resp::{bulk, command};
use crate::world::World;
use std::collections::BTreeMap;
use std::time::Duration;

/// The commands of the workload are numbered, each with a key of its own.
pub(crate) type OpId = u64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Primary,
    ReplicaOf(usize),
}

pub(crate) struct Node {
    pub(crate) alive: bool,
    /// The machine is off as well: nobody even refuses a connection.
    pub(crate) gone: bool,
    pub(crate) frozen: bool,
    pub(crate) role: Role,
    /// The failover that made it a primary, as Sentinels count.
    pub(crate) generation: u64,
    pub(crate) linked: bool,
    last_link: Time,
    pub(crate) log: Vec<OpId>,
    pub(crate) values: BTreeMap<OpId, u64>,
    pub(crate) loading_until: Time,
    pub(crate) locked_out: bool,
    copying: bool,
    /// Reconfigurations that wait in its socket while it is frozen.
    orders: Vec<(Role, u64)>,
    pub(crate) clients: BTreeMap<ConnId, Client>,
}

#[derive(Default)]
pub(crate) struct Client {
    input: Vec<u8>,
    resp3: bool,
    /// Logged in: later changes of the rules do not concern it.
    welcome: bool,
    /// It was told so when it asked for the role. Of those who share a socket, one may have asked
    /// later than another, whose commands are under way.
    pub(crate) told_primary: bool,
    transaction: Option<Vec<Vec<Vec<u8>>>>,
    spoiled: bool,
}

impl Node {
    pub(crate) fn new(role: Role) -> Self {
        Self {
            alive: true,
            gone: false,
            frozen: false,
            role,
            generation: 0,
            linked: role != Role::Primary,
            last_link: Time::ZERO,
            log: Vec::new(),
            values: BTreeMap::new(),
            loading_until: Time::ZERO,
            locked_out: false,
            copying: false,
            orders: Vec::new(),
            clients: BTreeMap::new(),
        }
    }

    pub(crate) fn runs(&self) -> bool {
        self.alive && !self.frozen
    }
}

impl World {
    pub(crate) fn node_received(&mut self, n: usize, conn: ConnId, bytes: &[u8]) {
        let mut client = self.nodes[n].clients.remove(&conn).unwrap_or_default();
        client.input.extend_from_slice(bytes);
        let (mut out, mut at) = (String::new(), 0);
        while let Some((args, length)) = command(&client.input[at..]) {
            at += length;
            self.run_command(n, &mut client, args, &mut out);
        }
        client.input.drain(..at);
        if !out.is_empty() && self.random.chance(self.plan.lost_replies) {
            self.note(|| format!("{} is cut off after it executed", address(n)));
            self.close(conn, SERVER, true);
            return;
        } else if !out.is_empty() {
            self.send_bytes(conn, SERVER, out.into_bytes());
        }
        self.nodes[n].clients.insert(conn, client);
    }

    fn run_command(&mut self, n: usize, client: &mut Client, args: Vec<Vec<u8>>, out: &mut String) {
        let name = args[0].to_ascii_uppercase();
        let node = &self.nodes[n];
        let locked_out = node.locked_out && !client.welcome;
        client.welcome = !locked_out;
        match name.as_slice() {
            b"HELLO" if self.plan.resp2 => out.push_str("-ERR unknown command 'HELLO'\r\n"),
            b"HELLO" if locked_out => out
                .push_str("-NOAUTH HELLO must be called with the client already authenticated\r\n"),
            _ if locked_out => out.push_str("-NOAUTH Authentication required.\r\n"),
            b"HELLO" => {
                client.resp3 = true;
                out.push_str("%1\r\n$5\r\nproto\r\n:3\r\n");
            }
            b"SELECT" | b"CLIENT" | b"AUTH" => out.push_str("+OK\r\n"),
            b"PING" => out.push_str("+PONG\r\n"),
            b"ROLE" => {
                client.told_primary |= node.role == Role::Primary;
                out.push_str(&self.role_line(n));
            }
            b"MULTI" => {
                client.transaction = Some(Vec::new());
                client.spoiled = false;
                out.push_str("+OK\r\n");
            }
            b"EXEC" => self.run_transaction(n, client, out),
            _ => {
                if let Some(refusal) = self.refusal(n, &args) {
                    client.spoiled = true;
                    out.push_str(&refusal);
                } else if let Some(queued) = &mut client.transaction {
                    queued.push(args);
                    out.push_str("+QUEUED\r\n");
                } else {
                    self.execute(n, client, &args, out);
                }
            }
        }
    }

    fn run_transaction(&mut self, n: usize, client: &mut Client, out: &mut String) {
        let queued = client.transaction.take().unwrap_or_default();
        let refusal = queued.iter().find_map(|args| self.refusal(n, args));
        if client.spoiled {
            out.push_str("-EXECABORT Transaction discarded because of previous errors.\r\n");
        } else if let Some(refusal) = refusal {
            let why = &refusal[1..];
            out.push_str(&format!("-EXECABORT Transaction discarded because of: {why}"));
        } else {
            out.push_str(&format!("*{}\r\n", queued.len()));
            queued.iter().for_each(|args| self.execute(n, client, args, out));
        }
    }

    fn role_line(&self, n: usize) -> String {
        match self.nodes[n].role {
            Role::Primary => format!("*3\r\n{}:0\r\n*0\r\n", bulk("master")),
            Role::ReplicaOf(of) => {
                let (of, state) =
                    (address(of), if self.nodes[n].linked { "connected" } else { "connect" });
                format!(
                    "*5\r\n{}{}:{}\r\n{}:0\r\n",
                    bulk("slave"),
                    bulk(&of.host),
                    of.port,
                    bulk(state)
                )
            }
        }
    }

    /// Why a command is not even begun.
    fn refusal(&self, n: usize, args: &[Vec<u8>]) -> Option<String> {
        let node = &self.nodes[n];
        let (read, script) = (args[0] == b"GET", args[0] == b"EVAL");
        let replica = node.role != Role::Primary;
        let line = if self.now < node.loading_until {
            "LOADING Redis is loading the dataset in memory"
        } else if replica && !node.linked && !self.plan.stale_reads && (read || script) {
            "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."
        } else if read {
            return None;
        } else if replica && script && !self.plan.flagged_scripts {
            // It is begun, and fails at its first write.
            return None;
        } else if replica && script {
            "READONLY You can not run script with write flag on readonly replica."
        } else if replica {
            "READONLY You can't write against a read only replica."
        } else if self.plan.min_replicas && !script && !self.has_good_replicas(n) {
            "NOREPLICAS Not enough good replicas to write."
        } else {
            return None;
        };
        Some(format!("-{line}\r\n"))
    }

    fn has_good_replicas(&self, n: usize) -> bool {
        let lag = Duration::from_secs(1);
        let good = |node: &Node| {
            node.role == Role::ReplicaOf(n) && node.linked && self.now < node.last_link + lag
        };
        self.nodes.iter().any(good)
    }

    fn execute(&mut self, n: usize, client: &Client, args: &[Vec<u8>], out: &mut String) {
        let text = |i: usize| std::str::from_utf8(&args[i]).expect("text");
        let key = if args[0] == b"EVAL" { 3 } else { 1 };
        let op: OpId = text(key)[3..].parse().expect("a numbered key");
        self.check_verified(n, client, op);
        if args[0] == b"GET" {
            out.push_str(&match self.nodes[n].values.get(&op) {
                Some(value) => bulk(&value.to_string()),
                None if client.resp3 => "_\r\n".to_owned(),
                None => "$-1\r\n".to_owned(),
            });
            return;
        }
        if self.nodes[n].role != Role::Primary {
            out.push_str("-READONLY You can't write against a read only replica. script: 4e6d, on @user_script:1.\r\n");
            return;
        }
        let value = self.nodes[n].values.entry(op).or_default();
        *value += op;
        out.push_str(&format!(":{value}\r\n"));
        self.nodes[n].log.push(op);
        self.executed(op, n);
        for replica in 0..self.nodes.len() {
            self.replicate_soon(n, replica);
        }
    }

    fn replicate_soon(&mut self, from: usize, to: usize) {
        let node = &mut self.nodes[to];
        if node.role == Role::ReplicaOf(from) && node.linked && !node.copying {
            node.copying = true;
            let delay = self.random.span(Duration::ZERO, self.plan.replication);
            self.queue.push(self.now + delay, Event::Replicate(to));
        }
    }

    /// Takes in what is new at its primary.
    pub(crate) fn on_replicate(&mut self, to: usize) {
        self.nodes[to].copying = false;
        let Role::ReplicaOf(from) = self.nodes[to].role else { return };
        if !self.nodes[to].linked || !self.replication_flows(from, to) {
            return;
        }
        let known = self.nodes[to].log.len();
        let fresh: Vec<OpId> = self.nodes[from].log.get(known..).unwrap_or_default().to_vec();
        let more = !fresh.is_empty();
        let node = &mut self.nodes[to];
        for op in fresh {
            *node.values.entry(op).or_default() += op;
            node.log.push(op);
        }
        node.last_link = self.now;
        for next in 0..self.nodes.len() {
            if more {
                self.replicate_soon(to, next);
            }
        }
    }

    fn replication_flows(&self, from: usize, to: usize) -> bool {
        let up = |n: usize| self.nodes[n].runs() && self.now >= self.nodes[n].loading_until;
        up(from) && up(to) && self.reach_each_other(Host::Node(from), Host::Node(to))
    }

    /// Now and then: links come up with a full copy, or go down.
    pub(crate) fn on_replication_tick(&mut self) {
        for to in 0..self.nodes.len() {
            let Role::ReplicaOf(from) = self.nodes[to].role else { continue };
            let flows = self.replication_flows(from, to);
            let source_linked = self.nodes[from].role == Role::Primary || self.nodes[from].linked;
            if flows && !self.nodes[to].linked && source_linked {
                let (log, values) = (self.nodes[from].log.clone(), self.nodes[from].values.clone());
                let node = &mut self.nodes[to];
                (node.log, node.values, node.linked, node.last_link) =
                    (log, values, true, self.now);
            } else if flows {
                self.on_replicate(to);
            } else if self.now > self.nodes[to].last_link + Duration::from_secs(2) {
                self.nodes[to].linked = false;
            }
        }
        self.queue.push(self.now + Duration::from_millis(100), Event::ReplicationTick);
    }

    /// SLAVEOF, as Sentinels send it.
    pub(crate) fn reconfigure(&mut self, n: usize, role: Role, generation: u64) {
        if self.nodes[n].frozen {
            self.nodes[n].orders.push((role, generation));
            return;
        }
        let newest = self.nodes.iter().map(|node| node.generation).max().unwrap_or(0);
        let node = &mut self.nodes[n];
        if role == Role::Primary {
            // Nobody can tell an order that comes late from a new one.
            let least = if node.role == role { node.generation } else { newest };
            node.generation = generation.max(least);
        }
        if node.role == role {
            return;
        }
        node.role = role;
        node.linked = false;
        self.note(|| format!("{} is now {role:?}, failover {generation}", address(n)));
        for other in &mut self.nodes {
            // A replica of a replica starts from scratch with it.
            if other.role == Role::ReplicaOf(n) {
                other.linked = false;
            }
        }
        if self.plan.kills_clients {
            let host = Host::Node(n);
            for conn in self.open_conns(|conn| conn.ends[SERVER] == host) {
                self.nodes[n].clients.remove(&conn);
                self.close(conn, SERVER, false);
            }
        }
    }

    pub(crate) fn thaw_node(&mut self, n: usize) {
        self.nodes[n].frozen = false;
        let orders = std::mem::take(&mut self.nodes[n].orders);
        let orders_first = self.random.chance(0.5);
        if !orders_first {
            self.work_off(Host::Node(n));
        }
        for (role, generation) in orders {
            self.reconfigure(n, role, generation);
        }
        self.work_off(Host::Node(n));
    }

    /// The process dies; without persistence some of what it knew is lost with it.
    pub(crate) fn kill_node(&mut self, n: usize, gone: bool) {
        let node = &mut self.nodes[n];
        (node.alive, node.frozen, node.gone, node.linked) = (false, false, gone, false);
        node.orders.clear();
        node.clients.clear();
        self.drop_conns(Host::Node(n), gone);
    }

    pub(crate) fn restart_node(&mut self, n: usize, loading: Duration) {
        let node = &mut self.nodes[n];
        (node.alive, node.gone) = (true, false);
        node.loading_until = self.now + loading;
        let kept = if self.random.chance(0.5) {
            node.log.len()
        } else {
            self.random.below(node.log.len() + 1)
        };
        node.log.truncate(kept);
        node.values.clear();
        for &op in &node.log {
            *node.values.entry(op).or_default() += op;
        }
        for other in &mut self.nodes {
            if other.role == Role::ReplicaOf(n) {
                other.linked = false;
            }
        }
        self.resume_stalled();
    }
}
