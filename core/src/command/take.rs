//! What a walk takes and writes, and what it says when something is wrong.

use super::arg::Arg;
use super::names::{Class, Name, nearest};
use super::outcome::{DEPENDS, STORES, Wait};
use super::syntax::{Syntax, counts};
use super::walk::{Given, Walk, quoted};
use crate::error::{Error, Result};
use crate::proto::encode;

impl<'a> Walk<'a, '_> {
    /// Writes a word of the syntax.
    pub(super) fn word(&mut self, word: Name) {
        self.stores |= STORES.contains(&word.text);
        self.depends |= DEPENDS.contains(&word.text);
        self.meet(word.text);
        encode::argument(self.out, word.text.as_bytes());
        self.count += 1;
    }

    /// Writes a value.
    pub(super) fn value(&mut self, name: Name, value: &Arg<'_>) -> Result<()> {
        let name = name.text;
        if !value.write(self.out) {
            let why = match value {
                Arg::Null => "is null, and Redis has no null to store",
                Arg::Bool(_) => {
                    "is true or false, which Redis does not have: write 1 or 0, or text"
                }
                _ => "is one value, not a list or map",
            };
            return Err(self.usage(&format!("{} {why}", quoted(name))));
        }
        self.meet(name);
        self.count += 1;
        if self.command.blocks && matches!(name, "timeout" | "milliseconds") {
            let Some(time) = value.number() else {
                return Err(self.usage(&format!("{} is no number", quoted(name))));
            };
            self.wait = Wait::of(time, self.command.unit);
        }
        Ok(())
    }

    fn meet(&mut self, name: &str) {
        let deciding = self.command.deciding.iter().enumerate();
        for (bit, _) in deciding.filter(|(_, word)| **word == name) {
            self.met |= 1 << bit;
        }
    }

    pub(super) fn pop(&mut self, name: &str, given: &mut Given<'a>) -> Result<&'a Arg<'a>> {
        let (value, rest) = given
            .split_first()
            .ok_or_else(|| self.usage(&format!("{} is missing", quoted(name))))?;
        *given = rest;
        Ok(value)
    }

    /// The places of the options that are still to be used.
    fn open(&self) -> impl Iterator<Item = usize> + use<> {
        let mut open = self.open;
        std::iter::from_fn(move || {
            let place = (open > 0).then(|| open.trailing_zeros())?;
            open ^= 1 << place;
            Some(place as usize)
        })
    }

    /// Takes the option that this tells apart.
    fn take_if(&mut self, is: impl Fn(Class) -> bool) -> Option<&'a Arg<'a>> {
        let place = self.open().find(|place| is(self.called[*place]))?;
        self.open ^= 1 << place;
        Some(&self.options[place].1)
    }

    /// Takes the option of this name.
    pub(super) fn take(&mut self, name: Name) -> Option<&'a Arg<'a>> {
        self.take_if(|option| name.is(option))
    }

    /// Takes the option that gives all of a part that repeats.
    pub(super) fn take_many(&mut self, part: &Syntax) -> Option<&'a Arg<'a>> {
        self.take_if(|option| names_many(part, option))
    }

    /// Takes the option that a part begins with.
    pub(super) fn take_lead(&mut self, part: &'static Syntax) -> Option<(Name, &'a Arg<'a>)> {
        match part {
            Syntax::Word(word) => Some((*word, self.take(*word)?)),
            Syntax::Choice(parts) => parts.iter().find_map(|part| self.take_lead(part)),
            _ => None,
        }
    }

    /// How many of the options that are not used yet name something in this part.
    pub(super) fn names(&self, part: &Syntax) -> usize {
        self.open().filter(|place| knows(part, self.called[*place])).count()
    }

    /// How many positional arguments these parts take at least.
    pub(super) fn needs(&self, parts: &[Syntax]) -> usize {
        let need = |part: &Syntax| match part {
            Syntax::Word(_) | Syntax::Option(_) | Syntax::Optional(_) => 0,
            Syntax::Value(name) if counts(name.text) => 0,
            part if self.names(part) > 0 => 0,
            Syntax::Sequence(parts) => self.needs(parts),
            Syntax::Value(_) | Syntax::Choice(_) | Syntax::Repeated(_) => 1,
        };
        parts.iter().map(need).sum()
    }

    /// After the walk, every option must have found its place.
    pub(super) fn check_options(&self) -> Result<()> {
        let syntax = &self.command.syntax;
        for (i, (option, value)) in self.options.iter().enumerate() {
            if self.open & (1 << i) == 0 && !value.is_off() {
                continue;
            }
            if !knows(syntax, self.called[i]) {
                let hint = match nearest(option, syntax) {
                    Some(name) => format!(", but {} is one", quoted(&name)),
                    None => String::new(),
                };
                return Err(self.usage(&format!("there is no option {}{hint}", quoted(option))));
            }
            if !value.is_off() {
                return Err(self.usage(&format!("{} does not go with the others", quoted(option))));
            }
        }
        Ok(())
    }

    pub(super) fn missing(&self, part: &Syntax) -> Error {
        let mut first = None;
        part.visit(&mut |name| first = first.or(Some(name)));
        self.usage(&format!("{} is missing", quoted(first.unwrap_or_default())))
    }

    pub(super) fn none_of(&self, parts: &[Syntax]) -> Error {
        let mut words = Vec::new();
        parts.iter().for_each(|part| {
            let mut first = None;
            part.visit(&mut |name| first = first.or(Some(name)));
            words.extend(first);
        });
        self.usage(&format!("one of {} is missing", words.join(", ")))
    }

    /// What is wrong, and what to write instead. Values are not shown: they can be secrets.
    pub(super) fn usage(&self, what: &str) -> Error {
        let title = self.command.title();
        Error::usage(format!("{what}; write {title} {}", self.command.usage).trim_end())
            .during(title)
    }
}

/// Whether this is the name of something in a part.
fn knows(part: &Syntax, option: Class) -> bool {
    match part {
        Syntax::Word(name) | Syntax::Value(name) => name.is(option),
        Syntax::Sequence(parts) | Syntax::Choice(parts) => {
            parts.classes.may_have(option) && parts.iter().any(|part| knows(part, option))
        }
        Syntax::Option(part) | Syntax::Optional(part) => knows(part, option),
        Syntax::Repeated(group) => names_many(group, option) || knows(group, option),
    }
}

/// Whether this names what repeats as a whole.
fn names_many(group: &Syntax, option: Class) -> bool {
    match (group, group.parts().first()) {
        (Syntax::Value(name), _) => name.is_many(option),
        (Syntax::Sequence(_), Some(Syntax::Value(name))) => {
            option == Class::MAPPING || name.is_many(option)
        }
        (Syntax::Sequence(_), Some(Syntax::Word(word))) => word.is(option),
        _ => false,
    }
}
