//! Connections of one caller's own: for what blocks, or keeps state on the server.

use super::calls::Way;
use super::link::{Link, LinkId, Place, Use};
use super::{Action, Session, Sink};
use crate::client::verdict::silent;
use crate::policy::Doubt;
use crate::topology::{Phase, Topology};
use std::time::Instant;

/// Connections kept for the next caller.
const SPARE: usize = 8;

impl Session {
    /// Opens connections until there is one for each that waits for one of his own.
    pub(super) fn connect_own(&mut self, topology: &Topology, now: Instant) {
        let Self { held, calls, guide, .. } = self;
        let mut wanted: Vec<(Place, usize)> = Vec::new();
        let mut want = |place: Place| match wanted.iter_mut().find(|(it, _)| *it == place) {
            Some((_, count)) => *count += 1,
            None => wanted.push((place, 1)),
        };
        for &token in held.iter() {
            if let Some(call) = calls.get(token)
                && matches!(call.way(), Way::Own | Way::Begins(_))
                && let Some(place) = guide.place(call, topology, now)
            {
                want(place);
            }
        }
        let subscriptions = self.subscriptions.values().filter(|it| it.needs_connection());
        subscriptions.for_each(|_| want(Place::primary(topology)));
        for (place, wanted) in wanted {
            let spare = |link: &&Link| link.used == Use::Spare && link.place == place;
            let there = self.links.iter().filter(spare).count();
            let room = self.config.max_in_flight.saturating_sub(self.links.len());
            for _ in 0..wanted.saturating_sub(there).min(room) {
                self.open(Use::Spare, place.clone(), topology, now);
            }
        }
    }

    /// Closes what is left over once everybody has a connection.
    pub(super) fn keep_few_spares(&mut self) {
        let spare = self.links.iter().filter(|link| link.used == Use::Spare && link.is_ready());
        let over: Vec<LinkId> = spare.map(|link| link.id).skip(SPARE).collect();
        for id in over {
            self.cut(id);
        }
    }

    /// Closes a connection, and forgets the calls on it.
    pub(super) fn cut(&mut self, id: LinkId) {
        if let Some(place) = self.links.iter().position(|link| link.id == id) {
            let mut link = self.links.remove(place);
            self.actions.push_back(Action::Close { link: id });
            for lost in link.lane.on_lost(0) {
                self.calls.take(lost.token);
            }
        }
    }

    pub(super) fn link_used(&mut self, used: Use) -> Option<&mut Link> {
        self.links.iter_mut().find(|link| link.used == used)
    }

    /// Sees whether servers that are silent on purpose still live. Those that are known to be
    /// gone are not waited for without end.
    pub(super) fn feel_pulses(&mut self, now: Instant, sink: &mut Sink<'_>) {
        let due = |link: &&mut Link| link.pulse.is_some_and(|at| now >= at);
        let pulse = self.config.command_timeout;
        let mut silent_links = Vec::new();
        for link in self.links.iter_mut().filter(due) {
            link.pulse = Some(now + pulse);
            silent_links.push((link.id, link.used, link.place.clone()));
        }
        for (link, used, place) in silent_links {
            match used {
                Use::Subscription(id) => self.prod(link, id, now, sink),
                // There may be other replicas, but there is no other primary.
                _ => match &place.replica {
                    Some(replica) if !self.guide.readable(None).has(place.epoch, replica) => {
                        self.drop_link(link, 0, silent(), Doubt::None, now, sink);
                    }
                    Some(_) => {}
                    None => self.doubt(&place, Doubt::Overdue),
                },
            }
        }
        let lost = self.current().phase == Phase::Lost;
        self.lost_since = lost.then(|| self.lost_since.unwrap_or(now));
        if self.gives_up(now) {
            let waits =
                |link: &&Link| matches!(link.used, Use::Call(_)) && link.place.replica.is_none();
            while let Some(link) = self.links.iter().find(waits).map(|link| link.id) {
                self.drop_link(link, 0, silent(), Doubt::None, now, sink);
            }
        }
    }

    /// The primary is known to be gone for longer than anybody waits for another.
    pub(super) fn gives_up(&self, now: Instant) -> bool {
        self.gives_up_at().is_some_and(|at| now >= at)
    }

    fn gives_up_at(&self) -> Option<Instant> {
        self.lost_since.map(|since| since + self.config.failover_timeout)
    }

    /// When to feel pulses again at the latest.
    pub(super) fn next_pulse(&self) -> Option<Instant> {
        let waits = self.links.iter().any(|link| matches!(link.used, Use::Call(_)));
        let end = self.gives_up_at().filter(|_| waits);
        self.links.iter().filter_map(|link| link.pulse).chain(end).min()
    }
}
