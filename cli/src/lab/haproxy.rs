//! A real HAProxy in front of the nodes, which sends everybody to the one that says `role:master`.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::configuration::Common;
use super::directory::Directory;
use super::error::{Doing, Result};
use super::events::Events;
use super::port::Port;
use super::process::Process;
use super::server::Server;
use super::wait::hold;

/// The proxy's process and where applications reach it.
#[derive(Debug)]
pub(crate) struct Haproxy {
    port: Port,
    process: Process,
    socket: PathBuf,
}

impl Haproxy {
    /// A proxy that does not run yet.
    pub(crate) fn new(
        directory: &Directory,
        program: PathBuf,
        common: &Common,
        nodes: &[Arc<Server>],
        events: &Arc<Events>,
    ) -> Result<Self> {
        let port = Port::claim()?;
        let (file, socket) = (directory.join("haproxy.cfg"), directory.join("haproxy.socket"));
        let text = configuration(&port, &socket.display().to_string(), common, nodes);
        fs::write(&file, text).doing(format_args!("write {}", file.display()))?;
        let arguments = vec!["-db".into(), "-f".into(), file.into_os_string()];
        let log = directory.join("haproxy.log");
        let process = Process::new("haproxy", program, arguments, log, events.clone());
        Ok(Self { port, process, socket })
    }

    /// Starts it and waits until it answers.
    pub(crate) async fn start(&self) -> Result<()> {
        let answers = async {
            while self.ask("show info\n").await.is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        self.process.start_until(answers).await
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.port.address()
    }

    pub(crate) fn process(&self) -> &Process {
        &self.process
    }

    /// Whether it sends everybody to `primary`.
    pub(crate) async fn leads_to(&self, primary: &str) -> Result<()> {
        let table = self.ask("show stat\n").await.doing("ask haproxy who is up")?;
        for line in table.lines().filter(|line| line.starts_with("nodes,node")) {
            let fields: Vec<&str> = line.split(',').collect();
            let (name, status) = (fields[1], fields.get(STATUS).copied().unwrap_or_default());
            hold((status == "UP") == (name == primary), || {
                format!("haproxy sees {name} as {status}, and {primary} is the primary")
            })?;
        }
        Ok(())
    }

    async fn ask(&self, question: &str) -> std::io::Result<String> {
        let mut socket = UnixStream::connect(&self.socket).await?;
        socket.write_all(question.as_bytes()).await?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await?;
        Ok(answer)
    }
}

/// The column of `show stat` that says whether a server is up.
const STATUS: usize = 17;

fn configuration(port: &Port, socket: &str, common: &Common, nodes: &[Arc<Server>]) -> String {
    let address = port.address();
    let login = match common.credentials.nodes.haproxy.arguments() {
        Some(login) => format!(
            "  tcp-check send AUTH\\ {}\\r\\n\n  tcp-check expect string +OK\n",
            login.replace(' ', "\\ ")
        ),
        None => String::new(),
    };
    // The checks speak TLS, the applications' bytes pass as they are: TLS ends at the node.
    let tls = match &common.certificates {
        Some(files) => format!(" check-ssl verify required ca-file {}", files.authority.display()),
        None => String::new(),
    };
    let mut text = format!(
        "global
  nbthread 1
  stats socket {socket} mode 600
defaults
  mode tcp
  timeout connect 1s
  timeout check 500ms
  timeout client 1d
  timeout server 1d
frontend redis
  bind {address}
  default_backend nodes
backend nodes
  option tcp-check
{login}  tcp-check send PING\\r\\n
  tcp-check expect string +PONG
  tcp-check send info\\ replication\\r\\n
  tcp-check expect string role:master
  tcp-check send QUIT\\r\\n
  tcp-check expect string +OK
  default-server check inter 100ms fall 1 rise 1 on-marked-down shutdown-sessions{tls}
"
    );
    for node in nodes {
        let (name, address) = (node.name(), node.place.reachable());
        let _ = writeln!(text, "  server {name} {address}");
    }
    text
}
