//! What Sentinels send, as answers and news.

use super::decide::{Answer, News};
use crate::config::Address;
use redis::Value;

/// By name and not by pattern: the minimal rights allow only that.
pub(super) const CHANNELS: &[&str] = &[
    "+switch-master",
    "+try-failover",
    "+failover-state-select-slave",
    "+selected-slave",
    "+failover-state-send-slaveof-noone",
    "+promoted-slave",
    "-failover-abort-no-good-slave",
    "-failover-abort-slave-timeout",
    "-failover-abort-not-elected",
    "+sdown",
    "-sdown",
    "+odown",
    "-odown",
    "+slave",
    "+sentinel",
    "+reset-master",
    "+tilt",
    "-tilt",
];

/// Reads a message about the primary of this name.
///
/// `+switch-master` carries `name ip port ip port`; the others a kind (`master`, `slave` or
/// `sentinel`), a name, an address and, unless it is the primary's own, `@ name ip port`.
pub(super) fn news(channel: &str, payload: &str, name: &str) -> Option<News> {
    let words: Vec<&str> = payload.split_ascii_whitespace().collect();
    if matches!(channel, "+tilt" | "-tilt") {
        return Some(News::Unsettled);
    }
    if channel == "+switch-master" {
        let [about, from_host, from_port, to_host, to_port] = words[..] else {
            return None;
        };
        let (from, to) = (address(from_host, from_port)?, address(to_host, to_port)?);
        return (about == name).then_some(News::Switch { from, to });
    }
    let (kind, about, host, port) = (*words.first()?, *words.get(1)?, words.get(2)?, words.get(3)?);
    let who = address(host, port)?;
    if kind == "master" {
        if about != name {
            return None;
        }
        return Some(match channel {
            "+try-failover" => News::Attempt { of: who },
            "+failover-state-select-slave" => News::Elected { of: who },
            "+sdown" | "+odown" => News::Down { primary: who },
            "-sdown" | "-odown" => News::Up { primary: who },
            "+reset-master" => News::Unsettled,
            _ if channel.starts_with("-failover-abort") => News::Aborted { of: who },
            _ => return None,
        });
    }
    let at = words.iter().position(|word| *word == "@")?;
    let [_, of_name, of_host, of_port] = *words.get(at..at + 4)? else {
        return None;
    };
    if of_name != name {
        return None;
    }
    let of = address(of_host, of_port)?;
    match (kind, channel) {
        ("slave", "+selected-slave" | "+failover-state-send-slaveof-noone" | "+promoted-slave") => {
            Some(News::Chosen { of, replica: who })
        }
        ("slave", "+slave") => Some(News::Replica(who)),
        ("slave", "+sdown") => Some(News::ReplicaDown(who)),
        ("slave", "-sdown") => Some(News::ReplicaUp(who)),
        ("sentinel", "+sentinel") => Some(News::Sentinel(who)),
        _ => None,
    }
}

/// The replies to GET-MASTER-ADDR-BY-NAME, MASTER, REPLICAS and SENTINELS, of which all but the
/// first may be refused. `None`: it knows no such primary, or refuses to say.
pub(super) fn answer(replies: &[Value]) -> Option<Answer> {
    let named = match replies.first()? {
        Value::Array(parts) => address(&text(parts.first()?)?, &text(parts.get(1)?)?)?,
        _ => return None,
    };
    let about = replies.get(1).and_then(fields).unwrap_or_default();
    let flags = find(&about, "flags").unwrap_or_default();
    // Towards the end the leader already names the new primary, but still describes the old one.
    let describes_named = node(&about).is_none_or(|described| described == named);
    let replacing = describes_named && flags.split(',').any(|flag| flag == "failover_in_progress");
    let list = |i: usize| match replies.get(i) {
        Some(Value::Array(items)) => {
            Some(items.iter().filter_map(|item| node(&fields(item)?)).collect::<Vec<_>>())
        }
        _ => None,
    };
    let flagged = |wanted: &str| match replies.get(2) {
        Some(Value::Array(items)) => items.iter().filter_map(|it| with_flag(it, wanted)).collect(),
        _ => Vec::new(),
    };
    Some(Answer::Names {
        primary: named,
        config_epoch: find(&about, "config-epoch").and_then(|epoch| epoch.parse().ok()),
        down: flags.split(',').any(|flag| matches!(flag, "s_down" | "o_down")),
        replacing,
        chosen: flagged("promoted").into_iter().next(),
        replicas: list(2),
        absent: flagged("s_down"),
        sentinels: list(3).unwrap_or_default(),
    })
}

/// The names in a reply to SENTINEL MASTERS.
pub(super) fn names(reply: &Value) -> Vec<String> {
    let Value::Array(items) = reply else {
        return Vec::new();
    };
    items.iter().filter_map(|item| find(&fields(item)?, "name")).collect()
}

/// The address in this record, if the flag is set there.
fn with_flag(item: &Value, wanted: &str) -> Option<Address> {
    let fields = fields(item)?;
    find(&fields, "flags")?.split(',').any(|flag| flag == wanted).then(|| node(&fields))?
}

fn node(fields: &[(String, String)]) -> Option<Address> {
    address(&find(fields, "ip")?, &find(fields, "port")?)
}

