//! The syntax of a command, as a tree.
//!
//! A generator of stubs walks it like this: a command is a [`Syntax::Sequence`]. What is required
//! in it, [`Syntax::Value`], a [`Syntax::Choice`] of words, a [`Syntax::Repeated`] value or group,
//! is a positional parameter, in this order; a value that [`counts`] is left out, because it is
//! filled in. A [`Syntax::Optional`] is an optional parameter. A [`Syntax::Option`] is an option
//! with the name of its first word: a flag if the word is all of it, else with the values behind
//! it; in a choice each alternative is an option of its own. [`Syntax::visit`] comes by every name
//! that can be given.

use super::arg::Arg;
use super::names::{Class, Classes, Name};
use std::ops::Deref;

/// A part of a command's syntax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Syntax {
    /// A word that is sent as it stands: `EX`, `STREAMS`, `*`.
    Word(Name),
    /// A value, which the syntax calls so.
    Value(Name),
    /// One after the other.
    Sequence(Parts),
    /// One of these.
    Choice(Parts),
    /// This or nothing; begins with a word.
    Option(Box<Syntax>),
    /// This or nothing; begins with a value.
    Optional(Box<Syntax>),
    /// This once or more often.
    Repeated(Box<Syntax>),
}

/// Several parts, with the classes of all names in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    parts: Vec<Syntax>,
    pub(super) classes: Classes,
}

impl Parts {
    fn new(parts: Vec<Syntax>) -> Self {
        let classes = parts.iter().map(Syntax::classes).fold(Classes::default(), Classes::or);
        Self { parts, classes }
    }
}

impl Deref for Parts {
    type Target = [Syntax];

    fn deref(&self) -> &[Syntax] {
        &self.parts
    }
}

/// Values that say how many others follow; they are filled in when those come as a list.
pub fn counts(value: &str) -> bool {
    matches!(value, "numkeys" | "numfields" | "numids" | "numvalues")
}

impl Syntax {
    /// Reads a line as the manual writes it; `None` if its brackets do not match.
    pub fn parse(line: &'static str) -> Option<Self> {
        let mut parser = Parser { rest: line };
        let syntax = parser.sequence()?;
        parser.rest.is_empty().then(|| Self::Sequence(Parts::new(syntax)))
    }

    /// The fewest arguments that it takes, words included.
    pub fn least(&self) -> usize {
        match self {
            Self::Word(_) | Self::Value(_) => 1,
            Self::Sequence(parts) => parts.iter().map(Self::least).sum(),
            Self::Choice(parts) => parts.iter().map(Self::least).min().unwrap_or(0),
            Self::Option(_) | Self::Optional(_) => 0,
            Self::Repeated(part) => part.least(),
        }
    }

    /// The most arguments that it takes, if there is a limit.
    pub fn most(&self) -> Option<usize> {
        match self {
            Self::Word(_) | Self::Value(_) => Some(1),
            Self::Sequence(parts) => parts.iter().map(Self::most).sum(),
            Self::Choice(parts) => {
                parts.iter().map(Self::most).try_fold(0, |most, part| Some(most.max(part?)))
            }
            Self::Option(part) | Self::Optional(part) => part.most(),
            Self::Repeated(_) => None,
        }
    }

    /// The place of the first key among the arguments, if it is always the same.
    pub fn first_key(&self) -> Option<usize> {
        let Self::Sequence(parts) = self else { return None };
        let mut place = 0;
        for part in parts.iter() {
            match part.first_value() {
                Some(name) if is_key(name) => return Some(place),
                Some(name) if counts(name) => return None,
                _ if part.most() == Some(part.least()) => place += part.least(),
                _ => return None,
            }
        }
        None
    }

