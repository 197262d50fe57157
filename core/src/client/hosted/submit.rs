//! What a caller can ask for, apart from watches and subscriptions.

use super::Session;
use super::calls::{Call, What};
use super::link::Use;
use crate::client::pipeline::Pipeline;
use crate::client::reads::{self, Reading};
use crate::client::script::Script;
use crate::client::transaction::Transaction;
use crate::client::{Batch, CallOptions, Deadlines, Exchange, Job};
use crate::error::Result;
use crate::lane::hosted::Token;
use crate::proto::shape::Shape;
use std::sync::Arc;
use std::time::Instant;

impl Session {
    /// Takes a command on.
    pub fn submit(
        &mut self,
        exchange: &Exchange,
        options: CallOptions,
        now: Instant,
    ) -> Result<Token> {
        reads::refuse(&exchange.job(), &options)?;
        let (shape, script) = (exchange.encoded().shape, exchange.script.clone());
        let call = self.call(&exchange.job(), options, now)?;
        self.take_on(call.of(What::Command { shape, script }), now)
    }

    /// Takes a pipeline on.
    pub fn submit_pipeline(
        &mut self,
        batch: Batch,
        options: CallOptions,
        now: Instant,
    ) -> Result<Token> {
        batch.refuse_blocking()?;
        reads::refuse_batch(&batch, &options)?;
        let pipeline = Pipeline::new(batch, options.repeats_writes());
        let call = self.call(&pipeline.job(), options, now)?;
        self.take_on(call.of(What::Pipeline(pipeline)), now)
    }

    /// Takes a transaction on: its commands run together or not at all.
    pub fn submit_transaction(
        &mut self,
        batch: Batch,
        options: CallOptions,
        now: Instant,
    ) -> Result<Token> {
        reads::refuse_batch(&batch, &options)?;
        let transaction = Transaction::new(batch);
        let call = self.call(&transaction.job(), options, now)?;
        self.take_on(call.of(What::Transaction(transaction)), now)
    }

    pub(super) fn call(
        &mut self,
        job: &Job<'_>,
        options: CallOptions,
        now: Instant,
    ) -> Result<Call> {
        self.turn = self.turn.wrapping_add(1);
        Ok(Call {
            what: What::Command { shape: &Shape::Raw, script: None },
            bytes: job.bytes.to_vec(),
            span: job.span.clone(),
            effect: job.effect,
            wait: job.wait,
            on_replica: job.on_replica,
            keeps_to: job.keeps_to,
            reading: Reading::of(job, &options, &self.config)?,
            turn: self.turn,
            options,
            deadlines: Deadlines::new(&self.config, &options, now),
            backoff: self.guide.backoff(),
            may_have_run: false,
            watch: None,
            sent_at: None,
            held_since: None,
            rests_until: None,
            frames: Vec::new(),
        })
    }

    /// A script, to be called by [`Exchange::script`] or in a batch. Every new primary learns it
    /// before it gets commands, for as long as somebody holds it.
    pub fn script(&self, source: impl AsRef<[u8]>) -> Arc<Script> {
        self.scripts.add(source.as_ref())
    }

    /// A caller has gone: nothing comes of its token any more. What was sent runs all the same,
    /// unless it waits on the server, which lets go of it.
    pub fn cancel(&mut self, token: Token) {
        if let Some(call) = self.calls.take(token) {
            if let Some(place) = self.held.iter().position(|&held| held == token) {
                self.held.remove(place);
                self.held_bytes -= call.bytes.len();
            }
            let unsent = self.links.iter_mut().any(|link| link.lane.withdraw(token));
            if let Some(link) = self.link_used(Use::Call(token)) {
                (link.used, link.pulse) = (Use::Spare, None);
                let id = link.id;
                if !unsent {
                    self.cut(id);
                }
            }
        }
    }
}
