//! The host's connections: asked for, opened, heard, and lost.

use super::link::{Link, LinkId, Place, Use};
use super::settle::{Answered, answer, tell};
use super::{Action, Session, Sink};
use crate::error::{Error, Kind};
use crate::policy::Doubt;
use crate::stats::Counters;
use crate::topology::{Topology, endpoint};
use std::time::Instant;

impl Session {
    /// Asks the host for the connection that all share, unless there is one or it must wait.
    pub(super) fn connect(&mut self, place: Place, topology: &Topology, now: Instant) {
        let leads_there =
            |link: &Link| link.used == Use::Shared && link.place == place && !link.shunned;
        if !self.links.iter().any(leads_there) {
            self.open(Use::Shared, place, topology, now);
        }
    }

    /// Asks the host for a connection to a place, unless it must wait.
    pub(super) fn open(&mut self, used: Use, place: Place, topology: &Topology, now: Instant) {
        let Some(node) = place.replica.as_ref().or(topology.primary.as_ref()).cloned() else {
            return;
        };
        let must_wait = topology.phase.holds_reads() || self.connects_at.is_some_and(|at| now < at);
        if place.replica.is_none() && must_wait {
            return;
        }
        let id = self.next_link;
        self.next_link = self.next_link.wrapping_add(1);
        if self.links.is_empty() {
            // Most sessions have no other, and there may be many sessions.
            self.links.reserve_exact(1);
        }
        self.links.push(Link::new(id, place, used, &node, &self.config, now));
        let to = endpoint(&self.config.address_map.reachable(&node));
        let (tls, shareable) = (self.config.data.tls.clone(), used == Use::Shared);
        self.actions.push_back(Action::Open { link: id, to, tls, shareable });
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

    /// The connection is one that another session uses already. `true`: there is nothing to ask on
    /// it before the first call, for it was proven to that one to lead where it is to lead.
    pub fn join(
        &mut self,
        link: LinkId,
        other: &Self,
        theirs: LinkId,
        now: Instant,
        sink: &mut Sink<'_>,
    ) -> bool {
        let theirs = other.links.iter().find(|it| it.id == theirs && it.is_ready());
        let Some(place) = self.links.iter().position(|it| it.id == link) else { return false };
        let link = &mut self.links[place];
        let proven = theirs.is_some_and(|it| it.place == link.place) && self.guide.is(&other.guide);
        if proven {
            link.vouch();
            self.verified(place);
            self.release(now, sink);
        }
        proven
    }

    /// A node has proven to be what it is to be.
    fn verified(&mut self, place: usize) {
        Counters::add(&self.counters.connections, 1);
        let link = &mut self.links[place];
        if link.place.replica.is_none() {
            if link.used == Use::Shared {
                link.load(&self.scripts);
            }
            self.backoff = self.guide.backoff();
            self.connects_at = None;
            self.reason = None;
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
        self.links[place].heard_at = now;
        let (mut judged, mut unknown, mut freed) = (Vec::new(), Vec::new(), false);
        let fed = {
            let Self { links, calls, counters, .. } = self;
            let (origin, node) = (links[place].origin, links[place].node.clone());
            let on_replica = u64::from(links[place].place.replica.is_some());
            links[place].feed(bytes, |token, frame, last| {
                let Some(call) = calls.get(token) else { return };
                match answer(token, call, frame, last) {
                    Answered::Partly => {}
                    Answered::Well => {
                        let Some(call) = calls.take(token) else { return };
                        let well = tell(token, &call, frame, (origin, &node), sink);
                        freed = call.frees_link(well);
                        Counters::add(&counters.from_replicas, on_replica);
                    }
                    Answered::Unknown => unknown.push(token),
                    Answered::Badly(verdict) => {
                        freed = call.frees_link(false);
                        judged.push(verdict);
                    }
                }
            })
        };
        if freed {
            (self.links[place].used, self.links[place].pulse) = (Use::Spare, None);
        }
        // The first repetition is due at once, and nothing else may come to set it off.
        let repeats = !judged.is_empty();
        for verdict in judged {
            self.judge(verdict, link, now, sink);
        }
        let goes_on = self.crowded || freed || repeats || !unknown.is_empty();
        for token in unknown.into_iter().rev() {
            self.held_bytes += self.calls.get(token).map_or(0, |call| call.bytes.len());
            self.held.push_front(token);
        }
        match fed {
            Ok(true) => {
                self.verified(place);
                self.release(now, sink);
            }
            Ok(false) if goes_on => self.release(now, sink),
            Ok(false) => {}
            Err((error, doubt)) => self.drop_link(link, 0, error, doubt, now, sink),
        }
        self.keep_few_spares();
        self.drop_shunned(now, sink);
        self.drop_parting(now, sink);
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
        self.doubt(&link.place, doubt);
        let failed = !link.is_ready();
        let why = if failed && why.address().is_none() { why.at(&link.node) } else { why };
        self.reason = Some(why.clone());
        let fatal = failed
            && link.place.replica.is_none()
            && matches!(why.kind(), Kind::Auth | Kind::Config);
        match &link.place.replica {
            Some(replica) => self.avoid_all(replica),
            None if failed => self.connects_at = Some(now + self.backoff.next()),
            None => {}
        }
        if let Use::Subscription(id) = link.used {
            self.cut_off(id, now);
        }
        let lost = link.lane.on_lost(unwritten);
        for lost in lost.into_iter().rev() {
            self.lose(lost, &why, &link.place, &link.node, now, sink);
        }
        if fatal {
            self.refuse_all(&why, sink);
        }
        self.release(now, sink);
    }
}
