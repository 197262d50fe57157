//! Where a server listens, and how people write that down.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use super::text::shown;

/// A host and a port. The host is a name, an IPv4 or an IPv6 address without brackets.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// Name or address as it was given; resolved anew at each dial.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// Where a single node is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Over TCP, with TLS or without.
    Tcp(Address),
    /// Through a unix socket.
    Unix(PathBuf),
}

impl Address {
    /// An address of two known parts.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port }
    }

    /// Two spellings of the same place: host names do not care about case.
    pub fn same_as(&self, other: &Self) -> bool {
        self.port == other.port && self.host.eq_ignore_ascii_case(&other.host)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

/// A written address whose port may be missing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HostPort {
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// The last group of a bare IPv6 address could have been meant as a port.
    pub(super) doubtful: bool,
}

impl HostPort {
    /// Reads `host`, `host:port`, `:port`, `[v6]:port` or a bare IPv6 address. The error says
    /// what the text "has" or "is" and what to write, for a sentence that begins with the text.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Some(inside) = text.strip_prefix('[') {
            let (host, after) = inside
                .split_once(']')
                .ok_or("has a bracket that is not closed; write [::1]:26379")?;
            let host =
                ipv6(host).ok_or("has no IPv6 address in its brackets; write [::1]:26379")?;
            let port = match after.strip_prefix(':') {
                Some(digits) => port(digits)?,
                None if after.is_empty() => None,
                None => return Err("has text behind its bracket; write [::1]:26379".to_owned()),
            };
            return Ok(Self { host, port, doubtful: false });
        }
        if text.matches(':').count() >= 2 {
            let host = ipv6(text).ok_or(
                "has more than one colon and is no IPv6 address; write host:port, or [v6]:port",
            )?;
            let last = text.rsplit(':').next().unwrap_or_default();
            let doubtful = last.len() == 4 && last.bytes().all(|b| b.is_ascii_digit());
            return Ok(Self { host, port: None, doubtful });
        }
        let (host, digits) = text.split_once(':').unwrap_or((text, ""));
        let port = port(digits)?;
        if host.is_empty() {
            // As in Go's dialler, from which configuration files with `:26379` come.
            let port = port.ok_or("is empty; write host:port")?;
            return Ok(Self { host: "127.0.0.1".to_owned(), port: Some(port), doubtful: false });
        }
        Ok(Self { host: host_name(host)?, port, doubtful: false })
    }

    pub(super) fn or_port(self, default: u16) -> Address {
        Address { port: self.port.unwrap_or(default), host: self.host }
    }
}

/// Reads the digits behind a colon; none is no port.
pub(super) fn port(digits: &str) -> Result<Option<u16>, String> {
    if digits.is_empty() {
        return Ok(None);
    }
    let number = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u16>().ok());
    match number.flatten() {
        Some(port @ 1..) => Ok(Some(port)),
        _ => Err("has a port that is no number from 1 to 65535; write host:port".to_owned()),
    }
}

/// Host names with underscores exist (Compose services), so only what would change the
/// meaning of the text around it is refused.
fn host_name(host: &str) -> Result<String, String> {
    let bad = host.chars().find(|c| !(c.is_alphanumeric() || matches!(c, '-' | '.' | '_')));
    if let Some(c) = bad {
        return Err(format!("has {} in its host name; write host:port", shown(&c.to_string())));
    }
    if host.len() > 255 {
        return Err("has a host name of more than 255 bytes; write host:port".to_owned());
    }
    Ok(host.to_owned())
}

/// An IPv6 address in its shortest spelling, its zone kept (`%25` is the URL form of `%`).
fn ipv6(text: &str) -> Option<String> {
    let (address, zone) = match text.split_once('%') {
        Some((address, zone)) => {
            let decoded = zone.strip_prefix("25").filter(|zone| !zone.is_empty());
            (address, Some(decoded.unwrap_or(zone)))
        }
        None => (text, None),
    };
    let address: Ipv6Addr = address.parse().ok()?;
    match zone {
        None => Some(address.to_string()),
        Some(zone) => {
            let sound = !zone.is_empty()
                && zone.len() <= 64
                && zone.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
            sound.then(|| format!("{address}%{zone}"))
        }
    }
}

/// Whether a host is written as an address rather than as a name.
pub(super) fn is_ip(host: &str) -> bool {
    host.contains(':') || host.parse::<Ipv4Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        match HostPort::parse(text) {
            Ok(at) => at.or_port(1).to_string(),
            Err(why) => why,
        }
    }

    #[test]
    fn written_forms() {
        assert_eq!(parsed(":26379"), "127.0.0.1:26379");
        assert_eq!(parsed("redis_01:"), "redis_01:1");
        assert_eq!(parsed("::1"), "[::1]:1");
        assert_eq!(parsed("[0:0:0:0:0:0:0:1]:7"), "[::1]:7");
        assert_eq!(parsed("[fe80::1%25eth0]:7"), "[fe80::1%eth0]:7");
        assert!(parsed("::1:26379").contains("write host:port, or [v6]:port"));
        assert!(parsed("[::1]7").contains("behind its bracket"));
        assert!(parsed(":").contains("is empty"));
    }

    #[test]
    fn an_address_that_ends_like_a_port_is_doubtful() {
        assert!(HostPort::parse("::1:6379").is_ok_and(|at| at.doubtful));
        assert!(HostPort::parse("::1").is_ok_and(|at| !at.doubtful));
    }
}
