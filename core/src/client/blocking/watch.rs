//! Optimistic transactions: what was read must not have changed when EXEC comes.

use super::Client;
use super::own::Own;
use super::route::Way;
use crate::client::transaction::Transaction;
use crate::client::verdict::{interrupted, maybe_executed, overdue, refused, too_late};
use crate::client::{Batch, CallOptions, Deadlines, Exchange, Job, Outcomes};
use crate::command::Wait;
use crate::config::Address;
use crate::error::{Error, Kind, Result};
use crate::lane::call::{Caller, Cause, Failure, Host, Request};
use crate::policy::{self, Backoff, Doubt, Effect, Fate, Next};
use crate::proto::encode;
use crate::proto::ledger::Span;
use crate::proto::read::Frame;
use crate::proto::reply::Reply;
use std::time::Instant;

/// Attempts at a change of keys that nobody else may change meanwhile.
///
/// Each attempt is [`begin`](Self::begin), which watches the keys, reads by [`run`](Self::run),
/// and [`commit`](Self::commit). If that says that the keys were changed, or the primary was, the
/// next attempt begins.
#[derive(Debug)]
pub struct Watch {
    client: Client,
    /// The command that watches the keys.
    request: Vec<u8>,
    options: CallOptions,
    deadlines: Deadlines,
    backoff: Backoff,
    /// The connection of this attempt.
    way: Option<Way<Own>>,
    /// Why the last attempt came to nothing.
    setback: Option<Error>,
}

impl Client {
    /// Attempts that watch these keys.
    pub fn watching<A: AsRef<[u8]>>(&self, keys: &[A], options: &CallOptions) -> Result<Watch> {
        if keys.is_empty() {
            return Err(Error::usage("watch needs the keys to watch").during("WATCH"));
        }
        let words = std::iter::once(b"WATCH".as_slice()).chain(keys.iter().map(A::as_ref));
        let mut request = Vec::new();
        encode::command(&mut request, &words.collect::<Vec<_>>());
        Ok(Watch {
            client: self.clone(),
            request,
            options: *options,
            deadlines: Deadlines::new(self.config(), options, Instant::now()),
            backoff: Backoff::default(),
            way: None,
            setback: None,
        })
    }

