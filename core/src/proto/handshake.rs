//! From a fresh socket to a verified node, in one round trip.
//!
//! `HELLO 3 AUTH … SETNAME …`, `SELECT`, `ROLE` and `CLIENT SETINFO` leave in one write. A server
//! that does not know HELLO is asked again in RESP2; one that refuses ROLE is asked for
//! `INFO replication`. A refusal is passed on in the server's own words.

use super::encode;
use super::read::Frame;
use super::reply::Reply;
use crate::error::{Error, Kind, Result};
use std::collections::VecDeque;

/// Who we are to the node. Secrets are plain bytes here, for as long as the handshake takes.
#[derive(Clone, Default)]
pub struct Login {
    pub username: Option<String>,
    pub password: Option<Vec<u8>>,
    pub db: u32,
    pub client_name: Option<String>,
    /// Speak RESP2 although the server may know better.
    pub resp2: bool,
}

impl Login {
    /// A user without a password is one of `nopass`, which takes any, also an empty one.
    fn credentials(&self) -> Option<(Option<&str>, &[u8])> {
        let user = self.username.as_deref();
        match &self.password {
            Some(password) => Some((user, password)),
            None => user.map(|user| (Some(user), b"".as_slice())),
        }
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "***"))
            .field("db", &self.db)
            .finish_non_exhaustive()
    }
}

/// What a node says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    Primary,
    /// A copy of `primary`; `linked` while replication from it is up.
    Replica {
        primary: String,
        port: u16,
        linked: bool,
    },
    Sentinel,
}

impl Role {
    pub fn name(&self) -> &'static str {
        match self {
            Role::Primary => "primary",
            Role::Replica { .. } => "replica",
            Role::Sentinel => "Sentinel",
        }
    }
}

/// A node that has let us in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    pub role: Role,
    /// 2 or 3.
    pub protocol: u8,
    /// What a server without passwords, given one, had to say.
    pub warning: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Hello,
    Auth,
    Name,
    Select,
    Role,
    Info,
    About,
}

/// The handshake on one socket: feed it every reply, in order.
#[derive(Debug)]
pub struct Handshake {
    login: Login,
    awaited: VecDeque<Step>,
    /// HELLO was refused: what follows it in the same write is void.
    void: bool,
    protocol: u8,
    role: Option<Role>,
    warning: Option<String>,
}

impl Handshake {
    /// Starts, with the first bytes for the socket in `out`.
    pub fn new(login: Login, out: &mut Vec<u8>) -> Self {
        let resp2 = login.resp2;
        let mut this = Self {
            login,
            awaited: VecDeque::new(),
            void: false,
            protocol: if resp2 { 2 } else { 3 },
            role: None,
            warning: None,
        };
        if resp2 {
            this.greet_in_resp2(out);
        } else {
            this.greet(out);
        }
        this
    }

    /// How many replies are still to come to what was written.
    pub fn awaits(&self) -> usize {
        self.awaited.len()
    }

    /// Takes one reply. What has to be written because of it is appended to `out`.
    pub fn reply(&mut self, frame: Frame<'_>, out: &mut Vec<u8>) -> Result<Option<Greeting>> {
        let Some(step) = self.awaited.pop_front() else {
            return Err(Error::new(Kind::Server, "the server answers more than it was asked"));
        };
        match (step, frame.error()) {
            _ if self.void && self.awaited.is_empty() => {
                self.void = false;
                self.greet_in_resp2(out);
            }
            _ if self.void => {}
            (Step::Hello, Some(line)) if says_no_hello(line) => self.void = true,
            (Step::Auth, Some(line)) if says_no_password_set(line) => {
                self.warning = Some(format!(
                    "a password is configured but the server needs none: {}",
                    String::from_utf8_lossy(line)
                ));
            }
            (Step::Role, Some(line)) if line.starts_with(b"NOPERM") => {
                encode::command(out, &["INFO", "replication"]);
                self.awaited.push_back(Step::Info);
            }
            // A name for CLIENT LIST and the like is a courtesy: no reason to stay away.
            (Step::Name | Step::About, Some(_)) => {}
            (_, Some(line)) => return Err(Error::server(line).during(step.name())),
            (Step::Role, None) => self.role = Some(standing(&Reply::from_frame(frame))?.0),
            (Step::Info, None) => self.role = Some(standing_in_info(&Reply::from_frame(frame))?.0),
            _ => {}
        }
        if !self.awaited.is_empty() {
            return Ok(None);
        }
        let role = self.role.take().ok_or_else(|| unclear("nothing about its role"))?;
        Ok(Some(Greeting { role, protocol: self.protocol, warning: self.warning.take() }))
    }