fn address(host: &str, port: &str) -> Option<Address> {
    let port = port.parse().ok().filter(|port| *port != 0)?;
    (!host.is_empty() && host != "?").then(|| Address::new(host, port))
}

fn find(fields: &[(String, String)], name: &str) -> Option<String> {
    fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
}

/// A record: a flat list in RESP2, a map in RESP3.
fn fields(value: &Value) -> Option<Vec<(String, String)>> {
    match value {
        Value::Array(items) => {
            items.chunks_exact(2).map(|pair| Some((text(&pair[0])?, text(&pair[1])?))).collect()
        }
        Value::Map(pairs) => {
            pairs.iter().map(|(key, value)| Some((text(key)?, text(value)?))).collect()
        }
        _ => None,
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Value::SimpleString(text) => Some(text.clone()),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str, port: u16) -> Address {
        Address::new(host, port)
    }

    #[test]
    fn messages_as_redis_sends_them() {
        let read = |channel: &str, payload: &str| news(channel, payload, "mymaster");
        let (old, new) = (at("127.0.0.1", 6379), at("127.0.0.1", 6380));
        assert_eq!(
            read("+switch-master", "mymaster 127.0.0.1 6379 127.0.0.1 6380"),
            Some(News::Switch { from: old.clone(), to: new.clone() })
        );
        assert_eq!(
            read("+try-failover", "master mymaster 127.0.0.1 6379"),
            Some(News::Attempt { of: old.clone() })
        );
        assert_eq!(
            read("+failover-state-select-slave", "master mymaster 127.0.0.1 6379"),
            Some(News::Elected { of: old.clone() })
        );
        assert_eq!(
            read(
                "+selected-slave",
                "slave 127.0.0.1:6380 127.0.0.1 6380 @ mymaster 127.0.0.1 6379"
            ),
            Some(News::Chosen { of: old.clone(), replica: new.clone() })
        );
        assert_eq!(
            read("+odown", "master mymaster 127.0.0.1 6379 #quorum 2/2"),
            Some(News::Down { primary: old.clone() })
        );
        assert_eq!(
            read("-failover-abort-no-good-slave", "master mymaster 127.0.0.1 6379"),
            Some(News::Aborted { of: old.clone() })
        );
        let id = "a".repeat(40);
        assert_eq!(
            read("+sentinel", &format!("sentinel {id} 127.0.0.1 26380 @ mymaster 127.0.0.1 6379")),
            Some(News::Sentinel(at("127.0.0.1", 26380)))
        );
        assert_eq!(
            read("+slave", "slave [::1]:6380 ::1 6380 @ mymaster ::1 6379"),
            Some(News::Replica(at("::1", 6380)))
        );
        let about = "slave 127.0.0.1:6380 127.0.0.1 6380 @ mymaster 127.0.0.1 6379";
        assert_eq!(read("+sdown", about), Some(News::ReplicaDown(new.clone())));
        assert_eq!(read("-sdown", about), Some(News::ReplicaUp(new.clone())));
    }

    #[test]
    fn the_leader_tells_of_its_failover_until_it_names_the_new_primary() {
        let text = |words: &[&str]| {
            Value::Array(words.iter().map(|word| Value::BulkString((*word).into())).collect())
        };
        let answer = |named: &str, flags: &str| {
            let about = ["ip", "127.0.0.1", "port", "6379", "flags", flags];
            match answer(&[text(&["127.0.0.1", named]), text(&about)]) {
                Some(Answer::Names { replacing, .. }) => replacing,
                other => panic!("{other:?}"),
            }
        };
        assert!(answer("6379", "master,failover_in_progress"));
        assert!(!answer("6379", "master"));
        assert!(!answer("6380", "master,failover_in_progress"));
    }

    #[test]
    fn replicas_are_known_with_those_that_are_down_or_promoted() {
        let text = |words: &[&str]| {
            Value::Array(words.iter().map(|word| Value::BulkString((*word).into())).collect())
        };
        let replica =
            |port: &str, flags: &str| text(&["ip", "10.0.0.1", "port", port, "flags", flags]);
        let replicas = vec![
            replica("1", "slave"),
            replica("2", "s_down,slave,disconnected"),
            replica("3", "slave,promoted"),
        ];
        let named = text(&["10.0.0.1", "9"]);
        let about = text(&["flags", "master,failover_in_progress"]);
        let Some(Answer::Names { replicas, absent, chosen, .. }) =
            answer(&[named, about, Value::Array(replicas)])
        else {
            panic!("no answer");
        };
        assert_eq!(replicas.unwrap().len(), 3);
        assert_eq!((absent, chosen), (vec![at("10.0.0.1", 2)], Some(at("10.0.0.1", 3))));
    }

    #[test]
    fn other_primaries_other_kinds_and_nonsense_are_no_news() {
        let read = |channel, payload| news(channel, payload, "mymaster");
        assert_eq!(read("+switch-master", "other 127.0.0.1 1 127.0.0.1 2"), None);
        assert_eq!(read("+switch-master", "mymaster 127.0.0.1 1"), None);
        assert_eq!(read("+sdown", "slave 127.0.0.1:2 127.0.0.1 2 @ other 127.0.0.1 1"), None);
        assert_eq!(read("+sdown", "master mymaster 127.0.0.1 port"), None);
        assert_eq!(read("+slave", "slave x x 1 @ mymaster"), None);
        assert_eq!(read("", ""), None);
    }
}
