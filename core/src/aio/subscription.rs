//! Subscriptions for tasks.

use super::Client;
use super::host::Inner;
use crate::client::{By, Incoming};
use crate::error::Result;
use crate::lane::hosted::Token;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Notify;

/// A subscription that survives failover. It is renewed whether or not anybody waits for the
/// next message, and ends when it is dropped.
#[derive(Debug)]
pub struct Subscription {
    inner: Arc<Inner>,
    id: Token,
    bell: Arc<Notify>,
}

impl Client {
    /// A subscription without channels yet.
    pub fn subscription(&self) -> Result<Subscription> {
        let inner = Arc::clone(&self.inner);
        let (id, bell) = inner.subscribe()?;
        Ok(Subscription { inner, id, bell })
    }

    /// Subscribes to channels, and waits until they are confirmed.
    pub async fn subscribe<A: AsRef<[u8]>>(&self, channels: &[A]) -> Result<Subscription> {
        let mut subscription = self.subscription()?;
        for channel in channels {
            subscription.add(By::Channel, channel.as_ref());
        }
        subscription.ready().await?;
        Ok(subscription)
    }
}

impl Subscription {
    /// Wants one more channel.
    pub fn add(&mut self, by: By, name: &[u8]) {
        self.inner.session().subscription_add(self.id, by, name, Instant::now());
        self.inner.pump();
    }

    /// Wants a channel no more.
    pub fn remove(&mut self, by: By, name: &[u8]) {
        self.inner.session().subscription_remove(self.id, by, name);
        self.inner.pump();
    }

    /// Waits until every channel is confirmed.
    pub async fn ready(&mut self) -> Result<()> {
        loop {
            {
                let mut session = self.inner.session();
                if let Some(error) = session.subscription_error(self.id) {
                    return Err(error);
                }
                if session.subscription_ready(self.id) {
                    return Ok(());
                }
            }
            self.bell.notified().await;
        }
    }

    /// The next message, or the news that some may have been missed. An error ends nothing,
    /// unless the client is closed.
    pub async fn next(&mut self) -> Result<Incoming> {
        loop {
            let incoming = self.inner.session().subscription_next(self.id)?;
            match incoming {
                Some(incoming) => return Ok(incoming),
                None => self.bell.notified().await,
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.inner.unsubscribe(self.id);
    }
}
