//! How calls move: held, and sent once there is a connection for them.

use super::calls::{Call, Way};
use super::link::{Link, LinkId, Place, Use};
use super::{Completion, Session, Sink};
use crate::client::verdict::{closed, full, maybe_executed, unwatched, waiting_room_full};
use crate::command::Wait;
use crate::error::{Error, Result};
use crate::lane::hosted::Token;
use crate::stats::Counters;
use crate::topology::Topology;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

impl Session {
    pub(super) fn take_on(&mut self, call: Call, now: Instant) -> Result<Token> {
        if self.closed {
            return Err(closed());
        }
        let topology = self.current();
        let (way, bytes) = (call.way(), call.bytes.len());
        let place = self.guide.place(&call, &topology, now);
        let place = place.filter(|_| call.rests_until.is_none());
        if let Some(link) = place.as_ref().and_then(|place| self.link(way, place)) {
            // Those that wait their turn count as well, or they could become any number.
            if !self.held.is_empty() && self.held.len() >= self.config.max_held {
                return Err(waiting_room_full(self.held.len(), self.held_bytes));
            }
            let token = self.calls.add(call);
            if !self.send(token, link, now) {
                self.calls.take(token);
                return Err(full(self.config.max_in_flight));
            }
            Counters::add(&self.counters.calls, 1);
            return Ok(token);
        }
        if let Some(refused) = &topology.refused {
            return Err(refused.clone());
        }
        let over = self.held_bytes + bytes > self.config.max_held_bytes.max(bytes);
        if self.held.len() >= self.config.max_held || over {
            return Err(waiting_room_full(self.held.len(), self.held_bytes));
        }
        if way != Way::Shared && self.links.len() >= self.config.max_in_flight {
            return Err(full(self.config.max_in_flight));
        }
        if place.is_none() && call.reading.is_some() {
            self.guide.wait_for_replicas();
        }
        let token = self.calls.add(Call { held_since: Some(now), ..call });
        self.held.push_back(token);
        self.held_bytes += bytes;
        Counters::add(&self.counters.calls, 1);
        self.counters.note(|it| &it.held, 1);
        match (way, place) {
            (Way::Shared, Some(place)) => self.connect(place, &topology, now),
            (Way::Shared, None) => {}
            _ => self.connect_own(&topology, now),
        }
        Ok(token)
    }

    pub(super) fn current(&self) -> Arc<Topology> {
        self.guide.topology().unwrap_or_else(|| Arc::new(Topology::unknown()))
    }

    /// The connection for a call that goes this way, to this place.
    fn link(&self, way: Way, place: &Place) -> Option<LinkId> {
        let used = |used: Use| {
            let fits = |link: &&Link| link.used == used && link.is_usable(place);
            self.links.iter().find(fits).map(|link| link.id)
        };
        match way {
            Way::Shared => used(Use::Shared),
            Way::Own => used(Use::Spare),
            Way::Begins(id) => used(Use::Watch(id)).or_else(|| used(Use::Spare)),
            Way::Watched(id) => used(Use::Watch(id)),
        }
    }

    /// `false`: too many wait for replies already.
    fn send(&mut self, token: Token, link: LinkId, now: Instant) -> bool {
        let under_way: usize = self.links.iter().map(|link| link.lane.in_flight()).sum();
        if under_way >= self.config.max_in_flight {
            return false;
        }
        let (Some(link), Some(call)) =
            (self.links.iter_mut().find(|it| it.id == link), self.calls.get(token))
        else {
            return false;
        };
        let deadline = match call.wait {
            Wait::No => Some(call.deadlines.reply_by(now, &call.options)),
            // The server answers when the time is up; the grace is for the way back.
            Wait::For(time) => Some(now + time + self.config.command_timeout),
            Wait::Forever => None,
        };
        let sent = link.lane.submit(token, &call.bytes, call.span.clone(), deadline).is_ok();
        if sent {
            call.sent_at = Some(now);
            if let Some(pipeline) = call.pipeline() {
                pipeline.sent_to(Some(&link.node));
            }
            if let Some(since) = call.held_since.take() {
                let waited = now.duration_since(since).as_micros() as u64;
                Counters::add(&self.counters.held_micros, waited);
            }
            match call.way() {
                Way::Own => {
                    link.used = Use::Call(token);
                    link.pulse = Some(now + self.config.command_timeout);
                }
                Way::Begins(id) => link.used = Use::Watch(id),
                Way::Shared | Way::Watched(_) => {}
            }
        }
        sent
    }

