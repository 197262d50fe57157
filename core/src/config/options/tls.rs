//! TLS options, the same five for the data nodes and for the Sentinels. Naming a file or a
//! server name turns TLS on: settings for TLS that end in plain text would be a silent misreading.

use super::{Kind, OptionValue, Scope, Spec};

pub(crate) static OPTIONS: &[&Spec] = &[
    &TLS,
    &TLS_CA,
    &TLS_CERT,
    &TLS_KEY,
    &TLS_SERVER_NAME,
    &SENTINEL_TLS,
    &SENTINEL_TLS_CA,
    &SENTINEL_TLS_CERT,
    &SENTINEL_TLS_KEY,
    &SENTINEL_TLS_SERVER_NAME,
];

macro_rules! switch {
    ($constant:ident, $name:literal, $side:ident,
     $aliases:expr, $env:expr, $why:literal $(,)?) => {
        pub(crate) static $constant: Spec = Spec {
            name: $name,
            aliases: &$aliases,
            env: &$env,
            kind: Kind::Bool,
            scope: Scope::Server,
            why: $why,
            apply: |config, value| {
                match value {
                    OptionValue::Bool(true) => drop(config.$side.tls.get_or_insert_default()),
                    _ => config.$side.tls = None,
                }
                Ok(())
            },
            show: |config| config.$side.tls.is_some().into(),
        };
    };
}

macro_rules! part {
    ($constant:ident, $name:literal, $side:ident . $part:ident as $kind:ident,
     $aliases:expr, $env:expr, $why:literal $(,)?) => {
        pub(crate) static $constant: Spec = Spec {
            name: $name,
            aliases: &$aliases,
            env: &$env,
            kind: Kind::$kind,
            scope: Scope::Server,
            why: $why,
            apply: |config, value| {
                let text = value.text();
                config.$side.tls.get_or_insert_default().$part = text.map(Into::into);
                Ok(())
            },
            show: |config| {
                let part = config.$side.tls.as_ref().and_then(|tls| tls.$part.clone());
                part.and_then(|part| std::ffi::OsString::from(part).into_string().ok()).into()
            },
        };
    };
}

switch!(
    TLS,
    "tls",
    data,
    ["ssl", "use_tls", "use_ssl", "tls_enabled", "ssl_enabled"],
    ["REDIS_TLS", "REDIS_TLS_ENABLED", "REDIS_SSL", "REDIS_USE_TLS", "REDIS_USE_SSL"],
    "The data nodes speak TLS and the URL does not say so.",
);
part!(
    TLS_CA,
    "tls_ca",
    data.ca as Path,
    [
        "tls_ca_file",
        "tls_ca_cert",
        "tls_ca_cert_file",
        "tls_ca_certs",
        "ssl_ca",
        "ssl_ca_file",
        "ssl_ca_cert",
        "ssl_ca_certs",
        "ca_file",
        "ca_cert",
    ],
    ["REDIS_TLS_CA_FILE", "REDIS_TLS_CA", "REDIS_TLS_CA_CERT", "REDIS_SSL_CA_CERTS"],
    "The servers' certificates are signed by a CA of your own.",
);
part!(
    TLS_CERT,
    "tls_cert",
    data.cert as Path,
    ["tls_cert_file", "ssl_cert", "ssl_cert_file", "cert_file"],
    ["REDIS_TLS_CERT_FILE", "REDIS_TLS_CERT", "REDIS_SSL_CERTFILE"],
    "The servers ask clients for a certificate.",
);
part!(
    TLS_KEY,
    "tls_key",
    data.key as Path,
    ["tls_key_file", "ssl_key", "ssl_key_file", "key_file"],
    ["REDIS_TLS_KEY_FILE", "REDIS_TLS_KEY", "REDIS_SSL_KEYFILE"],
    "It belongs to `tls_cert`.",
);
part!(
    TLS_SERVER_NAME,
    "tls_server_name",
    data.server_name as Word,
    ["tls_sni", "ssl_server_name", "server_name", "sni"],
    ["REDIS_TLS_SERVER_NAME"],
    "Sentinels announce IP addresses, and the certificates hold one host name.",
);
switch!(
    SENTINEL_TLS,
    "sentinel_tls",
    sentinel,
    ["sentinel_ssl", "sentinel_tls_enabled", "sentinel_use_tls", "sentinel_use_ssl"],
    [
        "REDIS_SENTINEL_TLS",
        "REDIS_SENTINEL_TLS_ENABLED",
        "REDIS_SENTINEL_SSL",
        "REDIS_SENTINEL_USE_TLS",
        "REDIS_SENTINEL_USE_SSL",
    ],
    "The Sentinels speak TLS too; `tls` alone is about the data nodes.",
);
part!(
    SENTINEL_TLS_CA,
    "sentinel_tls_ca",
    sentinel.ca as Path,
    ["sentinel_tls_ca_file", "sentinel_tls_ca_cert", "sentinel_ssl_ca_certs"],
    ["REDIS_SENTINEL_TLS_CA_FILE", "REDIS_SENTINEL_TLS_CA", "REDIS_SENTINEL_SSL_CA_CERTS"],
    "Another CA than `tls_ca`, which is the default, signed the Sentinels' certificates.",
);
part!(
    SENTINEL_TLS_CERT,
    "sentinel_tls_cert",
    sentinel.cert as Path,
    ["sentinel_tls_cert_file", "sentinel_ssl_cert_file"],
    ["REDIS_SENTINEL_TLS_CERT_FILE", "REDIS_SENTINEL_TLS_CERT", "REDIS_SENTINEL_SSL_CERTFILE"],
    "The Sentinels ask for another certificate than `tls_cert`, which is the default.",
);
part!(
    SENTINEL_TLS_KEY,
    "sentinel_tls_key",
    sentinel.key as Path,
    ["sentinel_tls_key_file", "sentinel_ssl_key_file"],
    ["REDIS_SENTINEL_TLS_KEY_FILE", "REDIS_SENTINEL_TLS_KEY", "REDIS_SENTINEL_SSL_KEYFILE"],
    "It belongs to `sentinel_tls_cert`.",
);
part!(
    SENTINEL_TLS_SERVER_NAME,
    "sentinel_tls_server_name",
    sentinel.server_name as Word,
    ["sentinel_tls_sni", "sentinel_server_name"],
    ["REDIS_SENTINEL_TLS_SERVER_NAME"],
    "The Sentinels' certificates hold another name than the one you dial.",
);
