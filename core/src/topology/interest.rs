//! Whether anybody reads from replicas, and how fresh their data has to be.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Between two rounds of questions: without a bound on the lag, and at the least.
const PACE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_millis(5));

/// Replicas are asked how far they are only while somebody reads from them.
#[derive(Debug)]
pub(crate) struct Interest {
    /// Somebody has read since this was last asked.
    used: AtomicBool,
    /// The questions are being asked.
    served: AtomicBool,
    /// An event loop holds a read that no replica may answer at the moment.
    waiting: AtomicBool,
    /// The tightest bound on the lag, in microseconds.
    bound: AtomicU64,
}

impl Default for Interest {
    fn default() -> Self {
        Self {
            used: AtomicBool::new(false),
            served: AtomicBool::new(false),
            waiting: AtomicBool::new(false),
            bound: AtomicU64::new(u64::MAX),
        }
    }
}

impl Interest {
    /// Somebody reads. `true`: the questions have to be started.
    pub(super) fn note(&self, max_lag: Option<Duration>) -> bool {
        let bound = max_lag.map_or(u64::MAX, |most| most.as_micros() as u64);
        if bound < self.bound.load(Ordering::Relaxed) {
            self.bound.fetch_min(bound, Ordering::Relaxed);
        }
        if !self.used.load(Ordering::SeqCst) {
            self.used.store(true, Ordering::SeqCst);
        }
        !self.served.load(Ordering::SeqCst)
    }

    /// The questions are being asked from now on.
    pub(super) fn serve(&self) {
        self.served.store(true, Ordering::SeqCst);
    }

    /// Whether to go on: somebody has read since this was last asked.
    pub(super) fn goes_on(&self) -> bool {
        if self.used.swap(false, Ordering::SeqCst) {
            return true;
        }
        self.served.store(false, Ordering::SeqCst);
        // Whoever came in between has seen that they were still being asked.
        if self.used.swap(false, Ordering::SeqCst) {
            self.serve();
            return true;
        }
        self.bound.store(u64::MAX, Ordering::Relaxed);
        false
    }

    /// An event loop wants to be woken by the next answers.
    pub(crate) fn wait(&self) {
        self.waiting.store(true, Ordering::Release);
    }

    pub(super) fn take_waiting(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) && self.waiting.swap(false, Ordering::AcqRel)
    }

    /// Between two rounds of questions: a quarter of the tightest bound, within reason.
    pub(super) fn pace(&self) -> Duration {
        let bound = Duration::from_micros(self.bound.load(Ordering::Relaxed));
        (bound / 4).clamp(PACE.1, PACE.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_go_on_while_somebody_reads() {
        let interest = Interest::default();
        assert!(interest.note(None));
        interest.serve();
        assert!(!interest.note(Some(Duration::from_millis(100))));
        assert_eq!(interest.pace(), Duration::from_millis(25));
        assert!(interest.goes_on());
        assert!(!interest.goes_on());
        assert_eq!(interest.pace(), PACE.0);
        assert!(interest.note(Some(Duration::ZERO)));
        assert_eq!(interest.pace(), PACE.1);
    }
}
