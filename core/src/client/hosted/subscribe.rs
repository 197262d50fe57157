//! Subscriptions: each has a connection of its own, which is renewed, and with it everything that
//! is subscribed to.

use super::calls::token_of_no_call;
use super::link::{Link, LinkId, Place, Use};
use super::subscription::Subscription;
use super::{Completion, Session, Sink};
use crate::client::pubsub::{self, By, Incoming, Wanted};
use crate::client::verdict::{closed, overdue, unavailable};
use crate::error::{Error, Result};
use crate::lane::hosted::{Arrival, Token};
use crate::policy::Doubt;
use crate::proto::encode;
use crate::topology::Topology;
use std::time::Instant;

impl Session {
    /// A subscription without channels yet. Its token comes with [`Completion::Heard`] whenever
    /// there is something to look at: a message, an error, or that all channels are confirmed.
    pub fn subscribe(&mut self, now: Instant) -> Token {
        let id = token_of_no_call(self.next_subscription);
        self.next_subscription += 1;
        self.subscriptions.insert(id, Subscription::new(now));
        id
    }

    /// Wants one more channel.
    pub fn subscription_add(&mut self, id: Token, by: By, name: &[u8], now: Instant) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        if subscription.add(by, name, now) {
            let mut bytes = Vec::new();
            Wanted::subscribe_one(by, name, &mut bytes);
            match self.link_used(Use::Subscription(id)) {
                Some(link) => link.lane.send(&bytes),
                None => {
                    let topology = self.current();
                    self.renew_subscriptions(&topology, now);
                    self.connect_own(&topology, now);
                }
            }
        }
    }

    /// Wants a channel no more.
    pub fn subscription_remove(&mut self, id: Token, by: By, name: &[u8]) {
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        subscription.remove(by, name);
        if let Some(link) = self.link_used(Use::Subscription(id)) {
            let mut bytes = Vec::new();
            Wanted::unsubscribe_one(by, name, &mut bytes);
            link.lane.send(&bytes);
        }
    }

    /// What has come, oldest first: a message, or the news that some may have been missed. An
    /// error ends nothing, unless the client is closed.
    pub fn subscription_next(&mut self, id: Token) -> Result<Option<Incoming>> {
        self.subscriptions.get_mut(&id).ok_or_else(|| gone(self.closed))?.next().transpose()
    }

    /// The first error that waits among the messages, which stay.
    pub fn subscription_error(&mut self, id: Token) -> Option<Error> {
        match self.subscriptions.get_mut(&id) {
            Some(subscription) => subscription.take_error(),
            None => Some(gone(self.closed)),
        }
    }

    /// Whether all channels are confirmed.
    pub fn subscription_ready(&self, id: Token) -> bool {
        self.subscriptions.get(&id).is_some_and(Subscription::is_ready)
    }

    /// Ends a subscription.
    pub fn unsubscribe(&mut self, id: Token) {
        self.subscriptions.remove(&id);
        if let Some(link) = self.link_used(Use::Subscription(id)).map(|link| link.id) {
            self.cut(link);
        }
    }

    /// Subscribes to everything on new connections, as far as they are there.
    pub(super) fn renew_subscriptions(&mut self, topology: &Topology, now: Instant) {
        let pulse = self.config.command_timeout / 2;
        let place = Place::primary(topology);
        let spare = |link: &&mut Link| link.used == Use::Spare && link.is_usable(&place);
        let waiting = self.subscriptions.iter_mut().filter(|(_, it)| it.needs_connection());
        for (&id, subscription) in waiting {
            let Some(link) = self.links.iter_mut().find(spare) else { return };
            link.used = Use::Subscription(id);
            link.pulse = Some(now + pulse);
            link.lane.listen();
            link.lane.send(&subscription.connected(now));
        }
    }

    /// Takes in bytes of a connection that listens.
    pub(super) fn hear(
        &mut self,
        link: LinkId,
        id: Token,
        bytes: &[u8],
        now: Instant,
        sink: &mut Sink<'_>,
    ) {
        let pulse = self.config.command_timeout / 2;
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        let Some(found) = self.links.iter_mut().find(|it| it.id == link) else { return };
        found.pulse = Some(now + pulse);
        let mut news = false;
        let fed = found.lane.feed(bytes, |arrival| {
            if let Arrival::Push(frame) = arrival {
                news |= subscription.take_in(pubsub::hear(frame), now);
            }
        });
        if news {
            sink(id, Completion::Heard);
        }
        if let Err(error) = fed {
            self.drop_link(link, 0, error, Doubt::Unreachable, now, sink);
        }
    }

    /// Nothing was heard for a while: asks for a sign of life, and does not wait for it for ever.
    pub(super) fn prod(&mut self, link: LinkId, id: Token, now: Instant, sink: &mut Sink<'_>) {
        let pulse = self.config.command_timeout / 2;
        let Some(subscription) = self.subscriptions.get_mut(&id) else { return };
        if subscription.is_silent(now, self.config.command_timeout) {
            self.drop_link(link, 0, overdue(), Doubt::Overdue, now, sink);
            return;
        }
        let asks = subscription.asks_for_life();
        if let Some(link) = self.link_used(Use::Subscription(id)) {
            link.pulse = Some(now + pulse);
            if asks {
                let mut ping = Vec::new();
                encode::command(&mut ping, &["PING"]);
                link.lane.send(&ping);
            }
        }
    }

    /// A subscription's connection is gone.
    pub(super) fn cut_off(&mut self, id: Token, now: Instant) {
        if let Some(subscription) = self.subscriptions.get_mut(&id) {
            subscription.cut_off(now, self.guide.set_out());
        }
    }

    /// Says why nothing can be heard, once for each time that it is so.
    pub(super) fn complain(&mut self, why: &Error, sink: &mut Sink<'_>) {
        for (&id, subscription) in &mut self.subscriptions {
            if subscription.complain(why) {
                sink(id, Completion::Heard);
            }
        }
    }

    /// Says so too when there has been no connection for as long as a command would wait.
    pub(super) fn complain_late(&mut self, now: Instant, sink: &mut Sink<'_>) {
        let patience = self.config.failover_timeout;
        let late = |it: &Subscription| it.complains_at(patience).is_some_and(|at| now >= at);
        if self.subscriptions.values().any(late) {
            let (topology, heard) = (self.current(), self.guide.heard_ago());
            let why = unavailable(&self.config, &topology, &heard, self.reason.as_ref());
            for (&id, subscription) in self.subscriptions.iter_mut().filter(|(_, it)| late(it)) {
                if subscription.complain(&why) {
                    sink(id, Completion::Heard);
                }
            }
        }
    }

    /// When to look whether it is too late.
    pub(super) fn next_complaint(&self) -> Option<Instant> {
        let patience = self.config.failover_timeout;
        self.subscriptions.values().filter_map(|it| it.complains_at(patience)).min()
    }
}

fn gone(is_closed: bool) -> Error {
    if is_closed { closed() } else { Error::usage("this subscription has ended: make another") }
}
