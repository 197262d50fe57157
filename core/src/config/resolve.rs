//! From everything that was said to one configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::explain::Explanation;
use super::options::place::PRIMARY_NAME;
use super::options::tls::{SENTINEL_TLS, TLS};
use super::options::{self, Scope, Spec};
use super::origin::Origin;
use super::place;
use super::print::{self, Secrets};
use super::settings::{Rank, Settings};
use super::target::Target;
use super::text::shown;
use super::{Config, Input, arguments, harmony};
use crate::{Error, Result};

/// A configuration, what is odd about it, and who said what.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// The settings.
    pub config: Arc<Config>,
    /// What was overruled, guessed or needless, one sentence each.
    pub warnings: Vec<String>,
    /// By option name, the sources of what is not a default.
    pub origins: Vec<(&'static str, Vec<Origin>)>,
}

impl Resolved {
    /// A configuration that nobody has to explain.
    pub(crate) fn by_hand(config: Config) -> Self {
        Self { config: Arc::new(config), warnings: Vec::new(), origins: Vec::new() }
    }

    /// Which source supplied each setting, passwords cut.
    pub fn explain(&self) -> Explanation {
        Explanation::of(self)
    }

    /// The warnings as a JSON list of texts.
    pub fn warnings_json(&self) -> String {
        print::json(&self.warnings.clone().into(), Secrets::Cut)
    }
}

pub(super) fn resolve(input: &Input) -> Result<Resolved> {
    let mut settings = Settings::default();
    let arguments = arguments::read(input, &mut settings)?;
    let place = place::find(&arguments, &mut settings)?;
    let mut origins: BTreeMap<&'static str, Vec<Origin>> = BTreeMap::new();
    for (spec, sources) in place.origins {
        origins.insert(spec.name, sources);
    }
    let mut config = Config::new(place.target);
    // Backwards, so that `tls` comes after its parts and can turn them off.
    for spec in options::all().rev() {
        if !matches!(spec.scope, Scope::Server | Scope::Client) {
            continue;
        }
        if let Some(chosen) = settings.choose(spec)? {
            (spec.apply)(&mut config, chosen.value).map_err(|why| {
                Error::config(format!("{} {why}", chosen.origin.subject(spec.name)))
            })?;
            origins.insert(spec.name, vec![chosen.origin]);
        }
    }
    refuse_name_of_node(&config, &settings)?;
    warn_of_sentinel_settings(&config, &mut settings);
    harmony::complete(&mut config, &mut origins);
    let mut warnings = std::mem::take(&mut settings.warnings);
    let said = |spec: &'static Spec| settings.about(spec).next().is_some();
    harmony::check(&mut config, said(&TLS), said(&SENTINEL_TLS), &mut warnings)?;
    origins.retain(|_, sources| !sources.is_empty());
    Ok(Resolved { config: Arc::new(config), warnings, origins: origins.into_iter().collect() })
}

/// A program that names a primary wants Sentinels; without any it would get some single node.
fn refuse_name_of_node(config: &Config, settings: &Settings) -> Result<()> {
    let Target::Node(node) = &config.target else {
        return Ok(());
    };
    match settings.about(&PRIMARY_NAME).find(|setting| setting.rank == Rank::Option) {
        Some(setting) => Err(setting.error(&format!(
            "names a primary, but {} is a single node; name the Sentinels in sentinels, \
             REDIS_SENTINEL_LIST or a redis-sentinel:// URL",
            shown(&node.to_string())
        ))),
        None => Ok(()),
    }
}

fn warn_of_sentinel_settings(config: &Config, settings: &mut Settings) {
    if !matches!(config.target, Target::Node(_)) {
        return;
    }
    let idle: Vec<String> = settings
        .all()
        .iter()
        .filter(|setting| {
            *setting.spec == PRIMARY_NAME || setting.spec.name.starts_with("sentinel_")
        })
        .map(|setting| {
            format!(
                "{} does nothing, because no Sentinels are named; name them in sentinels or \
                 REDIS_SENTINEL_LIST",
                setting.origin.subject(setting.spec.name)
            )
        })
        .collect();
    idle.into_iter().for_each(|warning| settings.warn(warning));
}