    fn greet(&mut self, out: &mut Vec<u8>) {
        let mut hello: Vec<&[u8]> = vec![b"HELLO", b"3"];
        if let Some((user, password)) = self.login.credentials() {
            hello.extend([b"AUTH", user.unwrap_or("default").as_bytes(), password]);
        }
        if let Some(name) = &self.login.client_name {
            hello.extend([b"SETNAME".as_slice(), name.as_bytes()]);
        }
        encode::command(out, &hello);
        self.awaited.push_back(Step::Hello);
        self.introduce(out);
    }

    fn greet_in_resp2(&mut self, out: &mut Vec<u8>) {
        self.protocol = 2;
        if let Some((user, password)) = self.login.credentials() {
            let mut auth: Vec<&[u8]> = vec![b"AUTH"];
            // Servers before 6.0 know no users; "default" is who they all were.
            auth.extend(user.filter(|&user| user != "default").map(str::as_bytes));
            auth.push(password);
            encode::command(out, &auth);
            self.awaited.push_back(Step::Auth);
        }
        if let Some(name) = &self.login.client_name {
            encode::command(out, &["CLIENT", "SETNAME", name]);
            self.awaited.push_back(Step::Name);
        }
        self.introduce(out);
    }

    fn introduce(&mut self, out: &mut Vec<u8>) {
        if self.login.db != 0 {
            encode::command(out, &["SELECT", &self.login.db.to_string()]);
            self.awaited.push_back(Step::Select);
        }
        encode::command(out, &["CLIENT", "SETINFO", "LIB-NAME", "steadis"]);
        encode::command(out, &["CLIENT", "SETINFO", "LIB-VER", env!("CARGO_PKG_VERSION")]);
        self.awaited.extend([Step::About, Step::About]);
        encode::command(out, &["ROLE"]);
        self.awaited.push_back(Step::Role);
    }
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Step::Hello => "HELLO",
            Step::Auth => "AUTH",
            Step::Name | Step::About => "CLIENT",
            Step::Select => "SELECT",
            Step::Role => "ROLE",
            Step::Info => "INFO",
        }
    }
}

/// Servers before 6.0, proxies, and users without the right to say HELLO.
fn says_no_hello(line: &[u8]) -> bool {
    line.starts_with(b"NOPROTO")
        || line.starts_with(b"NOPERM")
        || (line.starts_with(b"ERR")
            && line.to_ascii_lowercase().starts_with(b"err unknown command"))
}

fn says_no_password_set(line: &[u8]) -> bool {
    line.starts_with(b"ERR Client sent AUTH, but no password is set")
        || line.starts_with(b"ERR AUTH <password> called without any password configured")
}

/// Reads the reply to ROLE: what the node is, and how far it is in the stream of writes.
pub(crate) fn standing(reply: &Reply) -> Result<(Role, Option<u64>)> {
    let fields = reply.as_list().unwrap_or_default();
    let text = |i: usize| fields.get(i).and_then(Reply::as_str);
    let number = |i: usize| fields.get(i).and_then(Reply::as_integer);
    let offset = |i: usize| number(i).and_then(|offset| offset.try_into().ok());
    match text(0) {
        Some("master") => Ok((Role::Primary, offset(1))),
        Some("sentinel") => Ok((Role::Sentinel, None)),
        Some("slave") => {
            let role = Role::Replica {
                primary: text(1).unwrap_or_default().to_owned(),
                port: number(2).unwrap_or(0) as u16,
                linked: text(3) == Some("connected"),
            };
            Ok((role, offset(4)))
        }
        other => Err(unclear(other.unwrap_or("no role"))),
    }
}

/// The same out of the reply to INFO replication.
pub(crate) fn standing_in_info(reply: &Reply) -> Result<(Role, Option<u64>)> {
    let text = reply.as_str().unwrap_or_default();
    let field = |name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
    };
    let offset = |name: &str| field(name).and_then(|offset| offset.parse().ok());
    match field("role") {
        Some("master") => Ok((Role::Primary, offset("master_repl_offset"))),
        Some("slave") => {
            let role = Role::Replica {
                primary: field("master_host").unwrap_or_default().to_owned(),
                port: field("master_port").and_then(|port| port.parse().ok()).unwrap_or(0),
                linked: field("master_link_status") == Some("up"),
            };
            Ok((role, offset("slave_repl_offset")))
        }
        other => Err(unclear(other.unwrap_or("no role"))),
    }
}

fn unclear(what: &str) -> Error {
    Error::new(Kind::Server, format!("asked for its role, the server says {what}"))
}
