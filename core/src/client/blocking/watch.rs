//! Optimistic transactions: what was read must not have changed when EXEC comes.

use super::own::Own;
use super::route::Way;
use super::{Client, Deadlines};
use crate::client::verdict::{interrupted, maybe_executed, overdue, too_late};
use crate::client::{CallOptions, Job};
use crate::command;
use crate::error::{Error, Kind, Result};
use crate::lane::call::{Caller, Cause, Failure, Host, Request};
use crate::policy::{Backoff, Doubt, Effect, Fate};
use crate::proto::encode;
use crate::proto::ledger::Span;
use crate::proto::read::{Frame, Reader};
use crate::proto::reply::Reply;
use std::time::Instant;

/// The data as it is while it is being watched, and the commands to run if it stays so.
#[derive(Debug)]
pub struct View<'a> {
    way: Way<Own>,
    caller: Caller<'a>,
    queued: Vec<u8>,
    names: Vec<String>,
}

/// Why one attempt came to nothing.
enum Setback {
    /// The watched keys changed, or the connection was lost before EXEC left: try again.
    Again(Error),
    Final(Error),
}

impl View<'_> {
    /// Reads, on the connection that watches.
    pub fn call<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Result<Reply> {
        let frames = self.ask(args).map_err(|failure| lost(failure.cause))?;
        let frame = Frame::trusted(&frames);
        match frame.error() {
            Some(line) => Err(Error::server(line).during(command::name(args))),
            None => Ok(Reply::from_frame(frame)),
        }
    }

    /// Adds a command to what EXEC will run.
    pub fn queue<A: AsRef<[u8]>>(&mut self, args: &[A]) {
        encode::command(&mut self.queued, args);
        self.names.push(command::name(args));
    }

    fn ask<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        encode::command(&mut bytes, args);
        let (mut frames, now) = (Vec::new(), Instant::now());
        let request = Request { bytes: &bytes, span: Span::Command { bytes: bytes.len() } };
        self.way.lane.connection.call(request, Caller { now, ..self.caller }, &mut frames)?;
        Ok(frames)
    }

    fn exec(&mut self) -> Result<Vec<Reply>, Setback> {
        if self.names.is_empty() {
            // Nothing to run: what was read is all there is to it.
            return match self.ask(&["UNWATCH"]) {
                Ok(_) => Ok(Vec::new()),
                Err(failure) => Err(Setback::Again(lost(failure.cause))),
            };
        }
        let mut bytes = Vec::new();
        encode::command(&mut bytes, &["MULTI"]);
        bytes.extend_from_slice(&self.queued);
        encode::command(&mut bytes, &["EXEC"]);
        let span = Span::Unit { bytes: bytes.len(), replies: self.names.len() + 2 };
        let (mut frames, now) = (Vec::new(), Instant::now());
        let request = Request { bytes: &bytes, span: span.clone() };
        let sent =
            self.way.lane.connection.call(request, Caller { now, ..self.caller }, &mut frames);
        if let Err(failure) = sent {
            let unknown = failure.fates.first().copied().is_some_and(Fate::unknown);
            let reason = lost(failure.cause);
            if !unknown {
                return Err(Setback::Again(reason));
            }
            let job = Job { bytes: &bytes, span, effect: Effect::Writes };
            let error = maybe_executed(&job, Some(self.way.address()), &reason);
            return Err(Setback::Final(error));
        }
        let mut reader = Reader::new(Frame::trusted(&frames));
        reader.next_frame();
        let mut refused = None;
        for name in &self.names {
            let line = reader.next_frame().and_then(Frame::error);
            refused = refused.or(line.map(|line| Error::server(line).during(name.as_str())));
        }
        match Reply::next(&mut reader) {
            Some(Reply::List(replies)) => Ok(replies),
            Some(Reply::Null) => Err(Setback::Again(Error::new(
                Kind::Unavailable,
                "the watched keys change too often",
            ))),
            Some(Reply::Error(line)) => {
                let error = refused.unwrap_or_else(|| Error::server(&line).during("EXEC"));
                let passes = error.retryable();
                Err(if passes { Setback::Again(error) } else { Setback::Final(error) })
            }
            _ => Err(Setback::Final(Error::new(Kind::Internal, "EXEC answered in an unknown way"))),
        }
    }
}

impl Client {
    /// Runs `change` with the keys watched, then what it has queued; all again, from the start,
    /// as long as somebody else changes the keys in between. A failover in between counts as a
    /// change. What `change` returns comes back with the replies of the queued commands.
    pub fn watch<A: AsRef<[u8]>, T>(
        &self,
        keys: &[A],
        mut change: impl FnMut(&mut View<'_>) -> Result<T>,
    ) -> Result<(T, Vec<Reply>)> {
        self.watch_with(keys, &self.options(), &(), &mut change)
    }

    /// [`watch`](Self::watch) with options, inside a host language.
    pub fn watch_with<A: AsRef<[u8]>, T>(
        &self,
        keys: &[A],
        options: &CallOptions,
        host: &dyn Host,
        change: &mut dyn FnMut(&mut View<'_>) -> Result<T>,
    ) -> Result<(T, Vec<Reply>)> {
        let deadlines = Deadlines::new(&self.inner.config, options, Instant::now());
        let watch: Vec<&[u8]> =
            std::iter::once(b"WATCH".as_slice()).chain(keys.iter().map(A::as_ref)).collect();
        let mut backoff = Backoff::default();
        loop {
            let way = self.own_way(Effect::Writes, deadlines.whole, host)?;
            let now = Instant::now();
            let caller = Caller { now, deadline: deadlines.whole, host };
            let mut view = View { way, caller, queued: Vec::new(), names: Vec::new() };
            let setback = match view.ask(&watch) {
                Ok(frames) => match Frame::trusted(&frames).error() {
                    None => match change(&mut view) {
                        Ok(value) => match view.exec() {
                            Ok(replies) => {
                                view.way.home.owned.give_back(view.way.lane);
                                return Ok((value, replies));
                            }
                            Err(setback) => setback,
                        },
                        // Its own error, unless it is ours and passes with the connection.
                        Err(_) if view.way.lane.connection.over().is_some() => {
                            Setback::Again(overdue())
                        }
                        Err(error) => return Err(error),
                    },
                    Some(line) => {
                        view.way.home.doubt(view.way.topology.epoch, Doubt::NotPrimary);
                        let error = Error::server(line).during("WATCH");
                        if error.retryable() {
                            Setback::Again(error)
                        } else {
                            Setback::Final(error)
                        }
                    }
                },
                Err(Failure { cause: Cause::Interrupted, .. }) => return Err(interrupted()),
                Err(failure) => Setback::Again(lost(failure.cause)),
            };
            match setback {
                Setback::Final(error) => return Err(error),
                Setback::Again(error) if Instant::now() >= deadlines.whole => {
                    let job = Job {
                        bytes: &[],
                        span: Span::Unit { bytes: 0, replies: 0 },
                        effect: Effect::Writes,
                    };
                    return Err(too_late(&job, &error));
                }
                Setback::Again(_) => {
                    let way = &view.way;
                    let epoch = way.topology.epoch;
                    let shared = &way.home.deployment.shared;
                    shared.wait(backoff.next(), |topology| topology.epoch != epoch);
                }
            }
        }
    }
}

fn lost(cause: Cause) -> Error {
    match cause {
        Cause::Lost(why) => why,
        Cause::Interrupted => interrupted(),
        Cause::Deadline | Cause::Full => overdue(),
    }
}
