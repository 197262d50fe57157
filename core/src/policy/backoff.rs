//! Pauses between attempts.

use std::time::Duration;

/// The first repetition is immediate; the later ones wait longer and longer, each for a random
/// part of its span, so that many clients do not come back as one.
#[derive(Debug, Default)]
pub struct Backoff {
    attempts: u32,
    random: u64,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(2);
    const MOST: Duration = Duration::from_millis(200);

    /// With a randomness of its own, which is not zero.
    pub fn seeded(random: u64) -> Self {
        Self { attempts: 0, random }
    }

    /// The pause before the next attempt.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Duration {
        let attempt = self.attempts;
        self.attempts += 1;
        if attempt == 0 {
            return Duration::ZERO;
        }
        let span = (Self::FIRST * 2u32.saturating_pow(attempt.min(16))).min(Self::MOST);
        span / 2 + span.mul_f64(self.fraction() / 2.0)
    }

    /// Between 0 and 1.
    fn fraction(&mut self) -> f64 {
        if self.random == 0 {
            // Different in every process and for every call, without asking the system.
            let here = std::ptr::from_ref(self) as u64;
            self.random = here.rotate_left(17) ^ 0x9e37_79b9_7f4a_7c15;
        }
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_bounded() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.next(), Duration::ZERO);
        let pauses: Vec<_> = (0..30).map(|_| backoff.next()).collect();
        assert!(pauses[0] <= Duration::from_millis(4) && !pauses[0].is_zero());
        assert!(pauses.iter().all(|pause| *pause <= Backoff::MOST));
        assert!(pauses[29] >= Backoff::MOST / 2);
    }
}
