//! From the address a Sentinel announces to the one that is reachable from here.

use super::address::{Address, HostPort};
use super::json;
use super::list;
use super::value::OptionValue;

/// Announced address → reachable address, for containers and NAT.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressMap {
    rules: Vec<Rule>,
}

/// Half an address: without a port it stands for every port.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    host: String,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    announced: Place,
    reachable: Place,
}

impl AddressMap {
    /// The address to dial for an announced one. A rule for host and port goes before a rule
    /// for the host alone; an address without a rule is its own.
    pub fn reachable(&self, announced: &Address) -> Address {
        let of_host = |rule: &&Rule| rule.announced.host.eq_ignore_ascii_case(&announced.host);
        let with_port = |rule: &&Rule| rule.announced.port == Some(announced.port);
        let rule = (self.rules.iter().filter(of_host).find(with_port))
            .or_else(|| self.rules.iter().filter(of_host).find(|r| r.announced.port.is_none()));
        match rule {
            Some(Rule { reachable, .. }) => {
                Address::new(&reachable.host, reachable.port.unwrap_or(announced.port))
            }
            None => announced.clone(),
        }
    }

    /// There are no rules.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Reads a map of addresses, a list of `a=b`, or text with either in writing.
    pub(super) fn read(value: &OptionValue) -> Result<Self, String> {
        let mut map = Self::default();
        map.add(value)?;
        Ok(map)
    }

    fn add(&mut self, value: &OptionValue) -> Result<(), String> {
        match value {
            OptionValue::Map(entries) => {
                entries.iter().try_for_each(|(from, to)| self.add_rule(from, to))
            }
            OptionValue::List(items) => items.iter().try_for_each(|item| match item {
                OptionValue::List(_) => Err(usage("a list inside a list")),
                item => self.add(item),
            }),
            OptionValue::Text(text) if text.trim_start().starts_with('{') => {
                let map = json::parse(text).map_err(|why| format!("is broken JSON: {why}"))?;
                self.add(&map)
            }
            OptionValue::Text(text) => list::split(text).try_for_each(|pair| {
                let (from, to) = pair.split_once('=').ok_or_else(|| usage(&list::masked(pair)))?;
                self.add_rule(from, &OptionValue::from(to))
            }),
            other => Err(usage(other.type_name())),
        }
    }

    fn add_rule(&mut self, from: &str, to: &OptionValue) -> Result<(), String> {
        let announced = place(from)?;
        let reachable = match to {
            OptionValue::Text(text) => place(text)?,
            OptionValue::Map(_) | OptionValue::List(_) => {
                let (host, port) = list::host_and_port(to)?;
                Place { port: port.or(place(&host)?.port), ..place(&host)? }
            }
            other => return Err(usage(other.type_name())),
        };
        self.rules.push(Rule { announced, reachable });
        Ok(())
    }

    pub(super) fn to_value(&self) -> OptionValue {
        if self.is_empty() {
            return OptionValue::Null;
        }
        let pairs = self.rules.iter().map(|rule| {
            (rule.announced.to_string(), OptionValue::Text(rule.reachable.to_string()))
        });
        OptionValue::Map(pairs.collect())
    }
}

fn usage(got: &str) -> String {
    format!("has {got} for a pair; write announced=reachable, such as 10.0.0.1:6379=localhost:7001")
}

fn place(text: &str) -> Result<Place, String> {
    let parsed = HostPort::parse(text.trim())
        .map_err(|why| format!("has the address {}, which {why}", list::masked(text)))?;
    Ok(Place { host: parsed.host, port: parsed.port })
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.port {
            Some(port) => Address::new(&self.host, port).fmt(f),
            None => f.write_str(&self.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrower_rule_wins() {
        let text = "10.0.0.1=gate, 10.0.0.1:6379=localhost:7001;[fe80::1]:1=[::1]:2";
        let map = AddressMap::read(&text.into()).unwrap();
        let to = |host: &str, port| map.reachable(&Address::new(host, port)).to_string();
        assert_eq!(to("10.0.0.1", 6379), "localhost:7001");
        assert_eq!(to("10.0.0.1", 6380), "gate:6380");
        assert_eq!(to("10.0.0.2", 6379), "10.0.0.2:6379");
        assert_eq!(to("fe80::1", 1), "[::1]:2");
    }

    #[test]
    fn maps_of_ioredis_and_json_text_are_read() {
        let json = r#"{"10.0.0.1:6379": {"host": "gate", "port": 7001}}"#;
        let map = AddressMap::read(&json.into()).unwrap();
        assert_eq!(map.reachable(&Address::new("10.0.0.1", 6379)), Address::new("gate", 7001));
    }
}
