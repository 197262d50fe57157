//! Settings that belong together.

use std::collections::BTreeMap;

use super::Config;
use super::address::Endpoint;
use super::origin::Origin;
use super::secret::Credentials;
use super::target::Target;
use super::tls::Tls;
use crate::{Error, Result};

/// Sentinels with TLS take the files of the data nodes where they have none of their own.
pub(super) fn complete(config: &mut Config, origins: &mut BTreeMap<&'static str, Vec<Origin>>) {
    let (Some(data), Some(sentinel)) = (&config.data.tls, &mut config.sentinel.tls) else {
        return;
    };
    let mut inherit = |name, other: &'static str| {
        origins.insert(name, vec![Origin::Same(other)]);
    };
    if sentinel.ca.is_none() && data.ca.is_some() {
        sentinel.ca.clone_from(&data.ca);
        inherit("sentinel_tls_ca", "tls_ca");
    }
    if sentinel.cert.is_none() && sentinel.key.is_none() && data.cert.is_some() {
        sentinel.cert.clone_from(&data.cert);
        sentinel.key.clone_from(&data.key);
        inherit("sentinel_tls_cert", "tls_cert");
        inherit("sentinel_tls_key", "tls_key");
    }
}

/// Refuses halves of pairs, and warns where one side is protected and the other is not.
pub(super) fn check(
    config: &mut Config,
    tls_said: bool,
    sentinel_tls_said: bool,
    warnings: &mut Vec<String>,
) -> Result<()> {
    pair(config.data.tls.as_ref(), "tls")?;
    pair(config.sentinel.tls.as_ref(), "sentinel_tls")?;
    user_without_password(&mut config.data.credentials, "", warnings);
    user_without_password(&mut config.sentinel.credentials, "sentinel_", warnings);
    match &config.target {
        Target::Node(Endpoint::Unix(_)) if config.data.tls.is_some() => {
            warnings.push("TLS is not used on a unix socket; leave tls out".to_owned());
        }
        Target::Node(_) => {}
        Target::Sentinels { seeds, .. } => {
            let any_seed = seeds.iter().any(|seed| seed.tls == Some(true));
            let sentinels = config.sentinel.tls.is_some() || any_seed;
            if config.data.tls.is_some() && !sentinels && !sentinel_tls_said {
                warnings.push(
                    "TLS is on for the data nodes and off for the Sentinels; \
                     set sentinel_tls to say which is meant"
                        .to_owned(),
                );
            }
            if sentinels && config.data.tls.is_none() && !tls_said {
                warnings.push(
                    "TLS is on for the Sentinels and off for the data nodes; \
                     set tls to say which is meant"
                        .to_owned(),
                );
            }
        }
    }
    Ok(())
}

fn pair(tls: Option<&Tls>, side: &str) -> Result<()> {
    let Some(tls) = tls else { return Ok(()) };
    let (given, lacking) = match (&tls.cert, &tls.key) {
        (Some(_), None) => ("cert", "key"),
        (None, Some(_)) => ("key", "cert"),
        _ => return Ok(()),
    };
    Err(Error::config(format!(
        "{side}_{given} is given without {side}_{lacking}; write both, or neither"
    )))
}

fn user_without_password(
    credentials: &mut Option<Credentials>,
    side: &str,
    warnings: &mut Vec<String>,
) {
    let Some(found) = credentials.take_if(|found| found.password.is_none()) else {
        return;
    };
    if found.username.is_some() {
        warnings.push(format!(
            "{side}username is given without {side}password, so nobody logs in; write both"
        ));
    }
}
