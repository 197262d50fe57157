//! What was found in a URL so far.

use crate::config::duration::is_doubtful;
use crate::config::kind::Kind;
use crate::config::options::Spec;
use crate::config::options::access::{PASSWORD, USERNAME};
use crate::config::userinfo::UserInfo;
use crate::config::value::{OptionValue, Unit};

/// An @ where none can be is what is left of a password with `/`, `?` or `#` in it.
pub(super) const STRAY_AT: &str = "has an @ behind its hosts; write / as %2F, ? as %3F and # as \
                                   %23 in a user or password, and @ as %40 elsewhere";

#[derive(Default)]
pub(super) struct Parts {
    pub(super) options: Vec<(&'static Spec, OptionValue)>,
    pub(super) oddities: Vec<String>,
}

impl Parts {
    /// Adds an option; saying it twice is fine, saying two different things is not.
    pub(super) fn add(
        &mut self,
        spec: &'static Spec,
        value: impl Into<OptionValue>,
    ) -> Result<(), String> {
        let value = value.into();
        if spec.kind == Kind::Duration
            && let OptionValue::Text(text) = &value
            && is_doubtful(text)
        {
            self.add_oddity(format!(
                "has {text} for {} without a unit, which is read as seconds; write {text}ms \
                 or {text}s",
                spec.name
            ));
        }
        let value = spec
            .kind
            .normal(&value, Unit::Seconds)
            .map_err(|why| format!("has a {} that {why}", spec.name))?;
        match self.get(spec) {
            None => self.options.push((spec, value)),
            Some(said) if *said == value => {}
            Some(_) => {
                return Err(format!("gives two different values for {}; keep one", spec.name));
            }
        }
        Ok(())
    }

    pub(super) fn get(&self, spec: &'static Spec) -> Option<&OptionValue> {
        self.options.iter().find(|(known, _)| *known == spec).map(|(_, value)| value)
    }

    /// A URL with a password speaks for the user as well, also where that is `default`.
    pub(super) fn add_credentials(&mut self, info: UserInfo) -> Result<(), String> {
        self.oddities.extend(info.oddities.into_iter().map(str::to_owned));
        let said_user = info.credentials.username.is_some() || info.credentials.password.is_some();
        if said_user {
            self.add(&USERNAME, info.credentials.username)?;
        }
        match info.credentials.password {
            Some(password) => self.add(&PASSWORD, password),
            None => Ok(()),
        }
    }

    pub(super) fn add_oddity(&mut self, oddity: impl Into<String>) {
        self.oddities.push(oddity.into());
    }
}

/// A URL without its scheme, cut at the first `/`, `?` and `#`.
pub(super) struct Piece<'a> {
    pub(super) authority: &'a str,
    /// Behind the first `/`.
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) fragment: &'a str,
}

impl<'a> Piece<'a> {
    pub(super) fn split(rest: &'a str) -> Result<Self, String> {
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if path.contains('@') || fragment.contains('@') {
            return Err(STRAY_AT.to_owned());
        }
        // `redis://:12?3=4@host`: the host is behind the question mark.
        if !authority.contains('@') && authority.starts_with(':') && query.contains('@') {
            return Err(STRAY_AT.to_owned());
        }
        Ok(Self { authority, path, query, fragment })
    }
}
