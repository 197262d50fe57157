//! How calls move: held, sent, answered, sent again, or given up.

use super::calls::Call;
use super::link::{Link, LinkId};
use super::{Action, Completion, Session, Sink};
use crate::client::verdict::{
    closed, full, maybe_executed, overdue, too_late, unavailable, waiting_room_full,
};
use crate::client::{Job, Outcome};
use crate::error::{Error, Kind, Result};
use crate::lane::hosted::Token;
use crate::policy::{self, Doubt, Fate, Next};
use crate::proto::ledger::{Lost, Span};
use crate::proto::read::Frame;
use crate::topology::decide::Trouble;
use crate::topology::{Topology, endpoint};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

/// A reply as it came, to be judged once the lane is free again.
struct Verdict {
    token: Token,
    next: Next,
    fate: Option<Fate>,
    reason: Error,
}

impl Session {
    pub(super) fn take_on(&mut self, call: Call, now: Instant) -> Result<Token> {
        if self.closed {
            return Err(closed());
        }
        let topology = self.current();
        if let Some(link) = self.link(&topology).filter(|_| !topology.holds(call.effect)) {
            let token = self.calls.add(call);
            self.send(token, link, now)?;
            return Ok(token);
        }
        let bytes = call.bytes.len();
        let over = self.held_bytes + bytes > self.config.max_held_bytes.max(bytes);
        if self.held.len() >= self.config.max_held || over {
            return Err(waiting_room_full(self.held.len(), self.held_bytes));
        }
        let token = self.calls.add(call);
        self.held.push_back(token);
        self.held_bytes += bytes;
        self.connect(&topology, now);
        Ok(token)
    }

    fn current(&self) -> Arc<Topology> {
        match &self.deployment {
            Some(deployment) => deployment.shared.topology(),
            None => Arc::new(Topology::unknown()),
        }
    }

    /// The connection that leads to this topology's primary, verified.
    fn link(&self, topology: &Topology) -> Option<LinkId> {
        let usable = |link: &&Link| link.is_ready() && link.epoch == topology.epoch;
        self.links.iter().find(usable).map(|link| link.id)
    }

    fn send(&mut self, token: Token, link: LinkId, now: Instant) -> Result<()> {
        let (Some(link), Some(call)) =
            (self.links.iter_mut().find(|it| it.id == link), self.calls.get(token))
        else {
            return Ok(());
        };
        let deadline = call.deadlines.reply_by(now, &call.options);
        let sent = link.lane.submit(token, &call.bytes, call.span.clone(), Some(deadline));
        if sent.is_err() {
            self.calls.take(token);
            return Err(full(self.config.max_in_flight));
        }
        Ok(())
    }

    /// Asks the host for a connection to the primary, unless there is one or it must wait.
    fn connect(&mut self, topology: &Topology, now: Instant) {
        let Some(primary) = &topology.primary else {
            return;
        };
        let there = self.links.iter().any(|link| link.epoch == topology.epoch);
        if there || topology.phase.holds_reads() || self.connects_at.is_some_and(|at| now < at) {
            return;
        }
        let id = self.next_link;
        self.next_link = self.next_link.wrapping_add(1);
        self.links.push(Link::new(id, topology.epoch, &self.config, now));
        let to = endpoint(&self.config.address_map.reachable(primary));
        self.actions.push_back(Action::Open { link: id, to, tls: self.config.data.tls.clone() });
    }

    /// The host has connected.
    pub fn opened(&mut self, link: LinkId, now: Instant, sink: &mut Sink<'_>) {
        let Some(found) = self.links.iter_mut().find(|it| it.id == link) else {
            return;
        };
        if let Err(error) = found.greet(&self.config) {
            self.drop_link(link, 0, error, Doubt::None, now, sink);
        }
    }

    /// The host has read bytes.
    pub fn received(&mut self, link: LinkId, bytes: &[u8], now: Instant, sink: &mut Sink<'_>) {
        let Some(place) = self.links.iter().position(|it| it.id == link) else {
            return;
        };
        let mut judged = Vec::new();
        let fed = {
            let Self { links, calls, .. } = self;
            links[place].feed(bytes, |token, frame, last| {
                let Some(call) = calls.get(token) else { return };
                let verdict = answer(token, call, frame, last);
                match verdict {
                    // The good case, without a detour.
                    Some(Verdict { next: Next::Deliver, .. }) if call.parts.is_none() => {
                        if calls.take(token).is_some() {
                            sink(token, Completion::Replies(frame));
                        }
                    }
                    Some(verdict) => judged.push(verdict),
                    None => {}
                }
            })
        };
        for verdict in judged {
            self.judge(verdict, link, now, sink);
        }
        match fed {
            Ok(true) => {
                self.backoff = policy::Backoff::default();
                self.connects_at = None;
                self.reason = None;
                self.release(now, sink);
            }
            Ok(false) => {}
            Err((error, doubt)) => self.drop_link(link, 0, error, doubt, now, sink),
        }
    }

