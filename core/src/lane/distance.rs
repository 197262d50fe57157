//! How far away the server is.

use std::time::Duration;

/// Known by the shortest wait of the last few reads.
///
/// Where a round trip takes long, followers write for themselves, since the leader would let them
/// wait for most of it. Near by, a batch written by the leader is faster.
#[derive(Debug, Default)]
pub(super) struct Distance {
    shortest: Duration,
    reads: u32,
    far: bool,
}

impl Distance {
    const FAR: Duration = Duration::from_micros(150);
    const WINDOW: u32 = 16;

    pub(super) fn measure(&mut self, waited: Duration) {
        self.shortest = if self.reads == 0 { waited } else { self.shortest.min(waited) };
        self.reads += 1;
        if self.reads == Self::WINDOW {
            self.far = self.shortest > Self::FAR;
            self.reads = 0;
        }
    }

    pub(super) fn is_far(&self) -> bool {
        // Time means nothing to the model; it has to try both.
        #[cfg(feature = "model")]
        return shuttle::rand::Rng::gen_bool(&mut shuttle::rand::thread_rng(), 0.5);
        #[cfg(not(feature = "model"))]
        self.far
    }
}
