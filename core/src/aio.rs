//! The client for tokio: the hosted client, with tokio as its host.
//!
//! ```no_run
//! # async fn example() -> steadis::Result<()> {
//! let client = steadis::aio::connect()?;
//! client.call(&["SET", "cart:7", "3 items"]).await?;
//! # Ok(()) }
//! ```

use crate::client::hosted::{Action, Completion, LinkId, Session};
use crate::client::{Answer, Batch, CallOptions, Exchange, Outcomes, Script};
use crate::config::{Config, Endpoint, Tls};
use crate::error::{Error, Kind, Result};
use crate::lane::hosted::Token;
use crate::proto::reply::Reply;
use crate::redis_compat::{self, Packed};
use crate::topology::stream;
use redis::{RedisFuture, Value};
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
    /// Rung when the topology may have changed, or a deadline is sooner than the timer is set to.
    bell: Arc<Notify>,
    /// When the timer wakes up by itself.
    alarm: Mutex<Option<Instant>>,
    links: Mutex<HashMap<LinkId, Arc<Notify>>>,
    config: Arc<Config>,
}

/// An outcome on its way to the task that waits for it.
#[derive(Debug)]
enum Done {
    Reply(Vec<u8>),
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
                alarm: Mutex::default(),
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

    /// Sends any command, given by its arguments, and waits for its reply as the server sends it.
    pub async fn call<A: AsRef<[u8]>>(&self, args: &[A]) -> Result<Reply> {
        let mut exchange = Exchange::raw(args)?;
        self.run(&mut exchange, self.options()).await?;
        exchange.answer().map(Answer::to_reply)
    }

    /// Executes a command; its reply is the exchange's answer then.
    pub async fn run(&self, exchange: &mut Exchange, options: CallOptions) -> Result<()> {
        let submit = |session: &mut Session| session.submit(exchange, options, Instant::now());
        match self.wait_for(submit).await? {
            Done::Reply(bytes) => exchange.answered(bytes),
            Done::Outcomes(_) => return Err(mixed_up()),
        }
        Ok(())
    }

    /// Sends commands in one go. Each has its own reply or error.
    pub async fn pipeline(&self, batch: Batch) -> Result<Outcomes> {
        let options = self.options();
        self.outcomes(|session| session.submit_pipeline(batch, options, Instant::now())).await
    }

    /// Sends commands that run together or not at all.
    pub async fn transaction(&self, batch: Batch) -> Result<Outcomes> {
        let options = self.options();
        self.outcomes(|session| session.submit_transaction(batch, options, Instant::now())).await
    }

    /// A script, to be called by [`Exchange::script`] or in a batch.
    pub fn script(&self, source: impl AsRef<[u8]>) -> Arc<Script> {
        lock(&self.inner.session).script(source)
    }

    async fn outcomes(
        &self,
        submit: impl FnOnce(&mut Session) -> Result<Token>,
    ) -> Result<Outcomes> {
        match self.wait_for(submit).await? {
            Done::Outcomes(outcomes) => Ok(outcomes),
            Done::Reply(_) => Err(mixed_up()),
        }
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
                    Completion::Reply(answer) => Ok(Done::Reply(answer.frame.bytes().to_vec())),
                    Completion::Outcomes(outcomes) => Ok(Done::Outcomes(outcomes)),
                    Completion::Failed(error) => Err(error),
                });
            }
        });
    }

    fn wake(self: &Arc<Self>) -> Option<Instant> {
        self.with(|session, sink| session.wake(Instant::now(), sink));
        self.pump();
        let mut session = lock(&self.session);
        let next = session.next_deadline();
        *lock(&self.alarm) = next;
        next
    }

    /// Does what the session asks for, and sets the timer to an earlier moment where it has to be.
    /// Output is taken by the connection's own task.
    fn pump(self: &Arc<Self>) {
        let mut session = lock(&self.session);
        for link in session.links_with_output() {
            if let Some(bell) = lock(&self.links).get(&link) {
                bell.notify_one();
            }
        }
        while let Some(action) = session.poll_connections() {
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
        let next = session.next_deadline();
        let alarm = *lock(&self.alarm);
        if next.is_some_and(|next| alarm.is_none_or(|alarm| next < alarm)) {
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
            let mut exchange = Packed::parse(&command.get_packed_command())?.exchange()?;
            self.run(&mut exchange, self.options()).await?;
            redis_compat::value(&exchange)
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a redis::Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let packed = Packed::parse(&pipeline.get_packed_pipeline())?;
            let batch = packed.batch()?;
            if packed.is_transaction() {
                return redis_compat::executed(&self.transaction(batch).await?);
            }
            redis_compat::values(&self.pipeline(batch).await?, offset, count)
        })
    }

    fn get_db(&self) -> i64 {
        self.inner.config.data.db.into()
    }
}
