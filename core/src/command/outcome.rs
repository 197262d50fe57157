//! What is known of a command once it is encoded.

use crate::policy::Effect;
use crate::proto::shape::Shape;
use std::time::Duration;

/// What a client has to know of a command that it sends.
#[derive(Debug, Clone, Copy)]
pub struct Encoded {
    /// What it does with these options. A replica takes it only if [`Command::effect`] of the
    /// table says that it reads, whatever its options are.
    ///
    /// [`Command::effect`]: super::Command::effect
    pub effect: Effect,
    /// Twice in a row leaves the data as once would have left it.
    pub idempotent: bool,
    pub wait: Wait,
    /// What its reply is.
    pub shape: &'static Shape,
}

/// How long the server may take its time on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// It answers at once.
    No,
    For(Duration),
    /// Until there is something to answer.
    Forever,
}

impl Wait {
    /// What a command's own timeout of so many units means; zero is for ever.
    pub(super) fn of(units: f64, unit: Duration) -> Self {
        if units < 0.0 {
            // Refused by the server, at once.
            return Self::For(Duration::ZERO);
        }
        match Duration::try_from_secs_f64(units * unit.as_secs_f64()) {
            Ok(Duration::ZERO) | Err(_) => Self::Forever,
            Ok(time) => Self::For(time),
        }
    }
}

/// Words that say where a result is stored.
pub(super) const STORES: [&str; 2] = ["STORE", "STOREDIST"];

/// Words that make the data or the answer depend on what was there before, so that the second
/// time is not like the first.
pub(super) const DEPENDS: [&str; 13] = [
    "NX", "XX", "GT", "LT", "FNX", "FXX", "IFEQ", "IFNE", "IFDEQ", "IFDNE", "INCR", "GET", "LIMIT",
];
