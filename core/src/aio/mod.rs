//! The client for tokio: the hosted client, with tokio as its host.
//!
//! ```no_run
//! # async fn example() -> steadis::Result<()> {
//! let client = steadis::aio::connect()?;
//! client.call(&["SET", "cart:7", "3 items"]).await?;
//! # Ok(()) }
//! ```

mod host;
mod subscription;
mod watch;

use crate::client::hosted::Session;
use crate::client::{Answer, Batch, CallOptions, Exchange, Origin, Outcomes, Script};
use crate::config::{Config, ReadFrom};
use crate::error::{Error, Kind, Result};
use crate::lane::hosted::Token;
use crate::proto::reply::Reply;
use crate::redis_compat::{self, Packed};
use host::{Done, Inner};
use redis::{RedisFuture, Value};
use std::sync::Arc;
use std::time::Instant;
pub use subscription::Subscription;
pub use watch::View;

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

impl Client {
    pub fn new(config: Config) -> Self {
        Self { inner: Arc::new(Inner::new(config)) }
    }

    /// The options of a call that asks for nothing special.
    pub fn options(&self) -> CallOptions {
        CallOptions::of(&self.inner.config)
    }

    /// Waits until the primary is verified.
    pub async fn ready(&self) -> Result<()> {
        let options = CallOptions { read_from: ReadFrom::Primary, ..self.options() };
        self.run(&mut Exchange::raw(&["PING"])?, options).await
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
        let (reply, origin) = self.reply(submit).await?;
        exchange.answered(reply, origin);
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
        self.inner.session().script(source)
    }

    async fn reply(
        &self,
        submit: impl FnOnce(&mut Session) -> Result<Token>,
    ) -> Result<(Vec<u8>, Origin)> {
        match self.inner.wait_for(submit).await? {
            Done::Reply(bytes, origin) => Ok((bytes, origin)),
            _ => Err(mixed_up()),
        }
    }

    async fn outcomes(
        &self,
        submit: impl FnOnce(&mut Session) -> Result<Token>,
    ) -> Result<Outcomes> {
        match self.inner.wait_for(submit).await? {
            Done::Outcomes(outcomes) => Ok(outcomes),
            _ => Err(mixed_up()),
        }
    }

    /// Ends all connections. Calls that wait end with an error, as do later ones.
    pub fn close(&self) {
        self.inner.close();
    }
}

fn mixed_up() -> Error {
    Error::new(Kind::Internal, "an outcome of another kind than was asked for")
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
