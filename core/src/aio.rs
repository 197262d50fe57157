//! The client for tokio: the hosted client, with tokio as its host.
//!
//! ```no_run
//! # async fn example() -> steadis::Result<()> {
//! let client = steadis::aio::connect()?;
//! client.call(&["SET", "cart:7", "3 items"]).await?;
//! # Ok(()) }
//! ```

use crate::client::hosted::{Action, Completion, LinkId, Session};
use crate::client::transaction::Transaction;
use crate::client::{Batch, CallOptions, Job, Outcomes};
use crate::command;
use crate::config::{Config, Endpoint, Tls};
use crate::error::{Error, Kind, Result};
use crate::lane::hosted::Token;
use crate::proto::encode;
use crate::proto::ledger::Span;
use crate::proto::read::Frame;
use crate::proto::reply::Reply;
use crate::redis_compat::{self, Packed};
use crate::topology::stream;
use redis::{RedisFuture, RedisResult, Value};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, oneshot};
use tokio::time::sleep_until;

/// A client of the deployment that the environment describes.
pub fn connect() -> Result<Client> {
    Ok(Client::new(Config::from_env()?))
}

/// A client for tasks. Clones share everything. Its connections live on the tokio runtime of the
/// first call.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    session: Mutex<Session>,
    waiting: Mutex<HashMap<Token, oneshot::Sender<Result<Done>>>>,
    /// Rung when a deadline or the topology may have changed.
    bell: Arc<Notify>,
    links: Mutex<HashMap<LinkId, Arc<Notify>>>,
    config: Arc<Config>,
}

/// An outcome on its way to the task that waits for it.
#[derive(Debug)]
enum Done {
    Replies(Vec<u8>),
    Outcomes(Outcomes),
}

/// Ends a call whose future was dropped.
struct Waiting<'a> {
    inner: &'a Arc<Inner>,
    token: Token,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if lock(&self.inner.waiting).remove(&self.token).is_some() {
            lock(&self.inner.session).cancel(self.token);
        }
    }
}

impl Client {
    pub fn new(config: Config) -> Self {
        let session = Session::new(config);
        let config = Arc::clone(session.config());
        Self {
            inner: Arc::new(Inner {
                session: Mutex::new(session),
                waiting: Mutex::default(),
                bell: Arc::new(Notify::new()),
                links: Mutex::default(),
                config,
            }),
        }
    }

    /// The options of a call that asks for nothing special.
    pub fn options(&self) -> CallOptions {
        CallOptions::of(&self.inner.config)
    }

    /// Waits until the primary is verified.
    pub async fn ready(&self) -> Result<()> {
        self.call(&["PING"]).await.map(drop)
    }

    /// Sends one command, given by its arguments, and waits for its reply.
    pub async fn call<A: AsRef<[u8]>>(&self, args: &[A]) -> Result<Reply> {
        let mut bytes = Vec::new();
        encode::command(&mut bytes, args);
        let span = Span::Command { bytes: bytes.len() };
        let job = Job { bytes: &bytes, span, effect: command::effect(args) };
        let frames = self.execute(job).await?;
        let frame = Frame::trusted(&frames);
        match frame.error() {
            Some(line) => Err(Error::server(line).during(command::name(args))),
            None => Ok(Reply::from_frame(frame)),
        }
    }

    async fn execute(&self, job: Job<'_>) -> Result<Vec<u8>> {
        let options = self.options();
        let submit = |session: &mut Session| session.submit(job, options, Instant::now());
        match self.wait_for(submit).await? {
            Done::Replies(frames) => Ok(frames),
            Done::Outcomes(_) => Err(mixed_up()),
        }
    }

    /// Sends commands in one go. Each has its own reply or error.
    pub async fn pipeline(&self, batch: Batch) -> Result<Outcomes> {
        let options = self.options();
        let submit = |session: &mut Session| session.submit_batch(batch, options, Instant::now());
        match self.wait_for(submit).await? {
            Done::Outcomes(outcomes) => Ok(outcomes),
            Done::Replies(_) => Err(mixed_up()),
        }
    }

    /// Sends commands that run together or not at all, and returns their replies.
    pub async fn transaction<A: AsRef<[u8]>>(&self, commands: &[Vec<A>]) -> Result<Vec<Reply>> {
        let transaction = Transaction::new(commands);
        let frames = self.execute(transaction.job()).await?;
        transaction.outcome(&frames)
    }

    async fn wait_for(&self, submit: impl FnOnce(&mut Session) -> Result<Token>) -> Result<Done> {
        self.start()?;
        let (sender, receiver) = oneshot::channel();
        let token = {
            // The outcome cannot come before we wait for it: it takes both locks.
            let mut session = lock(&self.inner.session);
            let token = submit(&mut session)?;
            lock(&self.inner.waiting).insert(token, sender);
            token
        };
        let _waiting = Waiting { inner: &self.inner, token };
        self.inner.pump();
        receiver.await.unwrap_or_else(|_| Err(Error::new(Kind::Closed, "the client is closed")))
    }

    /// The first call starts the timer, and the watch of the deployment.
    fn start(&self) -> Result<()> {
        let mut session = lock(&self.inner.session);
        if session.topology().is_some() {
            return Ok(());
        }
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Error::usage("this client has to be used on a tokio runtime"));
        }
        let bell = Arc::clone(&self.inner.bell);
        session.start(move || bell.notify_one())?;
        let (weak, bell) = (Arc::downgrade(&self.inner), Arc::clone(&self.inner.bell));
        tokio::spawn(async move {
            while let Some(inner) = weak.upgrade() {
                let deadline = inner.wake();
                drop(inner);
                match deadline {
                    Some(at) => tokio::select! {
                        () = sleep_until(at.into()) => {}
                        () = bell.notified() => {}
                    },
                    None => bell.notified().await,
                }
            }
        });
        Ok(())
    }

    /// Ends all connections. Calls that wait end with an error, as do later ones.
    pub fn close(&self) {
        self.inner.with(|session, sink| session.close(sink));
        self.inner.pump();
        self.inner.bell.notify_one();
    }
}

