//! The client inside an event loop. The host owns the sockets and the clock; this owns everything
//! that knows Redis.
//!
//! | file | what it holds |
//! |---|---|
//! | `calls` | the calls without an outcome, by token |
//! | `link` | one connection of the host's |
//! | `guide` | where it learns who is primary |
//! | `submit` | what a caller can ask for |
//! | `place` | which node a call goes to |
//! | `flow` | how calls are held and sent |
//! | `recall` | what must not leave any more, or not on this connection |
//! | `connect` | the host's connections: asked for, opened, heard, and lost |
//! | `own` | connections of one caller's own |
//! | `watch` | optimistic transactions |
//! | `subscribe` | subscriptions; `subscription` is one, and `inbox` what has come for it |
//! | `settle` | what becomes of those without a good reply |
//! | `time` | deadlines, and changes of the topology |
//!
//! The host does what [`Session::poll`] says, and tells the session what happened: `opened`,
//! `received`, `closed`, and `wake` when the topology has changed or a deadline has passed. Each
//! call's token comes back with its outcome, exactly once.

mod calls;
mod connect;
mod flow;
mod guide;
mod inbox;
mod link;
mod own;
mod place;
mod recall;
mod rename;
mod settle;
mod submit;
mod subscribe;
mod subscription;
mod time;
mod watch;

use super::script::Scripts;
use super::verdict::closed;
use super::{Answer, Outcomes};
use crate::config::{Config, Endpoint, Tls};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::lane::hosted::Token;
use crate::policy::Backoff;
use crate::stats::{Counters, Stats};
use crate::topology::Topology;
use crate::topology::decide::Trouble;
use calls::Calls;
pub use calls::WatchId;
use guide::Guide;
use link::Link;
pub use link::LinkId;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Instant;
use subscription::Subscription;
use watch::Watch;

/// What the host has to do.
#[derive(Debug)]
pub enum Action {
    /// Connect, with TLS if settings for it are given, and say `opened` or `closed`.
    Open {
        link: LinkId,
        to: Endpoint,
        tls: Option<Tls>,
        /// Nothing will be sent but commands that are answered at once, so that other sessions
        /// with the same settings could use the connection as well.
        shareable: bool,
    },
    Write {
        link: LinkId,
        bytes: Vec<u8>,
    },
    /// Close the connection; `closed` need not be said.
    Close {
        link: LinkId,
    },
}

/// What a call came to.
#[derive(Debug)]
pub enum Completion<'a> {
    /// The good reply of a command.
    Reply(Answer<'a>),
    /// What came of each command of a pipeline or of a transaction.
    Outcomes(Outcomes),
    /// The keys are being watched.
    Ready,
    /// The watched keys have changed, or the primary has: nothing was executed.
    Again,
    /// A subscription has something for its subscriber. Comes any number of times.
    Heard,
    /// An error, ours or the server's.
    Failed(Error),
}

/// Takes outcomes in.
pub type Sink<'a> = dyn FnMut(Token, Completion<'_>) + 'a;

/// One client of an event loop.
#[derive(Debug)]
pub struct Session {
    config: Arc<Config>,
    guide: Guide,
    calls: Calls,
    /// Those that wait for a connection, in order.
    held: VecDeque<Token>,
    held_bytes: usize,
    /// Some are held only because too many others wait for replies.
    crowded: bool,
    links: Vec<Link>,
    next_link: LinkId,
    /// Grows with every call, so that they take turns at the replicas.
    turn: usize,
    watches: BTreeMap<WatchId, Watch>,
    next_watch: WatchId,
    subscriptions: BTreeMap<Token, Subscription>,
    next_subscription: u32,
    actions: VecDeque<Action>,
    /// Not to be connected before this.
    connects_at: Option<Instant>,
    backoff: Backoff,
    /// The last thing that went wrong with a connection.
    reason: Option<Error>,
    /// Since when the primary is known to be gone.
    lost_since: Option<Instant>,
    scripts: Scripts,
    counters: Counters,
    closed: bool,
}

