//! The query of a URL: options by name, and more Sentinels.

use super::parts::{Parts, STRAY_AT};
use crate::config::foreign;
use crate::config::kind::Kind;
use crate::config::options::place::{HOST, PATH, PORT, PRIMARY_NAME, SENTINELS};
use crate::config::options::{Scope, find, suggest};
use crate::config::secret::Secret;
use crate::config::suggest::plain;
use crate::config::text::{percent_decoded, shown};
use crate::config::value::OptionValue;

/// More keys than this are no configuration, and each unknown one costs a search.
const MOST: usize = 1000;

/// Whether a query makes Sentinels of the hosts of a plain `redis://` URL.
pub(super) fn names_sentinel_service(rest: &str) -> bool {
    let query = rest.split('#').next().and_then(|rest| rest.split_once('?'));
    pairs(query.map_or("", |(_, query)| query)).any(|(name, value)| {
        !value.is_empty()
            && plain(name).starts_with("sentinel")
            && find(name) == Some(&PRIMARY_NAME)
    })
}

fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Adds the options of a query, and hands each further Sentinel (`node=`, `addr=`) to `more`.
pub(super) fn read(
    parts: &mut Parts,
    query: &str,
    mut more: impl FnMut(String),
) -> Result<(), String> {
    if pairs(query).nth(MOST).is_some() {
        return Err(format!("has more than {MOST} query keys; write a list of hosts instead"));
    }
    for (name, raw) in pairs(query) {
        if name.contains('@') {
            return Err(STRAY_AT.to_owned());
        }
        let name = percent_decoded(name).text().ok_or("has a query key that is not UTF-8")?;
        let value = percent_decoded(raw);
        if value.lone_percent {
            parts.add_oddity(format!(
                "has a % without two hex digits in {}, which is taken as it is; write %25",
                shown(&name)
            ));
        }
        if value.bytes.is_empty() {
            continue;
        }
        let spec = find(&name);
        if spec.is_some_and(|spec| spec.kind == Kind::Secret) {
            if let Some(spec) = spec {
                parts.add(spec, Secret::new(value.bytes))?;
            }
            continue;
        }
        let value = value.text().ok_or_else(|| {
            format!("has a value for {} that is not UTF-8; write it percent-encoded", shown(&name))
        })?;
        match spec {
            _ if matches!(plain(&name).as_str(), "node" | "nodes" | "addr" | "addrs") => {
                more(value)
            }
            Some(spec) if *spec == SENTINELS => more(value),
            Some(spec) if spec.scope == Scope::Source => {
                return Err(format!(
                    "has the query key {}, which means nothing in a URL; remove it",
                    shown(&name)
                ));
            }
            Some(spec) if [&HOST, &PORT, &PATH].contains(&spec) => {
                return Err(format!(
                    "has the query key {}; write host and port before the path",
                    shown(&name)
                ));
            }
            Some(spec) => parts.add(spec, value)?,
            None => unknown(parts, &name, value, raw.contains('@'))?,
        }
    }
    Ok(())
}

/// Platforms hand out URLs with keys for other clients. One that resembles an option of ours
/// is a mistake; others are left alone, and said so.
fn unknown(parts: &mut Parts, name: &str, value: String, at: bool) -> Result<(), String> {
    if let Some(foreign) = foreign::find(name) {
        parts.oddities.extend(foreign.remark(name, &OptionValue::Text(value))?);
        return Ok(());
    }
    if at {
        return Err(STRAY_AT.to_owned());
    }
    if let Some(near) = suggest(name) {
        return Err(format!("has the unknown query key {}; write {near}", shown(name)));
    }
    parts.add_oddity(format!(
        "has the query key {}, which is not known and does nothing",
        shown(name)
    ));
    Ok(())
}
