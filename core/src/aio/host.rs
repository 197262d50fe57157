//! The tokio host of a session: its sockets, its clock, and the tasks that wait.

use crate::client::hosted::{Action, Completion, LinkId, Session};
use crate::client::{Origin, Outcomes};
use crate::config::{Config, Endpoint, Tls};
use crate::error::{Error, Kind, Result};
use crate::lane::hosted::Token;
use crate::topology::stream;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, oneshot};
use tokio::time::sleep_until;

#[derive(Debug)]
pub(super) struct Inner {
    session: Mutex<Session>,
    waiting: Mutex<HashMap<Token, oneshot::Sender<Result<Done>>>>,
    /// Rung when a subscription has something for its subscriber.
    subscribers: Mutex<HashMap<Token, Arc<Notify>>>,
    /// Rung when a deadline or the topology may have changed.
    bell: Arc<Notify>,
    /// The deadline that the timer waits for.
    armed: Mutex<Option<Instant>>,
    links: Mutex<HashMap<LinkId, Arc<Notify>>>,
    pub(super) config: Arc<Config>,
}

/// An outcome on its way to the task that waits for it.
#[derive(Debug)]
pub(super) enum Done {
    Reply(Vec<u8>, Origin),
    Outcomes(Outcomes),
    Ready,
    Again,
}

/// Ends a call whose future was dropped.
struct Waiting<'a> {
    inner: &'a Arc<Inner>,
    token: Token,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if lock(&self.inner.waiting).remove(&self.token).is_some() {
            self.inner.session().cancel(self.token);
            self.inner.pump();
        }
    }
}

impl Inner {
    pub(super) fn new(config: Config) -> Self {
        let session = Session::new(config);
        Self {
            config: Arc::clone(session.config()),
            session: Mutex::new(session),
            waiting: Mutex::default(),
            subscribers: Mutex::default(),
            bell: Arc::new(Notify::new()),
            armed: Mutex::default(),
            links: Mutex::default(),
        }
    }

    pub(super) fn session(&self) -> MutexGuard<'_, Session> {
        lock(&self.session)
    }

    pub(super) async fn wait_for(
        self: &Arc<Self>,
        submit: impl FnOnce(&mut Session) -> Result<Token>,
    ) -> Result<Done> {
        self.start()?;
        let (sender, receiver) = oneshot::channel();
        let token = {
            // The outcome cannot come before we wait for it: it takes both locks.
            let mut session = self.session();
            let token = submit(&mut session)?;
            lock(&self.waiting).insert(token, sender);
            token
        };
        let _waiting = Waiting { inner: self, token };
        self.pump();
        receiver.await.unwrap_or_else(|_| Err(Error::new(Kind::Closed, "the client is closed")))
    }

    /// A subscription, and what rings when there is something to take.
    pub(super) fn subscribe(self: &Arc<Self>) -> Result<(Token, Arc<Notify>)> {
        self.start()?;
        let bell = Arc::new(Notify::new());
        let id = self.session().subscribe(Instant::now());
        lock(&self.subscribers).insert(id, Arc::clone(&bell));
        Ok((id, bell))
    }

    pub(super) fn unsubscribe(self: &Arc<Self>, id: Token) {
        lock(&self.subscribers).remove(&id);
        self.session().unsubscribe(id);
        self.pump();
    }

    /// The first call starts the timer, and the watch of the deployment.
    fn start(self: &Arc<Self>) -> Result<()> {
        let mut session = self.session();
        if session.topology().is_some() {
            return Ok(());
        }
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Error::usage("this client has to be used on a tokio runtime"));
        }
        let bell = Arc::clone(&self.bell);
        session.start(move || bell.notify_one())?;
        let (weak, bell) = (Arc::downgrade(self), Arc::clone(&self.bell));
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

    pub(super) fn close(self: &Arc<Self>) {
        self.with(|session, sink| session.close(sink));
        self.pump();
        self.bell.notify_one();
    }

    /// Lets the session work, and passes outcomes on once it is done.
    fn with(&self, work: impl FnOnce(&mut Session, &mut dyn FnMut(Token, Completion<'_>))) {
        let mut session = self.session();
        let mut waiting = lock(&self.waiting);
        work(&mut session, &mut |token, completion| {
            let done = match completion {
                Completion::Reply(answer) => {
                    Ok(Done::Reply(answer.frame.bytes().to_vec(), answer.origin))
                }
                Completion::Outcomes(outcomes) => Ok(Done::Outcomes(outcomes)),
                Completion::Ready => Ok(Done::Ready),
                Completion::Again => Ok(Done::Again),
                Completion::Failed(error) => Err(error),
                Completion::Heard => {
                    if let Some(bell) = lock(&self.subscribers).get(&token) {
                        bell.notify_one();
                    }
                    return;
                }
            };
            if let Some(sender) = waiting.remove(&token) {
                // Nobody waits any more when this fails.
                let _ = sender.send(done);
            }
        });
    }

    fn wake(self: &Arc<Self>) -> Option<Instant> {
        self.with(|session, sink| session.wake(Instant::now(), sink));
        self.pump();
        let deadline = self.session().next_deadline();
        *lock(&self.armed) = deadline;
        deadline
    }

    /// Does what the session asks for. Output is taken by the connection's own task.
    pub(super) fn pump(self: &Arc<Self>) {
        let mut session = self.session();
        for link in session.links_with_output() {
            if let Some(bell) = lock(&self.links).get(&link) {
                bell.notify_one();
            }
        }
        while let Some(action) = session.poll_connections() {
            match action {
                Action::Open { link, to, tls, .. } => {
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
        let deadline = session.next_deadline();
        drop(session);
        let armed = *lock(&self.armed);
        if deadline.is_some_and(|at| armed.is_none_or(|armed| at < armed)) {
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
        Ok((mut stream, _)) => {
            inner.with(|session, sink| session.opened(link, Instant::now(), sink));
            inner.pump();
            let mut input = Vec::with_capacity(16 << 10);
            loop {
                if !inner.is_open(link) {
                    return;
                }
                let output = inner.session().take_output(link);
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

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