impl Session {
    /// A session that asks for nothing before its first call.
    pub fn new(config: impl Into<Arc<Config>>) -> Self {
        crate::command::prepare();
        Self {
            config: config.into(),
            guide: Guide::None,
            calls: Calls::default(),
            held: VecDeque::new(),
            held_bytes: 0,
            crowded: false,
            links: Vec::new(),
            next_link: 0,
            turn: 0,
            watches: BTreeMap::new(),
            next_watch: 0,
            subscriptions: BTreeMap::new(),
            next_subscription: 0,
            actions: VecDeque::new(),
            connects_at: None,
            backoff: Backoff::default(),
            reason: None,
            lost_since: None,
            scripts: Scripts::default(),
            counters: Counters::default(),
            closed: false,
        }
    }

    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Begins to watch the deployment. `waker` is called on another thread after every change,
    /// and has to see to it that the host calls [`wake`](Self::wake).
    pub fn start(&mut self, waker: impl Fn() + Send + Sync + 'static) -> Result<()> {
        if matches!(self.guide, Guide::None) && !self.closed {
            self.guide = Guide::watch(&self.config, Arc::new(waker))?;
            self.guide.count_with(&self.counters);
        }
        Ok(())
    }

    /// Learns the topology from a simulation, again and again, instead of watching anything.
    #[doc(hidden)]
    pub fn simulate(&mut self, topology: Arc<Topology>) {
        match &mut self.guide {
            Guide::Simulation { topology: known, .. } => *known = topology,
            guide => {
                *guide = Guide::Simulation { topology, troubles: Vec::new(), chance: 0 };
                self.backoff = guide.backoff();
            }
        }
    }

    /// What a simulated watch has to be told.
    #[doc(hidden)]
    pub fn take_troubles(&mut self) -> Vec<(u64, Trouble)> {
        match &mut self.guide {
            Guide::Simulation { troubles, .. } => std::mem::take(troubles),
            _ => Vec::new(),
        }
    }

    /// The next thing for the host to do. Ask until there is nothing.
    pub fn poll(&mut self) -> Option<Action> {
        if let Some(action) = self.poll_connections() {
            return Some(action);
        }
        (0..self.links.len()).find_map(|link| {
            let bytes = self.output(link);
            (!bytes.is_empty()).then(|| Action::Write { link: self.links[link].id, bytes })
        })
    }

    /// The next connection to open or close; for hosts that take output by themselves.
    pub fn poll_connections(&mut self) -> Option<Action> {
        let action = self.actions.pop_front();
        if self.actions.is_empty() {
            // There will be nothing to do for a long time.
            self.actions = VecDeque::new();
        }
        action
    }

    /// The connections that have something to write.
    pub fn links_with_output(&self) -> Vec<LinkId> {
        self.links.iter().filter(|link| link.lane.has_output()).map(|link| link.id).collect()
    }

    /// What is to be written to a connection, all of it. It counts as sent from now on.
    pub fn take_output(&mut self, link: LinkId) -> Vec<u8> {
        let link = self.links.iter().position(|it| it.id == link);
        link.map(|link| self.output(link)).unwrap_or_default()
    }

    /// Whether the host has to look after connections or deadlines: there is one to open or to
    /// close, or a call that waits for one.
    pub fn needs_host(&self) -> bool {
        !self.actions.is_empty() || !self.held.is_empty()
    }

    /// Whether there is something to write.
    pub fn has_output(&self) -> bool {
        self.links.iter().any(|link| link.lane.has_output())
    }

    /// Figures since this session was made.
    pub fn stats(&self) -> Stats {
        self.counters.read()
    }

    /// Calls without an outcome.
    pub fn waiting(&self) -> usize {
        self.calls.len()
    }

    /// What is known of the deployment; `None` before the first call.
    pub fn topology(&self) -> Option<Arc<Topology>> {
        self.guide.topology()
    }

    /// Calls `listener` with every event of the deployment, on a background thread.
    pub fn on_event(&mut self, listener: impl Fn(&Event) + Send + Sync + 'static) {
        self.guide.listen(Arc::new(listener));
    }

    /// Whether it was made by this process. One that was inherited through a fork can only be
    /// dropped.
    pub fn is_ours(&self) -> bool {
        self.guide.is_ours()
    }

    /// Ends everything. Every call that waits is told so.
    pub fn close(&mut self, sink: &mut Sink<'_>) {
        self.closed = true;
        for mut link in std::mem::take(&mut self.links) {
            self.actions.push_back(Action::Close { link: link.id });
            for lost in link.lane.on_lost(0) {
                self.leave(lost, &link.node, sink);
            }
        }
        self.held.clear();
        self.held_bytes = 0;
        for token in self.calls.tokens() {
            self.finish_late(token, closed(), sink);
        }
        self.watches.clear();
        for (id, _) in std::mem::take(&mut self.subscriptions) {
            sink(id, Completion::Heard);
        }
        self.guide = Guide::None;
    }
}
