//! Those who follow the primary to its new place and have not arrived there yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(5);
/// Whoever cannot get there holds nobody up for longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many are on their way.
#[derive(Debug, Default)]
pub(crate) struct Movers(AtomicUsize);

/// One of them. It has arrived, or given up, once this is dropped.
#[derive(Debug)]
pub(crate) struct Mover(Arc<Movers>);

impl Movers {
    pub(crate) fn set_out(self: &Arc<Self>) -> Mover {
        self.0.fetch_add(1, Ordering::AcqRel);
        Mover(Arc::clone(self))
    }

    /// Waits until nobody is on his way, or is worth waiting for. No lock and no list of those who
    /// wait: a fork could leave them in any state.
    pub(super) async fn arrive(&self) {
        let arrived = async {
            while self.0.load(Ordering::Acquire) > 0 {
                sleep(LOOK).await;
            }
        };
        let _ = timeout(PATIENCE, arrived).await;
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}
