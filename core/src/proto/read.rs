//! A whole reply becomes values, built straight from its bytes by whoever reads it.
//!
//! A binding implements [`Build`] with its host's objects, so that a reply of a thousand strings
//! makes a thousand host strings and nothing else.

use super::number;
use super::plain;
use super::scan::{Limits, Malformed, Scanner};
use super::shape::{Plan, Shape};

/// The bytes of one reply (or of several, end to end) that a [`Scanner`] found well-formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a>(&'a [u8]);

impl<'a> Frame<'a> {
    /// Checks that `bytes` are whole replies.
    pub fn check(bytes: &'a [u8], limits: Limits) -> Result<Self, Malformed> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let length = Scanner::new(limits).scan(rest)?.ok_or(Malformed::Ending)?;
            rest = &rest[length..];
        }
        Ok(Self(bytes))
    }

    /// For bytes that a lane delivered: its scanner has walked over them.
    pub fn trusted(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// The error line without its `-`, if the reply is an error.
    pub fn error(self) -> Option<&'a [u8]> {
        match self.past_attributes() {
            [b'-', rest @ ..] => Some(line(rest).0),
            [b'!', rest @ ..] => {
                let (length, rest) = line(rest);
                rest.get(..count(length))
            }
            _ => None,
        }
    }

    /// Out-of-band data (pub/sub messages, invalidations), which answers no command.
    pub fn is_push(self) -> bool {
        self.past_attributes().first() == Some(&b'>')
    }

    /// The parts of a list, each to be read in a shape of its own, and how many they are: for
    /// what EXEC answers.
    pub fn parts(self) -> Option<(usize, Reader<'a>)> {
        Reader::new(Self(self.past_attributes())).into_list()
    }

    fn past_attributes(self) -> &'a [u8] {
        let mut reader = Reader::new(self);
        while reader.rest.first() == Some(&b'|') {
            reader.skip_attributes();
        }
        reader.rest
    }

    /// Builds the first reply.
    pub fn build<B: Build>(self, builder: &mut B) -> Result<B::Value, B::Error> {
        self.build_shaped(&Shape::Raw, builder)
    }

    /// Builds the first reply in the shape that its command gives it.
    pub fn build_shaped<B: Build>(
        self,
        shape: &'static Shape,
        builder: &mut B,
    ) -> Result<B::Value, B::Error> {
        Reader::new(self).next_shaped(shape, builder).unwrap_or_else(|| builder.null())
    }
}

/// Makes values out of a reply's parts.
pub trait Build {
    type Value;
    type Error;

    fn null(&mut self) -> Result<Self::Value, Self::Error>;
    fn integer(&mut self, value: i64) -> Result<Self::Value, Self::Error>;
    fn double(&mut self, value: f64) -> Result<Self::Value, Self::Error>;
    fn boolean(&mut self, value: bool) -> Result<Self::Value, Self::Error>;
    /// An integer of any length, in decimal digits.
    fn big_number(&mut self, digits: &[u8]) -> Result<Self::Value, Self::Error>;
    /// A status such as `OK`.
    fn simple(&mut self, text: &[u8]) -> Result<Self::Value, Self::Error>;
    fn bulk(&mut self, bytes: &[u8]) -> Result<Self::Value, Self::Error>;
    /// Text that says its format (`txt`, `mkd`).
    fn verbatim(&mut self, _format: &[u8], text: &[u8]) -> Result<Self::Value, Self::Error> {
        self.bulk(text)
    }
    /// An error line without its `-`: the reply itself, or inside one (EXEC).
    fn error(&mut self, line: &[u8]) -> Result<Self::Value, Self::Error>;
    fn list(&mut self, items: &mut Items<'_, '_>) -> Result<Self::Value, Self::Error>;
    /// A list in which each place has a meaning of its own.
    fn tuple(&mut self, items: &mut Items<'_, '_>) -> Result<Self::Value, Self::Error> {
        self.list(items)
    }
    fn set(&mut self, items: &mut Items<'_, '_>) -> Result<Self::Value, Self::Error>;
    /// Keys and values in turn.
    fn map(&mut self, items: &mut Items<'_, '_>) -> Result<Self::Value, Self::Error>;
    fn push(&mut self, items: &mut Items<'_, '_>) -> Result<Self::Value, Self::Error>;
}

/// The values of an aggregate, one after the other.
#[derive(Debug)]
pub struct Items<'r, 'a> {
    pub(super) reader: &'r mut Reader<'a>,
    pub(super) left: usize,
    pub(super) plan: Plan,
}

impl Items<'_, '_> {
    /// How many are still to come; in a map, keys and values each count.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.left
    }

    #[inline]
    pub fn next<B: Build>(&mut self, builder: &mut B) -> Option<Result<B::Value, B::Error>> {
        self.left = self.left.checked_sub(1)?;
        match self.plan {
            Plan::Raw => self.reader.next(builder),
            _ => self.next_planned(builder),
        }
    }
}

