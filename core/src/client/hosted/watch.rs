//! Optimistic transactions: what was read must not have changed when EXEC comes.

use super::calls::{Call, Way, What};
use super::link::Use;
use super::{Completion, Session, Sink, WatchId};
use crate::client::transaction::Transaction;
use crate::client::verdict::{closed, too_late};
use crate::client::{Batch, CallOptions, Deadlines, Exchange, Job};
use crate::command::Wait;
use crate::error::{Error, Kind, Result};
use crate::lane::hosted::Token;
use crate::policy::{Backoff, Effect};
use crate::proto::encode;
use crate::proto::ledger::Span;
use std::time::Instant;

/// Attempts at a change of keys that nobody else may change meanwhile.
#[derive(Debug)]
pub(super) struct Watch {
    /// The command that watches the keys.
    request: Vec<u8>,
    options: CallOptions,
    deadlines: Deadlines,
    backoff: Backoff,
    begun: bool,
    /// Why the last attempt came to nothing, if not because the keys have changed.
    setback: Option<Error>,
}

impl Session {
    /// Attempts that watch these keys. Each is [`watch_begin`](Self::watch_begin), reads by
    /// [`watch_run`](Self::watch_run), and [`watch_commit`](Self::watch_commit).
    pub fn watch_open<A: AsRef<[u8]>>(
        &mut self,
        keys: &[A],
        options: CallOptions,
        now: Instant,
    ) -> Result<WatchId> {
        if self.closed {
            return Err(closed());
        }
        if keys.is_empty() {
            return Err(Error::usage("watch needs the keys to watch").during("WATCH"));
        }
        let words = std::iter::once(b"WATCH".as_slice()).chain(keys.iter().map(A::as_ref));
        let mut request = Vec::new();
        encode::command(&mut request, &words.collect::<Vec<_>>());
        let deadlines = Deadlines::new(&self.config, &options, now);
        let backoff = self.guide.backoff();
        let (begun, setback) = (false, None);
        let id = self.next_watch;
        self.next_watch += 1;
        self.watches.insert(id, Watch { request, options, deadlines, backoff, begun, setback });
        Ok(id)
    }

    /// Watches the keys, on a connection of its own: [`Completion::Ready`]. Ends the attempt
    /// before; nothing comes of its steps any more.
    pub fn watch_begin(&mut self, id: WatchId, now: Instant) -> Result<Token> {
        self.end_attempt(id);
        let watch = self.watches.get_mut(&id).ok_or_else(unknown)?;
        let bytes = watch.request.clone();
        let span = Span::Command { bytes: bytes.len() };
        let mut job = Job {
            bytes: &bytes,
            span,
            effect: Effect::Writes,
            wait: Wait::No,
            on_replica: false,
            keeps_to: None,
        };
        let mut rests_until = None;
        if watch.begun {
            let changed = || Error::new(Kind::Unavailable, "the watched keys change too often");
            let setback = watch.setback.take().unwrap_or_else(changed);
            if now >= watch.deadlines.whole {
                return Err(too_late(&job, &setback));
            }
            let pause = watch.backoff.next();
            rests_until = (!pause.is_zero()).then(|| now + pause);
        }
        watch.begun = true;
        // To watch once more does no harm.
        job.effect = Effect::Reads;
        let call = self.step(id, &job, now)?.of(What::Watch);
        self.take_on(Call { rests_until, ..call }, now)
    }

    /// Executes a command on the connection that watches; one that reads, for what it writes is
    /// not part of the transaction.
    pub fn watch_run(&mut self, id: WatchId, exchange: &Exchange, now: Instant) -> Result<Token> {
        let job = exchange.job();
        if job.effect != Effect::Reads {
            let why = format!("{} may write: queue it in the transaction", job.name());
            return Err(Error::usage(why).during(job.name()));
        }
        let what = What::Command { shape: exchange.encoded().shape, script: None };
        let call = self.step(id, &job, now)?.of(what);
        self.take_on(call, now)
    }

    /// Executes the transaction: [`Completion::Outcomes`]. If the keys have changed, or the
    /// primary has, [`Completion::Again`]: begin again.
    pub fn watch_commit(&mut self, id: WatchId, batch: Batch, now: Instant) -> Result<Token> {
        let transaction = Transaction::new(batch);
        let call = self.step(id, &transaction.job(), now)?;
        self.take_on(call.of(What::Transaction(transaction)), now)
    }

    /// Whether the connection of this attempt is gone, so that an error of a read is no reason to
    /// give up.
    pub fn watch_is_lost(&self, id: WatchId) -> bool {
        !self.links.iter().any(|link| link.used == Use::Watch(id) && !link.shunned)
    }

    /// Ends all attempts. Nothing comes of their steps any more.
    pub fn watch_close(&mut self, id: WatchId) {
        self.end_attempt(id);
        self.watches.remove(&id);
    }

    /// Keys are still being watched on a connection that is left like this: it cannot be used for
    /// anything else. After a transaction it is the watch's no more.
    fn end_attempt(&mut self, id: WatchId) {
        while let Some(link) = self.link_used(Use::Watch(id)).map(|link| link.id) {
            self.cut(link);
        }
        let Self { held, calls, .. } = self;
        let steps = held.iter().copied();
        let steps: Vec<Token> = steps
            .filter(|&token| calls.get(token).is_some_and(|call| call.watch == Some(id)))
            .collect();
        for step in steps {
            self.cancel(step);
        }
    }

    fn step(&mut self, id: WatchId, job: &Job<'_>, now: Instant) -> Result<Call> {
        let watch = self.watches.get(&id).ok_or_else(unknown)?;
        if !watch.begun {
            return Err(Error::usage("watch has not begun: no key is being watched"));
        }
        let (options, deadlines) = (watch.options, watch.deadlines);
        let call = self.call(job, options, now)?;
        // Without its connection it comes to nothing, which the host is told when it wakes us.
        let rests_until = self.is_gone(Way::Watched(id)).then_some(now);
        Ok(Call { deadlines, wait: Wait::No, watch: Some(id), reading: None, rests_until, ..call })
    }

    /// Whether a call has lost the only connection that it can take.
    pub(super) fn is_gone(&self, way: Way) -> bool {
        matches!(way, Way::Watched(id) if self.watch_is_lost(id))
    }

    /// A step came to nothing, and has not run. Nor can it: the keys are watched no more.
    pub(super) fn give_up_step(&mut self, token: Token, reason: Error, sink: &mut Sink<'_>) {
        let Some(call) = self.calls.get(token) else { return };
        let completion = match (&call.what, call.watch) {
            (What::Transaction(_), Some(id)) => {
                if let Some(watch) = self.watches.get_mut(&id) {
                    watch.setback = Some(reason);
                }
                Completion::Again
            }
            _ => Completion::Failed(reason.during(call.job().name())),
        };
        self.finish(token, completion, sink);
    }
}

fn unknown() -> Error {
    Error::usage("this watch is closed: open another")
}
