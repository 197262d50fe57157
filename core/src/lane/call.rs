//! What a caller brings to a lane, and what it gets when the replies do not come.

use super::door::Outing;
use crate::error::Error;
use crate::policy::Effect;
use crate::proto::ledger::{Fate, Span};
use std::fmt;
use std::time::Instant;

/// The host language around a waiting caller.
pub trait Host {
    /// Called on the caller's thread after each signal, and at least every [`SLICE`](super::wire::SLICE). `true`
    /// ends the wait. It must not panic: others wait behind a caller that leads.
    fn interrupted(&self) -> bool {
        false
    }

    /// How the caller's thread gets back into a language that lets one thread in at a time.
    fn outing(&self) -> Option<&Outing> {
        None
    }
}

/// A host without signals of its own, such as C.
impl Host for () {}

/// Encoded commands, and how many replies they want.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    pub bytes: &'a [u8],
    pub span: Span,
    /// Writes may have to wait where reads need not.
    pub effect: Effect,
}

/// Who calls, and until when.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    pub now: Instant,
    pub deadline: Instant,
    pub host: &'a dyn Host,
}

impl fmt::Debug for Caller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// A call that ended without all its replies.
#[derive(Debug)]
pub struct Failure {
    pub cause: Cause,
    /// Replies that had come; they are in the frames.
    pub answered: usize,
    /// The fates of the commands without a reply, in order; one for a whole transaction.
    pub fates: Vec<Fate>,
}

#[derive(Debug)]
pub enum Cause {
    /// The connection was lost or retired, and why.
    Lost(Error),
    /// The deadline passed.
    Deadline,
    /// The host ended the wait.
    Interrupted,
    /// As many calls wait as may.
    Full,
}
