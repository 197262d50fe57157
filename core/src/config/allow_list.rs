//! Which addresses a Sentinel may name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::address::{Address, HostPort};
use super::list;
use super::value::OptionValue;

/// Hosts that may be connected to when a Sentinel names them; empty allows all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    written: String,
    rule: Rule,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    /// The parts between the stars of a pattern, in lower case.
    Pattern(Vec<String>),
    Network {
        address: IpAddr,
        bits: u32,
    },
    Host {
        host: String,
        port: Option<u16>,
    },
}

impl AllowList {
    /// Whether the address may be connected to.
    pub fn allows(&self, address: &Address) -> bool {
        self.entries.is_empty() || self.entries.iter().any(|entry| entry.rule.matches(address))
    }

    /// Reads a list of hosts, patterns and networks, or text with them.
    pub(super) fn read(value: &OptionValue) -> Result<Self, String> {
        let texts: Vec<&str> = match value {
            OptionValue::Text(text) => list::split(text).collect(),
            OptionValue::List(items) => items
                .iter()
                .map(|item| match item {
                    OptionValue::Text(text) => Ok(text.trim()),
                    other => Err(format!("has {} in its list; write text", other.type_name())),
                })
                .collect::<Result<_, _>>()?,
            other => return Err(format!("is {}; write a list of hosts", other.type_name())),
        };
        let entries = texts.into_iter().map(|text| {
            let rule = Rule::parse(text)
                .map_err(|why| format!("has the entry {}, which {why}", list::masked(text)))?;
            Ok(Entry { written: text.to_owned(), rule })
        });
        Ok(Self { entries: entries.collect::<Result<_, String>>()? })
    }

    pub(super) fn to_value(&self) -> OptionValue {
        if self.entries.is_empty() {
            return OptionValue::Null;
        }
        self.entries.iter().map(|entry| entry.written.clone()).collect::<Vec<_>>().into()
    }
}

impl Rule {
    fn parse(text: &str) -> Result<Self, String> {
        if let Some((address, bits)) = text.split_once('/') {
            let advice = "is no network; write 10.0.0.0/8";
            let address: IpAddr = address.parse().map_err(|_| advice)?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.parse().ok().filter(|bits| *bits <= most).ok_or(advice)?;
            return Ok(Self::Network { address, bits });
        }
        if text.contains('*') {
            return Ok(Self::Pattern(text.to_lowercase().split('*').map(str::to_owned).collect()));
        }
        let HostPort { host, port, .. } = HostPort::parse(text)?;
        Ok(Self::Host { host, port })
    }

    fn matches(&self, address: &Address) -> bool {
        match self {
            Self::Host { host, port } => {
                host.eq_ignore_ascii_case(&address.host)
                    && port.is_none_or(|port| port == address.port)
            }
            Self::Pattern(parts) => matches_pattern(parts, &address.host.to_lowercase()),
            Self::Network { address: network, bits } => {
                let host = address.host.parse::<IpAddr>();
                host.is_ok_and(|host| leading_bits(host, *bits) == leading_bits(*network, *bits))
            }
        }
    }
}

fn matches_pattern(parts: &[String], host: &str) -> bool {
    let [first, middle @ .., last] = parts else {
        return false;
    };
    let Some(mut rest) = host.strip_prefix(first.as_str()) else {
        return false;
    };
    for part in middle {
        match rest.split_once(part.as_str()) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last.as_str())
}

/// The network part of an address, with its family.
fn leading_bits(address: IpAddr, bits: u32) -> (bool, u128) {
    let shifted = |value: u128, width: u32| value.checked_shr(width - bits).unwrap_or(0);
    match address {
        IpAddr::V4(v4) => (false, shifted(Ipv4Addr::to_bits(v4).into(), Ipv4Addr::BITS)),
        IpAddr::V6(v6) => (true, shifted(Ipv6Addr::to_bits(v6), Ipv6Addr::BITS)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_patterns_and_networks() {
        let text = "redis-1:6379, *.redis.internal, 10.1.0.0/16, fd00::/8, a*b*c";
        let list = AllowList::read(&text.into()).unwrap();
        let allows = |host: &str| list.allows(&Address::new(host, 6379));
        for host in ["redis-1", "A.Redis.Internal", "10.1.2.3", "fd12::1", "axxbyyc", "abc"] {
            assert!(allows(host), "{host}");
        }
        for host in ["redis-2", "redis.internal", "10.2.0.1", "fe80::1", "acb", "::ffff:10.1.2.3"] {
            assert!(!allows(host), "{host}");
        }
        assert!(!list.allows(&Address::new("redis-1", 6380)));
    }

    #[test]
    fn empty_allows_all_and_zero_bits_the_whole_family() {
        let all = AllowList::default();
        assert!(all.allows(&Address::new("anything", 1)));
        let v4 = AllowList::read(&"0.0.0.0/0".into()).unwrap();
        assert!(v4.allows(&Address::new("9.9.9.9", 1)) && !v4.allows(&Address::new("::1", 1)));
    }

    #[test]
    fn a_network_needs_sound_bits() {
        assert!(AllowList::read(&"10.0.0.0/33".into()).is_err());
        assert!(AllowList::read(&"host/8".into()).is_err());
    }
}
