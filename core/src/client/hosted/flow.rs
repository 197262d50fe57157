//! How calls move: held, sent, and answered; and what the host's connections come to.

use super::calls::Call;
use super::link::{Link, LinkId};
use super::settle::{Answered, answer};
use super::{Action, Completion, Session, Sink};
use crate::client::Job;
use crate::client::verdict::{closed, full, maybe_executed, unavailable, waiting_room_full};
use crate::error::{Error, Kind, Result};
use crate::lane::hosted::Token;
use crate::policy::Doubt;
use crate::proto::read::Frame;
use crate::topology::decide::Trouble;
use crate::topology::{Topology, endpoint};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

impl Session {
    pub(super) fn take_on(&mut self, call: Call, now: Instant) -> Result<Token> {
        if self.closed {
            return Err(closed());
        }
        let topology = self.current();
        if let Some(link) = self.link(&topology).filter(|_| !topology.holds(call.effect)) {
            // Those that wait their turn count as well, or they could become any number.
            if !self.held.is_empty() && self.held.len() >= self.config.max_held {
                return Err(waiting_room_full(self.held.len(), self.held_bytes));
            }
            let token = self.calls.add(call);
            if !self.send(token, link, now) {
                self.calls.take(token);
                return Err(full(self.config.max_in_flight));
            }
            return Ok(token);
        }
        if let Some(refused) = &topology.refused {
            return Err(refused.clone());
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

    pub(super) fn current(&self) -> Arc<Topology> {
        self.guide.topology().unwrap_or_else(|| Arc::new(Topology::unknown()))
    }

    /// The connection that leads to this topology's primary, verified.
    fn link(&self, topology: &Topology) -> Option<LinkId> {
        let usable = |link: &&Link| link.is_ready() && link.epoch == topology.epoch;
        self.links.iter().find(usable).map(|link| link.id)
    }

    /// `false`: too many wait for replies already.
    fn send(&mut self, token: Token, link: LinkId, now: Instant) -> bool {
        let (Some(link), Some(call)) =
            (self.links.iter_mut().find(|it| it.id == link), self.calls.get(token))
        else {
            return false;
        };
        let deadline = call.deadlines.reply_by(now, &call.options);
        link.lane.submit(token, &call.bytes, call.span.clone(), Some(deadline)).is_ok()
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
                match answer(token, call, frame, last) {
                    Answered::Partly => {}
                    Answered::Well => {
                        let Some(call) = calls.take(token) else { return };
                        let unit = !call.frames.is_empty();
                        let whole = if unit { Frame::trusted(&call.frames) } else { frame };
                        sink(token, Completion::Replies(whole));
                    }
                    Answered::Badly(verdict) => judged.push(verdict),
                }
            })
        };
        // The first repetition is due at once, and nothing else may come to set it off.
        let due = self.crowded || !judged.is_empty();
        for verdict in judged {
            self.judge(verdict, link, now, sink);
        }
        match fed {
            Ok(true) => {
                self.backoff = self.guide.backoff();
                self.connects_at = None;
                self.reason = None;
                self.release(now, sink);
            }
            Ok(false) if due => self.release(now, sink),
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

    pub(super) fn drop_link(
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
                self.finish_late(token, why.clone(), sink);
            }
            self.held_bytes = 0;
        }
        self.release(now, sink);
    }

    pub(super) fn finish(&mut self, token: Token, completion: Completion<'_>, sink: &mut Sink<'_>) {
        if self.calls.take(token).is_some() {
            sink(token, completion);
        }
    }

    /// Sends what waited, in order, as far as it may go now; connects where that is missing.
    pub(super) fn release(&mut self, now: Instant, sink: &mut Sink<'_>) {
        let topology = self.current();
        if let Some(refused) = &topology.refused {
            // Nothing but the user can change that.
            self.held_bytes = 0;
            for token in std::mem::take(&mut self.held) {
                self.finish_late(token, refused.clone(), sink);
            }
            return;
        }
        let link = self.link(&topology);
        // A moment that has passed is nothing to be woken for again.
        self.connects_at.take_if(|at| now >= *at);
        self.crowded = false;
        let mut rest = VecDeque::new();
        while let Some(token) = self.held.pop_front() {
            let Some(call) = self.calls.get(token) else {
                continue;
            };
            let bytes = call.bytes.len();
            let late = now >= call.deadlines.whole;
            call.rests_until.take_if(|until| now >= *until);
            let waits = call.rests_until.is_some() || topology.holds(call.effect);
            if late {
                self.held_bytes -= bytes;
                let error = unavailable(&self.config, &topology, self.reason.as_ref());
                self.finish_late(token, error, sink);
            } else if let Some(link) = link.filter(|_| !waits && !self.crowded) {
                self.crowded = !self.send(token, link, now);
                if self.crowded {
                    rest.push_back(token);
                } else {
                    self.held_bytes -= bytes;
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
        match &mut call.pipeline {
            Some(pipeline) => {
                pipeline.fail(&error);
                let outcomes = pipeline.take();
                self.finish(token, Completion::Outcomes(outcomes), sink);
            }
            None => {
                let job = Job { bytes: &call.bytes, span: call.span.clone(), effect: call.effect };
                let error = match call.may_have_run {
                    true => maybe_executed(&job, None, &error),
                    false => error.during(job.name()),
                };
                self.finish(token, Completion::Failed(error), sink);
            }
        }
    }

    pub(super) fn doubt(&mut self, epoch: u64, doubt: Doubt) {
        let trouble = match doubt {
            Doubt::None => return,
            Doubt::Unreachable => Trouble::Unreachable,
            Doubt::NotPrimary => Trouble::NotPrimary,
            Doubt::Overdue => Trouble::Overdue,
        };
        self.guide.report(epoch, trouble);
    }

    /// The primary of an epoch, for messages.
    pub(super) fn address(&self, epoch: u64) -> Option<String> {
        let topology = self.current();
        let known = topology.primary.as_ref().filter(|_| topology.epoch == epoch);
        known.map(ToString::to_string)
    }
}
