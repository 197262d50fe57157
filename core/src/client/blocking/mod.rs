//! The client for callers that wait on their own thread.
//!
//! | file | what it holds |
//! |---|---|
//! | `execute` | one command or transaction: sent, sent again, or honestly given up |
//! | `batch` | a pipeline: the same for each of its commands |
//! | `route` | which lane a command takes, and how long it waits for one |
//! | `lanes` | the shared connections to one node, in one epoch |
//! | `replicas` | those to the replicas |
//! | `block` | commands that wait on the server |
//! | `watch` | optimistic transactions |
//! | `subscribe` | subscriptions |
//! | `own` | connections of one caller's own, for what blocks or keeps state |
//! | `turnstile` | one caller at a time |

mod batch;
mod block;
mod execute;
mod lanes;
mod own;
mod replicas;
mod route;
mod subscribe;
mod turnstile;
mod watch;

use super::script::{Script, Scripts};
use super::verdict::closed;
use super::{Answer, Batch, CallOptions, Exchange};
use crate::config::{Config, Explanation, Input, ReadFrom, Resolved};
use crate::error::Result;
use crate::event::{Event, Listeners};
use crate::proto::reply::Reply;
use crate::stats::{Counters, Stats};
use crate::topology::{Deployment, Health, Topology};
use arc_swap::ArcSwapOption;
use lanes::Lanes;
use own::Owned;
use replicas::Replicas;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
pub use subscribe::Subscription;
pub use watch::{View, Watch};

/// A client for callers that wait on their own thread. Clones share everything.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: Arc<Config>,
    resolved: Resolved,
    /// What belongs to this process: made at the first command, and anew after a fork.
    home: ArcSwapOption<Home>,
    closed: AtomicBool,
    held: AtomicUsize,
    held_bytes: AtomicUsize,
    counters: Arc<Counters>,
    scripts: Arc<Scripts>,
    /// Kept here and not with the deployment, so that a child goes on telling them.
    listeners: Arc<Listeners>,
}

/// The parts that do not survive a fork.
#[derive(Debug)]
struct Home {
    deployment: Arc<Deployment>,
    lanes: Arc<Lanes>,
    replicas: Arc<Replicas>,
    owned: Arc<Owned>,
    /// By which it hears of changes and of events.
    heard: [u64; 2],
}

impl Client {
    /// A client of what arguments, URL and environment describe. It touches the network at its
    /// first command.
    pub fn open(input: &Input) -> Result<Self> {
        Ok(Self::of(Config::resolve(input)?))
    }

    /// The same for a language that says how many lanes are best where no setting does: with a
    /// global lock that is one.
    pub fn open_with_lanes(input: &Input, lanes: NonZeroUsize) -> Result<Self> {
        let mut resolved = Config::resolve(input)?;
        Arc::make_mut(&mut resolved.config).lanes.get_or_insert(lanes);
        Ok(Self::of(resolved))
    }

    /// A client of a configuration that was put together by hand.
    pub fn new(config: Config) -> Self {
        Self::of(Resolved::by_hand(config))
    }

    fn of(resolved: Resolved) -> Self {
        crate::command::prepare();
        Self {
            inner: Arc::new(Inner {
                config: Arc::clone(&resolved.config),
                resolved,
                home: ArcSwapOption::empty(),
                closed: AtomicBool::new(false),
                held: AtomicUsize::new(0),
                held_bytes: AtomicUsize::new(0),
                counters: Arc::default(),
                scripts: Arc::default(),
                listeners: Arc::default(),
            }),
        }
    }

    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// Which variable or argument supplied each setting, passwords cut.
    pub fn explain(&self) -> Explanation {
        self.inner.resolved.explain()
    }

