//! Whether all servers of the lab see one another as they should.

use std::collections::HashMap;
use std::net::SocketAddr;

use redis::Value;

use super::deployment::Lab;
use super::error::{Doing, Error, Result};
use super::process::State;
use super::server::Server;
use super::wait::hold;

/// One entry of a Sentinel's list: field by field.
type Entry = HashMap<String, String>;

impl Lab {
    /// Whether every running replica is linked to the primary and has all its data.
    pub(crate) async fn in_sync(&self) -> Result<()> {
        let primary = self.primary();
        // Something to send: after the first copy a primary may keep everything back until the
        // replica has said how far it is, up to a second, and both look complete meanwhile.
        let _: u64 = primary.control.ask(&["PUBLISH", "lab", "in sync?"]).await?;
        let (_, end, _): (Value, u64, Value) = primary.control.ask(&["ROLE"]).await?;
        for replica in self.running_replicas() {
            let reply: Value = replica.control.ask(&["ROLE"]).await?;
            let name = replica.name();
            let Ok((_, ip, port, link, offset)) =
                redis::from_redis_value::<(Value, String, u16, String, i64)>(reply)
            else {
                return Err(Error::new(format!("{name} is not a replica")));
            };
            let followed = format!("{ip}:{port}");
            hold(followed == primary.place.announced().to_string(), || {
                format!("{name} follows {followed} instead of {}", primary.name())
            })?;
            hold(link == "connected", || format!("{name} has no link to its primary ({link})"))?;
            hold(offset >= end as i64, || format!("{name} is at offset {offset} of {end}"))?;
        }
        Ok(())
    }

    /// Whether every running Sentinel sees the primary, all running replicas and all running
    /// Sentinels, and sees them well.
    pub(crate) async fn agreed(&self) -> Result<()> {
        for sentinel in running(&self.sentinels) {
            self.sees_nodes(sentinel).await?;
            self.sees_sentinels(sentinel).await?;
        }
        Ok(())
    }

    async fn sees_nodes(&self, sentinel: &Server) -> Result<()> {
        let primary = self.primary();
        let seen: Entry =
            sentinel.control.ask(&["SENTINEL", "MASTER", &self.options().primary_name]).await?;
        hold(address(&seen)? == primary.place.announced(), || {
            format!("{} does not name {} as the primary", sentinel.name(), primary.name())
        })?;
        sees_well(sentinel, primary, &seen, "master")?;
        let list = self.list(sentinel, "REPLICAS").await?;
        for replica in self.running_replicas() {
            let seen = find(&list, sentinel, replica)?;
            sees_well(sentinel, replica, seen, "slave")?;
            let link = seen.get("master-link-status").map_or("", String::as_str);
            hold(link == "ok", || {
                format!("{} has not heard that {} has a link", sentinel.name(), replica.name())
            })?;
        }
        Ok(())
    }

    async fn sees_sentinels(&self, sentinel: &Server) -> Result<()> {
        let list = self.list(sentinel, "SENTINELS").await?;
        for other in running(&self.sentinels).filter(|other| other.name() != sentinel.name()) {
            sees_well(sentinel, other, find(&list, sentinel, other)?, "sentinel")?;
        }
        Ok(())
    }

    async fn list(&self, sentinel: &Server, what: &str) -> Result<Vec<Entry>> {
        sentinel.control.ask(&["SENTINEL", what, &self.options().primary_name]).await
    }

    fn running_replicas(&self) -> impl Iterator<Item = &Server> {
        let primary = self.primary().name();
        running(&self.nodes).filter(move |node| node.name() != primary)
    }
}

fn running(servers: &[std::sync::Arc<Server>]) -> impl Iterator<Item = &Server> {
    servers.iter().map(|server| &**server).filter(|server| server.process.state() == State::Running)
}

fn find<'a>(list: &'a [Entry], sentinel: &Server, server: &Server) -> Result<&'a Entry> {
    let announced = server.place.announced();
    list.iter()
        .find(|entry| address(entry).is_ok_and(|address| address == announced))
        .ok_or_else(|| Error::new(format!("{} does not know {}", sentinel.name(), server.name())))
}

/// Anything besides the expected flag is trouble: s_down, o_down, disconnected.
fn sees_well(sentinel: &Server, server: &Server, seen: &Entry, expected: &str) -> Result<()> {
    let flags = seen.get("flags").map_or("", String::as_str);
    hold(flags == expected, || format!("{} sees {} as {flags}", sentinel.name(), server.name()))
}

fn address(entry: &Entry) -> Result<SocketAddr> {
    let field = |name| entry.get(name).map_or("", String::as_str);
    let address = format!("{}:{}", field("ip"), field("port"));
    address.parse().doing(format_args!("understand the address {address:?} of a Sentinel"))
}
