//! A walk along the syntax of a command, which takes what it needs from what was given.
//!
//! At each part the named options come first, then the positional arguments in their order. Words
//! of the manual among the positional arguments are recognised wherever an option can stand, in
//! any order, as the server does it.

use super::arg::Arg;
use super::names::{Class, Name};
use super::outcome::{Encoded, Wait};
use super::syntax::{Syntax, counts};
use super::table::Command;
use crate::error::Result;
use crate::policy::Effect;

/// More than any command takes, if half of them are switched off.
const MOST_OPTIONS: usize = 32;

/// Positional arguments that are still to be taken.
pub(super) type Given<'a> = &'a [Arg<'a>];

/// The walk of one command.
pub(super) struct Walk<'a, 'o> {
    pub(super) command: &'static Command,
    pub(super) options: &'a [(&'a str, Arg<'a>)],
    /// The class of each of their names.
    pub(super) called: [Class; MOST_OPTIONS],
    /// Which of the options are still to be used; a bit for each.
    pub(super) open: u32,
    pub(super) out: &'o mut Vec<u8>,
    /// Arguments written.
    pub(super) count: usize,
    /// Which of the words that change the reply were met; a bit for each.
    pub(super) met: u32,
    pub(super) stores: bool,
    pub(super) depends: bool,
    pub(super) wait: Wait,
}

impl<'a, 'o> Walk<'a, 'o> {
    pub(super) fn new(
        command: &'static Command,
        options: &'a [(&'a str, Arg<'a>)],
        out: &'o mut Vec<u8>,
    ) -> Self {
        let (mut called, mut open) = ([Class::EMPTY; MOST_OPTIONS], 0);
        for (i, (name, value)) in options.iter().enumerate().take(MOST_OPTIONS) {
            called[i] = Class::of(name);
            open |= u32::from(!value.is_off()) << i;
        }
        let (stores, depends, wait) = (false, false, Wait::No);
        Self { command, options, called, open, out, count: 0, met: 0, stores, depends, wait }
    }

    /// Writes all arguments; returns their number and what is known of the command.
    pub(super) fn all(&mut self, mut given: Given<'a>) -> Result<(usize, Encoded)> {
        if self.options.len() > MOST_OPTIONS {
            return Err(self.usage("more than 32 options"));
        }
        let Syntax::Sequence(parts) = &self.command.syntax else {
            return Err(self.usage("no syntax"));
        };
        self.sequence(parts, &mut given, 0)?;
        let rest = given.len();
        if rest > 0 {
            self.rest(given)?;
        }
        self.check_options()?;
        let mut encoded = self.command.plainly();
        if self.stores || rest > 0 {
            encoded.effect = self.command.effect;
        }
        encoded.idempotent &= !self.depends && rest == 0;
        encoded.wait = self.wait;
        let mut bit = 0;
        for (words, reply) in &self.command.replies {
            let mask = ((1 << words.len()) - 1) << bit;
            bit += words.len();
            if self.met & mask == mask {
                encoded.shape = &reply.shape;
            }
        }
        debug_assert!(encoded.effect != Effect::Reads || !self.stores);
        Ok((self.count, encoded))
    }

    /// A newer server may have words that the table lacks, so what is left over goes with it
    /// where options can stand.
    fn rest(&mut self, given: Given<'a>) -> Result<()> {
        for arg in given {
            if !self.command.syntax.has_option(None) || !arg.write(self.out) {
                return Err(self.usage("too many arguments"));
            }
            self.count += 1;
        }
        Ok(())
    }

    /// Parts in their order. `after` is how many arguments must be left for what follows.
    pub(super) fn sequence(
        &mut self,
        parts: &'static [Syntax],
        given: &mut Given<'a>,
        after: usize,
    ) -> Result<()> {
        let mut at = 0;
        // Whoever leaves the word before a count out leaves the count out, too.
        let mut spelled = true;
        while let Some(part) = parts.get(at) {
            let mut next = at + 1;
            match (part, parts.get(at + 1)) {
                (Syntax::Value(name), Some(group)) if counts(name.text) => {
                    next += 1;
                    let after = after + self.needs(&parts[next..]);
                    self.counted((*name, spelled), group, given, after)?;
                }
                (Syntax::Repeated(first), Some(Syntax::Repeated(second))) => {
                    next += 1;
                    let word = at.checked_sub(1).and_then(|before| parts.get(before));
                    self.twins(word, first, second, given)?;
                }
                (Syntax::Option(_), _) => {
                    let run = parts[at..].iter().map_while(Syntax::as_option).count();
                    next = at + run;
                    self.run(&parts[at..next], given)?;
                }
                _ => {
                    let after = after + self.needs(&parts[next..]);
                    spelled = !matches!(part, Syntax::Word(_)) || part.is_next(given);
                    self.part(part, given, after)?;
                }
            }
            at = next;
        }
        Ok(())
    }

    /// Options side by side: the positional ones in any order, then the named ones.
    fn run(&mut self, run: &'static [Syntax], given: &mut Given<'a>) -> Result<()> {
        let mut done: u64 = 0;
        let options = run.iter().filter_map(Syntax::as_option).enumerate();
        while let Some(word) = given.first().and_then(Arg::text) {
            let mut open = options.clone().filter(|(i, _)| done & (1 << i) == 0);
            let Some((i, option)) = open.find(|(_, option)| option.begins_with(word)) else {
                break;
            };
            done |= 1 << i;
            self.option(option, given, 0)?;
        }
        for (_, option) in options.filter(|(i, _)| done & (1 << i) == 0) {
            if self.names(option) > 0 {
                self.option(option, &mut &[][..], 0)?;
            } else if let (Syntax::Repeated(_), Some(Arg::List(_))) = (option, given.first()) {
                self.option(option, given, 0)?;
            }
        }
        Ok(())
    }

    pub(super) fn part(
        &mut self,
        part: &'static Syntax,
        given: &mut Given<'a>,
        after: usize,
    ) -> Result<()> {
        match part {
            Syntax::Word(word) => {
                if part.is_next(given) {
                    *given = &given[1..];
                }
                self.word(*word);
                Ok(())
            }
            Syntax::Value(name) => {
                let value = match self.take(*name) {
                    Some(value) => value,
                    None => self.pop(name.text, given)?,
                };
                self.value(*name, value)
            }
            Syntax::Sequence(parts) => self.group(parts, given, after),
            Syntax::Choice(parts) => self.choice(parts, given, after),
            Syntax::Repeated(part) => match self.repeated(part, given, after, None)? {
                0 => Err(self.missing(part)),
                _ => Ok(()),
            },
            Syntax::Option(part) => self.option(part, given, after),
            Syntax::Optional(part) => {
                if let Some(Arg::Null) = given.first() {
                    *given = &given[1..];
                } else if self.names(part) > 0 || given.len() > after {
                    return self.option(part, given, after);
                }
                Ok(())
            }
        }
    }

    /// A part that is there because someone named it or wrote its word.
    pub(super) fn option(
        &mut self,
        part: &'static Syntax,
        given: &mut Given<'a>,
        after: usize,
    ) -> Result<()> {
        match part {
            Syntax::Word(word) => match self.take(*word) {
                Some(Arg::Bool(true)) => {
                    self.word(*word);
                    Ok(())
                }
                Some(_) => {
                    Err(self.usage(&format!("{} is either true or left out", quoted(word.text))))
                }
                None => self.part(part, given, after),
            },
            Syntax::Repeated(part) => self.repeated(part, given, after, None).map(drop),
            _ => self.part(part, given, after),
        }
    }

    /// Parts that an option may begin: what it holds are then the values of the others.
    fn group(
        &mut self,
        parts: &'static [Syntax],
        given: &mut Given<'a>,
        after: usize,
    ) -> Result<()> {
        let lead = parts.first().and_then(|first| self.take_lead(first));
        let (Some((word, value)), [_, rest @ ..]) = (lead, parts) else {
            return self.sequence(parts, given, after);
        };
        self.word(word);
        let mut values: Given<'a> = match value {
            Arg::Bool(true) => &[],
            Arg::List(items) if !items.iter().all(Arg::is_scalar) || !repeats(rest) => items,
            _ => std::slice::from_ref(value),
        };
        self.sequence(rest, &mut values, 0)?;
        if values.is_empty() {
            return Ok(());
        }
        Err(self.usage(&format!("too many values for {}", quoted(word.text))))
    }

    fn choice(
        &mut self,
        parts: &'static [Syntax],
        given: &mut Given<'a>,
        after: usize,
    ) -> Result<()> {
        // Alternatives may share a word, such as the units of BYRADIUS and BYBOX.
        let mut named = (0, None);
        for part in parts {
            let names = self.names(part);
            if names > named.0 {
                named = (names, Some(part));
            }
        }
        if let (_, Some(part)) = named {
            return self.option(part, given, after);
        }
        if let Some(part) = parts.iter().find(|part| part.is_next(given)) {
            return self.part(part, given, after);
        }
        match parts {
            // XADD makes up an id by itself.
            [Syntax::Word(word @ Name { text: "*", .. }), ..]
                if !given.first().is_some_and(Arg::is_scalar) =>
            {
                self.word(*word);
                Ok(())
            }
            _ => match parts.iter().find(|part| part.begins_with_value()) {
                Some(part) => self.part(part, given, after),
                None => Err(self.none_of(parts)),
            },
        }
    }
}

/// Whether one of these takes any number of values.
fn repeats(parts: &[Syntax]) -> bool {
    parts.iter().any(|part| part.most().is_none())
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.to_ascii_lowercase())
}
