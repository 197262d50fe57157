//! What the program says: the `url` argument and the options by name.

use std::borrow::Cow;

use super::Input;
use super::environment::Environment;
use super::foreign;
use super::options::place::{ENV, ENV_PREFIX, SENTINELS, URL};
use super::options::{Scope, Spec, find, suggest};
use super::origin::Origin;
use super::settings::{Rank, Setting, Settings};
use super::suggest::plain;
use super::text::shown;
use super::url::{self, Shape};
use super::value::OptionValue;
use crate::{Error, Result};

/// Maps inside maps are followed no deeper than any client nests them.
const DEEPEST: usize = 3;

/// What decides where to look next.
pub(super) struct Arguments<'a> {
    pub(super) url: Option<Shape>,
    pub(super) environment: Cow<'a, Environment>,
    pub(super) prefix: String,
}

/// Reads options and URL; leaves the environment to the caller.
pub(super) fn read<'a>(input: &'a Input, settings: &mut Settings) -> Result<Arguments<'a>> {
    for (name, value) in &input.options {
        Options { input, settings }.add("", name, name, value, 0)?;
    }
    if let Some(url) = &input.url {
        if url.is_empty() {
            return Err(empty(&Origin::Url));
        }
        settings.add(&URL, url.as_str(), &Origin::Url, Rank::Option);
    }
    let mut shape = None;
    if let Some(url) = text_of(settings, &URL)? {
        let url =
            url::parse(&url).map_err(|why| Error::config(format!("{} {why}", Origin::Url)))?;
        shape = Some(url.shape);
        url.tell(&Origin::Url, Rank::Url, settings);
    }
    Ok(Arguments {
        url: shape,
        environment: environment(input, settings)?,
        prefix: text_of(settings, &ENV_PREFIX)?.unwrap_or_default(),
    })
}

fn empty(origin: &Origin) -> Error {
    Error::config(format!("{origin} is empty; leave it out to use the environment"))
}

fn text_of(settings: &mut Settings, spec: &'static Spec) -> Result<Option<String>> {
    Ok(settings.choose(spec)?.and_then(|chosen| chosen.value.text()))
}

fn environment<'a>(input: &'a Input, settings: &mut Settings) -> Result<Cow<'a, Environment>> {
    let Some(setting) = settings.about(&ENV).next() else {
        return Ok(Cow::Borrowed(&input.environment));
    };
    match &setting.value {
        OptionValue::Bool(true) => Ok(Cow::Borrowed(&input.environment)),
        OptionValue::Bool(false) => Ok(Cow::Owned(Environment::none())),
        OptionValue::Map(entries) => entries
            .iter()
            .filter(|(_, value)| !value.is_absent())
            .map(|(name, value)| match value {
                OptionValue::Text(text) => Ok((name.clone(), text.clone())),
                other => Err(setting.error(&format!(
                    "has {} for {}; write text",
                    other.type_name(),
                    shown(name)
                ))),
            })
            .collect::<Result<Environment>>()
            .map(Cow::Owned),
        other => {
            let expected = ENV.kind.expected();
            Err(setting.error(&format!("is {}; write {expected}", other.type_name())))
        }
    }
}

/// A map of options, as other clients have them for one side or for TLS.
struct Group {
    /// What to put before the names inside.
    prefix: String,
    /// The option that the map turns on by being there.
    switch: Option<String>,
}

fn group(side: &str, name: &str) -> Option<Group> {
    let (prefix, switch) = match plain(name).as_str() {
        "sentinelkwargs" | "sentineloptions" | "sentinelclientoptions" => {
            ("sentinel_".to_owned(), None)
        }
        "connectionkwargs" | "nodeoptions" | "nodeclientoptions" | "redisoptions" | "socket" => {
            (side.to_owned(), None)
        }
        "tls" | "ssl" | "sslparams" => (format!("{side}tls_"), Some(format!("{side}tls"))),
        "sentineltls" | "sentinelssl" => {
            ("sentinel_tls_".to_owned(), Some("sentinel_tls".to_owned()))
        }
        _ => return None,
    };
    Some(Group { prefix, switch })
}

struct Options<'a> {
    input: &'a Input,
    settings: &'a mut Settings,
}

impl Options<'_> {
    /// Adds one option, or each one of a group. `side` stands for the groups it is in, and
    /// `path` is how the caller wrote it.
    fn add(
        &mut self,
        side: &str,
        path: &str,
        name: &str,
        value: &OptionValue,
        depth: usize,
    ) -> Result<()> {
        let (Some(group), OptionValue::Map(entries)) = (group(side, name), value) else {
            return self.one(side, path, name, value);
        };
        if depth == DEEPEST {
            return Err(Error::config(format!(
                "the option {} is nested more than {DEEPEST} deep; write its options flat",
                shown(path)
            )));
        }
        if let Some(switch) = group.switch {
            self.one("", path, &switch, &true.into())?;
        }
        entries.iter().try_for_each(|(name, value)| {
            self.add(&group.prefix, &format!("{path}.{name}"), name, value, depth + 1)
        })
    }

    fn one(&mut self, side: &str, path: &str, name: &str, value: &OptionValue) -> Result<()> {
        let full = format!("{side}{name}");
        // sentinel_kwargs holds words for both sides: `user` in it is `sentinel_username`.
        let ours = || find(name).map(|spec| format!("{side}{}", spec.name));
        if let Some(spec) = find(&full).or_else(|| find(&ours()?)) {
            return self.known(spec, path, value);
        }
        let foreign = foreign::find(&full).or_else(|| foreign::find(&ours()?));
        if let Some(foreign) = foreign.or_else(|| foreign::find(name)) {
            let remark = foreign
                .remark(name, value)
                .map_err(|why| Error::config(format!("the option {} {why}", shown(path))))?;
            if let Some(remark) = remark {
                self.settings.warn(format!("the configuration {remark}"));
            }
            return Ok(());
        }
        let near = suggest(&full)
            .map_or("see docs/configuration.md".to_owned(), |near| format!("did you mean {near}?"));
        Err(Error::config(format!("the option {} is unknown; {near}", shown(path))))
    }

    fn known(&mut self, spec: &'static Spec, path: &str, value: &OptionValue) -> Result<()> {
        let origin = Origin::Option(path.to_owned());
        if value.is_absent() {
            let place = spec.scope == Scope::Address || *spec == URL;
            // An empty place must not lead to the server of the environment.
            return match value {
                OptionValue::Null => Ok(()),
                _ if place => Err(empty(&origin)),
                _ => Ok(()),
            };
        }
        if let OptionValue::Text(text) = value
            && *spec == SENTINELS
            && url::speaks_of_sentinels(text)
        {
            let url = url::parse(text).map_err(|why| Error::config(format!("{origin} {why}")))?;
            url.tell(&origin, Rank::Option, self.settings);
            return Ok(());
        }
        self.settings.push(Setting {
            spec,
            value: value.clone(),
            origin,
            rank: Rank::Option,
            unit: self.input.unit,
        });
        Ok(())
    }
}