impl Inner {
    /// Lets the session work, and passes outcomes on once it is done.
    fn with(&self, work: impl FnOnce(&mut Session, &mut dyn FnMut(Token, Completion<'_>))) {
        let mut session = lock(&self.session);
        let mut waiting = lock(&self.waiting);
        work(&mut session, &mut |token, completion| {
            if let Some(sender) = waiting.remove(&token) {
                // Nobody waits any more when this fails.
                let _ = sender.send(match completion {
                    Completion::Replies(frame) => Ok(Done::Replies(frame.bytes().to_vec())),
                    Completion::Outcomes(outcomes) => Ok(Done::Outcomes(outcomes)),
                    Completion::Failed(error) => Err(error),
                });
            }
        });
    }

    fn wake(self: &Arc<Self>) -> Option<Instant> {
        self.with(|session, sink| session.wake(Instant::now(), sink));
        self.pump();
        lock(&self.session).next_deadline()
    }

    /// Does what the session asks for. Output is taken by the connection's own task.
    fn pump(self: &Arc<Self>) {
        let mut session = lock(&self.session);
        for link in session.links_with_output() {
            if let Some(bell) = lock(&self.links).get(&link) {
                bell.notify_one();
            }
        }
        let mut changed = false;
        while let Some(action) = session.poll_connections() {
            changed = true;
            match action {
                Action::Open { link, to, tls } => {
                    let bell = Arc::new(Notify::new());
                    lock(&self.links).insert(link, Arc::clone(&bell));
                    tokio::spawn(carry(Arc::clone(self), link, to, tls, bell));
                }
                Action::Close { link } => {
                    if let Some(bell) = lock(&self.links).remove(&link) {
                        bell.notify_one();
                    }
                }
                Action::Write { .. } => {}
            }
        }
        drop(session);
        if changed {
            self.bell.notify_one();
        }
    }

    fn is_open(&self, link: LinkId) -> bool {
        lock(&self.links).contains_key(&link)
    }
}

/// Carries bytes between a socket and the session, until either ends.
async fn carry(inner: Arc<Inner>, link: LinkId, to: Endpoint, tls: Option<Tls>, bell: Arc<Notify>) {
    let address = crate::topology::address(&to);
    let patience = inner.config.connect_timeout;
    let (why, unwritten) = match stream::connect(&address, tls.as_ref(), patience).await {
        Ok(mut stream) => {
            inner.with(|session, sink| session.opened(link, Instant::now(), sink));
            inner.pump();
            let mut input = Vec::with_capacity(16 << 10);
            loop {
                if !inner.is_open(link) {
                    return;
                }
                let output = lock(&inner.session).take_output(link);
                if !output.is_empty() {
                    if let Err(error) = stream.write_all(&output).await {
                        break (lost(&error), 0);
                    }
                    continue;
                }
                input.clear();
                tokio::select! {
                    read = stream.read_buf(&mut input) => match read {
                        Ok(0) => {
                            let why = "the server closed the connection";
                            break (Error::new(Kind::Unavailable, why), 0);
                        }
                        Ok(_) => {
                            let now = Instant::now();
                            inner.with(|session, sink| session.received(link, &input, now, sink));
                            inner.pump();
                        }
                        Err(error) => break (lost(&error), 0),
                    },
                    () = bell.notified() => {}
                }
            }
        }
        Err(error) => (error, 0),
    };
    lock(&inner.links).remove(&link);
    inner.with(|session, sink| session.closed(link, unwritten, why, Instant::now(), sink));
    inner.pump();
    inner.bell.notify_one();
}

fn lost(error: &std::io::Error) -> Error {
    Error::new(Kind::Unavailable, format!("the connection was lost: {error}"))
}

fn mixed_up() -> Error {
    Error::new(Kind::Internal, "an outcome of another kind than was asked for")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl redis::aio::ConnectionLike for Client {
    fn req_packed_command<'a>(&'a mut self, command: &'a redis::Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let bytes = command.get_packed_command();
            let effect = Packed::parse(&bytes)?.effect();
            let span = Span::Command { bytes: bytes.len() };
            let frames = self.execute(Job { bytes: &bytes, span, effect }).await?;
            redis_compat::value(Frame::trusted(&frames))
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a redis::Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let bytes = pipeline.get_packed_pipeline();
            let packed = Packed::parse(&bytes)?;
            if packed.is_transaction() {
                let span = Span::Unit { bytes: bytes.len(), replies: packed.len() };
                let job = Job { bytes: &bytes, span, effect: packed.effect() };
                let frames = self.execute(job).await?;
                return redis_compat::values(Frame::trusted(&frames), offset, count);
            }
            let outcomes = self.pipeline(packed.batch()).await?;
            let outcomes = outcomes.iter().skip(offset).take(count);
            let values: RedisResult<Vec<Value>> = outcomes
                .map(|outcome| match outcome {
                    Ok(frame) => redis_compat::value(frame),
                    Err(error) => Err(error.clone().into()),
                })
                .collect();
            values
        })
    }

    fn get_db(&self) -> i64 {
        self.inner.config.data.db.into()
    }
}
