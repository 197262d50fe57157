//! Options that let us in: users, passwords, database.

use super::{Kind, OptionValue, Scope, Spec};
use crate::config::secret::Credentials;

pub(crate) static OPTIONS: &[&Spec] =
    &[&USERNAME, &PASSWORD, &DB, &CLIENT_NAME, &SENTINEL_USERNAME, &SENTINEL_PASSWORD];

pub(crate) static USERNAME: Spec = Spec {
    name: "username",
    aliases: &["user", "redis_user", "redis_username", "acl_user"],
    env: &["REDIS_USERNAME", "REDIS_USER", "REDISUSER"],
    kind: Kind::Text,
    scope: Scope::Server,
    why: "Your ACL user is not `default`.",
    apply: |config, value| user(&mut config.data.credentials, value),
    show: |config| shown_user(config.data.credentials.as_ref()),
};

pub(crate) static PASSWORD: Spec = Spec {
    name: "password",
    aliases: &["pass", "auth", "auth_pass", "redis_password"],
    env: &["REDIS_PASSWORD", "REDISPASSWORD", "REDIS_HOST_PASSWORD"],
    kind: Kind::Secret,
    scope: Scope::Server,
    why: "The data nodes ask for one; a function is called at each connection and may name the user too, a file is read again.",
    apply: |config, value| password(&mut config.data.credentials, value),
    show: |config| shown_password(config.data.credentials.as_ref()),
};

pub(crate) static DB: Spec = Spec {
    name: "db",
    aliases: &["database", "redis_db"],
    env: &["REDIS_DB", "REDIS_DATABASE"],
    kind: Kind::Integer { min: 0, max: i32::MAX as i64 },
    scope: Scope::Server,
    why: "Several applications share a server by database number.",
    apply: |config, value| {
        config.data.db = value.whole().and_then(|n| n.try_into().ok()).unwrap_or_default();
        Ok(())
    },
    show: |config| config.data.db.into(),
};

pub(crate) static CLIENT_NAME: Spec = Spec {
    name: "client_name",
    aliases: &["connection_name"],
    env: &["REDIS_CLIENT_NAME"],
    kind: Kind::Word,
    scope: Scope::Client,
    why: "CLIENT LIST shall tell which application a connection belongs to.",
    apply: |config, value| {
        config.data.client_name = value.text();
        Ok(())
    },
    show: |config| config.data.client_name.clone().into(),
};

pub(crate) static SENTINEL_USERNAME: Spec = Spec {
    name: "sentinel_username",
    aliases: &["sentinel_user", "redis_sentinel_user", "redis_sentinel_username"],
    env: &["REDIS_SENTINEL_USERNAME", "REDIS_SENTINEL_USER"],
    kind: Kind::Text,
    scope: Scope::Server,
    why: "The Sentinels have ACL users of their own.",
    apply: |config, value| user(&mut config.sentinel.credentials, value),
    show: |config| shown_user(config.sentinel.credentials.as_ref()),
};

pub(crate) static SENTINEL_PASSWORD: Spec = Spec {
    name: "sentinel_password",
    aliases: &["sentinel_pass", "sentinel_auth", "redis_sentinel_password"],
    env: &["REDIS_SENTINEL_PASSWORD"],
    kind: Kind::Secret,
    scope: Scope::Server,
    why: "The Sentinels ask for a password of their own.",
    apply: |config, value| password(&mut config.sentinel.credentials, value),
    show: |config| shown_password(config.sentinel.credentials.as_ref()),
};

fn user(credentials: &mut Option<Credentials>, value: OptionValue) -> Result<(), String> {
    credentials.get_or_insert_default().username = value.text();
    Ok(())
}

fn password(credentials: &mut Option<Credentials>, value: OptionValue) -> Result<(), String> {
    if let OptionValue::Secret(secret) = value {
        credentials.get_or_insert_default().password = Some(secret);
    }
    Ok(())
}

fn shown_user(credentials: Option<&Credentials>) -> OptionValue {
    credentials.and_then(|credentials| credentials.username.clone()).into()
}

fn shown_password(credentials: Option<&Credentials>) -> OptionValue {
    credentials.and_then(|credentials| credentials.password.clone()).into()
}
