//! A single node, put together from host, port and path.

use super::address::{Endpoint, HostPort};
use super::list;
use super::options::Spec;
use super::options::place::{HOST, NODE_PORT, PATH, PORT, SENTINEL_NODE_PORT};
use super::origin::Origin;
use super::place::Place;
use super::settings::{Chosen, Settings};
use super::target::Target;
use crate::{Error, Result};

/// The node that the first in rank names.
pub(super) fn node(settings: &mut Settings) -> Result<Place> {
    let first = |spec| settings.about(spec).map(|setting| setting.rank).min();
    let (host, path) = (first(&HOST), first(&PATH));
    if host.is_some() && host == path {
        return Err(Error::config("both host and path are given; keep one of them"));
    }
    let by_path = path.is_some_and(|path| host.is_none_or(|host| path < host));
    if by_path && let Some(chosen) = settings.choose(&PATH)? {
        return Ok(socket(chosen));
    }
    match settings.choose(&HOST)? {
        Some(chosen) => tcp(chosen, settings),
        None => Err(Error::config("no host is given; write host or url")),
    }
}

fn socket(path: Chosen) -> Place {
    Place {
        target: Target::Node(Endpoint::Unix(path.value.text().unwrap_or_default().into())),
        origins: vec![(&PATH, vec![path.origin])],
    }
}

fn tcp(host: Chosen, settings: &mut Settings) -> Result<Place> {
    let written = host.value.clone().text().unwrap_or_default();
    if written.starts_with('/') {
        return Ok(socket(host));
    }
    let refuse =
        |why: String| Err(Error::config(format!("{} {why}", host.origin.subject(HOST.name))));
    if written.contains("://") || written.contains('@') {
        return refuse("holds a URL; give it as url or REDIS_URL".to_owned());
    }
    if list::split(&written).nth(1).is_some() {
        return refuse(
            "names several hosts; give them as sentinels or REDIS_SENTINEL_LIST".to_owned(),
        );
    }
    let at = match HostPort::parse(&written) {
        Ok(at) => at,
        Err(why) => return refuse(format!("has {}, which {why}", list::masked(&written))),
    };
    let mut origins: Vec<(&'static Spec, Vec<Origin>)> = vec![(&HOST, vec![host.origin.clone()])];
    let port = match settings.choose(&PORT)?.filter(|port| port.rank <= host.rank) {
        Some(chosen) => {
            let port = chosen.value.whole().and_then(|port| port.try_into().ok());
            if chosen.rank == host.rank && at.port.is_some() && at.port != port {
                return Err(Error::config(format!(
                    "{} and {} give two different ports; keep one of them",
                    host.origin, chosen.origin
                )));
            }
            origins.push((&PORT, vec![chosen.origin]));
            port
        }
        None => {
            origins.extend(at.port.map(|_| (&PORT, vec![host.origin.clone()])));
            at.port
        }
    };
    let address = HostPort { port, ..at }.or_port(NODE_PORT);
    if address.port == SENTINEL_NODE_PORT {
        settings.warn(format!(
            "{} leads to port 26379, where Sentinels listen, as if to a single node; \
             name Sentinels in sentinels or REDIS_SENTINEL_LIST",
            host.origin
        ));
    }
    Ok(Place { target: Target::Node(Endpoint::Tcp(address)), origins })
}
