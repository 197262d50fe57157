//! Subscriptions for callers that wait on their own thread.

use super::Client;
use super::own::Own;
use super::route::Way;
use crate::client::pubsub::{By, Heard, Incoming, Wanted, hear};
use crate::client::verdict::{closed, interrupted, overdue};
use crate::error::{Error, Result};
use crate::lane::call::{Caller, Cause, Host};
use crate::policy::{Doubt, Effect};
use crate::proto::encode;
use std::time::{Duration, Instant, SystemTime};

/// A subscription that survives failover. Its connection is renewed, and its channels are
/// subscribed to anew, by whoever waits for the next message.
#[derive(Debug)]
pub struct Subscription {
    client: Client,
    wanted: Wanted,
    line: Option<Line>,
    /// When the last connection was lost.
    lost_at: Option<SystemTime>,
}

#[derive(Debug)]
struct Line {
    way: Way<Own>,
    /// When the server gave its last sign of life.
    heard_at: Instant,
    /// It was asked for another one.
    pinged: bool,
}

impl Client {
    /// A subscription without channels yet; add some before waiting.
    pub fn subscription(&self) -> Subscription {
        Subscription { client: self.clone(), wanted: Wanted::default(), line: None, lost_at: None }
    }

    /// Subscribes to channels.
    pub fn subscribe<A: AsRef<[u8]>>(&self, channels: &[A]) -> Result<Subscription> {
        let mut subscription = self.subscription();
        for channel in channels {
            subscription.add(By::Channel, channel.as_ref());
        }
        subscription.ready(&())?;
        Ok(subscription)
    }
}

impl Subscription {
    /// Wants one more channel.
    pub fn add(&mut self, by: By, name: &[u8]) {
        if self.wanted.add(by, name)
            && let Some(line) = &mut self.line
        {
            let mut bytes = Vec::new();
            Wanted::subscribe_one(by, name, &mut bytes);
            line.way.lane.connection.send(&bytes);
        }
    }

    /// Wants a channel no more.
    pub fn remove(&mut self, by: By, name: &[u8]) {
        self.wanted.remove(by, name);
        if let Some(line) = &mut self.line {
            let mut bytes = Vec::new();
            Wanted::unsubscribe_one(by, name, &mut bytes);
            line.way.lane.connection.send(&bytes);
        }
    }

    /// Waits until every channel is confirmed.
    pub fn ready(&mut self, host: &dyn Host) -> Result<()> {
        if self.line.is_none() {
            self.connect(host)?;
        }
        Ok(())
    }

    /// The next message, or the news that some may have been missed. `None`: nothing came within
    /// `timeout`. An error ends nothing: the next call tries again.
    pub fn next(&mut self, timeout: Option<Duration>, host: &dyn Host) -> Result<Option<Incoming>> {
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        loop {
            if self.line.is_none() {
                let since = self.lost_at;
                let home = self.client.home()?;
                // A failover is not told of before we can hear again.
                let mover = since.map(|_| home.deployment.shared.movers.set_out());
                self.connect(host)?;
                drop(mover);
                if let Some(since) = since {
                    self.lost_at = None;
                    return Ok(Some(Incoming::Gap { since, until: SystemTime::now() }));
                }
            }
            match self.listen(deadline, host) {
                Ok(Heard::Message(incoming)) => return Ok(Some(incoming)),
                Ok(Heard::Refused(line)) => return Err(Error::server(&line).during("SUBSCRIBE")),
                Ok(Heard::Confirmed | Heard::Pulse) => {}
                Err(Cause::Interrupted) => return Err(interrupted()),
                Err(Cause::Deadline) if deadline.is_some_and(|at| Instant::now() >= at) => {
                    return Ok(None);
                }
                Err(_) if self.client.is_closed() => return Err(closed()),
                Err(_) => {
                    // Nothing is sure to have come since its last sign of life.
                    let silent = self.line.take().map(|line| line.heard_at.elapsed());
                    let now = SystemTime::now();
                    let since = now.checked_sub(silent.unwrap_or_default()).unwrap_or(now);
                    self.lost_at.get_or_insert(since);
                }
            }
        }
    }

    /// Connects and subscribes to everything.
    fn connect(&mut self, host: &dyn Host) -> Result<()> {
        let config = self.client.config();
        let (patience, silence) = (config.failover_timeout, config.command_timeout);
        let deadline = Instant::now() + patience;
        loop {
            let way = self.client.own_way(None, Effect::Reads, deadline, host)?;
            let mut line = Line { way, heard_at: Instant::now(), pinged: false };
            let (bytes, mut missing) = self.wanted.request();
            let connection = &mut line.way.lane.connection;
            connection.send(&bytes);
            let now = Instant::now();
            let caller = Caller { now, deadline: now + silence, host };
            while missing > 0 {
                match connection.next(caller).map(hear) {
                    Ok(Heard::Refused(line)) => {
                        return Err(Error::server(&line).during("SUBSCRIBE"));
                    }
                    Ok(Heard::Confirmed) => missing -= 1,
                    // Too early to be anybody's: whoever waits has not been told it is ready.
                    Ok(_) => {}
                    Err(Cause::Interrupted) => return Err(interrupted()),
                    Err(_) if Instant::now() >= deadline => {
                        return Err(overdue().during("SUBSCRIBE"));
                    }
                    Err(_) => break,
                }
            }
            if missing == 0 {
                line.heard_at = Instant::now();
                self.line = Some(line);
                return Ok(());
            }
        }
    }

    /// Waits for a frame, and sees to it that the server still lives meanwhile.
    fn listen(&mut self, deadline: Option<Instant>, host: &dyn Host) -> Result<Heard, Cause> {
        let silence = self.client.config().command_timeout;
        let Some(line) = &mut self.line else { return Err(Cause::Deadline) };
        let now = Instant::now();
        let pulse = line.heard_at + if line.pinged { silence } else { silence / 2 };
        let until = deadline.map_or(pulse, |deadline| deadline.min(pulse));
        let caller = Caller { now, deadline: until, host };
        match line.way.lane.connection.next(caller).map(hear) {
            Ok(heard) => {
                line.heard_at = Instant::now();
                line.pinged = false;
                Ok(heard)
            }
            Err(Cause::Deadline) if until == pulse && !line.pinged => {
                let mut ping = Vec::new();
                encode::command(&mut ping, &["PING"]);
                line.way.lane.connection.send(&ping);
                line.pinged = true;
                Ok(Heard::Pulse)
            }
            Err(Cause::Deadline) if until == pulse => {
                let way = &line.way;
                way.home.doubt(way.topology.epoch, Doubt::Overdue);
                Err(Cause::Lost(overdue()))
            }
            Err(cause) => Err(cause),
        }
    }
}
