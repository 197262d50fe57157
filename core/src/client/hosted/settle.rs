//! What becomes of calls that got no good reply, or lost their connection.

use super::calls::{Call, Way, What};
use super::link::{LinkId, Place};
use super::{Completion, Session, Sink};
use crate::client::verdict::{closed, maybe_executed, overdue, refusal, refused, too_late};
use crate::client::{Answer, Origin, Outcomes, script};
use crate::command::Wait;
use crate::config::Address;
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
    may_have_run: bool,
    reason: Error,
}

impl Session {
    /// A call's connection was lost. What goes again goes in front of what waits already.
    pub(super) fn lose(
        &mut self,
        lost: Lost<Token>,
        why: &Error,
        place: &Place,
        node: &Address,
        now: Instant,
        sink: &mut Sink<'_>,
    ) {
        let token = lost.token;
        self.avoid(token, place);
        let Some(call) = self.calls.get(token) else {
            return;
        };
        let repeats = call.options.repeats_writes();
        if let Some(pipeline) = call.pipeline() {
            pipeline.lost(&lost.fates, why);
            self.resume(token, why, now, sink);
            return;
        }
        let fate = lost.fates.first().copied().unwrap_or(Fate::NotSent);
        let next = policy::after_loss(call.effect, fate, repeats);
        let may_have_run = policy::after_loss(call.effect, fate, false) == Next::MaybeExecuted;
        let verdict = Verdict { token, next, fate: Some(fate), may_have_run, reason: why.clone() };
        self.judge_at(verdict, node, now, sink);
    }

    /// A call's connection ends with the client. A write that was sent may have run; whatever is
    /// left after this has not, or only read.
    pub(super) fn leave(&mut self, lost: Lost<Token>, node: &Address, sink: &mut Sink<'_>) {
        let token = lost.token;
        let Some(call) = self.calls.get(token) else { return };
        if let Some(pipeline) = call.pipeline() {
            pipeline.lost(&lost.fates, &closed());
            return;
        }
        let fate = lost.fates.first().copied().unwrap_or(Fate::NotSent);
        if policy::after_loss(call.effect, fate, false) == Next::MaybeExecuted {
            let failed = maybe_executed(&call.job(), Some(node), &closed());
            self.finish(token, Completion::Failed(failed), sink);
        }
    }

    pub(super) fn judge(
        &mut self,
        verdict: Verdict,
        link: LinkId,
        now: Instant,
        sink: &mut Sink<'_>,
    ) {
        let Some(link) = self.links.iter().find(|it| it.id == link) else { return };
        let (place, node) = (link.place.clone(), link.node.clone());
        if verdict
            .reason
            .code()
            .is_some_and(|_| policy::doubts_primary(verdict.reason.message().as_bytes()))
        {
            self.doubt(&place, Doubt::NotPrimary);
        }
        self.avoid(verdict.token, &place);
        if self.calls.get(verdict.token).is_some_and(|call| call.pipeline().is_some()) {
            self.resume(verdict.token, &verdict.reason, now, sink);
        } else {
            self.judge_at(verdict, &node, now, sink);
        }
    }

    fn judge_at(&mut self, verdict: Verdict, node: &Address, now: Instant, sink: &mut Sink<'_>) {
        let Verdict { token, next, fate, may_have_run, reason } = verdict;
        let gives_up = self.gives_up(now);
        let Some(call) = self.calls.get(token) else {
            return;
        };
        if matches!(call.way(), Way::Watched(_)) {
            if may_have_run {
                let failed = maybe_executed(&call.job(), Some(node), &reason);
                self.finish(token, Completion::Failed(failed), sink);
            } else {
                self.give_up_step(token, reason, sink);
            }
            return;
        }
        call.may_have_run |= may_have_run;
        if let Some(sent_at) = call.sent_at.take_if(|_| call.wait != Wait::No && !gives_up) {
            // The time spent waiting was the caller's wish, and not a search for a primary.
            call.deadlines.whole += now.duration_since(sent_at);
        }
        let job = call.job();
        let late = now >= call.deadlines.whole;
        let failed = match next {
            Next::MaybeExecuted => maybe_executed(&job, Some(node), &reason),
            Next::Again if late && call.may_have_run => maybe_executed(&job, Some(node), &reason),
            Next::Again if late => too_late(&job, &reason),
            _ => {
                let pause = call.backoff.next();
                // What never left goes on at once; what was refused rests a little.
                let rests = fate.is_none_or(Fate::unknown) && !pause.is_zero();
                call.rests_until = rests.then(|| now + pause);
                call.frames.clear();
                self.held_bytes += call.bytes.len();
                self.held.push_front(token);
                self.counters.note(|it| &it.repeated, 1);
                return;
            }
        };
        self.finish(token, Completion::Failed(failed), sink);
    }

