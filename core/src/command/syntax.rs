//! The syntax of a command, as a tree.
//!
//! A generator of stubs walks it like this: a command is a [`Syntax::Sequence`]. What is required
//! in it, [`Syntax::Value`], a [`Syntax::Choice`] of words, a [`Syntax::Repeated`] value or group,
//! is a positional parameter, in this order; a value that [`counts`] is left out, because it is
//! filled in. Each [`Syntax::Optional`] that begins with a word is an option of that name: a flag
//! if the word is all of it, else with the type of the values behind it. An optional that begins
//! with a value is an optional parameter. In a choice each alternative is an option of its own.
//! [`Syntax::visit`] comes by every name that can be given.

/// A part of a command's syntax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Syntax {
    /// A word that is sent as it stands: `EX`, `STREAMS`, `*`.
    Word(&'static str),
    /// A value, which the syntax calls so.
    Value(&'static str),
    /// One after the other.
    Sequence(Vec<Syntax>),
    /// One of these.
    Choice(Vec<Syntax>),
    /// This or nothing.
    Optional(Box<Syntax>),
    /// This once or more often.
    Repeated(Box<Syntax>),
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
        parser.rest.is_empty().then_some(Self::Sequence(syntax))
    }

    /// The fewest arguments that it takes, words included.
    pub fn least(&self) -> usize {
        match self {
            Self::Word(_) | Self::Value(_) => 1,
            Self::Sequence(parts) => parts.iter().map(Self::least).sum(),
            Self::Choice(parts) => parts.iter().map(Self::least).min().unwrap_or(0),
            Self::Optional(_) => 0,
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
            Self::Optional(part) => part.most(),
            Self::Repeated(_) => None,
        }
    }

    /// The place of the first key among the arguments, if it is always the same.
    pub fn first_key(&self) -> Option<usize> {
        let Self::Sequence(parts) = self else { return None };
        let mut place = 0;
        for part in parts {
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
            Self::Value(name) => Some(name),
            Self::Sequence(parts) => parts.first()?.first_value(),
            Self::Repeated(part) | Self::Optional(part) => part.first_value(),
            _ => None,
        }
    }

    /// Whether arguments for this can begin with `word`.
    pub(super) fn begins_with(&self, word: &[u8]) -> bool {
        match self {
            Self::Word(own) => own.as_bytes().eq_ignore_ascii_case(word),
            Self::Value(_) => false,
            Self::Sequence(parts) => firsts(parts).iter().any(|part| part.begins_with(word)),
            Self::Choice(parts) => parts.iter().any(|part| part.begins_with(word)),
            Self::Optional(part) | Self::Repeated(part) => part.begins_with(word),
        }
    }

    /// Whether arguments for this can begin with any value.
    pub(super) fn begins_with_value(&self) -> bool {
        match self {
            Self::Word(_) => false,
            Self::Value(_) => true,
            Self::Sequence(parts) => firsts(parts).iter().any(Self::begins_with_value),
            Self::Choice(parts) => parts.iter().any(Self::begins_with_value),
            Self::Optional(part) | Self::Repeated(part) => part.begins_with_value(),
        }
    }

    /// What can be given as a named option: a part that is optional and begins with a word.
    pub fn as_option(&self) -> Option<&Self> {
        match self {
            Self::Optional(part) if !part.begins_with_value() => Some(part),
            _ => None,
        }
    }

    /// Whether an option anywhere in it begins with `word`, or, without one, with any.
    pub(super) fn has_option(&self, word: Option<&[u8]>) -> bool {
        match self {
            Self::Word(_) | Self::Value(_) => false,
            Self::Sequence(parts) | Self::Choice(parts) => {
                parts.iter().any(|part| part.has_option(word))
            }
            Self::Repeated(part) => part.has_option(word),
            Self::Optional(part) => match self.as_option() {
                Some(part) if word.is_none_or(|word| part.begins_with(word)) => true,
                _ => part.has_option(word),
            },
        }
    }

    pub(super) fn as_value(&self) -> Option<&'static str> {
        if let Self::Value(name) = self { Some(name) } else { None }
    }

    /// What repeats in a part that does.
    pub(super) fn repeats(&self) -> &Self {
        match self {
            Self::Repeated(part) => part,
            part => part,
        }
    }

    /// Every word and value in it.
    pub fn visit(&self, visitor: &mut dyn FnMut(&'static str)) {
        match self {
            Self::Word(name) | Self::Value(name) => visitor(name),
            Self::Sequence(parts) | Self::Choice(parts) => {
                parts.iter().for_each(|part| part.visit(visitor));
            }
            Self::Optional(part) | Self::Repeated(part) => part.visit(visitor),
        }
    }
}

/// The parts of a sequence that it can begin with.
fn firsts(parts: &[Syntax]) -> &[Syntax] {
    let skipped = parts.iter().take_while(|part| matches!(part, Syntax::Optional(_))).count();
    &parts[..parts.len().min(skipped + 1)]
}

fn is_key(value: &str) -> bool {
    let keys = ["key", "key1", "destkey", "source", "destination", "dst", "shardchannel"];
    keys.contains(&value)
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
                Some('[') => Syntax::Optional(Box::new(self.bracket(']')?)),
                Some('<') => self.bracket('>')?,
                Some(_) => self.word(),
            };
            if let Some(rest) = self.rest.strip_prefix("...") {
                self.rest = rest;
                part = match part {
                    // `[<GET pattern>...]` and `[key...]` say the same with the dots inside.
                    Syntax::Optional(part) => Syntax::Optional(Box::new(Syntax::Repeated(part))),
                    part => Syntax::Repeated(Box::new(part)),
                };
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
            choices.push(only.unwrap_or(Syntax::Sequence(parts)));
            if !self.rest.starts_with('|') {
                break;
            }
        }
        self.rest = self.rest.strip_prefix(close)?;
        let only = if choices.len() == 1 { choices.pop() } else { None };
        Some(only.unwrap_or(Syntax::Choice(choices)))
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
            true => Syntax::Value(word),
            false => Syntax::Word(word),
        }
    }
}