    pub(super) fn finish(&mut self, token: Token, completion: Completion<'_>, sink: &mut Sink<'_>) {
        if self.calls.take(token).is_some() {
            if let Completion::Failed(error) = &completion {
                Counters::add(&self.counters.failed, 1);
                self.counters.note(|it| &it.maybe_executed, error.maybe_executed().into());
            }
            sink(token, completion);
        }
    }

    /// Sends what waited, in order, as far as it may go now; connects where that is missing.
    pub(super) fn release(&mut self, now: Instant, sink: &mut Sink<'_>) {
        let topology = self.current();
        if let Some(refused) = &topology.refused {
            self.refuse_all(refused, sink);
            return;
        }
        // A moment that has passed is nothing to be woken for again.
        self.connects_at.take_if(|at| now >= *at);
        self.renew_subscriptions(&topology, now);
        let (mut rest, mut crowded, mut lonely) = (VecDeque::new(), Vec::new(), Vec::new());
        let mut wanted: Vec<Place> = Vec::new();
        while let Some(token) = self.held.pop_front() {
            let Some(call) = self.calls.get(token) else {
                continue;
            };
            let (way, bytes) = (call.way(), call.bytes.len());
            let late = now >= call.deadlines.whole;
            call.rests_until.take_if(|until| now >= *until);
            let rests = call.rests_until.is_some();
            if self.is_gone(way) {
                self.held_bytes -= bytes;
                let reason = self.reason.clone().unwrap_or_else(unwatched);
                self.give_up_step(token, reason, sink);
                continue;
            }
            if late {
                self.held_bytes -= bytes;
                let error = self.nobody(token, &topology);
                self.finish_late(token, error, sink);
                continue;
            }
            let place = if rests { None } else { self.place(token, &topology, now) };
            if let Some(place) = place {
                let in_vain = match way {
                    Way::Shared => crowded.contains(&place),
                    Way::Own | Way::Begins(_) => lonely.contains(&place),
                    Way::Watched(_) => false,
                };
                let link = self.link(way, &place).filter(|_| !in_vain);
                if link.is_some_and(|link| self.send(token, link, now)) {
                    self.held_bytes -= bytes;
                    continue;
                }
                match way {
                    Way::Shared if link.is_some() => crowded.push(place),
                    Way::Shared if in_vain || wanted.contains(&place) => {}
                    Way::Shared => wanted.push(place),
                    _ => lonely.push(place),
                }
            }
            rest.push_back(token);
        }
        self.held = rest;
        self.crowded = !crowded.is_empty();
        for place in wanted {
            self.connect(place, &topology, now);
        }
        self.connect_own(&topology, now);
    }

    /// Ends what is held, for a reason that nothing but the user can change.
    pub(super) fn refuse_all(&mut self, why: &Error, sink: &mut Sink<'_>) {
        self.held_bytes = 0;
        for token in std::mem::take(&mut self.held) {
            self.finish_late(token, why.clone(), sink);
        }
        self.complain(why, sink);
    }

    pub(super) fn finish_late(&mut self, token: Token, error: Error, sink: &mut Sink<'_>) {
        let Some(call) = self.calls.get(token) else {
            return;
        };
        match call.pipeline() {
            Some(pipeline) => {
                pipeline.fail(&error);
                let outcomes = pipeline.finish();
                self.finish(token, Completion::Outcomes(outcomes), sink);
            }
            None => {
                let job = call.job();
                let error = match call.may_have_run {
                    true => maybe_executed(&job, None, &error),
                    false => error.during(job.name()),
                };
                self.finish(token, Completion::Failed(error), sink);
            }
        }
    }
}
