//! Lists of Sentinel addresses, in every way people write them.

use super::address::HostPort;
use super::json;
use super::options::place::SENTINELS;
use super::secret::{Credentials, Secret};
use super::settings::Setting;
use super::suggest::plain;
use super::target::Seed;
use super::text::{shown, unquoted};
use super::userinfo;
use super::value::OptionValue;
use crate::Result;

/// Schemes that an item of a list may carry, and whether they mean TLS.
const SCHEMES: [(&str, bool); 9] = [
    ("redis", false),
    ("rediss", true),
    ("valkey", false),
    ("valkeys", true),
    ("sentinel", false),
    ("redis-sentinel", false),
    ("rediss-sentinel", true),
    ("tcp", false),
    ("tls", true),
];

/// The items of a text between commas, semicolons and blanks, each without its quotes.
pub(super) fn split(text: &str) -> impl Iterator<Item = &str> {
    unquoted(text)
        .split(|c: char| matches!(c, ',' | ';') || c.is_whitespace())
        .map(unquoted)
        .filter(|item| !item.is_empty())
}

/// The Sentinels that one source names, with `port` for those without one.
pub(super) fn seeds(setting: &Setting, port: u16, warnings: &mut Vec<String>) -> Result<Vec<Seed>> {
    let mut reader = Reader { setting, port, warnings, seeds: Vec::new() };
    match &setting.value {
        OptionValue::List(items) => reader.items(items)?,
        OptionValue::Text(text) => reader.text(text)?,
        map @ OptionValue::Map(_) => reader.items(std::slice::from_ref(map))?,
        other => {
            let why = format!("is {}; write {}", other.type_name(), SENTINELS.kind.expected());
            return Err(setting.error(&why));
        }
    }
    if reader.seeds.is_empty() {
        return Err(setting.error("names no Sentinel; write host:port,host:port"));
    }
    Ok(reader.seeds)
}

struct Reader<'a> {
    setting: &'a Setting,
    port: u16,
    warnings: &'a mut Vec<String>,
    seeds: Vec<Seed>,
}

impl Reader<'_> {
    fn text(&mut self, text: &str) -> Result<()> {
        if is_json(text) {
            return match json::parse(unquoted(text)) {
                Ok(OptionValue::List(items)) => self.items(&items),
                Ok(value) => self.items(&[value]),
                Err(why) => Err(self.setting.error(&format!(
                    "looks like JSON and is broken: {why}; write host:port,host:port"
                ))),
            };
        }
        // Before anything is shown: what stands before such an @ can be half a password.
        if let Some(position) =
            split(text).position(|item| item.contains('@') && !item.contains("://"))
        {
            return Err(self.setting.error(&format!(
                "has a user or password without a scheme at item {}; write \
                 redis://:password@host:port with commas, semicolons and blanks percent-encoded, \
                 and give the primary's name in primary_name",
                position + 1
            )));
        }
        split(text).enumerate().try_for_each(|(index, item)| self.item(index, item))
    }

    fn items(&mut self, items: &[OptionValue]) -> Result<()> {
        for (index, value) in items.iter().enumerate() {
            match value {
                OptionValue::Text(text) => self.item(index, unquoted(text))?,
                OptionValue::List(_) | OptionValue::Map(_) => {
                    let seed = self.structured(value).map_err(|why| {
                        self.setting.error(&format!("has an item {} that {why}", index + 1))
                    })?;
                    self.seeds.push(seed);
                }
                other => {
                    return Err(self.setting.error(&format!(
                        "has {} as item {}; write host:port",
                        other.type_name(),
                        index + 1
                    )));
                }
            }
        }
        Ok(())
    }

    fn item(&mut self, index: usize, text: &str) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let seed = self.parse(text).map_err(|why| {
            self.setting.error(&format!("has item {} {}, which {why}", index + 1, masked(text)))
        })?;
        self.seeds.push(seed);
        Ok(())
    }

    fn parse(&mut self, text: &str) -> Result<Seed, String> {
        let (tls, rest) = match text.split_once("://") {
            None => (None, text),
            Some((scheme, rest)) => {
                let known = SCHEMES.iter().find(|(name, _)| scheme.eq_ignore_ascii_case(name));
                let (_, tls) = known.ok_or("has an unknown scheme; write host:port")?;
                (tls.then_some(true), rest)
            }
        };
        let (userinfo, rest) = userinfo::split(rest);
        let place = rest.strip_suffix('/').unwrap_or(rest);
        if place.contains(['/', '?', '#']) {
            return Err("has a path or more behind its port; write host:port".to_owned());
        }
        let at = HostPort::parse(place)?;
        if at.doubtful {
            self.warnings.push(format!(
                "{} has {}, which is read as an IPv6 address without a port; write [v6]:port",
                self.setting.origin,
                shown(place)
            ));
        }
        let mut credentials = None;
        if let Some(text) = userinfo {
            let info = userinfo::parse(text)?;
            credentials = Some(info.credentials).filter(|found| found.password.is_some());
            let origin = &self.setting.origin;
            self.warnings.extend(info.oddities.iter().map(|odd| format!("{origin} {odd}")));
        }
        Ok(Seed { address: at.or_port(self.port), credentials, tls })
    }

    /// `[host, port]` as redis-py has it, or `{host, port, …}` as ioredis has it.
    fn structured(&mut self, value: &OptionValue) -> Result<Seed, String> {
        let (host, port) = host_and_port(value)?;
        let at = HostPort::parse(&host)
            .map_err(|why| format!("has the host {}, which {why}", masked(&host)))?;
        let mut seed = Seed::new(at.or_port(port.unwrap_or(self.port)));
        let OptionValue::Map(entries) = value else {
            return Ok(seed);
        };
        let mut credentials = Credentials::default();
        for (name, value) in entries {
            match (plain(name).as_str(), value) {
                (_, OptionValue::Null) => {}
                ("username" | "user", OptionValue::Text(text)) => {
                    credentials.username = Some(text.clone()).filter(|text| !text.is_empty());
                }
                ("password" | "pass", OptionValue::Text(text)) => {
                    credentials.password = (!text.is_empty()).then(|| Secret::new(text.as_bytes()));
                }
                ("password" | "pass", OptionValue::Secret(secret)) => {
                    credentials.password = Some(secret.clone());
                }
                ("tls" | "ssl", OptionValue::Bool(tls)) => seed.tls = Some(*tls),
                ("host" | "hostname" | "ip" | "port", _) => {}
                _ => {
                    return Err(format!(
                        "has an odd {}; write host, port, username, password and tls",
                        shown(name)
                    ));
                }
            }
        }
        seed.credentials = Some(credentials).filter(|found| found.password.is_some());
        Ok(seed)
    }
}

