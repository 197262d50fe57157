//! One command or transaction: sent, sent again, or honestly given up.

use super::route::Way;
use super::{CallOptions, Client, Job};
use crate::config::RetryWrites;
use crate::error::{Error, Kind, Result};
use crate::lane::call::{Caller, Cause, Failure, Host, Request};
use crate::policy::{self, Backoff, Doubt, Effect, Fate, Next};
use crate::proto::read::{Frame, Reader};
use std::time::{Duration, Instant};

/// The deadlines of one call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadlines {
    /// For finding a primary and for all repetitions.
    pub(super) whole: Instant,
    /// For one reply.
    pub(super) reply: Duration,
}

impl Deadlines {
    pub(super) fn new(client: &Client, options: &CallOptions, now: Instant) -> Self {
        let config = &client.inner.config;
        match options.timeout {
            Some(timeout) => Self {
                whole: now + timeout,
                reply: timeout,
            },
            None => Self {
                whole: now + config.failover_timeout,
                reply: config.command_timeout,
            },
        }
    }

    pub(super) fn reply_by(&self, now: Instant, options: &CallOptions) -> Instant {
        let by = now + self.reply;
        if options.timeout.is_some() {
            by.min(self.whole)
        } else {
            by
        }
    }
}

impl Client {
    /// Executes a command or a transaction; its replies are in `frames` then, end to end, the
    /// server's error among them where it refused.
    pub(crate) fn execute(
        &self,
        job: &Job<'_>,
        options: &CallOptions,
        host: &dyn Host,
        frames: &mut Vec<u8>,
    ) -> Result<()> {
        let repeat = options.retry_writes == RetryWrites::Always;
        let deadlines = Deadlines::new(self, options, Instant::now());
        let mut backoff = Backoff::default();
        loop {
            let way = self
                .way(job.effect, job.bytes.len(), deadlines.whole, host)
                .map_err(|error| error.during(job.name()))?;
            let now = Instant::now();
            let caller = Caller {
                now,
                deadline: deadlines.reply_by(now, options),
                host,
            };
            let request = Request {
                bytes: job.bytes,
                span: job.span.clone(),
            };
            let (next, reason) = match way.lane.call(request, caller, frames) {
                Ok(()) => {
                    let Some(line) = refusal(frames) else {
                        return Ok(());
                    };
                    way.refused(line);
                    (
                        policy::after_error(job.effect, line, repeat),
                        Error::server(line),
                    )
                }
                Err(failure) => {
                    let fate = failure.fates.first().copied().unwrap_or(Fate::NotSent);
                    let reason = self.failed(&way, failure)?;
                    (policy::after_loss(job.effect, fate, repeat), reason)
                }
            };
            match next {
                Next::Deliver => return Ok(()),
                Next::MaybeExecuted => return Err(maybe_executed(job, &way, &reason)),
                Next::Again if Instant::now() >= deadlines.whole => {
                    return Err(too_late(job, &reason));
                }
                Next::Again => self.pause(&way, &mut backoff, host)?,
            }
        }
    }

    /// What a failed call says about the primary, and about the call. `Err` ends the call.
    pub(super) fn failed(&self, way: &Way, failure: Failure) -> Result<Error> {
        match failure.cause {
            Cause::Lost(why) if why.kind() == Kind::Closed => Err(why),
            Cause::Lost(why) => Ok(why),
            Cause::Deadline => {
                way.home.doubt(way.topology.epoch, Doubt::Overdue);
                Ok(Error::new(Kind::Timeout, "no reply in time"))
            }
            Cause::Full => Err(Error::new(
                Kind::Busy,
                format!(
                    "{} commands wait for replies already (option max_in_flight)",
                    self.inner.config.max_in_flight
                ),
            )),
            Cause::Interrupted => Err(super::interrupted()),
        }
    }

    /// Lets a moment pass before the next attempt; a new topology ends it sooner.
    pub(super) fn pause(&self, way: &Way, backoff: &mut Backoff, host: &dyn Host) -> Result<()> {
        let pause = backoff.next();
        if !pause.is_zero() {
            way.home
                .deployment
                .shared
                .wait(pause, |topology| topology.epoch != way.topology.epoch);
            if host.interrupted() {
                return Err(super::interrupted());
            }
        }
        Ok(())
    }
}

impl Way {
    /// Passes on what a refused command says about the primary.
    pub(super) fn refused(&self, line: &[u8]) {
        if policy::doubts_primary(line) {
            self.home.doubt(self.topology.epoch, Doubt::NotPrimary);
        }
    }
}

/// The error line that decides about the whole: that of the last reply, EXEC's in a transaction.
fn refusal(frames: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(Frame::trusted(frames));
    let mut last = reader.next_frame()?;
    while let Some(next) = reader.next_frame() {
        last = next;
    }
    last.error()
}

pub(super) fn maybe_executed(job: &Job<'_>, way: &Way, reason: &Error) -> Error {
    let place = way.address();
    let mut error = Error::new(
        Kind::MaybeExecuted,
        format!(
            "sent, but never answered, so it may have run or not: {}",
            reason.message()
        ),
    );
    if let Some(code) = reason.code() {
        error = error.with_code(code);
    }
    error.during(job.name()).at(place)
}

/// The deadline has passed, and the command did not run.
pub(super) fn too_late(job: &Job<'_>, reason: &Error) -> Error {
    let error = match reason.code() {
        // The server has said why, again and again.
        Some(_) => reason.clone(),
        None => Error::new(
            if job.effect == Effect::Reads {
                Kind::Timeout
            } else {
                Kind::Unavailable
            },
            format!("not executed before the deadline: {}", reason.message()),
        ),
    };
    error.during(job.name())
}
