//! What becomes of calls that got no good reply, or lost their connection.

use super::calls::Call;
use super::link::LinkId;
use super::{Completion, Session, Sink};
use crate::client::verdict::{maybe_executed, overdue, too_late};
use crate::client::{Job, Outcome};
use crate::error::Error;
use crate::lane::hosted::Token;
use crate::policy::{self, Doubt, Fate, Next};
use crate::proto::ledger::{Lost, Span};
use crate::proto::read::Frame;
use std::time::Instant;

/// A reply as it came, to be judged once the lane is free again.
pub(super) struct Verdict {
    token: Token,
    next: Next,
    fate: Option<Fate>,
    reason: Error,
}

impl Session {
    /// A call's connection was lost. What goes again goes in front of what waits already.
    pub(super) fn lose(
        &mut self,
        lost: Lost<Token>,
        why: &Error,
        epoch: u64,
        now: Instant,
        sink: &mut Sink<'_>,
    ) {
        let token = lost.token;
        let address = self.address(epoch);
        let Some(call) = self.calls.get(token) else {
            return;
        };
        let repeats = call.options.repeats_writes();
        if let Some(parts) = &mut call.parts {
            let open = parts.open.split_off(parts.answered);
            for (index, fate) in open.into_iter().zip(lost.fates) {
                let job = parts.batch.job(index);
                if policy::after_loss(job.effect, fate, repeats) == Next::MaybeExecuted {
                    let error = maybe_executed(&job, address.clone(), why);
                    parts.outcomes[index] = Some(Outcome::Failed(error));
                }
            }
            self.resume_batch(token, why, now, sink);
            return;
        }
        let fate = lost.fates.first().copied().unwrap_or(Fate::NotSent);
        let next = policy::after_loss(call.effect, fate, repeats);
        let verdict = Verdict { token, next, fate: Some(fate), reason: why.clone() };
        self.judge_at(verdict, address, now, sink);
    }

    pub(super) fn judge(
        &mut self,
        verdict: Verdict,
        link: LinkId,
        now: Instant,
        sink: &mut Sink<'_>,
    ) {
        let epoch = self.links.iter().find(|it| it.id == link).map_or(0, |link| link.epoch);
        if verdict
            .reason
            .code()
            .is_some_and(|_| policy::doubts_primary(verdict.reason.message().as_bytes()))
        {
            self.doubt(epoch, Doubt::NotPrimary);
        }
        let address = self.address(epoch);
        if self.calls.get(verdict.token).is_some_and(|call| call.parts.is_some()) {
            self.resume_batch(verdict.token, &verdict.reason, now, sink);
        } else {
            self.judge_at(verdict, address, now, sink);
        }
    }

    fn judge_at(
        &mut self,
        verdict: Verdict,
        address: Option<String>,
        now: Instant,
        sink: &mut Sink<'_>,
    ) {
        let Verdict { token, next, fate, reason } = verdict;
        let Some(call) = self.calls.get(token) else {
            return;
        };
        let job = Job { bytes: &call.bytes, span: call.span.clone(), effect: call.effect };
        let failed = match next {
            Next::MaybeExecuted => maybe_executed(&job, address, &reason),
            Next::Again if now >= call.deadlines.whole => too_late(&job, &reason),
            _ => {
                let pause = call.backoff.next();
                // What never left goes on at once; what was refused rests a little.
                let rests = fate.is_none_or(Fate::unknown) && !pause.is_zero();
                call.rests_until = rests.then(|| now + pause);
                call.frames.clear();
                self.held_bytes += call.bytes.len();
                self.held.push_front(token);
                return;
            }
        };
        self.finish(token, Completion::Failed(failed), sink);
    }

    /// A pipeline whose sent commands are dealt with: done, or some go again.
    fn resume_batch(&mut self, token: Token, reason: &Error, now: Instant, sink: &mut Sink<'_>) {
        let Some(call) = self.calls.get(token) else {
            return;
        };
        let Some(parts) = &mut call.parts else { return };
        let late = now >= call.deadlines.whole;
        parts.open.clear();
        parts.answered = 0;
        call.bytes.clear();
        let mut ends = Vec::new();
        for index in 0..parts.outcomes.len() {
            if parts.outcomes[index].is_some() {
                continue;
            }
            if late {
                let error = too_late(&parts.batch.job(index), reason);
                parts.outcomes[index] = Some(Outcome::Failed(error));
                continue;
            }
            call.bytes.extend_from_slice(parts.batch.bytes_of(index));
            ends.push(call.bytes.len());
            parts.open.push(index);
        }
        if parts.open.is_empty() {
            let outcomes = std::mem::take(&mut parts.outcomes).into_iter().flatten().collect();
            self.finish(token, Completion::Parts(outcomes), sink);
            return;
        }
        call.span = Span::Batch { ends };
        let pause = call.backoff.next();
        call.rests_until = (!pause.is_zero()).then(|| now + pause);
        self.held_bytes += call.bytes.len();
        self.held.push_front(token);
    }
}

/// What a reply makes of its call.
pub(super) enum Answered {
    /// More are awaited.
    Partly,
    /// It is complete.
    Well,
    /// It was refused, or it is a pipeline, whose commands fare each in its way.
    Badly(Verdict),
}

/// Takes a reply in.
pub(super) fn answer(token: Token, call: &mut Call, frame: Frame<'_>, last: bool) -> Answered {
    let repeats = call.options.repeats_writes();
    let Some(parts) = &mut call.parts else {
        if matches!(call.span, Span::Unit { .. }) {
            call.frames.extend_from_slice(frame.bytes());
            if !last {
                return Answered::Partly;
            }
        }
        let Some(line) = frame.error() else { return Answered::Well };
        return match policy::after_error(call.effect, line, repeats) {
            Next::Deliver => Answered::Well,
            next => {
                Answered::Badly(Verdict { token, next, fate: None, reason: Error::server(line) })
            }
        };
    };
    let mut reason = None;
    if let Some(&index) = parts.open.get(parts.answered) {
        parts.answered += 1;
        let next = match frame.error() {
            None => Next::Deliver,
            Some(line) => {
                reason = Some(Error::server(line));
                policy::after_error(parts.batch.effects[index], line, repeats)
            }
        };
        parts.outcomes[index] = match (next, &reason) {
            (Next::Again, _) => None,
            (Next::MaybeExecuted, Some(reason)) => {
                let job = parts.batch.job(index);
                Some(Outcome::Failed(maybe_executed(&job, None, reason)))
            }
            _ => {
                let name = parts.batch.job(index).name();
                Some(Outcome::Frame(frame.bytes().to_vec(), name))
            }
        };
    }
    if !last {
        return Answered::Partly;
    }
    let reason = reason.unwrap_or_else(overdue);
    Answered::Badly(Verdict { token, next: Next::Again, fate: None, reason })
}