    /// The connection is gone, or could not be made. `unwritten`: bytes that the host knows it
    /// never wrote.
    pub fn closed(
        &mut self,
        link: LinkId,
        unwritten: usize,
        why: Error,
        now: Instant,
        sink: &mut Sink<'_>,
    ) {
        let ready = self.links.iter().any(|it| it.id == link && it.is_ready());
        let doubt = if ready { Doubt::None } else { Doubt::Unreachable };
        self.drop_link(link, unwritten, why, doubt, now, sink);
    }

    fn drop_link(
        &mut self,
        link: LinkId,
        unwritten: usize,
        why: Error,
        doubt: Doubt,
        now: Instant,
        sink: &mut Sink<'_>,
    ) {
        let Some(place) = self.links.iter().position(|it| it.id == link) else {
            return;
        };
        let mut link = self.links.remove(place);
        self.actions.push_back(Action::Close { link: link.id });
        self.doubt(link.epoch, doubt);
        self.reason = Some(why.clone());
        let fatal = matches!(why.kind(), Kind::Auth | Kind::Config) && !link.is_ready();
        if !link.is_ready() {
            self.connects_at = Some(now + self.backoff.next());
        }
        let lost = link.lane.on_lost(unwritten);
        for lost in lost.into_iter().rev() {
            self.lose(lost, &why, link.epoch, now, sink);
        }
        if fatal {
            // Nothing but the user can change that.
            for token in std::mem::take(&mut self.held) {
                self.finish(token, Completion::Failed(why.clone()), sink);
            }
            self.held_bytes = 0;
        }
        self.release(now, sink);
    }