    fn first_value(&self) -> Option<&'static str> {
        match self {
            Self::Value(name) => Some(name.text),
            Self::Sequence(parts) => parts.first()?.first_value(),
            Self::Repeated(part) | Self::Optional(part) => part.first_value(),
            _ => None,
        }
    }

    /// The parts that it is made of.
    pub fn parts(&self) -> &[Self] {
        match self {
            Self::Word(_) | Self::Value(_) => &[],
            Self::Sequence(parts) | Self::Choice(parts) => parts,
            Self::Option(part) | Self::Optional(part) | Self::Repeated(part) => {
                std::slice::from_ref(&**part)
            }
        }
    }

    /// The parts that it can begin with.
    fn firsts(&self) -> &[Self] {
        let parts = self.parts();
        let Self::Sequence(_) = self else { return parts };
        let skips = |part: &&Self| matches!(part, Self::Option(_) | Self::Optional(_));
        &parts[..parts.len().min(1 + parts.iter().take_while(skips).count())]
    }

    /// Whether arguments for this can begin with `word`.
    pub(super) fn begins_with(&self, word: &[u8]) -> bool {
        match self {
            Self::Word(own) => own.text.as_bytes().eq_ignore_ascii_case(word),
            _ => self.firsts().iter().any(|part| part.begins_with(word)),
        }
    }

    /// Whether these arguments begin with a word that this can begin with.
    pub(super) fn is_next(&self, given: &[Arg<'_>]) -> bool {
        given.first().and_then(Arg::text).is_some_and(|word| self.begins_with(word))
    }

    /// Whether arguments for this can begin with any value.
    pub(super) fn begins_with_value(&self) -> bool {
        matches!(self, Self::Value(_)) || self.firsts().iter().any(Self::begins_with_value)
    }

    /// Whether an option anywhere in it begins with `word`, or, without one, with any.
    pub(super) fn has_option(&self, word: Option<&[u8]>) -> bool {
        let own = |part: &Self| word.is_none_or(|word| part.begins_with(word));
        matches!(self, Self::Option(part) if own(part))
            || self.parts().iter().any(|part| part.has_option(word))
    }

    pub(super) fn as_option(&self) -> Option<&Self> {
        if let Self::Option(part) = self { Some(part) } else { None }
    }

    pub(super) fn as_value(&self) -> Option<Name> {
        if let Self::Value(name) = self { Some(*name) } else { None }
    }

    /// What repeats in a part that does.
    pub(super) fn repeats(&self) -> &Self {
        match self {
            Self::Repeated(part) => part,
            part => part,
        }
    }

    /// The classes of all names that can be given for it or for a part of it.
    fn classes(&self) -> Classes {
        match self {
            Self::Word(name) | Self::Value(name) => name.classes(),
            Self::Sequence(parts) | Self::Choice(parts) => parts.classes,
            Self::Option(part) | Self::Optional(part) => part.classes(),
            Self::Repeated(part) => part.classes().with(Class::MAPPING),
        }
    }

    /// Every word and value in it.
    pub fn visit(&self, visitor: &mut dyn FnMut(&'static str)) {
        if let Self::Word(name) | Self::Value(name) = self {
            visitor(name.text);
        }
        self.parts().iter().for_each(|part| part.visit(visitor));
    }
}

fn is_key(value: &str) -> bool {
    let keys = ["key", "key1", "destkey", "source", "destination", "dst", "shardchannel"];
    keys.contains(&value)
}

fn optional(part: Syntax) -> Syntax {
    match part.begins_with_value() {
        true => Syntax::Optional(Box::new(part)),
        false => Syntax::Option(Box::new(part)),
    }
}

struct Parser {
    rest: &'static str,
}

impl Parser {
    /// Parts up to a closing bracket, a bar or the end.
    fn sequence(&mut self) -> Option<Vec<Syntax>> {
        let mut parts = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            let mut part = match self.rest.chars().next() {
                None | Some(']' | '>' | '|') => return Some(parts),
                Some('[') => optional(self.bracket(']')?),
                Some('<') => self.bracket('>')?,
                Some(_) => self.word(),
            };
            if let Some(rest) = self.rest.strip_prefix("...") {
                self.rest = rest;
                part = Syntax::Repeated(Box::new(part));
            }
            parts.push(part);
        }
    }

    fn bracket(&mut self, close: char) -> Option<Syntax> {
        let mut choices = Vec::new();
        loop {
            self.rest = &self.rest[1..];
            let mut parts = self.sequence()?;
            let only = if parts.len() == 1 { parts.pop() } else { None };
            choices.push(only.unwrap_or_else(|| Syntax::Sequence(Parts::new(parts))));
            if !self.rest.starts_with('|') {
                break;
            }
        }
        self.rest = self.rest.strip_prefix(close)?;
        let only = if choices.len() == 1 { choices.pop() } else { None };
        Some(only.unwrap_or_else(|| Syntax::Choice(Parts::new(choices))))
    }

    fn word(&mut self) -> Syntax {
        let ends = |at: &usize| {
            let rest = &self.rest[*at..];
            rest.starts_with([' ', '[', ']', '<', '>', '|']) || rest.starts_with("...")
        };
        let end = (0..self.rest.len()).filter(|at| self.rest.is_char_boundary(*at)).find(ends);
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        match word.starts_with(|first: char| first.is_ascii_lowercase()) {
            true => Syntax::Value(Name::new(word)),
            false => Syntax::Word(Name::new(word)),
        }
    }
}
