//! The parts of a syntax that repeat: `key...`, `<field value>...`, and counts of them.

use super::arg::Arg;
use super::names::Name;
use super::syntax::Syntax;
use super::walk::{Given, Walk, quoted};
use crate::error::Result;
use crate::proto::encode;

impl<'a> Walk<'a, '_> {
    /// A part that repeats, `exactly` so often if that is known: first what stands among the
    /// positional arguments, then what an option holds; returns how often.
    pub(super) fn repeated(
        &mut self,
        part: &'static Syntax,
        given: &mut Given<'a>,
        after: usize,
        exactly: Option<usize>,
    ) -> Result<usize> {
        let mut times = 0;
        let named = self.take_many(part);
        while matches!(part, Syntax::Choice(_)) && self.names(part) > 0 {
            self.option(part, &mut &[][..], 0)?;
            times += 1;
        }
        while let Some(next) = given.first() {
            let option = |word| self.command.syntax.has_option(Some(word));
            let wanted = match (exactly, next.text()) {
                (Some(exactly), _) => times < exactly,
                (None, Some(text)) if part.begins_with(text) => true,
                (None, _) if times == 0 && named.is_none() => true,
                (None, text) => given.len() > after && !text.is_some_and(option),
            };
            if !wanted {
                break;
            }
            times += match next {
                Arg::List(_) | Arg::Map(_) => {
                    *given = &given[1..];
                    let all = self.spread(part, next)?;
                    if exactly.is_some() {
                        return Ok(times + all);
                    }
                    all
                }
                _ => {
                    self.part(part, given, after)?;
                    1
                }
            };
        }
        if let Some(values) = named {
            times += self.spread(part, values)?;
        }
        Ok(times)
    }

    /// What repeats, from one value that holds it all.
    fn spread(&mut self, part: &'static Syntax, values: &'a Arg<'a>) -> Result<usize> {
        match (part, values) {
            (Syntax::Value(name), Arg::List(items)) => {
                items.iter().try_for_each(|item| self.value(*name, item))?;
                Ok(items.len())
            }
            (Syntax::Value(name), value) => self.value(*name, value).map(|()| 1),
            (Syntax::Sequence(parts), Arg::Map(pairs))
                if parts.iter().all(|part| part.as_value().is_some()) =>
            {
                for (key, value) in *pairs {
                    self.pair(parts, key, value)?;
                }
                Ok(pairs.len())
            }
            (_, Arg::Map(_)) => Err(self.usage("a map stands where only a list can")),
            (_, Arg::List(items)) => {
                let (mut rest, mut times) = (*items, 0);
                while let Some(item) = rest.first() {
                    match item {
                        Arg::List(_) | Arg::Map(_) => {
                            rest = &rest[1..];
                            times += self.one(part, item)?;
                        }
                        _ => {
                            self.part(part, &mut rest, 0)?;
                            times += 1;
                        }
                    }
                }
                Ok(times)
            }
            (_, value) => self.one(part, value),
        }
    }

    /// One group, from a list of its values; or as many as a map has.
    fn one(&mut self, part: &'static Syntax, values: &'a Arg<'a>) -> Result<usize> {
        let mut rest = match values {
            Arg::List(items) => items,
            Arg::Map(_) => return self.spread(part, values),
            _ => std::slice::from_ref(values),
        };
        self.part(part, &mut rest, 0)?;
        if rest.is_empty() {
            return Ok(1);
        }
        Err(self.usage("too many values in one group"))
    }

    /// One entry of a map. Members stand behind their score, or their place, but are its key.
    fn pair(
        &mut self,
        parts: &'static [Syntax],
        key: &'a Arg<'a>,
        value: &'a Arg<'a>,
    ) -> Result<()> {
        let values = match value {
            Arg::List(items) => items,
            value => std::slice::from_ref(value),
        };
        let by_member =
            parts.last().and_then(Syntax::as_value).is_some_and(|name| name.text == "member");
        let (first, last) = if by_member { (None, Some(key)) } else { (Some(key), None) };
        let all = first.into_iter().chain(values).chain(last);
        if parts.len() != values.len() + 1 {
            return Err(self.usage("a map gives each key the wrong number of values"));
        }
        let mut names = parts.iter().filter_map(Syntax::as_value).zip(all);
        names.try_for_each(|(name, arg)| self.value(name, arg))
    }

    /// Two lists of equal length (`STREAMS key... id...`): one behind the other, in halves, or as
    /// a map from one to the other.
    pub(super) fn twins(
        &mut self,
        before: Option<&'static Syntax>,
        first: &'static Syntax,
        second: &'static Syntax,
        given: &mut Given<'a>,
    ) -> Result<()> {
        let mut named: Given<'a>;
        let mut given = given;
        if let Some((_, value)) = before.and_then(|word| self.take_lead(word)) {
            named = match value {
                Arg::List(items) => items,
                value => std::slice::from_ref(value),
            };
            given = &mut named;
        }
        if let [Arg::Map(pairs)] = given {
            if pairs.is_empty() {
                return Err(self.missing(first));
            }
            *given = &[];
            pairs.iter().try_for_each(|(key, _)| self.one(first, key).map(drop))?;
            return pairs.iter().try_for_each(|(_, value)| self.one(second, value).map(drop));
        }
        let half = given.len() / 2;
        let (mut head, mut tail) = given.split_at(half);
        *given = &[];
        let keys = self.repeated(first, &mut head, 0, None)?;
        let ids = self.repeated(second, &mut tail, 0, None)?;
        if keys == 0 {
            return Err(self.missing(first));
        }
        if keys == ids && head.is_empty() && tail.is_empty() {
            return Ok(());
        }
        Err(self.usage("not as many of the last list as of the one before it"))
    }

    /// A count and what it counts. It need not be given when that comes as a list or by name, or
    /// when the word before it was not `spelled` out.
    pub(super) fn counted(
        &mut self,
        (count, spelled): (Name, bool),
        group: &'static Syntax,
        given: &mut Given<'a>,
        after: usize,
    ) -> Result<()> {
        let (part, optional) = match group {
            Syntax::Optional(group) => (group.repeats(), true),
            group => (group.repeats(), false),
        };
        let named = self.take_many(part);
        let mut first = None;
        if named.is_none() && (spelled || !given.first().is_some_and(Arg::is_scalar)) {
            first = self.take(count).or_else(|| shift(given));
            if let Some(number) = first.filter(|first| first.is_scalar()) {
                return self.exactly(count, number, part, given, after);
            }
        }
        let place = self.out.len();
        encode::argument(self.out, b"0");
        self.count += 1;
        let times = match named.or(first) {
            Some(values) => self.spread(part, values)?,
            None => self.repeated(part, given, after, None)?,
        };
        if times == 0 && !optional {
            return Err(self.missing(part));
        }
        if self.take(count).is_some_and(|said| said.count() != Some(times)) {
            return Err(self.usage(&format!("{} is not how many follow", quoted(count.text))));
        }
        self.fill_in(place, times);
        Ok(())
    }

    /// A count that was given, and as many of what it counts.
    fn exactly(
        &mut self,
        count: Name,
        number: &'a Arg<'a>,
        part: &'static Syntax,
        given: &mut Given<'a>,
        after: usize,
    ) -> Result<()> {
        let Some(exactly) = number.count() else {
            let count = quoted(count.text);
            let what = format!("{count} is no number, and no list of what it counts");
            return Err(self.usage(&what));
        };
        self.value(count, number)?;
        if self.repeated(part, given, after, Some(exactly))? == exactly {
            return Ok(());
        }
        Err(self.usage(&format!("{} is not how many follow", quoted(count.text))))
    }

    /// Puts a number in the place of a zero.
    fn fill_in(&mut self, place: usize, number: usize) {
        if number < 10 {
            self.out[place + 4] = b'0' + number as u8;
            return;
        }
        let zero = place..place + b"$1\r\n0\r\n".len();
        let mut digits = Vec::new();
        encode::argument(&mut digits, number.to_string().as_bytes());
        self.out.splice(zero, digits);
    }
}

/// Takes the next positional argument, if there is one.
fn shift<'a>(given: &mut Given<'a>) -> Option<&'a Arg<'a>> {
    let (first, rest) = given.split_first()?;
    *given = rest;
    Some(first)
}
