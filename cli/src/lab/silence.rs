//! Addresses where nobody answers: refused, mute and unreachable.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{copy, sink};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;

use super::error::{Doing, Error, Result};
use super::events::Events;
use super::port::Port;

/// An address that refuses connections.
#[derive(Debug)]
pub(crate) struct Refuse {
    port: Port,
    // Bound and not listening: connections are refused and nobody else can take the port.
    _socket: TcpSocket,
}

impl Refuse {
    pub(crate) fn new() -> Result<Self> {
        let port = Port::claim()?;
        let socket = bind(port.address())?;
        Ok(Self { port, _socket: socket })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.port.address()
    }
}

/// An address that accepts connections, reads what comes and never answers.
#[derive(Debug)]
pub(crate) struct Mute {
    port: Port,
    _tasks: JoinSet<()>,
}

impl Mute {
    pub(crate) fn new(name: &str, events: Arc<Events>) -> Result<Self> {
        let port = Port::claim()?;
        let listener = listen(port.address(), 1024)?;
        let name = name.to_owned();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                events.push("connected", &name, None);
                connections.spawn(async move { copy(&mut client, &mut sink()).await.map(drop) });
            }
        });
        Ok(Self { port, _tasks: tasks })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.port.address()
    }
}

/// An address where connecting takes for ever: the queue is full, and the kernel drops every SYN.
#[derive(Debug)]
pub(crate) struct Drop {
    port: Port,
    _listener: TcpListener,
    _queue: Vec<TcpStream>,
}

impl Drop {
    pub(crate) async fn new() -> Result<Self> {
        const PATIENCE: Duration = Duration::from_millis(100);
        let port = Port::claim()?;
        let listener = listen(port.address(), 0)?;
        let mut queue = Vec::new();
        // The first connection that does not come about shows that the queue is full.
        while let Ok(connected) =
            tokio::time::timeout(PATIENCE, TcpStream::connect(port.address())).await
        {
            queue.push(connected.doing("fill a listen queue")?);
            if queue.len() > 64 {
                return Err(Error::new(
                    "this kernel does not drop SYNs when a listen queue is full",
                ));
            }
        }
        Ok(Self { port, _listener: listener, _queue: queue })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.port.address()
    }
}

fn bind(address: SocketAddr) -> Result<TcpSocket> {
    let socket = TcpSocket::new_v4().doing("make a socket")?;
    socket.set_reuseaddr(true).doing("reuse an address")?;
    socket.bind(address).doing(format_args!("bind {address}"))?;
    Ok(socket)
}

fn listen(address: SocketAddr, backlog: u32) -> Result<TcpListener> {
    bind(address)?.listen(backlog).doing(format_args!("listen on {address}"))
}
