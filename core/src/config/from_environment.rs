//! What the environment says, variable by variable.

use super::duration;
use super::environment::{Environment, PROVIDER};
use super::kind::Kind;
use super::list;
use super::options::place::{HOST, PORT, PRIMARY_NAME, SENTINEL_PORT, SENTINELS, URL};
use super::options::tls::TLS;
use super::options::{self, Scope, Spec};
use super::origin::Origin;
use super::settings::{Rank, Settings};
use super::text::shown;
use super::url::{self, Shape};
use crate::{Error, Result};

/// Reads the environment under a prefix such as `CACHE_`.
pub(super) struct Reader<'a> {
    pub(super) environment: &'a Environment,
    pub(super) prefix: &'a str,
}

impl Reader<'_> {
    /// Settings of the client's behaviour, which hold wherever it connects.
    pub(super) fn client(&self, settings: &mut Settings) -> Result<()> {
        self.scope(Scope::Client, settings)
    }

    /// The primary's name alone, for Sentinels that the program names without it.
    pub(super) fn primary_name(&self, settings: &mut Settings) -> Result<()> {
        self.option(&PRIMARY_NAME, Rank::Sentinel, settings)
    }

    /// Whether there are Sentinels in the environment.
    pub(super) fn has_sentinels(&self) -> bool {
        SENTINELS.env.iter().any(|name| self.environment.mentions(&self.named(name)))
    }

    /// Everything about the server: where it is and how to be let in.
    pub(super) fn server(&self, settings: &mut Settings) -> Result<()> {
        self.sentinels(settings)?;
        self.option(&PRIMARY_NAME, Rank::Sentinel, settings)?;
        self.option(&SENTINEL_PORT, Rank::Sentinel, settings)?;
        self.urls(settings)?;
        self.scope(Scope::Server, settings)?;
        self.option(&HOST, Rank::Plain, settings)?;
        self.option(&PORT, Rank::Plain, settings)
    }

    /// A variable with the prefix in front.
    pub(super) fn named(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn scope(&self, scope: Scope, settings: &mut Settings) -> Result<()> {
        for spec in options::all().filter(|spec| spec.scope == scope) {
            let about_sentinels = spec.name.starts_with("sentinel_");
            let rank = if about_sentinels { Rank::Sentinel } else { Rank::Plain };
            self.option(spec, rank, settings)?;
        }
        Ok(())
    }

    fn option(&self, spec: &'static Spec, rank: Rank, settings: &mut Settings) -> Result<()> {
        for name in spec.env.iter().map(|name| self.named(name)) {
            if spec.kind == Kind::Secret {
                if let Some((secret, origin, warning)) = self.environment.secret(&name)? {
                    settings.add(spec, secret, &origin, rank);
                    warning.into_iter().for_each(|warning| settings.warn(warning));
                }
                continue;
            }
            let Some(found) = self.environment.get(&name)? else {
                continue;
            };
            if name.ends_with("_PORT") && found.text.starts_with("tcp://") {
                settings.warn(format!(
                    "{name} is {}, as Kubernetes and Docker write it for a service of that name, \
                     and is not used; write a number, or set enableServiceLinks: false",
                    shown(&found.text)
                ));
                continue;
            }
            if spec.kind == Kind::Duration && duration::is_doubtful(&found.text) {
                settings.warn(format!(
                    "{name} is {0} without a unit, which is read as seconds; write {0}ms or {0}s",
                    found.text
                ));
            }
            settings.add(spec, found.text, &found.origin, rank);
        }
        Ok(())
    }

    /// `REDIS_SENTINEL_LIST` and its aliases, then the hosts of `REDIS_SENTINEL_URL`.
    fn sentinels(&self, settings: &mut Settings) -> Result<()> {
        let mut lists: Vec<(String, Vec<String>)> = Vec::new();
        for name in SENTINELS.env.iter().map(|name| self.named(name)) {
            let Some(found) = self.environment.get(&name)? else {
                continue;
            };
            if url::speaks_of_sentinels(&found.text) {
                self.url(&found.text, &found.origin, Rank::Sentinel, settings)?;
                continue;
            }
            if !name.ends_with("_URL") {
                let mut items: Vec<_> = list::split(&found.text).map(str::to_lowercase).collect();
                items.sort_unstable();
                lists.push((name, items));
            }
            settings.add(&SENTINELS, found.text, &found.origin, Rank::Sentinel);
        }
        if let [(first, items), rest @ ..] = lists.as_slice() {
            for (other, _) in rest.iter().filter(|(_, others)| others != items) {
                settings.warn(format!(
                    "{first} and {other} name different Sentinels, and all of them are used; \
                     keep one of the variables"
                ));
            }
        }
        Ok(())
    }

    /// `REDIS_TLS_URL`, then `REDIS_URL` or what stands in for it. One of them is enough, but
    /// next to Sentinels both may supply credentials.
    fn urls(&self, settings: &mut Settings) -> Result<()> {
        let tls = self.environment.get(&self.named("REDIS_TLS_URL"))?;
        if let Some(found) = &tls {
            let shape = self.url(&found.text, &found.origin, Rank::TlsUrl, settings)?;
            if settings.about(&TLS).all(|setting| setting.rank != Rank::TlsUrl)
                && shape == Shape::Node
            {
                settings.add(&TLS, true, &found.origin, Rank::TlsUrl);
                settings.warn(format!(
                    "{} does not begin with rediss://, and TLS is used all the same; \
                     write rediss://, or call it REDIS_URL",
                    found.origin
                ));
            }
        }
        let grouped = settings.has(&SENTINELS, Rank::Sentinel);
        if (tls.is_none() || grouped)
            && let Some((text, origin)) = self.plain_url(settings)?
        {
            self.url(&text, &origin, Rank::RedisUrl, settings)?;
        }
        Ok(())
    }

    fn url(
        &self,
        text: &str,
        origin: &Origin,
        rank: Rank,
        settings: &mut Settings,
    ) -> Result<Shape> {
        let url = url::parse(text).map_err(|why| Error::config(format!("{origin} {why}")))?;
        let shape = url.shape;
        let rank = if shape == Shape::Sentinels { Rank::Sentinel } else { rank };
        let origin = match origin {
            Origin::Variable(name) => &Origin::UrlVariable(name.clone()),
            other => other,
        };
        url.tell(origin, rank, settings);
        Ok(shape)
    }

    /// The URL without TLS in its name: of the variable that `REDIS_PROVIDER` names, or else of
    /// the first one that is set.
    fn plain_url(&self, settings: &mut Settings) -> Result<Option<(String, Origin)>> {
        let provider = self.named(PROVIDER);
        if let Some(named) = self.environment.get(&provider)? {
            let sound = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if !named.text.chars().all(sound) {
                return Err(Error::config(format!(
                    "{provider} is no name of a variable; write the name of the one with the URL, \
                     or put the URL into {}",
                    self.named("REDIS_URL")
                )));
            }
            let found = self.environment.get(&named.text)?.ok_or_else(|| {
                Error::config(format!(
                    "{provider} names {}, which is not set; set it, or unset {provider}",
                    shown(&named.text)
                ))
            })?;
            return Ok(Some((found.text, found.origin)));
        }
        let mut first: Option<(String, Origin)> = None;
        for name in URL.env.iter().skip(1).map(|name| self.named(name)) {
            let Some(found) = self.environment.get(&name)? else {
                continue;
            };
            match &first {
                None => first = Some((found.text, found.origin)),
                Some((text, origin)) if *text != found.text => {
                    settings.warn(format!("{name} is not used: {origin} gives another URL"));
                }
                Some(_) => {}
            }
        }
        Ok(first)
    }
}
