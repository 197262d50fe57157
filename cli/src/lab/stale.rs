//! A Sentinel that has been left behind: it goes on naming a node that is not the primary.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::error::{Doing, Result};
use super::events::Events;
use super::port::Port;
use super::resp::Reply;

/// What a stale Sentinel believes.
#[derive(Debug)]
pub(crate) struct Belief {
    /// The name under which it knows the primary.
    pub(crate) name: String,
    /// The node that it takes for the primary.
    pub(crate) primary: SocketAddr,
    /// The other nodes.
    pub(crate) replicas: Vec<SocketAddr>,
    /// The real Sentinels.
    pub(crate) sentinels: Vec<SocketAddr>,
}

/// Answers like a Sentinel, out of an old belief; it never publishes anything.
#[derive(Debug)]
pub(crate) struct Stale {
    port: Port,
    _tasks: JoinSet<()>,
}

impl Stale {
    pub(crate) async fn new(name: &str, belief: Belief, events: Arc<Events>) -> Result<Self> {
        let port = Port::claim()?;
        let listener =
            TcpListener::bind(port.address()).await.doing("listen as a stale Sentinel")?;
        let (name, belief) = (name.to_owned(), Arc::new(belief));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut clients = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                events.push("connected", &name, None);
                clients.spawn(answer_all(client, belief.clone()));
            }
        });
        Ok(Self { port, _tasks: tasks })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.port.address()
    }
}

async fn answer_all(client: TcpStream, belief: Arc<Belief>) {
    let mut client = BufStream::new(client);
    let mut protocol = 2;
    while let Ok(Some(command)) = read_command(&mut client).await {
        let mut bytes = Vec::new();
        for reply in belief.answer(&command, &mut protocol) {
            reply.encode(protocol, &mut bytes);
        }
        let sent = async {
            client.write_all(&bytes).await?;
            client.flush().await
        };
        let quit = command.first().is_some_and(|word| word.eq_ignore_ascii_case("QUIT"));
        if sent.await.is_err() || quit {
            return;
        }
    }
}

impl Belief {
    /// The replies to one command; SUBSCRIBE has one for each channel.
    fn answer(&self, command: &[String], protocol: &mut u8) -> Vec<Reply> {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let name = words.first().map(|word| word.to_ascii_uppercase()).unwrap_or_default();
        vec![match name.as_str() {
            "PING" => Reply::Simple("PONG"),
            "AUTH" | "CLIENT" | "QUIT" => Reply::Simple("OK"),
            "HELLO" => self.hello(&words, protocol),
            "ROLE" => {
                Reply::array([Reply::bulk("sentinel"), Reply::array([Reply::bulk(&self.name)])])
            }
            "INFO" => Reply::bulk("# Sentinel\r\nsentinel_masters:1\r\n"),
            "SENTINEL" => self.sentinel(&words),
            "SUBSCRIBE" | "PSUBSCRIBE" | "UNSUBSCRIBE" | "PUNSUBSCRIBE" => {
                return confirmations(&name, &words[1..]);
            }
            _ => Reply::Error(format!("ERR unknown command '{}'", words.join(" "))),
        }]
    }

    fn hello(&self, words: &[&str], protocol: &mut u8) -> Reply {
        match words.get(1) {
            Some(&"3") => *protocol = 3,
            Some(&"2") | None => *protocol = 2,
            Some(_) => return Reply::Error("NOPROTO unsupported protocol version".into()),
        }
        Reply::map([
            ("server", Reply::bulk("redis")),
            ("version", Reply::bulk("7.0.15")),
            ("proto", Reply::Number(i64::from(*protocol))),
            ("id", Reply::Number(1)),
            ("mode", Reply::bulk("sentinel")),
            ("modules", Reply::array([])),
        ])
    }

