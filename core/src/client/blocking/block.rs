//! Commands that wait on the server: on a connection of their own, and bounded on our side too.

use super::own::Own;
use super::route::Way;
use super::{Client, Home};
use crate::client::reads::{Origin, Reading};
use crate::client::verdict::{interrupted, maybe_executed, silent, too_late};
use crate::client::{CallOptions, Deadlines, Job};
use crate::command::Wait;
use crate::config::{Address, Config};
use crate::error::{Error, Result};
use crate::lane::call::{Caller, Cause, Host, Request};
use crate::policy::{self, Backoff, Doubt, Fate, Next};
use crate::proto::read::Frame;
use crate::topology::Phase;
use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longer than any process runs.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

impl Client {
    /// A command that may wait on the server.
    pub(super) fn attempt_blocking(
        &self,
        job: &Job<'_>,
        wait: Wait,
        options: &CallOptions,
        host: &dyn Host,
        frames: &mut Vec<u8>,
    ) -> Result<Origin> {
        let config = &self.inner.config;
        let mut backoff = Backoff::default();
        let mut deadlines = Deadlines::new(config, options, Instant::now());
        let mut reading = Reading::of(job, options, config)?;
        loop {
            let mut way = self
                .own_way(reading.as_mut(), job.effect, deadlines.whole, host)
                .map_err(|error| error.during(job.name()))?;
            let (now, home) = (Instant::now(), Arc::clone(&way.home));
            // The server answers when the time is up; the grace is for the way back.
            let deadline = match wait {
                Wait::For(wait) => now + wait + config.command_timeout,
                Wait::No | Wait::Forever => now + FOR_EVER,
            };
            let watch = Watchful::new(host, &way, &home, config);
            let caller = Caller { now, deadline, host: &watch };
            let request = Request { bytes: job.bytes, span: job.span.clone() };
            let outcome = way.lane.connection.call(request, caller, frames);
            let given_up = watch.gave_up.get();
            let (next, reason) = match outcome {
                Ok(()) => {
                    let Some(line) = Frame::trusted(frames).error() else {
                        let origin = self.answered(&way, job);
                        way.home.owned.give_back(way.lane);
                        return Ok(origin);
                    };
                    let next = policy::after_error(job.effect, line, options.repeats_writes());
                    if policy::doubts_primary(line) {
                        way.doubt(Doubt::NotPrimary);
                    }
                    (next, Error::server(line))
                }
                Err(failure) => {
                    let fate = failure.fates.first().copied().unwrap_or(Fate::NotSent);
                    let reason = match failure.cause {
                        Cause::Interrupted if given_up => silent(),
                        Cause::Interrupted => return Err(interrupted()),
                        Cause::Lost(why) => why,
                        Cause::Deadline | Cause::Full => {
                            way.doubt(Doubt::Overdue);
                            silent()
                        }
                    };
                    (policy::after_loss(job.effect, fate, options.repeats_writes()), reason)
                }
            };
            // The time spent waiting was the caller's wish, and not a search for a primary.
            deadlines.whole += now.elapsed();
            match next {
                Next::Deliver => return Ok(self.answered(&way, job)),
                Next::MaybeExecuted => {
                    return Err(maybe_executed(job, Some(way.address()), &reason));
                }
                // A read can still go to another replica.
                Next::Again
                    if given_up && way.replica().is_none() || Instant::now() >= deadlines.whole =>
                {
                    return Err(too_late(job, &reason));
                }
                Next::Again => {
                    if let (Some(reading), Some(replica)) = (&mut reading, way.replica()) {
                        reading.avoid(replica);
                    }
                    let pause = backoff.next();
                    let epoch = way.topology.epoch;
                    way.home.deployment.shared.wait(pause, |topology| topology.epoch != epoch);
                }
            }
        }
    }
}

/// Looks up from a long wait: a server that is gone must not be waited for without end.
struct Watchful<'a> {
    host: &'a dyn Host,
    home: &'a Home,
    epoch: u64,
    /// `None`: it is the primary.
    replica: Option<Address>,
    pulse: Duration,
    next: Cell<Instant>,
    lost_since: Cell<Option<Instant>>,
    patience: Duration,
    gave_up: Cell<bool>,
}

impl<'a> Watchful<'a> {
    fn new(host: &'a dyn Host, way: &Way<Own>, home: &'a Home, config: &Config) -> Self {
        let replica = way.replica().cloned();
        // There may be other replicas, but there is no other primary.
        let patience = match replica {
            Some(_) => config.command_timeout,
            None => config.failover_timeout,
        };
        let pulse = config.command_timeout;
        Self {
            host,
            home,
            epoch: way.topology.epoch,
            replica,
            pulse,
            next: Cell::new(Instant::now() + pulse),
            lost_since: Cell::new(None),
            patience,
            gave_up: Cell::new(false),
        }
    }

    /// Sees to it that the node is looked at.
    fn look_at_it(&self) {
        match self.replica {
            // A silent one makes the topology say so.
            None => self.home.doubt(self.epoch, Doubt::Overdue),
            Some(_) => self.home.deployment.note_read(None),
        }
    }

    fn is_lost(&self) -> bool {
        let shared = &self.home.deployment.shared;
        match &self.replica {
            None => shared.topology().phase == Phase::Lost,
            Some(replica) => !shared.readable().has(self.epoch, replica),
        }
    }
}

impl Host for Watchful<'_> {
    fn interrupted(&self) -> bool {
        let now = Instant::now();
        if now >= self.next.get() {
            self.next.set(now + self.pulse);
            self.look_at_it();
        }
        let lost = self.is_lost();
        let since = self.lost_since.get().filter(|_| lost).unwrap_or(now);
        self.lost_since.set(lost.then_some(since));
        if now - since >= self.patience && lost {
            self.gave_up.set(true);
            return true;
        }
        self.host.interrupted()
    }
}
