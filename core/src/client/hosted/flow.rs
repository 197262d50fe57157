//! How calls move: held, sent, and answered; and what the host's connections come to.

use super::calls::{Call, Way};
use super::link::{Link, LinkId, Use};
use super::settle::{Answered, answer, tell};
use super::{Action, Completion, Session, Sink};
use crate::client::verdict::{
    closed, full, maybe_executed, unavailable, unwatched, waiting_room_full,
};
use crate::command::Wait;
use crate::error::{Error, Kind, Result};
use crate::lane::hosted::Token;
use crate::policy::Doubt;
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
        let (way, bytes) = (call.way(), call.bytes.len());
        let waits = topology.holds(call.effect) || call.rests_until.is_some();
        if let Some(link) = self.link(way, &topology).filter(|_| !waits) {
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
        let over = self.held_bytes + bytes > self.config.max_held_bytes.max(bytes);
        if self.held.len() >= self.config.max_held || over {
            return Err(waiting_room_full(self.held.len(), self.held_bytes));
        }
        if way != Way::Shared && self.links.len() >= self.config.max_in_flight {
            return Err(full(self.config.max_in_flight));
        }
        let token = self.calls.add(call);
        self.held.push_back(token);
        self.held_bytes += bytes;
        match way {
            Way::Shared => self.connect(&topology, now),
            _ => self.connect_own(&topology, now),
        }
        Ok(token)
    }

    pub(super) fn current(&self) -> Arc<Topology> {
        self.guide.topology().unwrap_or_else(|| Arc::new(Topology::unknown()))
    }

    /// The connection for a call that goes this way, leading to this topology's primary.
    fn link(&self, way: Way, topology: &Topology) -> Option<LinkId> {
        let used = |used: Use| {
            let fits = |link: &&Link| link.used == used && link.is_usable(topology.epoch);
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

    /// Asks the host for the connection that all share, unless there is one or it must wait.
    fn connect(&mut self, topology: &Topology, now: Instant) {
        let leads_there =
            |link: &Link| link.used == Use::Shared && link.epoch == topology.epoch && !link.shunned;
        if !self.links.iter().any(leads_there) {
            self.open(Use::Shared, topology, now);
        }
    }

    /// Asks the host for a connection to the primary, unless it must wait.
    pub(super) fn open(&mut self, used: Use, topology: &Topology, now: Instant) {
        let Some(primary) = &topology.primary else {
            return;
        };
        if topology.phase.holds_reads() || self.connects_at.is_some_and(|at| now < at) {
            return;
        }
        let id = self.next_link;
        self.next_link = self.next_link.wrapping_add(1);
        self.links.push(Link::new(id, topology.epoch, used, &self.config, now));
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
        if let Use::Subscription(id) = self.links[place].used {
            self.hear(link, id, bytes, now, sink);
            return;
        }
        let (mut judged, mut unknown, mut freed) = (Vec::new(), Vec::new(), false);
        let fed = {
            let Self { links, calls, .. } = self;
            links[place].feed(bytes, |token, frame, last| {
                let Some(call) = calls.get(token) else { return };
                match answer(token, call, frame, last) {
                    Answered::Partly => {}
                    Answered::Well => {
                        let Some(call) = calls.take(token) else { return };
                        let done = tell(token, &call, frame, sink);
                        freed = match call.way() {
                            Way::Own => true,
                            // The keys are watched no more.
                            Way::Watched(_) => done && call.is_transaction(),
                            Way::Shared | Way::Begins(_) => false,
                        };
                    }
                    Answered::Unknown => unknown.push(token),
                    Answered::Badly(verdict) => {
                        freed = call.way() == Way::Own;
                        judged.push(verdict);
                    }
                }
            })
        };
        if freed {
            (self.links[place].used, self.links[place].pulse) = (Use::Spare, None);
        }
        for verdict in judged {
            self.judge(verdict, link, now, sink);
        }
        let goes_on = self.crowded || freed || !unknown.is_empty();
        for token in unknown.into_iter().rev() {
            self.held_bytes += self.calls.get(token).map_or(0, |call| call.bytes.len());
            self.held.push_front(token);
        }
        match fed {
            Ok(true) => {
                if self.links[place].used == Use::Shared {
                    self.links[place].load(&self.scripts);
                }
                self.backoff = self.guide.backoff();
                self.connects_at = None;
                self.reason = None;
                self.release(now, sink);
            }
            Ok(false) if goes_on => self.release(now, sink),
            Ok(false) => {}
            Err((error, doubt)) => self.drop_link(link, 0, error, doubt, now, sink),
        }
        self.keep_few_spares();
        self.drop_shunned(now, sink);
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
        if let Use::Subscription(id) = link.used {
            self.cut_off(id, now);
        }
        let lost = link.lane.on_lost(unwritten);
        for lost in lost.into_iter().rev() {
            self.lose(lost, &why, link.epoch, now, sink);
        }
        if fatal {
            self.refuse_all(&why, sink);
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
            self.refuse_all(refused, sink);
            return;
        }
        // A moment that has passed is nothing to be woken for again.
        self.connects_at.take_if(|at| now >= *at);
        self.renew_subscriptions(&topology, now);
        self.crowded = false;
        let (mut rest, mut shares, mut lonely) = (VecDeque::new(), false, false);
        while let Some(token) = self.held.pop_front() {
            let Some(call) = self.calls.get(token) else {
                continue;
            };
            let (way, bytes) = (call.way(), call.bytes.len());
            let late = now >= call.deadlines.whole;
            call.rests_until.take_if(|until| now >= *until);
            let waits = call.rests_until.is_some() || topology.holds(call.effect);
            let in_vain = match way {
                Way::Shared => self.crowded,
                Way::Own | Way::Begins(_) => lonely,
                Way::Watched(_) => false,
            };
            if self.is_gone(way) {
                self.held_bytes -= bytes;
                let reason = self.reason.clone().unwrap_or_else(unwatched);
                self.give_up_step(token, reason, sink);
                continue;
            }
            if late {
                self.held_bytes -= bytes;
                let error = unavailable(&self.config, &topology, self.reason.as_ref());
                self.finish_late(token, error, sink);
                continue;
            }
            if !waits && !in_vain {
                let link = self.link(way, &topology);
                if link.is_some_and(|link| self.send(token, link, now)) {
                    self.held_bytes -= bytes;
                    continue;
                }
                match way {
                    Way::Shared => self.crowded = link.is_some(),
                    _ => lonely = true,
                }
            }
            shares |= way == Way::Shared;
            rest.push_back(token);
        }
        self.held = rest;
        if shares {
            self.connect(&topology, now);
        }
        self.connect_own(&topology, now);
    }

    /// Ends what is held, for a reason that nothing but the user can change.
    fn refuse_all(&mut self, why: &Error, sink: &mut Sink<'_>) {
        self.held_bytes = 0;
        for token in std::mem::take(&mut self.held) {
            self.finish_late(token, why.clone(), sink);
        }
        self.complain(why, sink);
    }

    fn finish_late(&mut self, token: Token, error: Error, sink: &mut Sink<'_>) {
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
