//! Pipelines, in which each command is sent, sent again, or given up; and transactions.

use super::Client;
use crate::client::pipeline::Pipeline;
use crate::client::reads::{self, Reading};
use crate::client::transaction::Transaction;
use crate::client::{Batch, CallOptions, Deadlines, Outcomes};
use crate::error::{Error, Kind, Result};
use crate::lane::call::{Caller, Host, Request};
use crate::policy::Backoff;
use std::time::Instant;

impl Client {
    /// Executes a pipeline. The outer error is for what concerns all of it: a closed client, an
    /// interrupted wait, no primary at all.
    pub fn run_pipeline(
        &self,
        batch: Batch,
        options: &CallOptions,
        host: &dyn Host,
    ) -> Result<Outcomes> {
        batch.refuse_blocking()?;
        reads::refuse_batch(&batch, options)?;
        let outcome = self.attempt_batch(batch, options, host);
        self.count(outcome.as_ref().err());
        outcome
    }

    /// Executes a transaction. An error inside it is that command's outcome; the outer error
    /// says that nothing ran, or, as [`Kind::MaybeExecuted`], that all of it may have.
    pub fn run_transaction(
        &self,
        batch: Batch,
        options: &CallOptions,
        host: &dyn Host,
    ) -> Result<Outcomes> {
        if batch.is_empty() {
            return Ok(Outcomes::default());
        }
        reads::refuse_batch(&batch, options)?;
        let transaction = Transaction::new(batch);
        let mut frames = Vec::new();
        let who = self.execute(&transaction.job(), options, host, &mut frames)?;
        let nothing = || Error::new(Kind::Internal, "EXEC ran nothing, though nothing is watched");
        transaction.outcome(&frames, who.node.as_ref())?.ok_or_else(nothing)
    }

    fn attempt_batch(
        &self,
        batch: Batch,
        options: &CallOptions,
        host: &dyn Host,
    ) -> Result<Outcomes> {
        let deadlines = Deadlines::new(&self.inner.config, options, Instant::now());
        let mut backoff = Backoff::default();
        let mut pipeline = Pipeline::new(batch, options.repeats_writes());
        let mut frames = Vec::new();
        if pipeline.unanswered() == 0 {
            return Ok(pipeline.finish());
        }
        let mut reading = Reading::of(&pipeline.job(), options, &self.inner.config)?;
        loop {
            let (size, effect) = (pipeline.bytes().len(), pipeline.effect());
            let way = match self.way(reading.as_mut(), effect, size, deadlines.whole, host) {
                Ok(way) => way,
                // What has its reply keeps it.
                Err(error) if pipeline.has_begun() => {
                    pipeline.fail(&error);
                    return Ok(pipeline.finish());
                }
                Err(error) => return Err(error),
            };
            pipeline.sent_to(way.node());
            let now = Instant::now();
            let caller = Caller { now, deadline: deadlines.reply_by(now, options), host };
            let request = Request { bytes: pipeline.bytes(), span: pipeline.span(), effect };
            let failure = way.lane.call(request, caller, &mut frames).err();
            let mut reason = pipeline.replies(&mut frames);
            if let Some(refusal) = &reason {
                way.refused(refusal.message().as_bytes());
            }
            if let Some(failure) = failure {
                let fates = failure.fates.clone();
                let why = self.failed(&way, failure, options)?;
                pipeline.lost(&fates, &why);
                reason = Some(why);
            }
            if !pipeline.resume() {
                self.count_replica(&way);
                return Ok(pipeline.finish());
            }
            if let Some(reason) = reason.filter(|_| Instant::now() >= deadlines.whole) {
                pipeline.expire(&reason);
                return Ok(pipeline.finish());
            }
            self.pause(&way, reading.as_mut(), &mut backoff, host)?;
        }
    }
}