/// Reads reply after reply from a frame.
#[derive(Debug)]
pub struct Reader<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(frame: Frame<'a>) -> Self {
        Self { rest: frame.0 }
    }

    /// The bytes of the next reply alone, without building it.
    pub fn next_frame(&mut self) -> Option<Frame<'a>> {
        let before = self.rest;
        match plain::value(before) {
            Some(length) => self.rest = &before[length..],
            None => self.next(&mut Skip)?.ok()?,
        }
        Some(Frame(&before[..before.len() - self.rest.len()]))
    }

    /// Builds the next reply; `None` at the end.
    #[inline]
    pub fn next<B: Build>(&mut self, builder: &mut B) -> Option<Result<B::Value, B::Error>> {
        match plain::string(self.rest) {
            Some(text) => {
                let whole = self.rest;
                self.rest = &whole[text.end + 2..];
                Some(builder.bulk(&whole[text]))
            }
            None => self.next_of_any_kind(builder),
        }
    }

    fn next_of_any_kind<B: Build>(
        &mut self,
        builder: &mut B,
    ) -> Option<Result<B::Value, B::Error>> {
        let whole = self.rest;
        match whole {
            [b'+', b'O', b'K', b'\r', b'\n', rest @ ..] => {
                self.rest = rest;
                return Some(builder.simple(b"OK"));
            }
            [b':', ..] => {
                if let Some((number, end)) = plain::head(b':', whole) {
                    self.rest = &whole[end..];
                    return Some(builder.integer(number as i64));
                }
            }
            _ => {}
        }
        let (&kind, rest) = whole.split_first()?;
        let (line, rest) = line(rest);
        self.rest = rest;
        Some(match kind {
            b'$' => match self.bulk(line) {
                Some(bytes) => builder.bulk(bytes),
                None => builder.null(),
            },
            b'+' => builder.simple(line),
            b':' => builder.integer(number::number(line).unwrap_or_default()),
            b'-' => builder.error(line),
            b'_' => builder.null(),
            b'#' => builder.boolean(line == b"t"),
            b',' => builder.double(number::double(line).unwrap_or(f64::NAN)),
            b'(' => builder.big_number(line),
            b'!' => builder.error(self.bulk(line).unwrap_or_default()),
            b'=' => {
                let bytes = self.bulk(line).unwrap_or_default();
                let (format, text) = bytes.split_at(bytes.len().min(3));
                builder.verbatim(format, text.get(1..).unwrap_or_default())
            }
            b'*' if line == b"-1" => builder.null(),
            b'*' => self.items(builder, count(line), Plan::Raw, B::list),
            b'~' => self.items(builder, count(line), Plan::Raw, B::set),
            b'>' => self.items(builder, count(line), Plan::Raw, B::push),
            b'%' => self.items(builder, count(line) * 2, Plan::Raw, B::map),
            b'|' => {
                self.rest = whole;
                self.skip_attributes();
                return self.next(builder);
            }
            // The scanner lets no other byte through.
            _ => builder.null(),
        })
    }

    /// Attributes stand before the value they describe; none of ours asks for any.
    pub(super) fn skip_attributes(&mut self) {
        let (head, rest) = line(&self.rest[1..]);
        self.rest = rest;
        for _ in 0..count(head) * 2 {
            self.next(&mut Skip);
        }
    }

    pub(super) fn items<B: Build>(
        &mut self,
        builder: &mut B,
        left: usize,
        plan: Plan,
        make: impl FnOnce(&mut B, &mut Items<'_, '_>) -> Result<B::Value, B::Error>,
    ) -> Result<B::Value, B::Error> {
        let mut items = Items { reader: self, left, plan };
        let value = make(builder, &mut items)?;
        while items.left > 0 && items.next(&mut Skip).is_some() {}
        Ok(value)
    }

    pub(super) fn bulk(&mut self, line: &[u8]) -> Option<&'a [u8]> {
        let length = number::length(line).ok().flatten()?;
        let bytes = self.rest.get(..length)?;
        self.rest = self.rest.get(length + 2..).unwrap_or_default();
        Some(bytes)
    }
}

fn count(line: &[u8]) -> usize {
    number::length(line).ok().flatten().unwrap_or(0)
}

/// Splits at the first CR LF.
pub(super) fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let mut from = 0;
    while let Some(found) = memchr::memchr(b'\r', &bytes[from..]) {
        let at = from + found;
        if bytes.get(at + 1) == Some(&b'\n') {
            return (&bytes[..at], &bytes[at + 2..]);
        }
        from = at + 1;
    }
    (bytes, &[])
}

/// Builds nothing: for values that only have to be stepped over.
#[derive(Debug)]
pub struct Skip;

impl Build for Skip {
    type Value = ();
    type Error = std::convert::Infallible;

    fn null(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
    fn integer(&mut self, _: i64) -> Result<(), Self::Error> {
        Ok(())
    }
    fn double(&mut self, _: f64) -> Result<(), Self::Error> {
        Ok(())
    }
    fn boolean(&mut self, _: bool) -> Result<(), Self::Error> {
        Ok(())
    }
    fn big_number(&mut self, _: &[u8]) -> Result<(), Self::Error> {
        Ok(())
    }
    fn simple(&mut self, _: &[u8]) -> Result<(), Self::Error> {
        Ok(())
    }
    fn bulk(&mut self, _: &[u8]) -> Result<(), Self::Error> {
        Ok(())
    }
    fn error(&mut self, _: &[u8]) -> Result<(), Self::Error> {
        Ok(())
    }
    fn list(&mut self, _: &mut Items<'_, '_>) -> Result<(), Self::Error> {
        Ok(())
    }
    fn set(&mut self, _: &mut Items<'_, '_>) -> Result<(), Self::Error> {
        Ok(())
    }
    fn map(&mut self, _: &mut Items<'_, '_>) -> Result<(), Self::Error> {
        Ok(())
    }
    fn push(&mut self, _: &mut Items<'_, '_>) -> Result<(), Self::Error> {
        Ok(())
    }
}
