//! The clock of every time stamp: CLOCK_MONOTONIC, which test runners in other languages read too.

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds of CLOCK_MONOTONIC; comparable with `time.monotonic_ns` and `process.hrtime.bigint`.
pub fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
