//! Options that bound what one client may use.

use std::num::NonZeroUsize;

use super::{Kind, OptionValue, Scope, Spec};
use crate::config::Config;
use crate::config::choice::Protocol;

pub(crate) static OPTIONS: &[&Spec] = &[
    &limit(
        "max_in_flight",
        &[],
        "Memory is scarce; beyond this many unanswered commands callers get Busy at once.",
        |config, value| count(&mut config.max_in_flight, &value),
        |config| shown(config.max_in_flight),
    ),
    &limit(
        "max_held",
        &["commands_queue_max_length"],
        "Memory is scarce; no more commands than this wait while there is no primary.",
        |config, value| count(&mut config.max_held, &value),
        |config| shown(config.max_held),
    ),
    &limit(
        "max_held_bytes",
        &[],
        "Your values are large; the waiting commands take no more bytes than this.",
        |config, value| count(&mut config.max_held_bytes, &value),
        |config| shown(config.max_held_bytes),
    ),
    &limit(
        "max_reply_bytes",
        &[],
        "A reply beyond this is refused instead of filling the memory.",
        |config, value| count(&mut config.max_reply_bytes, &value),
        |config| shown(config.max_reply_bytes),
    ),
    &Spec {
        name: "lanes",
        aliases: &[],
        env: &[],
        kind: Kind::Integer { min: 1, max: 64 },
        scope: Scope::Client,
        why: "The server has more cores than one connection can keep busy; else the language decides.",
        apply: |config, value| {
            let count = value.whole().and_then(|n| usize::try_from(n).ok());
            config.lanes = count.and_then(NonZeroUsize::new);
            Ok(())
        },
        show: |config| config.lanes.map(|lanes| shown(lanes.get())).unwrap_or_default(),
    },
    &Spec {
        name: "protocol",
        aliases: &["resp", "protocol_version"],
        env: &[],
        kind: Kind::Integer { min: 2, max: 3 },
        scope: Scope::Client,
        why: "A proxy in between knows only RESP2; replies keep their shape either way.",
        apply: |config, value| {
            config.protocol =
                if value.whole() == Some(2) { Protocol::Resp2 } else { Protocol::Resp3 };
            Ok(())
        },
        show: |config| OptionValue::Int(config.protocol.number().into()),
    },
    &Spec {
        name: "eager",
        aliases: &[],
        env: &[],
        kind: Kind::Bool,
        scope: Scope::Client,
        why: "An application shall fail at its start, not at its first command.",
        apply: |config, value| {
            config.eager = value == OptionValue::Bool(true);
            Ok(())
        },
        show: |config| config.eager.into(),
    },
];

const fn limit(
    name: &'static str,
    aliases: &'static [&'static str],
    why: &'static str,
    apply: fn(&mut Config, OptionValue) -> Result<(), String>,
    show: fn(&Config) -> OptionValue,
) -> Spec {
    let kind = Kind::Integer { min: 1, max: i64::MAX };
    Spec { name, aliases, env: &[], kind, scope: Scope::Client, why, apply, show }
}

fn count(field: &mut usize, value: &OptionValue) -> Result<(), String> {
    if let Some(number) = value.whole() {
        *field = usize::try_from(number).unwrap_or(usize::MAX);
    }
    Ok(())
}

fn shown(number: usize) -> OptionValue {
    OptionValue::Int(i64::try_from(number).unwrap_or(i64::MAX))
}