    /// What is odd about the settings, one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.inner.resolved.warnings
    }

    /// The options of a call that asks for nothing special.
    pub fn options(&self) -> CallOptions {
        CallOptions::of(&self.inner.config)
    }

    /// Waits until the primary is verified.
    pub fn ready(&self) -> Result<()> {
        let options = CallOptions { read_from: ReadFrom::Primary, ..self.options() };
        self.run(&mut Exchange::raw(&["PING"])?, &options, &())
    }

    /// Sends any command, given by its arguments, and waits for its reply as the server sends it.
    pub fn call<A: AsRef<[u8]>>(&self, args: &[A]) -> Result<Reply> {
        let mut exchange = Exchange::raw(args)?;
        self.run(&mut exchange, &self.options(), &())?;
        exchange.answer().map(Answer::to_reply)
    }

    /// Sends commands in one go. Each has its own reply or error.
    pub fn pipeline<A: AsRef<[u8]>>(&self, commands: &[Vec<A>]) -> Result<Vec<Result<Reply>>> {
        let outcomes = self.run_pipeline(batch(commands)?, &self.options(), &())?;
        Ok(outcomes.into_replies())
    }

    /// Sends commands that run together or not at all, and returns their replies; each has its
    /// own error too.
    pub fn transaction<A: AsRef<[u8]>>(&self, commands: &[Vec<A>]) -> Result<Vec<Result<Reply>>> {
        let outcomes = self.run_transaction(batch(commands)?, &self.options(), &())?;
        Ok(outcomes.into_replies())
    }

    /// A script, to be called by [`Exchange::script`] or in a batch. Every new primary learns it
    /// before it gets commands, for as long as somebody holds it.
    pub fn script(&self, source: impl AsRef<[u8]>) -> Arc<Script> {
        self.inner.scripts.add(source.as_ref())
    }

    /// What is known of the deployment now.
    pub fn topology(&self) -> Result<Arc<Topology>> {
        Ok(self.home()?.deployment.shared.topology())
    }

    /// How the deployment fares, without asking anybody.
    pub fn health(&self) -> Result<Health> {
        Ok(self.topology()?.health())
    }

    /// Figures since this client was made.
    pub fn stats(&self) -> Stats {
        self.inner.counters.read()
    }

    /// Calls `listener` with every event of the deployment, on a background thread. The network
    /// is left alone until the first command.
    pub fn on(&self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Result<u64> {
        if self.is_closed() {
            return Err(closed());
        }
        Ok(self.inner.listeners.add(Arc::new(listener)))
    }

    /// Stops what [`on`](Self::on) began.
    pub fn off(&self, listener: u64) {
        self.inner.listeners.remove(listener);
    }

    pub fn is_closed(&self) -> bool {
        self.inner.closed.load(Ordering::Acquire)
    }

    /// Ends all connections. Calls that wait end with an error, as do later ones.
    pub fn close(&self) {
        self.inner.closed.store(true, Ordering::Release);
        if let Some(home) = self.inner.home.swap(None).filter(|home| home.deployment.is_ours()) {
            home.lanes.retire_all(&closed());
            home.replicas.retire_all(&closed());
            // No topology has this epoch: all of them go.
            home.owned.leave_all_but(u64::MAX);
            home.deployment.shared.wake_all();
        }
    }

    /// This process' own connections.
    fn home(&self) -> Result<Arc<Home>> {
        loop {
            if self.inner.closed.load(Ordering::Acquire) {
                return Err(closed());
            }
            let current = self.inner.home.load();
            if let Some(home) = &*current
                && home.deployment.is_ours()
            {
                return Ok(Arc::clone(home));
            }
            // None yet, or one that this process inherited. That one is left as it is: its
            // sockets are the parent's, and closing descriptors says nothing on the wire.
            let fresh = Arc::new(Home::open(&self.inner)?);
            self.inner.home.compare_and_swap(&current, Some(fresh));
        }
    }
}

impl Home {
    fn open(client: &Inner) -> Result<Self> {
        let Inner { config, counters, scripts, listeners, .. } = client;
        let deployment = Deployment::open(config)?;
        counters.join(&deployment.shared.tally);
        let lanes =
            Arc::new(Lanes::new(Arc::clone(config), Arc::clone(counters), Arc::clone(scripts)));
        let replicas = Arc::new(Replicas::new(Arc::clone(config), Arc::clone(counters)));
        let owned = Arc::new(Owned::new(Arc::clone(config), Arc::clone(counters)));
        let (shared, watched) = (Arc::downgrade(&deployment.shared), Arc::downgrade(&lanes));
        let watched_too = (Arc::downgrade(&replicas), Arc::downgrade(&owned));
        // A new primary wakes everybody who waits for the old one.
        let waker = deployment.shared.listeners().add_waker(Arc::new(move || {
            if let (Some(shared), Some(lanes)) = (shared.upgrade(), watched.upgrade()) {
                let topology = shared.topology();
                lanes.follow(&topology);
                if let Some(replicas) = watched_too.0.upgrade() {
                    replicas.leave_all_but(&topology);
                }
                if let Some(owned) = watched_too.1.upgrade() {
                    owned.leave_all_but(topology.epoch);
                }
            }
        }));
        let listeners = Arc::clone(listeners);
        let events = move |event: &Event| listeners.tell(event);
        let events = deployment.shared.listeners().add(Arc::new(events));
        Ok(Self { deployment, lanes, replicas, owned, heard: [waker, events] })
    }
}

fn batch<A: AsRef<[u8]>>(commands: &[Vec<A>]) -> Result<Batch> {
    let mut batch = Batch::default();
    commands.iter().try_for_each(|args| batch.add_raw(args))?;
    Ok(batch)
}

impl Drop for Home {
    fn drop(&mut self) {
        if self.deployment.is_ours() {
            let listeners = self.deployment.shared.listeners();
            self.heard.into_iter().for_each(|id| listeners.remove(id));
        }
    }
}
