//! One command or transaction: sent, sent again, or honestly given up.

use super::Client;
use super::route::Way;
use crate::client::reads::{self, Reading, Who};
use crate::client::verdict::{full, interrupted, maybe_executed, overdue, refusal, too_late};
use crate::client::{CallOptions, Deadlines, Exchange, Job, script};
use crate::command::Wait;
use crate::error::{Error, Result};
use crate::lane::call::{Caller, Cause, Failure, Host, Request};
use crate::policy::{self, Backoff, Doubt, Fate, Next};
use crate::proto::ledger::Span;
use crate::proto::read::Frame;
use crate::stats::Counters;
use std::time::Instant;

impl Client {
    /// Executes a command; its reply, or the server's error, is the exchange's answer then.
    pub fn run(
        &self,
        exchange: &mut Exchange,
        options: &CallOptions,
        host: &dyn Host,
    ) -> Result<()> {
        reads::refuse(&exchange.job(), options)?;
        let mut frames = std::mem::take(&mut exchange.frames);
        let mut outcome = self.execute(&exchange.job(), options, host, &mut frames);
        if let Some(script) = &exchange.script
            && outcome.is_ok()
            && Frame::trusted(&frames).error().is_some_and(script::is_missing)
        {
            // It has not run, so it goes again, with its source.
            exchange.out = script.spelled_out(&exchange.out);
            outcome = self.execute(&exchange.job(), options, host, &mut frames);
        }
        exchange.frames = frames;
        exchange.who = outcome?;
        Ok(())
    }

    /// Executes a command or a transaction; its replies are in `frames` then, end to end, the
    /// server's error among them where it refused. Who answered is told to those that ask.
    pub(super) fn execute(
        &self,
        job: &Job<'_>,
        options: &CallOptions,
        host: &dyn Host,
        frames: &mut Vec<u8>,
    ) -> Result<Who> {
        frames.clear();
        let outcome = match job.wait {
            Wait::No => self.attempt(job, options, host, frames),
            wait => self.attempt_blocking(job, wait, options, host, frames),
        };
        self.count(outcome.as_ref().err());
        outcome
    }

    /// Notes a call and how it ended.
    pub(super) fn count(&self, error: Option<&Error>) {
        let counters = &self.inner.counters;
        Counters::add(&counters.calls, 1);
        if let Some(error) = error {
            Counters::add(&counters.failed, 1);
            counters.note(|it| &it.maybe_executed, error.maybe_executed().into());
        }
    }

    fn attempt(
        &self,
        job: &Job<'_>,
        options: &CallOptions,
        host: &dyn Host,
        frames: &mut Vec<u8>,
    ) -> Result<Who> {
        let repeat = options.repeats_writes();
        let deadlines = Deadlines::new(&self.inner.config, options, Instant::now());
        let mut backoff = Backoff::default();
        let mut reading = Reading::of(job, options, &self.inner.config)?;
        // It was sent already, never answered, and goes again because the caller agreed to it.
        let mut may_have_run = false;
        loop {
            let way = self
                .way(reading.as_mut(), job.effect, job.bytes.len(), deadlines.whole, host)
                .map_err(|error| match may_have_run {
                    true => maybe_executed(job, None, &error),
                    false => error.during(job.name()),
                })?;
            let now = Instant::now();
            let caller = Caller { now, deadline: deadlines.reply_by(now, options), host };
            let request = Request { bytes: job.bytes, span: job.span.clone(), effect: job.effect };
            let (next, reason) = match way.lane.call(request, caller, frames) {
                Ok(()) => {
                    let Some(line) = refusal(&job.span, frames) else {
                        return Ok(self.answered(&way, job, frames));
                    };
                    way.refused(line);
                    may_have_run |=
                        policy::after_error(job.effect, line, false) == Next::MaybeExecuted;
                    (policy::after_error(job.effect, line, repeat), Error::server(line))
                }
                Err(failure) => {
                    let fate = failure.fates.first().copied().unwrap_or(Fate::NotSent);
                    let reason = self.failed(&way, failure, options)?;
                    may_have_run |=
                        policy::after_loss(job.effect, fate, false) == Next::MaybeExecuted;
                    (policy::after_loss(job.effect, fate, repeat), reason)
                }
            };
            match next {
                Next::Deliver => return Ok(self.answered(&way, job, frames)),
                Next::MaybeExecuted => {
                    return Err(maybe_executed(job, way.node(), &reason));
                }
                Next::Again if Instant::now() >= deadlines.whole && may_have_run => {
                    return Err(maybe_executed(job, way.node(), &reason));
                }
                Next::Again if Instant::now() >= deadlines.whole => {
                    return Err(too_late(job, &reason));
                }
                Next::Again => self.pause(&way, reading.as_mut(), &mut backoff, host)?,
            }
        }
    }

    /// Notes who has answered.
    pub(super) fn answered<C>(&self, way: &Way<C>, job: &Job<'_>, frames: &[u8]) -> Who {
        self.count_replica(way);
        let origin = job.keeps_to.map(|_| way.origin()).unwrap_or_default();
        // A transaction can hold errors further inside.
        let refused = matches!(frames.first(), Some(b'-' | b'!'));
        let refused = refused || matches!(job.span, Span::Unit { .. });
        Who { origin, node: way.node().filter(|_| refused).cloned() }
    }

    pub(super) fn count_replica<C>(&self, way: &Way<C>) {
        if way.replica().is_some() {
            Counters::add(&self.inner.counters.from_replicas, 1);
        }
    }

    /// What a failed call says about the primary, and about the call. `Err` ends the call.
    pub(super) fn failed(
        &self,
        way: &Way,
        failure: Failure,
        options: &CallOptions,
    ) -> Result<Error> {
        match failure.cause {
            Cause::Lost(why) => Ok(why),
            Cause::Deadline => {
                // The connection may be dead although the node is well. A caller who is merely
                // in a hurry proves nothing.
                if options.timeout.is_none() {
                    way.lane.shun();
                }
                way.doubt(Doubt::Overdue);
                Ok(overdue())
            }
            Cause::Full => Err(full(self.inner.config.max_in_flight)),
            Cause::Interrupted => Err(interrupted()),
        }
    }

    /// Lets a moment pass before the next attempt, which goes to another replica if this was one;
    /// a new topology ends it sooner.
    pub(super) fn pause(
        &self,
        way: &Way,
        reading: Option<&mut Reading>,
        backoff: &mut Backoff,
        host: &dyn Host,
    ) -> Result<()> {
        host.outing().inspect(|outing| outing.stay());
        self.inner.counters.note(|it| &it.repeated, 1);
        if let (Some(reading), Some(replica)) = (reading, way.replica()) {
            reading.avoid(replica);
        }
        let pause = backoff.next();
        if !pause.is_zero() {
            way.home.deployment.shared.wait(pause, |topology| topology.epoch != way.topology.epoch);
            if host.interrupted() {
                return Err(interrupted());
            }
        }
        Ok(())
    }
}

impl Way {
    /// Passes on what a refused command says about the primary.
    pub(super) fn refused(&self, line: &[u8]) {
        if policy::doubts_primary(line) {
            self.doubt(Doubt::NotPrimary);
        }
    }
}
