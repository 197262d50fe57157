//! Options about waiting, retrying and choosing a node.

use super::{Kind, OptionValue, Scope, Spec};
use crate::config::address_map::AddressMap;
use crate::config::allow_list::AllowList;
use crate::config::choice::{ReadFrom, RetryWrites};

pub(crate) static OPTIONS: &[&Spec] = &[
    &Spec {
        name: "connect_timeout",
        aliases: &["socket_connect_timeout", "dial_timeout"],
        env: &["REDIS_CONNECT_TIMEOUT", "REDIS_SOCKET_CONNECT_TIMEOUT"],
        kind: Kind::Duration,
        scope: Scope::Client,
        why: "A node is far away or its handshake slow; one address gets no more than this.",
        apply: |config, value| span(&mut config.connect_timeout, &value),
        show: |config| config.connect_timeout.into(),
    },
    &Spec {
        name: "command_timeout",
        aliases: &[
            "timeout",
            "socket_timeout",
            "read_timeout",
            "request_timeout",
            "response_timeout",
        ],
        env: &["REDIS_COMMAND_TIMEOUT", "REDIS_SOCKET_TIMEOUT"],
        kind: Kind::Duration,
        scope: Scope::Client,
        why: "Scripts may take longer, or callers cannot wait this long, for one reply.",
        apply: |config, value| span(&mut config.command_timeout, &value),
        show: |config| config.command_timeout.into(),
    },
    &Spec {
        name: "failover_timeout",
        aliases: &["hold_timeout"],
        env: &["REDIS_FAILOVER_TIMEOUT"],
        kind: Kind::Duration,
        scope: Scope::Client,
        why: "Commands shall wait longer, or give up sooner, while there is no primary.",
        apply: |config, value| span(&mut config.failover_timeout, &value),
        show: |config| config.failover_timeout.into(),
    },
    &Spec {
        name: "retry_writes",
        aliases: &[],
        env: &[],
        kind: Kind::Choice(RetryWrites::WORDS),
        scope: Scope::Client,
        why: "Your writes do no harm when they run twice; then `always` hides lost answers.",
        apply: |config, value| word(&mut config.retry_writes, value, RetryWrites::from_word),
        show: |config| config.retry_writes.word().into(),
    },
    &Spec {
        name: "fence",
        aliases: &[],
        env: &[],
        kind: Kind::Bool,
        scope: Scope::Client,
        why: "Off, writes go on during a planned failover, and those acknowledged last are lost.",
        apply: |config, value| flag(&mut config.fence, &value),
        show: |config| config.fence.into(),
    },
    &Spec {
        name: "read_from",
        aliases: &["read_policy", "read_preference", "role"],
        env: &["REDIS_READ_FROM"],
        kind: Kind::Choice(ReadFrom::WORDS),
        scope: Scope::Client,
        why: "Replicas shall share the reads, which then may be a moment old.",
        apply: |config, value| word(&mut config.read_from, value, ReadFrom::from_word),
        show: |config| config.read_from.word().into(),
    },
    &Spec {
        name: "max_lag",
        aliases: &["max_staleness"],
        env: &[],
        kind: Kind::Duration,
        scope: Scope::Client,
        why: "A replica further behind than this shall not be read from.",
        apply: |config, value| {
            if let OptionValue::Duration(span) = value {
                config.max_lag = Some(span);
            }
            Ok(())
        },
        show: |config| config.max_lag.into(),
    },
    &Spec {
        name: "address_map",
        aliases: &["nat_map", "address_mapping", "node_address_map", "sentinel_nat_map"],
        env: &["REDIS_ADDRESS_MAP", "REDIS_NAT_MAP"],
        kind: Kind::AddressMap,
        scope: Scope::Server,
        why: "Sentinels announce addresses that cannot be reached from here (containers, NAT).",
        apply: |config, value| {
            config.address_map = AddressMap::read(&value)?;
            Ok(())
        },
        show: |config| config.address_map.to_value(),
    },
    &Spec {
        name: "allow_primaries",
        aliases: &["allowed_primaries", "allow_masters", "allowed_masters"],
        env: &["REDIS_ALLOW_PRIMARIES"],
        kind: Kind::Hosts,
        scope: Scope::Server,
        why: "A Sentinel that is taken over shall not lead the password to another machine.",
        apply: |config, value| {
            config.allow_primaries = AllowList::read(&value)?;
            Ok(())
        },
        show: |config| config.allow_primaries.to_value(),
    },
];

fn span(field: &mut std::time::Duration, value: &OptionValue) -> Result<(), String> {
    if let OptionValue::Duration(span) = value {
        *field = *span;
    }
    Ok(())
}

fn flag(field: &mut bool, value: &OptionValue) -> Result<(), String> {
    if let OptionValue::Bool(flag) = value {
        *field = *flag;
    }
    Ok(())
}

fn word<T>(
    field: &mut T,
    value: OptionValue,
    meaning: fn(&str) -> Option<T>,
) -> Result<(), String> {
    if let Some(meant) = value.text().as_deref().and_then(meaning) {
        *field = meant;
    }
    Ok(())
}
