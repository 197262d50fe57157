//! Address → socket → TLS → handshake, all before one deadline.

use super::call::{Caller, Cause, Host};
use super::exclusive::Exclusive;
use super::tls::TlsWire;
use super::wire::{Socket, Wire};
use crate::config::{Address, Config, Endpoint, Tls};
use crate::error::{Error, Kind, Result};
use crate::proto::handshake::{Greeting, Handshake, Login};
use crate::proto::scan::Limits;
use rustix::net::{self, sockopt};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// A connection of any kind, as the lanes hold it.
pub type Connection = Arc<dyn Wire>;

/// Where to, and as whom.
#[derive(Debug, Clone)]
pub struct Dial<'a> {
    pub endpoint: &'a Endpoint,
    pub tls: Option<&'a Tls>,
    pub login: Login,
    pub limits: Limits,
    /// For the whole of it: names, socket, TLS and handshake.
    pub deadline: Instant,
    /// How long the kernel lets sent data go unacknowledged before it gives the peer up.
    pub peer_timeout: Duration,
}

impl Dial<'_> {
    /// Connects and introduces us. What the node says it is, is for the caller to judge.
    pub fn connect(self, host: &dyn Host) -> Result<(Exclusive<Connection>, Greeting)> {
        let place = self.endpoint.to_string();
        self.open(host).map_err(|error| error.at(place))
    }

    fn open(self, host: &dyn Host) -> Result<(Exclusive<Connection>, Greeting)> {
        let wire = self.wire()?;
        let mut connection = Exclusive::new(wire, self.limits);
        let mut out = Vec::new();
        let mut handshake = Handshake::new(self.login, &mut out);
        loop {
            connection.send(&out);
            out.clear();
            let caller = Caller { now: Instant::now(), deadline: self.deadline, host };
            let frame = connection.next(caller).map_err(|cause| match cause {
                Cause::Lost(why) => why,
                Cause::Interrupted => Error::new(Kind::Unavailable, "the wait was interrupted"),
                Cause::Deadline | Cause::Full => Error::new(
                    Kind::Unavailable,
                    "connected, but the handshake got no answer in time",
                ),
            })?;
            if let Some(greeting) = handshake.reply(frame, &mut out)? {
                return Ok((connection, greeting));
            }
        }
    }

    fn wire(&self) -> Result<Connection> {
        Ok(match (self.endpoint, self.tls) {
            (Endpoint::Unix(path), _) => {
                Arc::new(self.unix(path).map_err(|error| unreachable(&error))?)
            }
            (Endpoint::Tcp(address), None) => Arc::new(self.tcp(address)?),
            (Endpoint::Tcp(address), Some(tls)) => {
                let socket = self.tcp(address)?;
                Arc::new(TlsWire::connect(socket, tls, &address.host, self.deadline)?)
            }
        })
    }

    fn tcp(&self, address: &Address) -> Result<Socket> {
        let candidates = resolve(address, self.deadline)?;
        let mut failure = None;
        for (i, candidate) in candidates.iter().enumerate() {
            // Those behind it get their share of what time is left.
            let left = self.deadline.saturating_duration_since(Instant::now());
            let share = left / (candidates.len() - i) as u32;
            if share.is_zero() {
                break;
            }
            match TcpStream::connect_timeout(candidate, share).and_then(|it| self.tune(it)) {
                Ok(socket) => return Ok(socket),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure.map_or_else(late, |error| unreachable(&error)))
    }

    /// A server that is behind with accepting lets a caller wait; the send timeout bounds that.
    fn unix(&self, path: &Path) -> std::io::Result<Socket> {
        let address = net::SocketAddrUnix::new(path)?;
        let flags = net::SocketFlags::CLOEXEC;
        let socket =
            net::socket_with(net::AddressFamily::UNIX, net::SocketType::STREAM, flags, None)?;
        let left = self.deadline.saturating_duration_since(Instant::now());
        let left = left.max(Duration::from_millis(1));
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(left))?;
        match net::connect(&socket, &address) {
            Err(rustix::io::Errno::AGAIN) => Err(std::io::ErrorKind::TimedOut.into()),
            other => {
                other?;
                Socket::new(socket)
            }
        }
    }

    /// Small writes leave at once, and a peer that is gone without a word is found out.
    fn tune(&self, socket: TcpStream) -> std::io::Result<Socket> {
        sockopt::set_tcp_nodelay(&socket, true)?;
        sockopt::set_socket_keepalive(&socket, true)?;
        sockopt::set_tcp_keepidle(&socket, Duration::from_secs(10))?;
        sockopt::set_tcp_keepintvl(&socket, Duration::from_secs(5))?;
        sockopt::set_tcp_keepcnt(&socket, 3)?;
        #[cfg(target_os = "linux")]
        sockopt::set_tcp_user_timeout(&socket, self.peer_timeout.as_millis() as u32)?;
        Socket::new(socket)
    }
}

/// Connects as far as TLS, for an evented host that leaves the handshake to its session. Reads do
/// not wait from here on.
pub fn stream(endpoint: &Endpoint, tls: Option<&Tls>, config: &Config) -> Result<Connection> {
    let dial = Dial {
        endpoint,
        tls,
        login: Login::default(),
        limits: Limits::default(),
        deadline: Instant::now() + config.connect_timeout,
        peer_timeout: config.command_timeout,
    };
    let wire = dial.wire().map_err(|error| error.at(endpoint))?;
    if let Some(descriptor) = wire.descriptor() {
        rustix::io::ioctl_fionbio(descriptor, true)
            .map_err(|error| unreachable(&error.into()).at(endpoint))?;
    }
    Ok(wire)
}

/// The addresses behind a name. The system's resolver knows no deadline, so it gets a thread
/// that may be late.
fn resolve(address: &Address, deadline: Instant) -> Result<Vec<SocketAddr>> {
    if let Ok(ip) = address.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, address.port)]);
    }
    let (found, answer) = mpsc::channel();
    let target = (address.host.clone(), address.port);
    std::thread::Builder::new()
        .name("steadis-dns".into())
        .spawn(move || {
            // Nobody listens any more when we are late.
            let _ = found.send(target.to_socket_addrs().map(Iterator::collect::<Vec<_>>));
        })
        .map_err(|error| Error::new(Kind::Unavailable, format!("no thread for DNS: {error}")))?;
    let left = deadline.saturating_duration_since(Instant::now());
    match answer.recv_timeout(left) {
        Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        Ok(Ok(_)) => Err(unresolved(&address.host, "it has no address")),
        Ok(Err(error)) => Err(unresolved(&address.host, &error)),
        Err(_) => Err(unresolved(&address.host, "no answer in time")),
    }
}

fn unresolved(host: &str, why: impl std::fmt::Display) -> Error {
    Error::new(Kind::Unavailable, format!("cannot resolve {host}: {why}"))
}

fn unreachable(error: &std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::TimedOut => late(),
        _ => Error::new(Kind::Unavailable, format!("cannot connect: {error}")),
    }
}

fn late() -> Error {
    Error::new(Kind::Unavailable, "cannot connect: no answer in time")
}