    /// A call's connection was lost. What goes again goes in front of what waits already.
    fn lose(
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

    fn judge(&mut self, verdict: Verdict, link: LinkId, now: Instant, sink: &mut Sink<'_>) {
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

    fn judge_at(&mut self, verdict: Verdict, address: String, now: Instant, sink: &mut Sink<'_>) {
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

    fn finish(&mut self, token: Token, completion: Completion<'_>, sink: &mut Sink<'_>) {
        if self.calls.take(token).is_some() {
            sink(token, completion);
        }
    }

    /// Sends what waited, in order, as far as it may go now; connects where that is missing.
    fn release(&mut self, now: Instant, sink: &mut Sink<'_>) {
        let topology = self.current();
        let link = self.link(&topology);
        let mut rest = VecDeque::new();
        while let Some(token) = self.held.pop_front() {
            let Some(call) = self.calls.get(token) else {
                continue;
            };
            let bytes = call.bytes.len();
            let late = now >= call.deadlines.whole;
            let rests = call.rests_until.is_some_and(|until| now < until);
            let waits = rests || topology.holds(call.effect);
            if late {
                self.held_bytes -= bytes;
                let error = unavailable(&self.config, &topology, self.reason.as_ref());
                self.finish_late(token, error, sink);
            } else if let Some(link) = link.filter(|_| !waits) {
                self.held_bytes -= bytes;
                if let Err(error) = self.send(token, link, now) {
                    sink(token, Completion::Failed(error));
                }
            } else {
                rest.push_back(token);
            }
        }
        self.held = rest;
        if !self.held.is_empty() {
            self.connect(&topology, now);
        }
    }

    fn finish_late(&mut self, token: Token, error: Error, sink: &mut Sink<'_>) {
        let Some(call) = self.calls.get(token) else {
            return;
        };
        match &mut call.parts {
            Some(parts) => {
                for (index, outcome) in parts.outcomes.iter_mut().enumerate() {
                    let name = parts.batch.job(index).name();
                    outcome.get_or_insert_with(|| Outcome::Failed(error.clone().during(name)));
                }
                let outcomes = std::mem::take(&mut parts.outcomes).into_iter().flatten().collect();
                self.finish(token, Completion::Parts(outcomes), sink);
            }
            None => {
                let job = Job { bytes: &call.bytes, span: call.span.clone(), effect: call.effect };
                let error = error.during(job.name());
                self.finish(token, Completion::Failed(error), sink);
            }
        }
    }

    /// The topology may have changed, or a deadline passed.
    pub fn wake(&mut self, now: Instant, sink: &mut Sink<'_>) {
        let topology = self.current();
        let stale: Vec<LinkId> = self
            .links
            .iter()
            .filter(|link| link.epoch < topology.epoch)
            .map(|link| link.id)
            .collect();
        for link in stale {
            let to = topology.primary.as_ref().map(ToString::to_string).unwrap_or_default();
            let why = Error::new(Kind::Unavailable, format!("the primary has changed to {to}"));
            self.drop_link(link, 0, why, Doubt::None, now, sink);
        }
        let late: Vec<(LinkId, Error)> = self
            .links
            .iter()
            .filter(|link| link.ready_by.is_some_and(|by| now >= by))
            .map(|link| (link.id, link.late()))
            .collect();
        for (link, why) in late {
            self.drop_link(link, 0, why, Doubt::Unreachable, now, sink);
        }
        self.give_up_overdue(now, sink);
        self.release(now, sink);
    }

    /// Ends the wait for replies that did not come in time.
    fn give_up_overdue(&mut self, now: Instant, sink: &mut Sink<'_>) {
        let mut found = Vec::new();
        for link in &mut self.links {
            for token in link.lane.overdue(now) {
                let sent = !link.lane.withdraw(token);
                found.push((link.epoch, token, if sent { Fate::Sent } else { Fate::NotSent }));
            }
        }
        for (epoch, token, fate) in found {
            self.doubt(epoch, Doubt::Overdue);
            let Some(call) = self.calls.get(token) else {
                continue;
            };
            let fates = match &call.parts {
                Some(parts) => vec![fate; parts.open.len() - parts.answered],
                None => vec![fate],
            };
            let lost = Lost { token, answered: 0, fates };
            self.lose(lost, &overdue(), epoch, now, sink);
        }
    }

    /// When to call [`wake`](Self::wake) at the latest.
    pub fn next_deadline(&mut self) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        let mut consider = |at: Option<Instant>| {
            next = match (next, at) {
                (Some(next), Some(at)) => Some(next.min(at)),
                (next, at) => next.or(at),
            };
        };
        for link in &self.links {
            consider(link.ready_by);
            consider(link.lane.next_deadline());
        }
        if !self.held.is_empty() {
            consider(self.connects_at);
        }
        let Self { held, calls, .. } = self;
        for &token in held.iter() {
            if let Some(call) = calls.get(token) {
                consider(Some(call.deadlines.whole));
                consider(call.rests_until);
            }
        }
        next
    }

    fn doubt(&self, epoch: u64, doubt: Doubt) {
        let trouble = match doubt {
            Doubt::None => return,
            Doubt::Unreachable => Trouble::Unreachable,
            Doubt::NotPrimary => Trouble::NotPrimary,
            Doubt::Overdue => Trouble::Overdue,
        };
        if let Some(deployment) = &self.deployment {
            deployment.report(epoch, trouble);
        }
    }

    /// The primary of an epoch, for messages.
    fn address(&self, epoch: u64) -> String {
        let topology = self.current();
        let known = topology.primary.as_ref().filter(|_| topology.epoch == epoch);
        known.map(ToString::to_string).unwrap_or_else(|| "the former primary".to_owned())
    }
}

/// Takes a reply in. `None`: more are awaited.
fn answer(token: Token, call: &mut Call, frame: Frame<'_>, last: bool) -> Option<Verdict> {
    let repeats = call.options.repeats_writes();
    let good = |next| Verdict { token, next, fate: None, reason: Error::server(b"") };
    let Some(parts) = &mut call.parts else {
        if matches!(call.span, Span::Unit { .. }) {
            call.frames.extend_from_slice(frame.bytes());
            if !last {
                return None;
            }
        }
        return Some(match frame.error() {
            Some(line) => Verdict {
                token,
                next: policy::after_error(call.effect, line, repeats),
                fate: None,
                reason: Error::server(line),
            },
            None => good(Next::Deliver),
        });
    };
    let index = *parts.open.get(parts.answered)?;
    parts.answered += 1;
    let job = parts.batch.job(index);
    let mut reason = Error::server(b"");
    let outcome = match frame.error() {
        None => Some(Outcome::Frame(frame.bytes().to_vec(), job.name())),
        Some(line) => {
            reason = Error::server(line);
            match policy::after_error(job.effect, line, repeats) {
                Next::Again => None,
                Next::Deliver => Some(Outcome::Frame(frame.bytes().to_vec(), job.name())),
                Next::MaybeExecuted => {
                    let address = String::new();
                    Some(Outcome::Failed(maybe_executed(&job, address, &reason)))
                }
            }
        }
    };
    parts.outcomes[index] = outcome;
    last.then_some(Verdict { token, next: Next::Again, fate: None, reason })
}
