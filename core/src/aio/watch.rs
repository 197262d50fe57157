//! Optimistic transactions for tasks.

use super::host::{Done, Inner, lock};
use super::{Client, mixed_up};
use crate::client::hosted::{Session, WatchId};
use crate::client::{Answer, Batch, Exchange};
use crate::error::Result;
use crate::proto::reply::Reply;
use std::sync::{Arc, Mutex};
use std::time::Instant;

impl Client {
    /// Runs `change` with the keys watched, then what it has queued; all again, from the start,
    /// as long as somebody else changes the keys in between. A failover in between counts as a
    /// change. What `change` returns comes back with what came of the queued commands.
    ///
    /// ```no_run
    /// # async fn example(client: steadis::aio::Client) -> steadis::Result<()> {
    /// let sell = |view: steadis::aio::View| async move {
    ///     let left = view.call(&["GET", "stock"]).await?.as_integer().unwrap_or(0) - 1;
    ///     view.queue(&["SET", "stock", &left.to_string()])?;
    ///     Ok(left)
    /// };
    /// let (left, _) = client.watch(&["stock"], sell).await?;
    /// # Ok(()) }
    /// ```
    pub async fn watch<A: AsRef<[u8]>, T, F: Future<Output = Result<T>>>(
        &self,
        keys: &[A],
        mut change: impl FnMut(View) -> F,
    ) -> Result<(T, Vec<Result<Reply>>)> {
        let watching = Arc::new(Watching::open(self, keys)?);
        loop {
            watching.begin().await?;
            let queued = Arc::new(Mutex::new(Batch::default()));
            let view = View { watching: Arc::clone(&watching), queued: Arc::clone(&queued) };
            match change(view).await {
                Ok(value) => {
                    let batch = std::mem::take(&mut *lock(&queued));
                    if let Some(replies) = watching.commit(batch).await? {
                        return Ok((value, replies));
                    }
                }
                // Its own error, unless it is ours and passes with the connection.
                Err(_) if watching.is_lost() => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The data while it is being watched, and the commands to run if it stays so. It borrows nothing,
/// so that what uses it can be spawned as a task.
#[derive(Debug)]
pub struct View {
    watching: Arc<Watching>,
    queued: Arc<Mutex<Batch>>,
}

impl View {
    /// Reads, on the connection that watches.
    pub async fn call<A: AsRef<[u8]>>(&self, args: &[A]) -> Result<Reply> {
        let mut exchange = Exchange::raw(args)?;
        self.run(&mut exchange).await?;
        exchange.answer().map(Answer::to_reply)
    }

    /// The same for an encoded command.
    pub async fn run(&self, exchange: &mut Exchange) -> Result<()> {
        let Watching { inner, id } = self.watching.as_ref();
        let run = |session: &mut Session| session.watch_run(*id, exchange, Instant::now());
        match inner.wait_for(run).await? {
            Done::Reply(bytes, origin) => exchange.answered(bytes, origin),
            _ => return Err(mixed_up()),
        }
        Ok(())
    }

    /// Adds a command to what EXEC will run.
    pub fn queue<A: AsRef<[u8]>>(&self, args: &[A]) -> Result<()> {
        lock(&self.queued).add_raw(args)
    }
}

/// Attempts that end with their task.
#[derive(Debug)]
struct Watching {
    inner: Arc<Inner>,
    id: WatchId,
}

impl Watching {
    fn open<A: AsRef<[u8]>>(client: &Client, keys: &[A]) -> Result<Self> {
        let inner = Arc::clone(&client.inner);
        let id = inner.session().watch_open(keys, client.options(), Instant::now())?;
        Ok(Self { inner, id })
    }

    async fn begin(&self) -> Result<()> {
        match self.inner.wait_for(|session| session.watch_begin(self.id, Instant::now())).await? {
            Done::Ready => Ok(()),
            _ => Err(mixed_up()),
        }
    }

    /// `None`: begin again.
    async fn commit(&self, batch: Batch) -> Result<Option<Vec<Result<Reply>>>> {
        let commit = |session: &mut Session| session.watch_commit(self.id, batch, Instant::now());
        match self.inner.wait_for(commit).await? {
            Done::Outcomes(outcomes) => Ok(Some(outcomes.into_replies())),
            Done::Again => Ok(None),
            _ => Err(mixed_up()),
        }
    }

    fn is_lost(&self) -> bool {
        self.inner.session().watch_is_lost(self.id)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.inner.session().watch_close(self.id);
        self.inner.pump();
    }
}
