//! One direction of one connection through a proxy.

use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::broadcast;
use tokio::time::{Instant, sleep_until};

use super::proxy::{Direction, Fault, Shared};

/// How a connection ends before both sides have finished.
pub(crate) enum End {
    Close,
    Reset,
}

/// Carries the bytes of one direction of one connection.
pub(crate) struct Pump<'a> {
    direction: Direction,
    shared: &'a Shared,
    orders: broadcast::Receiver<Fault>,
    fault: Fault,
    passed: u64,
}

impl<'a> Pump<'a> {
    pub(crate) fn new(direction: Direction, shared: &'a Shared) -> Self {
        // Under the lock, so that every order is either standing or still to come.
        let standing = shared.standing.lock().unwrap_or_else(PoisonError::into_inner);
        Self { direction, shared, orders: shared.orders.subscribe(), fault: *standing, passed: 0 }
    }

    /// Carries bytes until a side has finished or the connection is to end.
    pub(crate) async fn run(
        mut self,
        mut from: ReadHalf<'_>,
        mut to: WriteHalf<'_>,
    ) -> Result<(), End> {
        let mut buffer = vec![0; 64 * 1024];
        let mut held: Option<(usize, Instant)> = None;
        loop {
            let (held_bytes, due) = held.unwrap_or((0, Instant::now()));
            tokio::select! {
                biased;
                order = self.orders.recv() => {
                    let Ok(fault) = order else { continue };
                    (self.fault, self.passed) = (fault, 0);
                    if fault == Fault::HalfClose && self.direction == Direction::Replies {
                        let _ = to.shutdown().await;
                        return Ok(());
                    }
                }
                () = sleep_until(due), if held.is_some() => {
                    held = None;
                    self.deliver(&buffer[..held_bytes], &mut to).await?;
                }
                read = from.read(&mut buffer), if held.is_none() => {
                    let bytes = read.map_err(|_| End::Reset)?;
                    if bytes == 0 {
                        let _ = to.shutdown().await;
                        return Ok(());
                    }
                    self.count(bytes);
                    match self.delay() {
                        Some(delay) => held = Some((bytes, Instant::now() + delay)),
                        None => self.deliver(&buffer[..bytes], &mut to).await?,
                    }
                }
            }
        }
    }

    async fn deliver(&mut self, bytes: &[u8], to: &mut WriteHalf<'_>) -> Result<(), End> {
        match self.fault {
            Fault::Swallow(direction) if direction == self.direction => Ok(()),
            Fault::Cut { bytes: limit, direction, reset } if direction == self.direction => {
                let left = (limit - self.passed).min(bytes.len() as u64);
                write(to, &bytes[..left as usize]).await?;
                self.passed += left;
                if self.passed < limit {
                    return Ok(());
                }
                self.shared.tell("cut");
                Err(if reset { End::Reset } else { End::Close })
            }
            _ => write(to, bytes).await,
        }
    }

    fn delay(&self) -> Option<Duration> {
        match self.fault {
            Fault::Delay { ms, direction } if direction.is_none_or(|d| d == self.direction) => {
                Some(Duration::from_millis(ms))
            }
            _ => None,
        }
    }

    fn count(&self, bytes: usize) {
        let counter = match self.direction {
            Direction::Requests => &self.shared.requests,
            Direction::Replies => &self.shared.replies,
        };
        counter.fetch_add(bytes as u64, Relaxed);
    }
}

async fn write(to: &mut WriteHalf<'_>, bytes: &[u8]) -> Result<(), End> {
    to.write_all(bytes).await.map_err(|_| End::Reset)
}
