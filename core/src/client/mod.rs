//! The client: routes commands, holds them while there is no primary, and keeps the promises.
//!
//! | folder | what it holds |
//! |---|---|
//! | `blocking` | the client for callers that wait on their own thread |
//! | `hosted` | the client inside an event loop, which owns the sockets and the clock |
//! | `call_options` | what may differ from call to call |
//! | `exchange` | one command and its reply |
//! | `batch` | commands that are sent in one go |
//! | `pipeline` | those of a batch that are on their way, each with its own outcome |
//! | `transaction` | a batch that runs as a whole or not at all |
//! | `outcomes` | what came of a batch |
//! | `reads` | which node answers what only reads |
//! | `scan` | a walk over all keys, or all elements of one |
//! | `script` | Lua scripts, by digest and by source |
//! | `pubsub` | what subscribers want and what reaches them |
//! | `stateful` | commands that no shared connection can bear |
//! | `verdict` | what a caller is told when there is no good reply |

mod batch;
pub mod blocking;
mod call_options;
mod exchange;
pub mod hosted;
mod outcomes;
mod pipeline;
mod pubsub;
mod reads;
mod scan;
mod script;
mod stateful;
pub(crate) mod transaction;
pub(crate) mod verdict;

use crate::command::{self, Wait};
use crate::config::Config;
use crate::policy::Effect;
use crate::proto::ledger::Span;
use crate::proto::read::Frame;
use crate::proto::reply::Reply;
pub use batch::Batch;
pub use call_options::CallOptions;
pub use exchange::Exchange;
pub use outcomes::{Answer, Outcomes};
pub use pubsub::{By, Incoming, Wanted};
pub use reads::Origin;
pub use scan::Scan;
pub use script::Script;
use std::time::{Duration, Instant};

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
    /// How long the server may take its time on purpose.
    pub wait: Wait,
    /// A replica can answer it.
    pub on_replica: bool,
    /// It belongs with what this node has answered; at first with nothing.
    pub keeps_to: Option<Origin>,
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
