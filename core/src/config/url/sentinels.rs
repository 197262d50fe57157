//! URLs of Sentinels, in all dialects: several hosts, several URLs, the primary's name as path,
//! query or fragment.

use super::parts::{Parts, Piece};
use super::query;
use super::scheme::{self, Family};
use crate::config::address::HostPort;
use crate::config::list::{split, without_password};
use crate::config::options::access::DB;
use crate::config::options::place::{PRIMARY_NAME, SENTINELS};
use crate::config::options::tls::{SENTINEL_TLS, TLS};
use crate::config::text::{percent_decoded, shown};
use crate::config::userinfo;
use crate::config::value::OptionValue;

/// Reads one URL, or several between `;` or `,` as Celery has them.
pub(super) fn read(parts: &mut Parts, text: &str) -> Result<(), String> {
    let mut hosts = Vec::new();
    for url in urls(text) {
        match scheme::split(url)? {
            Some((scheme, rest)) if scheme.family == Family::Sentinels || hosts.is_empty() => {
                one(parts, scheme, rest, &mut hosts)?;
            }
            // Behind the first URL, a plain one is an item with the Sentinel's own password.
            _ => hosts.push(url.to_owned()),
        }
    }
    if hosts.is_empty() {
        return Err("names no Sentinel; write redis-sentinel://host:port,host:port/name".to_owned());
    }
    let hosts = OptionValue::List(hosts.into_iter().map(OptionValue::Text).collect());
    parts.add(&SENTINELS, hosts)
}

/// Cuts where a separator is followed by another `scheme://`.
fn urls(text: &str) -> impl Iterator<Item = &str> {
    let separator = |c: char| matches!(c, ',' | ';') || c.is_whitespace();
    let mut cuts: Vec<usize> = text
        .match_indices("://")
        .filter_map(|(at, _)| {
            let start = text[..at].trim_end_matches(scheme::is_scheme_char).len();
            text[..start].ends_with(separator).then_some(start)
        })
        .collect();
    cuts.push(text.len());
    let mut start = 0;
    cuts.into_iter()
        .map(move |cut| text[std::mem::replace(&mut start, cut)..cut].trim_matches(separator))
        .filter(|url| !url.is_empty())
}

fn one(
    parts: &mut Parts,
    scheme: scheme::Scheme,
    rest: &str,
    hosts: &mut Vec<String>,
) -> Result<(), String> {
    let piece = Piece::split(rest)?;
    let (info, places) = userinfo::split(piece.authority);
    for (index, place) in split(places).enumerate() {
        HostPort::parse(place).map_err(|why| {
            format!("has item {} {}, which {why}", index + 1, shown(&without_password(place)))
        })?;
        hosts.push(place.to_owned());
    }
    let db_before = parts.get(&DB).cloned();
    query::read(parts, piece.query, |node| hosts.push(node))?;
    let db_in_query = parts.get(&DB).cloned() != db_before;
    if scheme.tls {
        parts.add(&TLS, true)?;
        if parts.get(&SENTINEL_TLS).is_none() {
            parts.add(&SENTINEL_TLS, true)?;
        }
    }
    if !piece.fragment.is_empty() {
        parts.add(&PRIMARY_NAME, decoded(piece.fragment)?).map_err(two_names)?;
    }
    path(parts, piece.path, db_in_query)?;
    if let Some(info) = info {
        refuse_misplaced_name(parts, scheme, info)?;
        parts.add_credentials(userinfo::parse(info)?)?;
    }
    Ok(())
}

/// `/name`, `/db`, `/name/db`. A database in the query goes first.
fn path(parts: &mut Parts, path: &str, db_in_query: bool) -> Result<(), String> {
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Ok(());
    }
    if path.contains([',', ';']) {
        return Err("has more hosts behind its path; write all hosts before the first /".to_owned());
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (name, db) = match path.split_once('/') {
        None if digits(path) => (None, Some(path)),
        None => (Some(path), None),
        Some((name, db)) if !name.is_empty() && digits(db) => (Some(name), Some(db)),
        Some(_) => {
            return Err(format!(
                "has the path {}; write /name, /db or /name/db with a number for db",
                shown(path)
            ));
        }
    };
    if let Some(name) = name {
        parts.add(&PRIMARY_NAME, decoded(name)?).map_err(two_names)?;
    }
    match db {
        Some(db) if !db_in_query => parts.add(&DB, db),
        _ => Ok(()),
    }
}

fn decoded(name: &str) -> Result<String, String> {
    let text = percent_decoded(name).text();
    text.ok_or_else(|| "has a primary name that is not UTF-8; write it percent-encoded".to_owned())
}

fn two_names(why: String) -> String {
    if why.starts_with("gives two") {
        "names two different primaries in its path, query and fragment; keep one".to_owned()
    } else {
        why
    }
}

/// Some write the primary's name before the last @, where a password stands.
fn refuse_misplaced_name(
    parts: &Parts,
    scheme: scheme::Scheme,
    userinfo: &str,
) -> Result<(), String> {
    let word_alone = scheme.name.contains('+') && !userinfo.contains(':') && !userinfo.is_empty();
    let two_ats = userinfo.contains('@') && parts.get(&PRIMARY_NAME).is_none();
    if word_alone || two_ats {
        return Err(format!(
            "may have the primary's name before an @; write {0}://:password@host:port/name \
             with @ as %40 in the password, or {0}://host:port/name without one",
            scheme.name
        ));
    }
    Ok(())
}