    /// Runs `change` with the keys watched, then what it has queued; all again, from the start,
    /// as long as somebody else changes the keys in between. A failover in between counts as a
    /// change. What `change` returns comes back with what came of the queued commands.
    pub fn watch<A: AsRef<[u8]>, T>(
        &self,
        keys: &[A],
        mut change: impl FnMut(&mut View<'_>) -> Result<T>,
    ) -> Result<(T, Vec<Result<Reply>>)> {
        let mut watch = self.watching(keys, &self.options())?;
        loop {
            watch.begin(&())?;
            let mut view = View { watch: &mut watch, queued: Batch::default() };
            let changed = change(&mut view);
            let queued = view.queued;
            match changed {
                Ok(value) => {
                    if let Some(outcomes) = watch.commit(queued, &())? {
                        return Ok((value, outcomes.into_replies()));
                    }
                }
                // Its own error, unless it is ours and passes with the connection.
                Err(_) if watch.is_lost() => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The data while it is being watched, and the commands to run if it stays so.
#[derive(Debug)]
pub struct View<'a> {
    watch: &'a mut Watch,
    queued: Batch,
}

impl View<'_> {
    /// Reads, on the connection that watches.
    pub fn call<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Result<Reply> {
        let mut exchange = Exchange::raw(args)?;
        self.watch.run(&mut exchange, &())?;
        exchange.answer().map(super::Answer::to_reply)
    }

    /// Adds a command to what EXEC will run.
    pub fn queue<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Result<()> {
        self.queued.add_raw(args)
    }
}

impl Watch {
    /// Connects, if it must, and watches the keys. Before the deadline, any number of times.
    pub fn begin(&mut self, host: &dyn Host) -> Result<()> {
        loop {
            if let Some(setback) = self.setback.take() {
                self.rest(setback, host)?;
            }
            self.way =
                Some(self.client.own_way(None, Effect::Writes, self.deadlines.whole, host)?);
            let request = std::mem::take(&mut self.request);
            let outcome = self.ask(&request, host);
            self.request = request;
            let reason = match outcome {
                Ok(frames) => match Frame::trusted(&frames).error() {
                    None => return Ok(()),
                    Some(line) => {
                        let error = refused(line, "WATCH".to_owned(), self.node());
                        if policy::after_error(Effect::Reads, line, false) == Next::Deliver {
                            return Err(error);
                        }
                        self.refused(line);
                        error
                    }
                },
                Err(Failure { cause: Cause::Interrupted, .. }) => return Err(interrupted()),
                Err(failure) => self.lost(failure.cause),
            };
            self.setback = Some(reason);
        }
    }

    /// Executes a command on the connection that watches; one that reads, for what it writes is
    /// not part of the transaction.
    pub fn run(&mut self, exchange: &mut Exchange, host: &dyn Host) -> Result<()> {
        if exchange.job().effect != Effect::Reads {
            let name = exchange.job().name();
            let why = format!("{name} may write: queue it in the transaction");
            return Err(Error::usage(why).during(name));
        }
        let answer = self.ask(&exchange.out, host);
        exchange.frames = answer.map_err(|failure| self.lost(failure.cause))?;
        exchange.who.node = self.node().cloned();
        Ok(())
    }

    /// Executes the transaction. `None`: the keys have changed, or the primary has: begin again.
    pub fn commit(&mut self, batch: Batch, host: &dyn Host) -> Result<Option<Outcomes>> {
        let transaction = Transaction::new(batch);
        let job = transaction.job();
        if self.is_held(job.effect) {
            let why = Error::new(Kind::Unavailable, "the primary is about to be replaced");
            return Ok(self.again(why));
        }
        let (span, effect) = (job.span.clone(), job.effect);
        let frames = match self.ask_for(Request { bytes: job.bytes, span, effect }, host) {
            Ok(frames) => frames,
            Err(failure) => {
                let fate = failure.fates.first().copied().unwrap_or(Fate::NotSent);
                let reason = self.lost(failure.cause);
                if policy::after_loss(job.effect, fate, false) != Next::MaybeExecuted {
                    return Ok(self.again(reason));
                }
                return Err(maybe_executed(&job, self.node(), &reason));
            }
        };
        match transaction.outcome(&frames, self.node()) {
            Ok(Some(outcomes)) => Ok(Some(self.finish(outcomes))),
            Ok(None) => {
                let why = "the watched keys change too often";
                Ok(self.again(Error::new(Kind::Unavailable, why)))
            }
            Err(error) if error.retryable() => {
                self.refused(error.message().as_bytes());
                Ok(self.again(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Whether the connection of this attempt is gone, so that an error of a read is no reason to
    /// give up.
    pub fn is_lost(&self) -> bool {
        self.way.as_ref().is_none_or(|way| way.lane.connection.over().is_some())
    }

    /// The node whose keys are watched.
    fn node(&self) -> Option<&Address> {
        self.way.as_ref().and_then(Way::node)
    }

    /// Whether it would go to a primary that is about to be replaced, and be lost with it.
    fn is_held(&self, effect: Effect) -> bool {
        let topology = |way: &Way<Own>| way.home.deployment.shared.topology();
        self.way.as_ref().is_some_and(|way| topology(way).holds(effect))
    }

    fn finish(&mut self, outcomes: Outcomes) -> Outcomes {
        if let Some(way) = self.way.take() {
            way.home.owned.give_back(way.lane);
        }
        outcomes
    }

    fn again<T>(&mut self, setback: Error) -> Option<T> {
        self.setback = Some(setback);
        None
    }

    /// Passes on what a refusal says about the primary.
    fn refused(&self, line: &[u8]) {
        if let Some(way) = self.way.as_ref().filter(|_| policy::doubts_primary(line)) {
            way.home.doubt(way.topology.epoch, Doubt::NotPrimary);
        }
    }

    /// Lets a moment pass before the next attempt; a new topology ends it sooner.
    fn rest(&mut self, setback: Error, host: &dyn Host) -> Result<()> {
        if Instant::now() >= self.deadlines.whole {
            let span = Span::Unit { bytes: 0, replies: 0 };
            let (bytes, effect, wait) = ([].as_slice(), Effect::Writes, Wait::No);
            return Err(too_late(
                &Job { bytes, span, effect, wait, on_replica: false, keeps_to: None },
                &setback,
            ));
        }
        if let Some(way) = self.way.take() {
            let epoch = way.topology.epoch;
            let shared = &way.home.deployment.shared;
            shared.wait(self.backoff.next(), |topology| topology.epoch != epoch);
            // Its keys are watched no more once they have changed, so it is as good as new.
            if way.lane.connection.over().is_none() {
                way.home.owned.give_back(way.lane);
            }
        }
        if host.interrupted() { Err(interrupted()) } else { Ok(()) }
    }

    fn ask(&mut self, bytes: &[u8], host: &dyn Host) -> Result<Vec<u8>, Failure> {
        let span = Span::Command { bytes: bytes.len() };
        self.ask_for(Request { bytes, span, effect: Effect::Reads }, host)
    }

    fn ask_for(&mut self, request: Request<'_>, host: &dyn Host) -> Result<Vec<u8>, Failure> {
        let now = Instant::now();
        let Some(way) = &mut self.way else {
            let why = Error::usage("watch has not begun: no key is being watched");
            let fates = vec![Fate::NotSent];
            return Err(Failure { cause: Cause::Lost(why), answered: 0, fates });
        };
        let deadline = self.deadlines.reply_by(now, &self.options);
        let mut frames = Vec::new();
        let caller = Caller { now, deadline, host };
        way.lane.connection.call(request, caller, &mut frames)?;
        Ok(frames)
    }

    fn lost(&self, cause: Cause) -> Error {
        match (cause, &self.way) {
            (Cause::Lost(why), Some(way)) => self.client.why_lost(way, why),
            (Cause::Lost(why), None) => why,
            (Cause::Interrupted, _) => interrupted(),
            (Cause::Deadline | Cause::Full, _) => overdue(),
        }
    }
}
