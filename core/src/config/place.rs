//! Which source says where Redis is.

use std::collections::HashSet;

use super::address::{Address, HostPort, is_ip};
use super::arguments::Arguments;
use super::from_environment::Reader;
use super::list;
use super::options::access::{PASSWORD, SENTINEL_PASSWORD};
use super::options::place::{
    HOST, PATH, PORT, PRIMARY_NAME, SENTINEL_NODE_PORT, SENTINEL_PORT, SENTINELS,
};
use super::origin::Origin;
use super::settings::{Rank, Settings};
use super::single::node;
use super::target::Target;
use super::text::shown;
use super::url::Shape;
use super::{missing, options::Spec};
use crate::{Error, Result};

/// A target, and who named it under which options.
pub(super) struct Place {
    pub(super) target: Target,
    pub(super) origins: Vec<(&'static Spec, Vec<Origin>)>,
}

/// Reads as much of the environment as the arguments leave open, and decides.
pub(super) fn find(arguments: &Arguments<'_>, settings: &mut Settings) -> Result<Place> {
    let reader = Reader { environment: &arguments.environment, prefix: &arguments.prefix };
    reader.client(settings)?;
    if settings.has(&SENTINELS, Rank::Option) {
        closed(&reader, settings);
        return sentinels(Rank::Option, &reader, settings);
    }
    if settings.has(&HOST, Rank::Option) || settings.has(&PATH, Rank::Option) {
        if arguments.url == Some(Shape::Sentinels) {
            return Err(Error::config(
                "the url argument names Sentinels and an option names a single node; \
                 keep one of them",
            ));
        }
        closed(&reader, settings);
        return node(settings);
    }
    match arguments.url {
        Some(Shape::Sentinels) => {
            closed(&reader, settings);
            sentinels(Rank::Url, &reader, settings)
        }
        Some(Shape::Node) if reader.has_sentinels() && bare_name(Rank::Url, settings).is_some() => {
            reader.server(settings)?;
            sentinels(Rank::Sentinel, &reader, settings)
        }
        Some(Shape::Node) => {
            closed(&reader, settings);
            node(settings)
        }
        None => {
            reader.server(settings)?;
            if settings.has(&SENTINELS, Rank::Sentinel) {
                sentinels(Rank::Sentinel, &reader, settings)
            } else if settings.about(&HOST).chain(settings.about(&PATH)).next().is_some() {
                node(settings)
            } else {
                Err(missing::nothing_configured(&reader))
            }
        }
    }
}

/// The program names the server, so passwords in the environment are for another one.
fn closed(reader: &Reader<'_>, settings: &mut Settings) {
    for spec in [&PASSWORD, &SENTINEL_PASSWORD] {
        let mut names = spec.env.iter().map(|name| reader.named(name));
        let unused = names.find(|name| reader.environment.mentions(name));
        if let Some(name) = unused.filter(|_| settings.about(spec).next().is_none()) {
            settings.warn(format!(
                "{name} is not used, because the program itself names the server; \
                 pass {} if it is meant for this one",
                spec.name
            ));
        }
    }
}

fn sentinels(rank: Rank, reader: &Reader<'_>, settings: &mut Settings) -> Result<Place> {
    let port = match settings.choose(&SENTINEL_PORT)? {
        Some(chosen) => chosen.value.whole().and_then(|port| port.try_into().ok()),
        None => None,
    };
    let mut warnings = Vec::new();
    let mut seeds = Vec::new();
    let mut origins = Vec::new();
    let mut known = HashSet::new();
    for setting in settings.about(&SENTINELS).filter(|setting| setting.rank == rank) {
        let named = list::seeds(setting, port.unwrap_or(SENTINEL_NODE_PORT), &mut warnings)?;
        let key = |address: &Address| (address.host.to_lowercase(), address.port);
        seeds.extend(named.into_iter().filter(|seed| known.insert(key(&seed.address))));
        origins.push(setting.origin.clone());
    }
    warnings.into_iter().for_each(|warning| settings.warn(warning));
    let name = primary_name(rank, reader, settings)?;
    let (primary, name_origin) = name.unzip();
    match rank {
        Rank::Option => warn_of_idle_node(name_origin.as_ref(), settings),
        Rank::Sentinel => warn_of_node(name_origin.as_ref(), settings),
        _ => {}
    }
    origins.dedup();
    Ok(Place {
        target: Target::Sentinels { seeds, primary },
        origins: vec![(&SENTINELS, origins), (&PRIMARY_NAME, name_origin.into_iter().collect())],
    })
}

/// A plain URL beside the Sentinels supplies credentials; its host is news to nobody but us.
fn warn_of_node(name: Option<&Origin>, settings: &mut Settings) {
    let urls = [Rank::TlsUrl, Rank::RedisUrl];
    let nodes = settings.about(&HOST).chain(settings.about(&PATH));
    let node =
        nodes.filter(|node| urls.contains(&node.rank)).map(|node| node.origin.clone()).next();
    if let Some(origin) = node.filter(|origin| name != Some(origin)) {
        settings.warn(format!(
            "{origin} names a single node next to the Sentinels; they say where the primary is, \
             and it only supplies credentials, database and TLS"
        ));
    }
}

/// The name as given, or the host of a URL that can be nothing else than a name.
fn primary_name(
    rank: Rank,
    reader: &Reader<'_>,
    settings: &mut Settings,
) -> Result<Option<(String, Origin)>> {
    if settings.about(&PRIMARY_NAME).next().is_none() && rank <= Rank::Url {
        reader.primary_name(settings)?;
    }
    if let Some(chosen) = settings.choose(&PRIMARY_NAME)? {
        return Ok(chosen.value.text().map(|name| (name, chosen.origin)));
    }
    let found = if rank == Rank::Option {
        host_beside(settings)
    } else {
        [Rank::Url, Rank::TlsUrl, Rank::RedisUrl]
            .into_iter()
            .find_map(|rank| bare_name(rank, settings))
    };
    if let Some((name, origin)) = &found {
        settings.warn(format!(
            "{} in {origin} is taken as the primary's name, because Sentinels are given; \
             write it as primary_name, or as REDIS_SENTINEL_MASTER",
            shown(name)
        ));
    }
    Ok(found)
}

/// `redis://mymaster/0`: one word, no port. A real host name has dots, or a port beside it.
fn bare_name(rank: Rank, settings: &Settings) -> Option<(String, Origin)> {
    let host = settings.about(&HOST).find(|setting| setting.rank == rank)?;
    let name = host.value.clone().text()?;
    let word = !name.contains('.') && !is_ip(&name) && !name.eq_ignore_ascii_case("localhost");
    (word && !settings.has(&PORT, rank)).then(|| (name, host.origin.clone()))
}

/// The host next to Sentinels that the program itself lists, which can only be the name.
fn host_beside(settings: &Settings) -> Option<(String, Origin)> {
    let host = settings.about(&HOST).min_by_key(|setting| setting.rank)?;
    let at = HostPort::parse(&host.value.clone().text()?).ok()?;
    let real = is_ip(&at.host) || at.host.eq_ignore_ascii_case("localhost");
    (!real && at.port.is_none()).then(|| (at.host, host.origin.clone()))
}

/// A node that the program names next to its Sentinels, and that is no name either.
fn warn_of_idle_node(name: Option<&Origin>, settings: &mut Settings) {
    let nodes = settings.about(&HOST).chain(settings.about(&PATH));
    let idle: Vec<String> = nodes
        .filter(|node| node.rank == Rank::Option && name != Some(&node.origin))
        .map(|node| {
            format!("{} is not used, because Sentinels are given; keep one of them", node.origin)
        })
        .collect();
    idle.into_iter().for_each(|warning| settings.warn(warning));
}
