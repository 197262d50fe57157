//! What the core tells about itself, as the values that replies are made of.

use steadis::topology::{Health, Topology};
use steadis::{Event, Reply};

pub(crate) fn topology(topology: &Topology) -> Reply {
    let sentinels = topology.sentinels.iter().map(|sentinel| {
        map([
            ("address", text(&sentinel.address.to_string())),
            ("up", Reply::Boolean(sentinel.up)),
            ("says", text(&sentinel.says)),
        ])
    });
    let primary = topology.primary.as_ref().map(ToString::to_string);
    let refused = topology.refused.as_ref().map(ToString::to_string);
    map([
        ("epoch", number(topology.epoch)),
        ("phase", text(&format!("{:?}", topology.phase).to_lowercase())),
        ("primary", maybe(primary.as_deref())),
        ("replicas", list(topology.replicas.iter().map(|it| text(&it.to_string())))),
        ("sentinels", list(sentinels)),
        ("reason", maybe(refused.as_deref().or(topology.reason.as_deref()))),
    ])
}

pub(crate) fn health(health: &Health) -> Reply {
    map([
        ("state", text(health.state.name())),
        ("primary", maybe(health.primary.as_deref())),
        ("replicas", number(health.replicas as u64)),
        ("sentinels_up", number(health.sentinels_up as u64)),
        ("sentinels", number(health.sentinels as u64)),
        ("reason", maybe(health.reason.as_deref())),
    ])
}

pub(crate) fn details(event: &Event) -> Reply {
    match event {
        Event::Failover { from, to, detected_by, took, epoch, held, repeated, maybe_executed } => {
            map([
                ("from", maybe(from.as_deref())),
                ("to", text(to)),
                ("detected_by", text(detected_by)),
                ("took_ms", number(took.as_millis() as u64)),
                ("epoch", number(*epoch)),
                ("held", number(*held)),
                ("repeated", number(*repeated)),
                ("maybe_executed", number(*maybe_executed)),
            ])
        }
        Event::Hold { what, why } => map([("what", text(what)), ("why", text(why))]),
        Event::Resume { held_for } => map([("held_for_ms", number(held_for.as_millis() as u64))]),
        Event::Sentinel { address, up, says } => {
            map([("address", text(address)), ("up", Reply::Boolean(*up)), ("says", text(says))])
        }
        Event::Replicas { addresses } => {
            map([("addresses", list(addresses.iter().map(|it| text(it))))])
        }
        Event::Warning { message } => map([("message", text(message))]),
        _ => map([]),
    }
}

pub(crate) fn map(pairs: impl IntoIterator<Item = (&'static str, Reply)>) -> Reply {
    Reply::Map(pairs.into_iter().map(|(name, value)| (text(name), value)).collect())
}

pub(crate) fn list(items: impl IntoIterator<Item = Reply>) -> Reply {
    Reply::List(items.into_iter().collect())
}

pub(crate) fn text(text: &str) -> Reply {
    Reply::Bulk(text.as_bytes().to_vec())
}

fn maybe(said: Option<&str>) -> Reply {
    said.map_or(Reply::Null, text)
}

fn number(number: u64) -> Reply {
    Reply::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}
