//! The client for callers that wait on their own thread.
//!
//! | file | what it holds |
//! |---|---|
//! | `execute` | one command or transaction: sent, sent again, or honestly given up |
//! | `batch` | a pipeline: the same for each of its commands |
//! | `route` | which lane a command takes, and how long it waits for one |
//! | `lanes` | the connections to the primary of one epoch |

mod batch;
mod execute;
mod lanes;
mod route;

use super::transaction::Transaction;
use super::verdict::closed;
use super::{Batch, CallOptions, Job};
use crate::command;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::lane::call::Host;
use crate::proto::encode;
use crate::proto::ledger::Span;
use crate::proto::read::Frame;
use crate::proto::reply::Reply;
use crate::topology::{Deployment, Topology};
use arc_swap::ArcSwapOption;
use lanes::Lanes;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A client for callers that wait on their own thread. Clones share everything.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: Arc<Config>,
    /// What belongs to this process: made at the first command, and anew after a fork.
    home: ArcSwapOption<Home>,
    closed: AtomicBool,
    held: AtomicUsize,
    held_bytes: AtomicUsize,
}

/// The parts that do not survive a fork.
#[derive(Debug)]
struct Home {
    deployment: Arc<Deployment>,
    lanes: Arc<Lanes>,
    waker: u64,
}

impl Client {
    /// A client that touches the network at its first command.
    pub fn new(config: Config) -> Self {
        Self {
            inner: Arc::new(Inner {
                config: Arc::new(config),
                home: ArcSwapOption::empty(),
                closed: AtomicBool::new(false),
                held: AtomicUsize::new(0),
                held_bytes: AtomicUsize::new(0),
            }),
        }
    }

    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// The options of a call that asks for nothing special.
    pub fn options(&self) -> CallOptions {
        CallOptions::of(&self.inner.config)
    }

    /// Waits until the primary is verified.
    pub fn ready(&self) -> Result<()> {
        self.call(&["PING"]).map(drop)
    }

    /// Sends one command, given by its arguments, and waits for its reply.
    pub fn call<A: AsRef<[u8]>>(&self, args: &[A]) -> Result<Reply> {
        self.call_with(args, &self.options(), &())
    }

    /// [`call`](Self::call) with options, inside a host language.
    pub fn call_with<A: AsRef<[u8]>>(
        &self,
        args: &[A],
        options: &CallOptions,
        host: &dyn Host,
    ) -> Result<Reply> {
        let mut bytes = Vec::new();
        encode::command(&mut bytes, args);
        let request = Job {
            bytes: &bytes,
            span: Span::Command { bytes: bytes.len() },
            effect: command::effect(args),
        };
        let mut frames = Vec::new();
        self.execute(&request, options, host, &mut frames)?;
        let frame = Frame::trusted(&frames);
        match frame.error() {
            Some(line) => Err(Error::server(line).during(request.name())),
            None => Ok(Reply::from_frame(frame)),
        }
    }

    /// Sends commands in one go. Each has its own reply or error.
    pub fn pipeline<A: AsRef<[u8]>>(&self, commands: &[Vec<A>]) -> Result<Vec<Result<Reply>>> {
        let mut batch = Batch::default();
        for args in commands {
            batch.push(args);
        }
        Ok(self.execute_batch(batch, &self.options(), &())?.into_replies())
    }

    /// Sends commands that run together or not at all, and returns their replies.
    pub fn transaction<A: AsRef<[u8]>>(&self, commands: &[Vec<A>]) -> Result<Vec<Reply>> {
        let transaction = Transaction::new(commands);
        let mut frames = Vec::new();
        self.execute(&transaction.job(), &self.options(), &(), &mut frames)?;
        transaction.outcome(&frames)
    }

    /// What is known of the deployment now.
    pub fn topology(&self) -> Result<Arc<Topology>> {
        Ok(self.home()?.deployment.shared.topology())
    }

    /// Calls `listener` with every event of the deployment, on a background thread.
    pub fn on(&self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Result<u64> {
        Ok(self.home()?.deployment.shared.listeners().add(Arc::new(listener)))
    }

    pub fn is_closed(&self) -> bool {
        self.inner.closed.load(Ordering::Acquire)
    }

    /// Ends all connections. Calls that wait end with an error, as do later ones.
    pub fn close(&self) {
        self.inner.closed.store(true, Ordering::Release);
        if let Some(home) = self.inner.home.swap(None).filter(|home| home.deployment.is_ours()) {
            home.lanes.retire_all(&closed());
            home.deployment.shared.wake_all();
        }
    }

    /// This process' own connections.
    fn home(&self) -> Result<Arc<Home>> {
        loop {
            if self.inner.closed.load(Ordering::Acquire) {
                return Err(closed());
            }
            let current = self.inner.home.load_full();
            if let Some(home) = &current
                && home.deployment.is_ours()
            {
                return Ok(Arc::clone(home));
            }
            // None yet, or one that this process inherited. That one is left as it is: its
            // sockets are the parent's, and closing descriptors says nothing on the wire.
            let fresh = Arc::new(Home::open(&self.inner.config)?);
            self.inner.home.compare_and_swap(&current, Some(fresh));
        }
    }
}

impl Home {
    fn open(config: &Arc<Config>) -> Result<Self> {
        let deployment = Deployment::open(config)?;
        let lanes = Arc::new(Lanes::new(Arc::clone(config)));
        let (shared, watched) = (Arc::downgrade(&deployment.shared), Arc::downgrade(&lanes));
        // A new primary wakes everybody who waits for the old one.
        let waker = deployment.shared.listeners().add_waker(Arc::new(move || {
            if let (Some(shared), Some(lanes)) = (shared.upgrade(), watched.upgrade()) {
                lanes.leave_all_but(&shared.topology());
            }
        }));
        Ok(Self { deployment, lanes, waker })
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.deployment.is_ours() {
            self.deployment.shared.listeners().remove(self.waker);
        }
    }
}
