//! Environment variables and their `_FILE` twins.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use super::options;
use super::origin::Origin;
use super::secret::{self, Secret};
use super::text::{shown, unquoted};
use crate::{Error, Result};

/// Names a variable that holds the URL; Heroku add-ons and Sidekiq use it.
pub(super) const PROVIDER: &str = "REDIS_PROVIDER";

/// A copy of the variables that can concern us. `Debug` shows their names alone.
#[derive(Clone, Default, PartialEq)]
pub struct Environment {
    variables: BTreeMap<String, OsString>,
}

/// The value of a variable or of the file that its twin names.
pub(super) struct Found {
    pub(super) text: String,
    pub(super) origin: Origin,
}

impl Environment {
    /// The variables of this process.
    pub fn process() -> Self {
        let ours = |name: &str| name.to_ascii_uppercase().contains("REDIS");
        let mut variables: BTreeMap<String, OsString> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(name, _)| ours(name))
            .collect();
        let providers = variables.iter().filter(|(name, _)| name.ends_with(PROVIDER));
        let named: Vec<(String, OsString)> = providers
            .filter_map(|(_, name)| Some((name.to_str()?.to_owned(), std::env::var_os(name)?)))
            .collect();
        variables.extend(named);
        Self { variables }
    }

    /// No variables at all.
    pub fn none() -> Self {
        Self::default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.variables.is_empty()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    /// Whether a variable or its twin says anything.
    pub(super) fn mentions(&self, name: &str) -> bool {
        let said = |name: &str| self.variables.get(name).is_some_and(|value| !value.is_empty());
        said(name) || said(&twin(name))
    }

    /// The value of a variable, or what is in the file that `<name>_FILE` names; empty is unset.
    pub(super) fn get(&self, name: &str) -> Result<Option<Found>> {
        let here = self.raw(name)?.map(|text| Found {
            text: unquoted(text).to_owned(),
            origin: Origin::Variable(name.to_owned()),
        });
        let here = here.filter(|found| !found.text.is_empty());
        let Some((path, bytes)) = self.file(name)? else {
            return Ok(here);
        };
        let text = String::from_utf8(bytes)
            .map_err(|_| file_error(name, path, "holds no UTF-8 text"))?
            .trim()
            .to_owned();
        if here.as_ref().is_some_and(|here| here.text != text) {
            return Err(differ(name));
        }
        let origin = Origin::File { variable: twin(name), path: path.into() };
        Ok(Some(Found { text, origin }).filter(|found| !found.text.is_empty()))
    }

    /// A secret: its blanks count, and a file is read again each time.
    pub(super) fn secret(&self, name: &str) -> Result<Option<(Secret, Origin, Option<String>)>> {
        let here = self.raw(name)?;
        let bare =
            here.map(|text| if unquoted(text) == text.trim() { text } else { unquoted(text) });
        let bare = bare.filter(|text| !text.is_empty());
        let Some((path, bytes)) = self.file(name)? else {
            return Ok(bare.map(|bare| {
                let warning = (Some(bare) != here)
                    .then(|| format!("{name} is written in quotes, which were taken off"));
                (Secret::new(bare), Origin::Variable(name.to_owned()), warning)
            }));
        };
        if bare.is_some_and(|bare| bare.as_bytes() != bytes) {
            return Err(differ(name));
        }
        if bytes.is_empty() {
            return Err(file_error(name, path, "is empty"));
        }
        let warning = secret::is_world_writable(path).then(|| {
            format!(
                "the file {} of {} can be written by everyone; chmod o-w it",
                path.display(),
                twin(name)
            )
        });
        let origin = Origin::File { variable: twin(name), path: path.into() };
        Ok(Some((Secret::file(path), origin, warning)))
    }

    fn raw(&self, name: &str) -> Result<Option<&str>> {
        match self.variables.get(name).map(|value| value.to_str()) {
            None => Ok(None),
            Some(Some(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
            Some(None) => Err(Error::config(format!(
                "{name} is not UTF-8; put its value into a file and name that in {}",
                twin(name)
            ))),
        }
    }

    fn file(&self, name: &str) -> Result<Option<(&Path, Vec<u8>)>> {
        let twin = twin(name);
        let path = self.raw(&twin)?.map(unquoted).filter(|path| !path.is_empty());
        // REDIS_TLS_CA_FILE is the path of the CA, not of a file with that path.
        let listed = || options::all().any(|spec| spec.env.iter().any(|env| twin.ends_with(env)));
        let path = path.filter(|_| !name.ends_with("_FILE") && !listed()).map(Path::new);
        let Some(path) = path else { return Ok(None) };
        let bytes = secret::read(path).map_err(|why| file_error(name, path, &why))?;
        Ok(Some((path, bytes)))
    }
}

fn twin(name: &str) -> String {
    format!("{name}_FILE")
}

fn differ(name: &str) -> Error {
    Error::config(format!(
        "{name} and the file of {} hold different values; keep one of them",
        twin(name)
    ))
}

fn file_error(name: &str, path: &Path, why: &str) -> Error {
    // Some put the secret itself where its path belongs; that is not to be shown.
    let path = match path.to_str() {
        Some(text) if text.starts_with('/') => shown(text),
        _ => "a file".to_owned(),
    };
    Error::config(format!(
        "{} names {path}, which {why}; write the absolute path of a readable file",
        twin(name)
    ))
}

impl<N: Into<String>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let owned = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self { variables: owned.collect() }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}