    fn sentinel(&self, words: &[&str]) -> Reply {
        let subcommand = words.get(1).map(|word| word.to_ascii_uppercase()).unwrap_or_default();
        if subcommand == "MASTERS" {
            return Reply::array([self.master()]);
        }
        let known = words.get(2) == Some(&self.name.as_str());
        match subcommand.as_str() {
            "GET-MASTER-ADDR-BY-NAME" if known => {
                Reply::array([Reply::bulk(self.primary.ip()), Reply::bulk(self.primary.port())])
            }
            "GET-MASTER-ADDR-BY-NAME" => Reply::Nil,
            "MASTER" | "REPLICAS" | "SLAVES" | "SENTINELS" if !known => {
                Reply::Error("ERR No such master with that name".into())
            }
            "MASTER" => self.master(),
            "REPLICAS" | "SLAVES" => Reply::array(self.replicas.iter().map(|node| {
                entry(node.to_string(), *node, "slave", [("master-link-status", "ok".into())])
            })),
            "SENTINELS" => Reply::array(self.sentinels.iter().map(|sentinel| {
                entry(
                    sentinel.to_string(),
                    *sentinel,
                    "sentinel",
                    [("runid", format!("{:040x}", sentinel.port()))],
                )
            })),
            _ => Reply::Error(format!("ERR Unknown sentinel subcommand '{subcommand}'")),
        }
    }

    /// Its configuration epoch is the first: a client that compares epochs sees through it.
    fn master(&self) -> Reply {
        let count = |list: &Vec<_>, less| (list.len().saturating_sub(less)).to_string();
        entry(
            self.name.clone(),
            self.primary,
            "master",
            [
                ("config-epoch", "0".into()),
                ("num-slaves", count(&self.replicas, 0)),
                ("num-other-sentinels", count(&self.sentinels, 1)),
                ("quorum", (self.sentinels.len() / 2 + 1).to_string()),
            ],
        )
    }
}

fn entry<const N: usize>(
    name: String,
    address: SocketAddr,
    flags: &str,
    more: [(&'static str, String); N],
) -> Reply {
    let fields = [
        ("name", name),
        ("ip", address.ip().to_string()),
        ("port", address.port().to_string()),
        ("flags", flags.to_owned()),
    ];
    Reply::map(fields.into_iter().chain(more).map(|(field, value)| (field, Reply::bulk(value))))
}

fn confirmations(name: &str, channels: &[&str]) -> Vec<Reply> {
    let kind = name.to_ascii_lowercase();
    let count = |index: usize| {
        if kind.contains("uns") { 0 } else { index as i64 + 1 }
    };
    let confirm = |(index, channel): (usize, &&str)| {
        Reply::Push(vec![Reply::bulk(&kind), Reply::bulk(channel), Reply::Number(count(index))])
    };
    channels.iter().enumerate().map(confirm).collect()
}

/// Reads one command: an array of bulk strings, or words in a line. `None` at the end.
async fn read_command(client: &mut BufStream<TcpStream>) -> std::io::Result<Option<Vec<String>>> {
    const LONGEST: usize = 64 * 1024;
    let Some(line) = read_line(client).await? else {
        return Ok(None);
    };
    let Some(count) = line.strip_prefix('*') else {
        return Ok(Some(line.split_whitespace().map(str::to_owned).collect()));
    };
    let mut words = Vec::new();
    for _ in 0..number(count)?.min(LONGEST) {
        let Some(header) = read_line(client).await? else {
            return Ok(None);
        };
        let length = number(header.strip_prefix('$').unwrap_or_default())?;
        let mut word = vec![0; length.min(LONGEST) + 2];
        client.read_exact(&mut word).await?;
        word.truncate(length.min(LONGEST));
        words.push(String::from_utf8_lossy(&word).into_owned());
    }
    Ok(Some(words))
}

async fn read_line(client: &mut BufStream<TcpStream>) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    let bytes = client.read_line(&mut line).await?;
    Ok((bytes > 0).then(|| line.trim_end().to_owned()))
}

fn number(text: &str) -> std::io::Result<usize> {
    text.parse().map_err(|_| std::io::ErrorKind::InvalidData.into())
}
