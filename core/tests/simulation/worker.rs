//! The workload: callers that increment, read back, give up and cancel.

use crate::app::Outcome;
use crate::history::Fate;
use crate::node::OpId;
use crate::queue::{Event, Time};
use crate::world::{Phase, World};
use std::time::Duration;
use steadis::Result;
use steadis::client::{Batch, CallOptions, Exchange};
use steadis::config::RetryWrites;
use steadis::lane::hosted::Token;
use steadis::proto::reply::Reply;

#[derive(Default)]
pub(crate) struct Worker {
    pub(crate) app: usize,
    pub(crate) call: Option<Call>,
    /// The last write that was acknowledged.
    acknowledged: Option<OpId>,
    turn: u64,
}

impl Worker {
    pub(crate) fn new(app: usize) -> Self {
        Self { app, ..Self::default() }
    }
}

pub(crate) struct Call {
    pub(crate) token: Token,
    pub(crate) ops: Vec<OpId>,
    transaction: bool,
    pub(crate) submitted: Time,
    /// No failure for want of a primary before this.
    pub(crate) whole: Time,
    /// No end after this.
    pub(crate) limit: Time,
    /// Everything is well: it has to succeed.
    pub(crate) firm: bool,
}

/// One command of a call.
enum Step {
    Increment,
    Script,
    Read(OpId),
}

impl World {
    pub(crate) fn on_worker(&mut self, worker: usize) {
        if self.workers[worker].call.is_some() || self.phase == Phase::Over {
            return;
        }
        let repeats = !self.plan.calm && self.random.chance(0.05);
        let timeout = (self.phase == Phase::Active && self.random.chance(self.plan.timeouts))
            .then(|| self.random.millis(5, 3000));
        let retry_writes = if repeats { RetryWrites::Always } else { RetryWrites::Unsent };
        let options = CallOptions { timeout, retry_writes, ..CallOptions::of(&self.plan.config) };
        match self.random.below(10) {
            0..=3 => self.call(worker, &[Step::Increment], false, options),
            4..=5 => {
                let target = self.workers[worker].acknowledged.unwrap_or(1);
                self.call(worker, &[Step::Read(target)], false, options);
            }
            6 => self.call(worker, &[Step::Script], false, options),
            7 => {
                let target = self.workers[worker].acknowledged.unwrap_or(1);
                let reads = self.random.chance(0.3);
                let step = || if reads { Step::Read(target) } else { Step::Increment };
                self.call(worker, &[step(), step()], true, options);
            }
            _ => {
                let target = self.workers[worker].acknowledged.unwrap_or(1);
                let count = self.random.between(2, 5);
                let steps: Vec<Step> = (0..count)
                    .map(|_| match self.random.below(5) {
                        0..=2 => Step::Increment,
                        3 => Step::Read(target),
                        _ => Step::Script,
                    })
                    .collect();
                self.call(worker, &steps, false, options);
            }
        }
    }

    fn call(&mut self, worker: usize, steps: &[Step], transaction: bool, options: CallOptions) {
        let repeats = options.retry_writes == RetryWrites::Always;
        let mut commands = Vec::new();
        let mut ops = Vec::new();
        for step in steps {
            let reads = match step {
                Step::Read(target) => Some(*target),
                _ => None,
            };
            let op = self.history.add(reads, repeats);
            let number = op.to_string();
            let key = format!("op:{}", reads.unwrap_or(op));
            let words: Vec<&str> = match step {
                Step::Increment => vec!["INCRBY", &key, &number],
                Step::Script => {
                    vec!["EVAL", "return redis.call('incrby',KEYS[1],ARGV[1])", "1", &key, &number]
                }
                Step::Read(_) => vec!["GET", &key],
            };
            commands.push(words.into_iter().map(str::to_owned).collect::<Vec<_>>());
            ops.push(op);
        }
        let app = self.workers[worker].app;
        let taken = self.submit(app, &commands, transaction, options);
        let config = &self.plan.config;
        let (whole, limit) = match options.timeout {
            Some(timeout) => (self.now + timeout, self.now + timeout),
            None => {
                let whole = self.now + config.failover_timeout;
                (whole, whole + config.command_timeout)
            }
        };
        let (submitted, firm) = (self.now, self.phase == Phase::Firm);
        self.trace.line(self.now, || format!("worker {worker} calls {commands:?}, {options:?}"));
        self.stats.calls += 1;
        let token = *taken.as_ref().unwrap_or(&Token::MAX);
        self.workers[worker].call =
            Some(Call { token, ops, transaction, submitted, whole, limit, firm });
        match taken {
            Ok(token) => {
                self.apps[app].tokens.insert(token, worker);
                self.serve(app);
                if self.phase == Phase::Active && self.random.chance(self.plan.cancels) {
                    self.workers[worker].turn += 1;
                    let after = self.random.around(Duration::from_millis(100));
                    let turn = self.workers[worker].turn;
                    self.queue.push(self.now + after, Event::Cancel { worker, turn });
                }
            }
            Err(error) => self.call_ended(worker, Outcome::Failed(error)),
        }
    }

