//! Where the name of a single node leads: it may come to lead to another machine while the one
//! before goes on answering.

use super::role::Asker;
use super::watch::Input;
use crate::config::{Address, Config, Target};
use crate::proto::handshake::Role;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::lookup_host;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{sleep, timeout};

/// Between two looks at where the name leads.
const EVERY: Duration = Duration::from_secs(5);
/// How long a look may take, and how long the machine that was found may take to prove itself.
const PATIENCE: Duration = Duration::from_millis(500);

/// Where the name led when the node proved itself.
#[derive(Debug, Default)]
pub(super) struct Home(Vec<SocketAddr>);

impl Home {
    /// Whether the name leads to another machine. One with several addresses has moved once none
    /// of them is left: which one is in use is not known here, and some resolvers show a different
    /// few each time.
    pub(super) fn is_left(&self, found: &[SocketAddr]) -> bool {
        let known = !self.0.is_empty() && !found.is_empty();
        known && !found.iter().any(|address| self.0.contains(address))
    }

    /// The node has proved itself: where its name was just found to lead or, if nothing was found
    /// in time and nothing is known yet, where it was met. Whether that is another machine than
    /// before.
    pub(super) fn settle(&mut self, mut found: Vec<SocketAddr>, met: Option<SocketAddr>) -> bool {
        if found.is_empty() && self.0.is_empty() {
            found.extend(met);
        }
        let moved = self.is_left(&found);
        if moved || self.0.is_empty() {
            self.0 = found;
        }
        moved
    }
}

/// The name of a single node; a Sentinel's word, an IP address or a unix socket leads nowhere else.
fn name(config: &Config) -> Option<Address> {
    let Target::Node(endpoint) = &config.target else { return None };
    let address = config.address_map.reachable(&super::address(endpoint));
    let moves = address.port != 0 && address.host.parse::<IpAddr>().is_err();
    moves.then_some(address)
}

/// Where the single node's name leads now; nothing if it has none, or cannot be resolved.
pub(super) async fn find(config: &Config) -> Vec<SocketAddr> {
    let Some(name) = name(config) else { return Vec::new() };
    match timeout(PATIENCE, lookup_host((name.host, name.port))).await {
        Ok(Ok(found)) => found.collect(),
        _ => Vec::new(),
    }
}

/// The machine that the single node's name led to when it was connected to.
pub(super) fn met(config: &Config, asker: &Asker) -> Option<SocketAddr> {
    name(config).and(asker.peer)
}

/// Tells again and again where the single node's name leads.
pub(super) async fn look(config: Arc<Config>, events: UnboundedSender<Input>) {
    while name(&config).is_some() {
        sleep(EVERY).await;
        let _ = events.send(Input::Found(find(&config).await));
    }
}

/// Lets the machine that the name leads to now prove itself. Until it does, the one before remains
/// in use.
pub(super) async fn prove(config: Arc<Config>, node: Address, events: UnboundedSender<Input>) {
    let found = find(&config).await;
    if let Ok((asker, role @ Role::Primary)) = Asker::connect(&config, &node, PATIENCE).await {
        let met = met(&config, &asker);
        let _ = events.send(Input::Proof { node, role: Ok(role), found, met });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hosts: &[u8]) -> Vec<SocketAddr> {
        hosts.iter().map(|&host| ([127, 0, 0, host], 6379).into()).collect()
    }

    #[test]
    fn a_name_has_moved_once_no_address_is_left() {
        let mut home = Home::default();
        assert!(!home.settle(at(&[1, 2]), None), "the first is no other");
        assert!(!home.settle(at(&[2, 1]), None));
        assert!(!home.settle(at(&[2, 3]), None));
        assert!(!home.settle(at(&[]), None), "what cannot be resolved has not moved");
        assert!(home.settle(at(&[3, 4]), None), "1 or 2 was in use");
        assert!(!home.is_left(&at(&[4])));
        assert!(home.is_left(&at(&[1])));
    }

    #[test]
    fn a_name_that_could_not_be_looked_up_led_where_the_node_was_met() {
        let mut home = Home::default();
        assert!(!home.settle(at(&[]), at(&[1]).pop()));
        assert!(!home.is_left(&at(&[1])));
        assert!(home.is_left(&at(&[2])));
        assert!(!home.settle(at(&[]), at(&[2]).pop()), "it may have more than one address");
    }
}
