//! A TCP proxy that can be told to get in the way.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::JoinSet;

use super::error::{Doing, Result};
use super::events::Events;
use super::pump::{End, Pump};

/// How a proxy gets in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fault {
    /// It does not: bytes pass as they come.
    Pass,
    /// Bytes are held for a while, in one direction or in both.
    Delay {
        /// For how many milliseconds.
        ms: u64,
        /// Which bytes; both ways when left out.
        direction: Option<Direction>,
    },
    /// Bytes are taken and thrown away.
    Swallow(Direction),
    /// So many bytes more pass on each connection, then it ends.
    Cut {
        /// How many bytes pass.
        bytes: u64,
        /// Which bytes are counted.
        direction: Direction,
        /// Whether it ends with RST instead of FIN.
        #[serde(default)]
        reset: bool,
    },
    /// Every open connection ends with RST; new ones pass.
    Reset,
    /// The client is sent FIN on every open connection, and can go on sending; new ones pass.
    HalfClose,
}

/// A direction through a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the client to the server.
    Requests,
    /// From the server to the client.
    Replies,
}

/// What has passed through a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// Connections accepted.
    pub connections: u64,
    /// Bytes that clients sent.
    pub requests: u64,
    /// Bytes that the server sent.
    pub replies: u64,
}

/// A listener that forwards to one server; it closes its connections when dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

/// What a proxy and its connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    name: String,
    target: SocketAddr,
    pub(crate) standing: Mutex<Fault>,
    pub(crate) orders: broadcast::Sender<Fault>,
    connections: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) replies: AtomicU64,
    /// Where it tells of connections, if anybody wants to know.
    events: Option<Arc<Events>>,
}

impl Shared {
    pub(crate) fn tell(&self, event: &str) {
        if let Some(events) = &self.events {
            events.push(event, &self.name, None);
        }
    }
}

/// Who may connect.
pub(crate) type Admission = fn(Ipv4Addr) -> bool;

impl Proxy {
    /// Starts forwarding from `address` to `target` for those whom `admission` lets in.
    pub(crate) async fn start(
        name: &str,
        address: SocketAddr,
        target: SocketAddr,
        admission: Admission,
        events: Option<Arc<Events>>,
    ) -> Result<Self> {
        let listener =
            TcpListener::bind(address).await.doing(format_args!("listen on {address}"))?;
        let shared = Arc::new(Shared {
            name: name.into(),
            target,
            standing: Mutex::new(Fault::Pass),
            orders: broadcast::Sender::new(64),
            connections: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            replies: AtomicU64::new(0),
            events,
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, admission, shared.clone()));
        Ok(Self { shared, _tasks: tasks })
    }

    /// Gets in the way as told, instead of as before.
    pub(crate) fn set(&self, fault: Fault) {
        let standing =
            if matches!(fault, Fault::Reset | Fault::HalfClose) { Fault::Pass } else { fault };
        *self.shared.standing.lock().unwrap_or_else(PoisonError::into_inner) = standing;
        // Nobody listens when there is no connection.
        let _ = self.shared.orders.send(fault);
    }

    /// What has passed so far.
    pub(crate) fn traffic(&self) -> Traffic {
        let Shared { connections, requests, replies, .. } = &*self.shared;
        Traffic {
            connections: connections.load(Relaxed),
            requests: requests.load(Relaxed),
            replies: replies.load(Relaxed),
        }
    }
}

async fn accept(listener: TcpListener, admission: Admission, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, SocketAddr::V4(peer))) if admission(*peer.ip()) => {
                    connections.spawn(forward(client, shared.clone()));
                }
                Ok((stranger, _)) => drop(stranger.set_zero_linger()),
                // The client has already gone, or there is no file descriptor for it yet.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn forward(mut client: TcpStream, shared: Arc<Shared>) {
    shared.connections.fetch_add(1, Relaxed);
    shared.tell("connected");
    let Ok(mut server) = TcpStream::connect(shared.target).await else {
        let _ = client.set_zero_linger();
        return;
    };
    // Without it the kernel may hold back small writes; nothing else depends on it.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let mut orders = shared.orders.subscribe();
    let end = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let requests = Pump::new(Direction::Requests, &shared).run(from_client, to_server);
        let replies = Pump::new(Direction::Replies, &shared).run(from_server, to_client);
        tokio::select! {
            end = async { tokio::try_join!(requests, replies) } => end.err(),
            () = reset(&mut orders) => Some(End::Reset),
        }
    };
    if matches!(end, Some(End::Reset)) {
        let _ = client.set_zero_linger();
    }
}

async fn reset(orders: &mut broadcast::Receiver<Fault>) {
    while !matches!(orders.recv().await, Ok(Fault::Reset)) {}
}