/// The two parts of `[host, port]` or `{host, port}`.
pub(super) fn host_and_port(value: &OptionValue) -> Result<(String, Option<u16>), String> {
    let (host, port) = match value {
        OptionValue::List(parts) => match parts.as_slice() {
            [host] => (Some(host), None),
            [host, port] => (Some(host), Some(port)),
            _ => return Err("is a list of other than two; write [\"host\", port]".to_owned()),
        },
        OptionValue::Map(entries) => {
            let find = |names: &[&str]| {
                let named = entries.iter().find(|(name, _)| names.contains(&plain(name).as_str()));
                named.map(|(_, value)| value)
            };
            (find(&["host", "hostname", "ip"]), find(&["port"]))
        }
        _ => (None, None),
    };
    let Some(OptionValue::Text(host)) = host else {
        return Err("has no host; write host and port".to_owned());
    };
    let port = match port {
        None | Some(OptionValue::Null) => None,
        Some(OptionValue::Text(digits)) => super::address::port(digits.trim())?,
        Some(number) => match number.whole().and_then(|n| u16::try_from(n).ok()) {
            Some(port @ 1..) => Some(port),
            _ => {
                return Err(
                    "has a port that is no number from 1 to 65535; write host and port".to_owned()
                );
            }
        },
    };
    Ok((host.trim().to_owned(), port))
}

/// A `[` opens JSON unless an IPv6 address follows.
fn is_json(text: &str) -> bool {
    let text = unquoted(text);
    text.starts_with('{')
        || text
            .strip_prefix('[')
            .is_some_and(|rest| rest.trim_start().starts_with(['"', '\'', '[', '{', ']']))
}

/// An item as it may be shown: what could be a password is cut.
pub(super) fn masked(item: &str) -> String {
    let (scheme, rest) = match item.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), item),
    };
    let (userinfo, rest) = userinfo::split(rest);
    let bare = scheme.is_empty() && userinfo.is_none();
    let userinfo = if userinfo.is_some() { "***@" } else { "" };
    let (place, more) = match rest.find(|c| matches!(c, '?' | '#') || c == '/' && !bare) {
        Some(end) => (&rest[..end], "…"),
        None => (rest, ""),
    };
    // A bare item is shown as it is: its port is the likeliest mistake.
    let place = if scheme.is_empty() { place.to_owned() } else { without_password(place) };
    shown(&format!("{scheme}{userinfo}{place}{more}"))
}

/// The `host:port` of a URL as it may be shown: in `redis://:password`, a URL that lost its
/// host, the password looks like a port.
pub(super) fn without_password(place: &str) -> String {
    match place.split_once(':') {
        Some((host, port)) if port.len() > 5 || !port.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{host}:***")
        }
        _ => place.to_owned(),
    }
}
