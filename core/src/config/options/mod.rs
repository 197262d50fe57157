//! The one table of options. Looking up a name, suggesting one, reading the environment,
//! `explain` and the documentation all go by it.

pub(super) mod access;
pub(super) mod limits;
pub(super) mod place;
pub(super) mod timing;
pub(super) mod tls;

use crate::lazy::Lazy;
use std::collections::HashMap;

use super::Config;
use super::kind::Kind;
use super::suggest::{nearest, plain};
use super::value::OptionValue;

/// What a setting describes, which decides where it may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Which server. One source decides.
    Address,
    /// The server's credentials and ways. Not taken from the environment when the address
    /// comes from the program: a password must not travel to a server it was not meant for.
    Server,
    /// How the client behaves, wherever it connects.
    Client,
    /// Where the other options come from. Means nothing inside a URL.
    Source,
}

/// One option: a row of the table.
#[derive(Debug)]
pub struct Spec {
    /// The name in `snake_case`; camelCase and dashes are accepted alike.
    pub name: &'static str,
    /// Words that people already type for it.
    pub aliases: &'static [&'static str],
    /// Environment variables, the first one preferred.
    pub env: &'static [&'static str],
    /// What it accepts.
    pub kind: Kind,
    /// What it describes.
    pub scope: Scope,
    /// One sentence: why anyone would set it.
    pub why: &'static str,
    /// Puts a normal value into a configuration; the error ends a sentence that begins with
    /// the option's name.
    pub(super) apply: fn(&mut Config, OptionValue) -> Result<(), String>,
    /// The value as [`Config::resolve`] would read it again; null when unset.
    pub(super) show: fn(&Config) -> OptionValue,
}

impl Spec {
    /// What a configuration says for this option, passwords cut; `None` when it says nothing.
    pub fn value_in(&self, config: &Config) -> Option<String> {
        let value = (self.show)(config);
        (value != OptionValue::Null).then(|| super::print::line(&value))
    }

    /// The default as text; `None` when the option is off or unknown until set.
    pub fn default_text(&self) -> Option<String> {
        match self.scope {
            _ if *self == place::PORT => Some(place::NODE_PORT.to_string()),
            _ if *self == place::SENTINEL_PORT => Some(place::SENTINEL_NODE_PORT.to_string()),
            Scope::Address | Scope::Source => None,
            Scope::Server | Scope::Client => self.value_in(&Config::blank()),
        }
    }
}

/// Names are unique, so they identify.
impl PartialEq for Spec {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// All options, in the order of the documentation.
pub fn all() -> impl DoubleEndedIterator<Item = &'static Spec> {
    [place::OPTIONS, access::OPTIONS, tls::OPTIONS, timing::OPTIONS, limits::OPTIONS]
        .into_iter()
        .flatten()
        .copied()
}

static BY_NAME: Lazy<HashMap<String, &'static Spec>> =
    Lazy::new(|| all().flat_map(|spec| names(spec).map(move |name| (plain(name), spec))).collect());

fn names(spec: &'static Spec) -> impl Iterator<Item = &'static str> {
    std::iter::once(spec.name).chain(spec.aliases.iter().copied())
}

/// The option with this name or alias, in any spelling.
pub fn find(name: &str) -> Option<&'static Spec> {
    BY_NAME.get().get(&plain(name)).copied()
}

/// The option name or alias nearest to a mistyped one.
pub(super) fn suggest(name: &str) -> Option<&'static str> {
    nearest(name, all().flat_map(names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_means_two_things() {
        let mut seen = HashMap::new();
        for spec in all() {
            for name in names(spec) {
                let other = seen.insert(plain(name), spec.name);
                assert!(other.is_none(), "{name} means {} and {other:?}", spec.name);
            }
        }
    }

    #[test]
    fn no_variable_means_two_things() {
        let mut seen = HashMap::new();
        for spec in all() {
            for variable in spec.env {
                let other = seen.insert(variable, spec.name);
                assert!(other.is_none(), "{variable} means {} and {other:?}", spec.name);
            }
        }
    }

    #[test]
    fn every_reason_is_one_sentence() {
        for spec in all() {
            assert!(spec.why.ends_with('.') && !spec.why.contains(". "), "{}", spec.name);
        }
    }
}