    /// A pipeline whose request is dealt with: done, or some of it goes again.
    fn resume(&mut self, token: Token, reason: &Error, now: Instant, sink: &mut Sink<'_>) {
        let Some(call) = self.calls.get(token) else { return };
        let in_time = now < call.deadlines.whole;
        let What::Pipeline(pipeline) = &mut call.what else { return };
        if pipeline.resume() && in_time {
            let job = pipeline.job();
            call.bytes = job.bytes.to_vec();
            (call.span, call.effect) = (job.span, job.effect);
            let pause = call.backoff.next();
            call.rests_until = (!pause.is_zero()).then(|| now + pause);
            self.held_bytes += call.bytes.len();
            self.held.push_front(token);
            self.counters.note(|it| &it.repeated, 1);
            return;
        }
        pipeline.expire(reason);
        let outcomes = pipeline.finish();
        self.finish(token, Completion::Outcomes(outcomes), sink);
    }
}

/// What a reply makes of its call.
pub(super) enum Answered {
    /// More are awaited.
    Partly,
    /// It is complete.
    Well,
    /// The server does not know the script, which goes out again with its source.
    Unknown,
    /// It was refused, or it is a pipeline, whose commands fare each in its way.
    Badly(Verdict),
}

/// Takes a reply in.
pub(super) fn answer(token: Token, call: &mut Call, frame: Frame<'_>, last: bool) -> Answered {
    if let Some(pipeline) = call.pipeline() {
        let refusal = pipeline.reply(frame).map(Error::server);
        if !last {
            return Answered::Partly;
        }
        let reason = refusal.unwrap_or_else(overdue);
        let (next, may_have_run) = (Next::Again, false);
        return Answered::Badly(Verdict { token, next, fate: None, may_have_run, reason });
    }
    let replies = if matches!(call.span, Span::Unit { .. }) {
        call.frames.extend_from_slice(frame.bytes());
        if !last {
            return Answered::Partly;
        }
        &call.frames
    } else {
        frame.bytes()
    };
    let Some(line) = refusal(&call.span, replies) else { return Answered::Well };
    if let What::Command { script: known @ Some(_), .. } = &mut call.what
        && script::is_missing(line)
        && let Some(script) = known.take()
    {
        call.bytes = script.spelled_out(&call.bytes);
        call.span = Span::Command { bytes: call.bytes.len() };
        return Answered::Unknown;
    }
    match policy::after_error(call.effect, line, call.options.repeats_writes()) {
        Next::Deliver => Answered::Well,
        next => {
            let reason = Error::server(line);
            let may_have_run = policy::after_error(call.effect, line, false) == Next::MaybeExecuted;
            Answered::Badly(Verdict { token, next, fate: None, may_have_run, reason })
        }
    }
}

/// Tells the host what came of a call that is answered well, or refused for good. `true`: well.
pub(super) fn tell(
    token: Token,
    call: &Call,
    frame: Frame<'_>,
    (origin, node): (Origin, &Address),
    sink: &mut Sink<'_>,
) -> bool {
    let refused = |line| Completion::Failed(refused(line, call.job().name(), Some(node)));
    let completion = match &call.what {
        What::Transaction(transaction) => match transaction.outcome(&call.frames, Some(node)) {
            Ok(Some(outcomes)) => Completion::Outcomes(outcomes),
            Ok(None) if call.watch.is_some() => Completion::Again,
            Ok(None) => Completion::Outcomes(Outcomes::default()),
            Err(error) => Completion::Failed(error),
        },
        What::Command { shape, .. } => match frame.error() {
            None => Completion::Reply(Answer { frame, shape, origin }),
            Some(line) => refused(line),
        },
        What::Watch => frame.error().map_or(Completion::Ready, refused),
        // Its outcomes are told when it has them all.
        What::Pipeline(_) => return true,
    };
    let well = !matches!(completion, Completion::Failed(_));
    sink(token, completion);
    well
}