    fn submit(
        &mut self,
        app: usize,
        commands: &[Vec<String>],
        transaction: bool,
        options: CallOptions,
    ) -> Result<Token> {
        let now = self.instant();
        let session = &mut self.apps[app].session;
        if let ([words], false) = (commands, transaction) {
            return session.submit(&Exchange::raw(words)?, options, now);
        }
        let mut batch = Batch::default();
        commands.iter().try_for_each(|words| batch.add_raw(words))?;
        if transaction {
            session.submit_transaction(batch, options, now)
        } else {
            session.submit_pipeline(batch, options, now)
        }
    }

    pub(crate) fn on_cancel(&mut self, worker: usize, turn: u64) {
        if self.workers[worker].turn != turn {
            return;
        }
        let app = self.workers[worker].app;
        let Some(call) = self.workers[worker].call.take() else { return };
        self.note(|| format!("worker {worker} cancels"));
        self.apps[app].tokens.remove(&call.token);
        self.apps[app].session.cancel(call.token);
        // One command of a pipeline may have been sent before, on a connection that is gone.
        let piecemeal = call.ops.len() > 1 && !call.transaction;
        let repeats = call.ops.iter().any(|&op| self.history.op(op).repeats);
        let held = !self.apps[app].has_links() && !piecemeal && !repeats;
        let fate = if held { Fate::CancelledUnsent } else { Fate::Cancelled };
        for &op in &call.ops {
            self.history.settle(op, self.now, fate.clone());
        }
        self.next_call(worker);
        self.serve(app);
    }

    fn next_call(&mut self, worker: usize) {
        self.workers[worker].turn += 1;
        let slow = if self.phase == Phase::Healing { 5 } else { 1 };
        let think = self.random.around(self.plan.think * slow) + Duration::from_micros(100);
        self.queue.push(self.now + think, Event::Worker(worker));
    }

    pub(crate) fn call_ended(&mut self, worker: usize, outcome: Outcome) {
        let Some(call) = self.workers[worker].call.take() else {
            self.violated("a call ended twice".to_owned());
            return;
        };
        if self.now > call.limit + Duration::from_millis(5) {
            let late = self.now - call.limit;
            self.violated(format!("P7: a call ended {late:?} after its deadline"));
        }
        let outcomes = outcomes(&call, outcome);
        if outcomes.len() != call.ops.len() {
            let (got, wanted) = (outcomes.len(), call.ops.len());
            self.violated(format!("{got} replies to {wanted} commands"));
        }
        for (&op, outcome) in call.ops.iter().zip(outcomes) {
            self.trace.line(self.now, || format!("worker {worker}: op {op}: {outcome:?}"));
            let fate = self.judge(&call, op, outcome);
            if fate == Fate::Done && self.history.is_write(op) {
                self.workers[worker].acknowledged = Some(op);
            }
            self.history.settle(op, self.now, fate);
        }
        self.next_call(worker);
    }
}

/// The outcome of each command.
fn outcomes(call: &Call, outcome: Outcome) -> Vec<Result<Reply>> {
    match outcome {
        Outcome::Failed(error) => call.ops.iter().map(|_| Err(error.clone())).collect(),
        Outcome::Outcomes(outcomes) => outcomes.into_replies(),
        Outcome::Reply(reply) => vec![Ok(reply)],
    }
}
