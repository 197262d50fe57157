//! Options that say where Redis is. They become a [`Target`] together, in `resolve`.

use super::{Kind, OptionValue, Scope, Spec};
use crate::config::address::{Address, Endpoint};
use crate::config::target::Target;
use crate::config::{Config, print};

pub(crate) static OPTIONS: &[&Spec] =
    &[&URL, &SENTINELS, &SENTINEL_PORT, &PRIMARY_NAME, &HOST, &PORT, &PATH, &ENV, &ENV_PREFIX];

/// The port of a single node that is named without one.
pub(crate) const NODE_PORT: u16 = 6379;

/// The port of a Sentinel that is named without one.
pub(crate) const SENTINEL_NODE_PORT: u16 = 26379;

const PORT_NUMBER: Kind = Kind::Integer { min: 1, max: 65535 };

/// The parts of a target are put together by `resolve`, not one by one.
fn composed(_: &mut Config, _: OptionValue) -> Result<(), String> {
    Ok(())
}

fn unset(_: &Config) -> OptionValue {
    OptionValue::Null
}

pub(crate) static URL: Spec = Spec {
    name: "url",
    aliases: &["uri", "redis_url", "dsn", "connection_string", "broker_url"],
    env: &["REDIS_TLS_URL", "REDIS_URL", "REDISCLOUD_URL", "REDISTOGO_URL"],
    kind: Kind::Url,
    scope: Scope::Source,
    why: "One string holds address, credentials and database, as platforms hand it out.",
    apply: composed,
    show: unset,
};

pub(crate) static SENTINELS: Spec = Spec {
    name: "sentinels",
    aliases: &[
        "sentinel_list",
        "sentinel",
        "sentinel_address",
        "sentinel_addresses",
        "sentinel_addr",
        "sentinel_addrs",
        "sentinel_hosts",
        "sentinel_host",
        "sentinel_nodes",
        "sentinel_root_nodes",
        "sentinel_urls",
        "sentinel_url",
        "sentinel_endpoints",
        "sentinel_connection_urls",
        "redis_sentinels",
        "redis_sentinel_list",
        "redis_sentinel_address",
        "redis_sentinel_url",
    ],
    env: &[
        "REDIS_SENTINEL_LIST",
        "REDIS_SENTINELS",
        "REDIS_SENTINEL_HOSTS",
        "REDIS_SENTINEL_NODES",
        "REDIS_SENTINEL_ADDRS",
        "REDIS_SENTINEL_ADDRESS",
        "REDIS_SENTINEL_ADDRESSES",
        "REDIS_SENTINEL_URLS",
        "REDIS_SENTINEL_ENDPOINTS",
        "REDIS_SENTINEL_CONNECTION_URLS",
        "REDIS_SENTINEL_HOST",
        "REDIS_SENTINEL_URL",
    ],
    kind: Kind::Addresses,
    scope: Scope::Address,
    why: "Name every Sentinel, so that any of them may be down.",
    apply: composed,
    show: |config| match &config.target {
        Target::Sentinels { seeds, .. } => {
            OptionValue::List(seeds.iter().map(print::seed).collect())
        }
        Target::Node(_) => OptionValue::Null,
    },
};

pub(crate) static SENTINEL_PORT: Spec = Spec {
    name: "sentinel_port",
    aliases: &["redis_sentinel_port"],
    env: &["REDIS_SENTINEL_PORT"],
    kind: PORT_NUMBER,
    scope: Scope::Address,
    why: "Your Sentinels are listed without ports and do not listen on 26379.",
    apply: composed,
    show: unset,
};

pub(crate) static PRIMARY_NAME: Spec = Spec {
    name: "primary_name",
    aliases: &[
        "primary",
        "name",
        "master",
        "master_name",
        "master_set",
        "master_alias",
        "master_group_name",
        "sentinel_master",
        "sentinel_master_name",
        "sentinel_master_id",
        "sentinel_master_set",
        "sentinel_name",
        "sentinel_service",
        "sentinel_service_name",
        "service",
        "service_name",
        "redis_master_name",
        "redis_sentinel_master",
        "redis_sentinel_master_name",
    ],
    env: &[
        "REDIS_SENTINEL_MASTER",
        "REDIS_SENTINEL_MASTER_NAME",
        "REDIS_SENTINEL_NAME",
        "REDIS_SENTINEL_SERVICE_NAME",
        "REDIS_SENTINEL_SERVICE",
        "REDIS_SENTINEL_MASTER_SET",
        "REDIS_SENTINEL_MASTER_ALIAS",
        "REDIS_MASTER_NAME",
        "REDIS_MASTER_SET",
    ],
    kind: Kind::Word,
    scope: Scope::Address,
    why: "The Sentinels watch more than one primary; with only one the name is found out.",
    apply: composed,
    show: |config| match &config.target {
        Target::Sentinels { primary, .. } => primary.clone().into(),
        Target::Node(_) => OptionValue::Null,
    },
};

pub(crate) static HOST: Spec = Spec {
    name: "host",
    aliases: &["hostname", "redis_host"],
    env: &["REDIS_HOST", "REDISHOST"],
    kind: Kind::Text,
    scope: Scope::Address,
    why: "There is a single node, or a proxy that always leads to the primary.",
    apply: composed,
    show: |config| tcp(config).map(|address| address.host.clone()).into(),
};

pub(crate) static PORT: Spec = Spec {
    name: "port",
    aliases: &["redis_port"],
    env: &["REDIS_PORT", "REDISPORT", "REDIS_HOST_PORT"],
    kind: PORT_NUMBER,
    scope: Scope::Address,
    why: "The single node does not listen on 6379.",
    apply: composed,
    show: |config| tcp(config).map(|address| address.port).into(),
};

pub(crate) static PATH: Spec = Spec {
    name: "path",
    aliases: &["unix", "unix_socket", "unix_socket_path", "socket_path"],
    env: &[],
    kind: Kind::Path,
    scope: Scope::Address,
    why: "The node is on this machine and listens on a unix socket.",
    apply: composed,
    show: |config| match &config.target {
        Target::Node(Endpoint::Unix(path)) => path.display().to_string().into(),
        _ => OptionValue::Null,
    },
};

pub(crate) static ENV: Spec = Spec {
    name: "env",
    aliases: &["environment"],
    env: &[],
    kind: Kind::Environment,
    scope: Scope::Source,
    why: "The variables are somewhere else than in the process, or shall not be looked at.",
    apply: composed,
    show: unset,
};

pub(crate) static ENV_PREFIX: Spec = Spec {
    name: "env_prefix",
    aliases: &["prefix"],
    env: &[],
    kind: Kind::Word,
    scope: Scope::Source,
    why: "A second Redis has variables of its own, such as CACHE_REDIS_URL for `CACHE_`.",
    apply: composed,
    show: unset,
};

fn tcp(config: &Config) -> Option<&Address> {
    match &config.target {
        Target::Node(Endpoint::Tcp(address)) => Some(address),
        _ => None,
    }
}
