//! URLs of a single node: `redis://host:port/db`, unix sockets, and bare addresses.

use super::parts::{Parts, Piece};
use super::query;
use super::scheme::Scheme;
use crate::config::address::{HostPort, is_ip};
use crate::config::foreign::VERIFIED;
use crate::config::list::{split, without_password};
use crate::config::options::access::DB;
use crate::config::options::place::{HOST, PATH, PORT, PRIMARY_NAME};
use crate::config::options::tls::TLS;
use crate::config::text::{percent_decoded, shown};
use crate::config::userinfo;

/// `redis://[[user]:password@]host[:port][/db][?option=value]`.
pub(super) fn tcp(parts: &mut Parts, scheme: Scheme, rest: &str) -> Result<(), String> {
    if scheme.tls {
        parts.add(&TLS, true)?;
    }
    let piece = Piece::split(rest)?;
    refuse_fragment(piece.fragment)?;
    let (info, place) = userinfo::split(piece.authority);
    if split(place).nth(1).is_some() {
        return Err(several_hosts(scheme, info.is_some(), place, piece.path));
    }
    if let Some(info) = info {
        parts.add_credentials(userinfo::parse(info)?)?;
    }
    let at = HostPort::parse(place)
        .map_err(|why| format!("has the host {}, which {why}", shown(&without_password(place))))?;
    if at.doubtful {
        parts.add_oddity("has an IPv6 address that ends like a port; write [v6]:port");
    }
    parts.add(&HOST, at.host)?;
    if let Some(port) = at.port {
        parts.add(&PORT, port)?;
    }
    read_query(parts, piece.query)?;
    match piece.path.strip_suffix('/').unwrap_or(piece.path) {
        _ if parts.get(&DB).is_some() => Ok(()),
        "" => Ok(()),
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => parts.add(&DB, digits),
        path => Err(format!(
            "has the path {}, which is no database number; write /0, \
             or redis-sentinel:// if the path names the primary",
            shown(path)
        )),
    }
}

/// `unix://[[user]:password@]/path[?db=1]`.
pub(super) fn socket(parts: &mut Parts, rest: &str) -> Result<(), String> {
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = match before.find('/') {
        Some(slash) => before.split_at(slash),
        None => (before, ""),
    };
    let (info, place) = userinfo::split(authority);
    if !place.is_empty() || path.len() < 2 {
        return Err("has no absolute path; write unix:///path/to/redis.sock".to_owned());
    }
    if let Some(info) = info {
        parts.add_credentials(userinfo::parse(info)?)?;
    }
    if let Some((_, fragment)) = query.split_once('#') {
        refuse_fragment(fragment)?;
    }
    let path = percent_decoded(path)
        .text()
        .ok_or("has a path that is not UTF-8; write it percent-encoded")?;
    parts.add(&PATH, path)?;
    read_query(parts, query)
}

/// `host`, `host:port`, `:port`, `/path/to/socket`, `unix:/path/to/socket`.
pub(super) fn bare(parts: &mut Parts, text: &str) -> Result<(), String> {
    if let Some(path) = text.strip_prefix("unix:").or(text.starts_with('/').then_some(text)) {
        return socket(parts, path);
    }
    if text.contains('@') {
        return Err("has a user or password without a scheme; write \
                    redis://user:password@host:port"
            .to_owned());
    }
    if split(text).nth(1).is_some() {
        return Err("names several hosts; write redis-sentinel://host:port,host:port/name \
                    if they are Sentinels"
            .to_owned());
    }
    let redis = Scheme { name: "redis", family: super::Family::Node, tls: false };
    tcp(parts, redis, text)
}

fn read_query(parts: &mut Parts, text: &str) -> Result<(), String> {
    let mut nodes = false;
    query::read(parts, text, |_| nodes = true)?;
    if nodes || parts.get(&PRIMARY_NAME).is_some() {
        return Err("names Sentinels or a primary, and a single node; \
                    write redis-sentinel:// instead of its scheme"
            .to_owned());
    }
    Ok(())
}

fn refuse_fragment(fragment: &str) -> Result<(), String> {
    match fragment {
        "" => Ok(()),
        "insecure" => Err(VERIFIED.to_owned()),
        _ => Err("has a # part; write # as %23 in a password, \
                  or redis-sentinel:// if it names the primary"
            .to_owned()),
    }
}

/// Several hosts behind `redis://`: Sentinels, sometimes with the primary's name among them.
fn several_hosts(scheme: Scheme, userinfo: bool, place: &str, path: &str) -> String {
    let hosts: Vec<&str> = split(place).collect();
    let sound = hosts.iter().all(|host| HostPort::parse(host).is_ok());
    let digits = path.bytes().all(|b| b.is_ascii_digit());
    if !sound || !digits {
        return "names several hosts; write redis-sentinel://host:port,host:port/name".to_owned();
    }
    let (name, hosts) = match hosts.split_first() {
        Some((name, rest)) if !name.contains(':') && !is_ip(name) => (*name, rest),
        _ => ("name", hosts.as_slice()),
    };
    let scheme = if scheme.tls { "rediss-sentinel" } else { "redis-sentinel" };
    let userinfo = if userinfo { "***@" } else { "" };
    let path = if path.is_empty() { String::new() } else { format!("/{path}") };
    let right = format!("{scheme}://{userinfo}{}/{name}{path}", hosts.join(","));
    format!("names several hosts; write {}", shown(&right))
}
