//! The client: routes commands, holds them while there is no primary, and keeps the promises.
//!
//! | folder | what it holds |
//! |---|---|
//! | `blocking` | the client for callers that wait on their own thread |
//! | `hosted` | the client inside an event loop, which owns the sockets and the clock |
//! | `pipeline` | independent commands on their way, each with its own outcome |
//! | `pubsub` | what subscribers want and what reaches them |
//! | `transaction` | commands that run together or not at all |
//! | `verdict` | what a caller is told when there is no good reply |

pub mod blocking;
pub mod hosted;
mod pipeline;
mod pubsub;
pub(crate) mod transaction;
mod verdict;

use crate::command;
use crate::config::{Config, RetryWrites};
use crate::policy::Effect;
use crate::proto::ledger::Span;
use crate::proto::read::Frame;
use crate::proto::reply::Reply;
pub use pipeline::{Batch, Outcomes};
pub use pubsub::{By, Incoming, Wanted};
use std::time::{Duration, Instant};

/// What may differ from call to call.
#[derive(Debug, Clone, Copy)]
pub struct CallOptions {
    /// For the whole call, waiting for a primary included; else the client's timeouts hold.
    pub timeout: Option<Duration>,
    pub retry_writes: RetryWrites,
}

impl CallOptions {
    /// Those of a call that asks for nothing special.
    pub fn of(config: &Config) -> Self {
        Self { timeout: None, retry_writes: config.retry_writes }
    }

    fn repeats_writes(&self) -> bool {
        self.retry_writes == RetryWrites::Always
    }
}

/// The deadlines of one call.
#[derive(Debug, Clone, Copy)]
struct Deadlines {
    /// For finding a primary and for all repetitions.
    whole: Instant,
    /// For one reply.
    reply: Duration,
}

impl Deadlines {
    fn new(config: &Config, options: &CallOptions, now: Instant) -> Self {
        match options.timeout {
            Some(timeout) => Self { whole: now + timeout, reply: timeout },
            None => Self { whole: now + config.failover_timeout, reply: config.command_timeout },
        }
    }

    /// Until when the reply to what is sent now is waited for.
    fn reply_by(&self, now: Instant, options: &CallOptions) -> Instant {
        let by = now + self.reply;
        if options.timeout.is_some() { by.min(self.whole) } else { by }
    }
}

/// Encoded commands, and what is known of them.
#[derive(Debug, Clone)]
pub struct Job<'a> {
    pub bytes: &'a [u8],
    pub span: Span,
    pub effect: Effect,
}

impl Job<'_> {
    /// What errors call it.
    pub(crate) fn name(&self) -> String {
        if matches!(self.span, Span::Unit { .. }) {
            return "EXEC".to_owned();
        }
        // Rare enough to be read back from what was encoded.
        let reply = Reply::from_frame(Frame::trusted(self.bytes));
        let args: Vec<&[u8]> =
            reply.as_list().into_iter().flatten().filter_map(Reply::as_bytes).collect();
        command::name(&args)
    }
}
