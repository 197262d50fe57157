//! An owned reply: what Rust callers and C receive.

use super::read::{Build, Frame, Items, Reader};
use super::shape::Shape;
use std::borrow::Cow;
use std::convert::Infallible;

/// A server's reply, as it was on the wire or in the shape of its command.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Reply {
    Null,
    Integer(i64),
    Double(f64),
    Boolean(bool),
    /// Decimal digits of an integer of any length.
    BigNumber(Vec<u8>),
    /// A status such as `OK`, which is the most frequent reply of all and asks for no memory.
    Simple(Cow<'static, [u8]>),
    Bulk(Vec<u8>),
    Verbatim {
        format: Vec<u8>,
        text: Vec<u8>,
    },
    /// An error inside a reply (of EXEC, say), without its `-`.
    Error(Vec<u8>),
    List(Vec<Reply>),
    Set(Vec<Reply>),
    Map(Vec<(Reply, Reply)>),
    Push(Vec<Reply>),
}

impl Reply {
    pub fn from_frame(frame: Frame<'_>) -> Self {
        Self::shaped(frame, &Shape::Raw)
    }

    /// The reply in the shape that its command gives it.
    pub fn shaped(frame: Frame<'_>, shape: &'static Shape) -> Self {
        let Ok(reply) = frame.build_shaped(shape, &mut Owned);
        reply
    }

    /// The next of several replies.
    pub fn next(replies: &mut Reader<'_>) -> Option<Self> {
        Self::next_shaped(replies, &Shape::Raw)
    }

    /// The next of several replies, in its shape.
    pub fn next_shaped(replies: &mut Reader<'_>, shape: &'static Shape) -> Option<Self> {
        replies.next_shaped(shape, &mut Owned).map(|Ok(reply)| reply)
    }

    /// The bytes of a string of any kind.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Simple(text) => Some(text),
            Self::Bulk(text) | Self::Verbatim { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The text of a string of any kind, if it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(self.as_bytes()?).ok()
    }

    /// An integer, or a string that is one.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            other => other.as_str()?.parse().ok(),
        }
    }

    /// The values of a list, set or push.
    pub fn as_list(&self) -> Option<&[Reply]> {
        match self {
            Self::List(items) | Self::Set(items) | Self::Push(items) => Some(items),
            _ => None,
        }
    }

    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }
}

struct Owned;

impl Owned {
    fn all(&mut self, items: &mut Items<'_, '_>) -> Vec<Reply> {
        let mut values = Vec::with_capacity(items.len());
        while let Some(Ok(value)) = items.next(self) {
            values.push(value);
        }
        values
    }
}

impl Build for Owned {
    type Value = Reply;
    type Error = Infallible;

    fn null(&mut self) -> Result<Reply, Infallible> {
        Ok(Reply::Null)
    }
    fn integer(&mut self, value: i64) -> Result<Reply, Infallible> {
        Ok(Reply::Integer(value))
    }
    fn double(&mut self, value: f64) -> Result<Reply, Infallible> {
        Ok(Reply::Double(value))
    }
    fn boolean(&mut self, value: bool) -> Result<Reply, Infallible> {
        Ok(Reply::Boolean(value))
    }
    fn big_number(&mut self, digits: &[u8]) -> Result<Reply, Infallible> {
        Ok(Reply::BigNumber(digits.to_vec()))
    }
    fn simple(&mut self, text: &[u8]) -> Result<Reply, Infallible> {
        Ok(Reply::Simple(match text {
            b"OK" => Cow::Borrowed(b"OK"),
            other => Cow::Owned(other.to_vec()),
        }))
    }
    fn bulk(&mut self, bytes: &[u8]) -> Result<Reply, Infallible> {
        Ok(Reply::Bulk(bytes.to_vec()))
    }
    fn verbatim(&mut self, format: &[u8], text: &[u8]) -> Result<Reply, Infallible> {
        Ok(Reply::Verbatim { format: format.to_vec(), text: text.to_vec() })
    }
    fn error(&mut self, line: &[u8]) -> Result<Reply, Infallible> {
        Ok(Reply::Error(line.to_vec()))
    }
    fn list(&mut self, items: &mut Items<'_, '_>) -> Result<Reply, Infallible> {
        Ok(Reply::List(self.all(items)))
    }
    fn set(&mut self, items: &mut Items<'_, '_>) -> Result<Reply, Infallible> {
        Ok(Reply::Set(self.all(items)))
    }
    fn push(&mut self, items: &mut Items<'_, '_>) -> Result<Reply, Infallible> {
        Ok(Reply::Push(self.all(items)))
    }
    fn map(&mut self, items: &mut Items<'_, '_>) -> Result<Reply, Infallible> {
        let mut pairs = Vec::with_capacity(items.len() / 2);
        while let (Some(Ok(key)), Some(Ok(value))) = (items.next(self), items.next(self)) {
            pairs.push((key, value));
        }
        Ok(Reply::Map(pairs))
    }
}
