//! The answer to a program that was told nothing.

use super::environment::PROVIDER;
use super::from_environment::Reader;
use super::options;
use super::options::place::{HOST, PRIMARY_NAME, SENTINELS, URL};
use super::suggest::nearest;
use crate::Error;

/// Names everything looked at, what was nearly right, and how to get a Redis to try with.
pub(super) fn nothing_configured(reader: &Reader<'_>) -> Error {
    let mut message =
        "nothing says where Redis is: no url, sentinels, host or path was given".to_owned();
    if reader.environment.is_empty() && reader.prefix.is_empty() {
        message.push_str(", and the environment says nothing");
    }
    let places = [&SENTINELS, &URL, &HOST].into_iter().flat_map(|spec| spec.env).copied();
    let looked_at: Vec<String> = places.chain([PROVIDER]).map(|name| reader.named(name)).collect();
    message.push_str(&format!(
        "; none of {} is set (nor one of them with _FILE behind it)",
        looked_at.join(", ")
    ));
    if let Some(hint) = hint(reader) {
        message.push_str(&format!("; {hint}"));
    }
    message.push_str(&format!(
        "; set {} to host:port of every Sentinel, or {} to redis://host:port, \
         or start a local lab with `steadis lab up`",
        reader.named("REDIS_SENTINEL_LIST"),
        reader.named("REDIS_URL")
    ));
    Error::config(message)
}

/// A variable that is set and looks as if it were meant.
fn hint(reader: &Reader<'_>) -> Option<String> {
    let set = |name: &&str| reader.environment.mentions(&reader.named(name));
    if let Some(name) = PRIMARY_NAME.env.iter().copied().find(|name| set(name)) {
        return Some(format!(
            "{} names a primary, but no Sentinel is named to ask for it",
            reader.named(name)
        ));
    }
    if set(&"UPSTASH_REDIS_REST_URL") {
        return Some("UPSTASH_REDIS_REST_URL is an HTTP address, which is no Redis server".into());
    }
    let ours: Vec<&str> = options::all().flat_map(|spec| spec.env.iter().copied()).collect();
    let unknown = reader.environment.names().filter_map(|name| name.strip_prefix(reader.prefix));
    unknown.filter(|name| !ours.contains(name)).find_map(|name| {
        let near = nearest(name, ours.iter().copied())?;
        Some(format!("{} is set, where {} may be meant", reader.named(name), reader.named(near)))
    })
}
