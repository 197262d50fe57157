//! A pipeline: each of its commands is sent, sent again, or given up, in its order.

use super::Client;
use crate::client::verdict::{maybe_executed, too_late};
use crate::client::{Batch, CallOptions, Deadlines, Outcome};
use crate::error::{Error, Result};
use crate::lane::call::{Caller, Host, Request};
use crate::policy::{self, Backoff, Effect, Next};
use crate::proto::ledger::Span;
use crate::proto::read::{Frame, Reader};
use std::time::Instant;

impl Client {
    /// Executes a pipeline. The outer error is for what concerns all of it: a closed client, an
    /// interrupted wait, no primary at all.
    pub(crate) fn execute_batch(
        &self,
        batch: &Batch,
        options: &CallOptions,
        host: &dyn Host,
    ) -> Result<Vec<Outcome>> {
        let repeat = options.repeats_writes();
        let deadlines = Deadlines::new(&self.inner.config, options, Instant::now());
        let mut backoff = Backoff::default();
        let mut outcomes: Vec<Option<Outcome>> = batch.ends.iter().map(|_| None).collect();
        let (mut bytes, mut frames) = (Vec::new(), Vec::new());
        loop {
            let open: Vec<usize> =
                (0..outcomes.len()).filter(|&index| outcomes[index].is_none()).collect();
            if open.is_empty() {
                return Ok(outcomes.into_iter().flatten().collect());
            }
            let effect = open.iter().map(|&index| batch.effects[index]).max();
            let effect = effect.unwrap_or(Effect::Reads);
            let way = match self.way(effect, batch.bytes.len(), deadlines.whole, host) {
                Ok(way) => way,
                // What has its reply keeps it.
                Err(error) if open.len() < outcomes.len() && error.retryable() => {
                    for index in open {
                        let error = error.clone().during(batch.job(index).name());
                        outcomes[index] = Some(Outcome::Failed(error));
                    }
                    continue;
                }
                Err(error) => return Err(error),
            };
            bytes.clear();
            let mut ends = Vec::with_capacity(open.len());
            for &index in &open {
                bytes.extend_from_slice(batch.bytes_of(index));
                ends.push(bytes.len());
            }
            let now = Instant::now();
            let caller = Caller { now, deadline: deadlines.reply_by(now, options), host };
            let request = Request { bytes: &bytes, span: Span::Batch { ends } };
            let failure = way.lane.call(request, caller, &mut frames).err();
            let mut replies = Reader::new(Frame::trusted(&frames));
            let answered = failure.as_ref().map_or(open.len(), |failure| failure.answered);
            let mut last = None;
            let mut settle = |index: usize, next: Next, frame: Option<Frame<'_>>, reason: Error| {
                let job = batch.job(index);
                outcomes[index] = match next {
                    Next::Deliver => {
                        frame.map(|frame| Outcome::Frame(frame.bytes().to_vec(), job.name()))
                    }
                    Next::MaybeExecuted => {
                        Some(Outcome::Failed(maybe_executed(&job, Some(way.address()), &reason)))
                    }
                    Next::Again if Instant::now() >= deadlines.whole => {
                        Some(Outcome::Failed(too_late(&job, &reason)))
                    }
                    Next::Again => {
                        last = Some(reason);
                        None
                    }
                };
            };
            for &index in &open[..answered] {
                let Some(frame) = replies.next_frame() else {
                    break;
                };
                let (next, reason) = match frame.error() {
                    Some(line) => {
                        way.refused(line);
                        let next = policy::after_error(batch.effects[index], line, repeat);
                        (next, Error::server(line))
                    }
                    None => (Next::Deliver, Error::server(b"")),
                };
                settle(index, next, Some(frame), reason);
            }
            if let Some(failure) = failure {
                let fates = failure.fates.clone();
                let reason = self.failed(&way, failure)?;
                for (&index, fate) in open[answered..].iter().zip(fates) {
                    let next = policy::after_loss(batch.effects[index], fate, repeat);
                    settle(index, next, None, reason.clone());
                }
            }
            if last.is_some() {
                self.pause(&way, &mut backoff, host)?;
            }
        }
    }
}
