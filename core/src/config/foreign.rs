//! Options of other clients that have nothing to do here. People who move over keep them; they
//! are told why, once, instead of being stopped.

use super::suggest::plain;
use super::value::OptionValue;

/// What to say to someone who wants certificates unchecked.
pub(super) const VERIFIED: &str =
    "turns the check of certificates off, which is not offered; write the CA's file in tls_ca";

/// An option of another client.
#[derive(Clone, Copy)]
pub(super) enum Foreign {
    /// Done by itself, or not at all.
    Needless(&'static str),
    /// Certificates are always checked: fine to ask for, refused to turn off.
    Verification,
}

const RECONNECTS: &str = "lost connections are restored by themselves";
const ONE_CONNECTION: &str = "one connection serves all callers";
const TIMES: &str = "connect_timeout, command_timeout and failover_timeout say how long";
const SEES: &str = "dead connections are noticed by themselves";
const QUEUES: &str = "commands wait for the primary up to failover_timeout";

const NEEDLESS: [(&str, &str); 28] = [
    ("max_retries_per_request", TIMES),
    ("retry_strategy", TIMES),
    ("sentinel_retry_strategy", TIMES),
    ("reconnect_attempts", TIMES),
    ("retry", TIMES),
    ("retry_on_error", TIMES),
    ("retry_on_timeout", TIMES),
    ("write_timeout", TIMES),
    ("sentinel_command_timeout", TIMES),
    ("sentinel_connect_timeout", TIMES),
    ("reconnect_on_error", RECONNECTS),
    ("auto_resubscribe", RECONNECTS),
    ("auto_resend_unfulfilled_commands", "only what did not run is sent again"),
    ("enable_ready_check", "ROLE is asked on every new connection"),
    ("enable_offline_queue", QUEUES),
    ("lazy_connect", "the network is not touched before the first command, unless eager is set"),
    ("enable_auto_pipelining", "commands of one moment share a write"),
    ("enable_tls_for_sentinel_mode", "tls and sentinel_tls say who speaks TLS"),
    ("failover_detector", "all Sentinels are listened to"),
    ("max_connections", ONE_CONNECTION),
    ("pool_size", ONE_CONNECTION),
    ("pool_timeout", ONE_CONNECTION),
    ("socket_keepalive", SEES),
    ("keep_alive", SEES),
    ("no_delay", "it is always on"),
    ("health_check_interval", SEES),
    ("ping_interval", SEES),
    ("driver", "there is one driver"),
];

const VERIFICATION: [&str; 8] = [
    "reject_unauthorized",
    "ssl_cert_reqs",
    "ssl_check_hostname",
    "tls_verify",
    "ssl_verify",
    "verify_peer",
    "verify_mode",
    "tls_insecure_skip_verify",
];

/// The option of another client with this name.
pub(super) fn find(name: &str) -> Option<Foreign> {
    let name = plain(name);
    let needless = NEEDLESS.iter().find(|(known, _)| plain(known) == name);
    needless.map(|(_, why)| Foreign::Needless(why)).or_else(|| {
        VERIFICATION.iter().any(|known| plain(known) == name).then_some(Foreign::Verification)
    })
}

impl Foreign {
    /// A warning about it, if one is due; the error is for what would be unsafe to overlook.
    /// Both are ends of sentences that begin with where the option is.
    pub(super) fn remark(self, name: &str, value: &OptionValue) -> Result<Option<String>, String> {
        match self {
            Self::Needless(why) => Ok(Some(format!("has {name}, which does nothing here: {why}"))),
            Self::Verification => {
                let skips = plain(name).ends_with("skipverify");
                let off = match value {
                    OptionValue::Bool(flag) => *flag == skips,
                    OptionValue::Text(text) => match plain(text).as_str() {
                        "true" | "1" | "required" | "certrequired" | "full" | "peer" => skips,
                        _ => !skips,
                    },
                    // OpenSSL::SSL::VERIFY_NONE and ssl.CERT_NONE are 0; null leaves the default.
                    other => other.whole() == Some(i64::from(skips)),
                };
                if off { Err(format!("has {name}, which {VERIFIED}")) } else { Ok(None) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::options;

    #[test]
    fn none_of_them_is_ours() {
        for name in NEEDLESS.iter().map(|(name, _)| name).chain(&VERIFICATION) {
            assert!(options::find(name).is_none(), "{name}");
        }
    }
}
