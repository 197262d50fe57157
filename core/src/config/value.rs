//! What a caller hands over for an option, whatever the language it comes from.

use std::fmt;
use std::time::Duration;

use super::secret::Secret;
use crate::{Error, Result};

/// The value of one option, as a language binding or a Rust caller gives it.
///
/// `Debug` shows the type alone, since any text may turn out to be a password.
#[derive(Clone, Default, PartialEq)]
pub enum OptionValue {
    /// Not given.
    #[default]
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number; one without a fraction is as good as an `Int`.
    Float(f64),
    /// Text, which may hold any of the others in writing.
    Text(String),
    /// Bytes, for a password that is no text.
    Bytes(Vec<u8>),
    /// A span of time, whatever the unit of the other numbers.
    Duration(Duration),
    /// Several values in order.
    List(Vec<OptionValue>),
    /// Named values in order.
    Map(Vec<(String, OptionValue)>),
    /// A password, or where to get it.
    Secret(Secret),
}

/// What a bare number means where a span of time is expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Python, Ruby, Rust, URLs and the environment.
    #[default]
    Seconds,
    /// Node.js and C.
    Milliseconds,
}

impl OptionValue {
    /// The value that a JSON text describes, for languages without lists and maps of their own.
    pub fn from_json(text: &str) -> Result<Self> {
        super::json::parse(text)
            .map_err(|why| Error::usage(format!("the JSON text is broken: {why}")))
    }

    /// Null and empty text both mean "not given".
    pub(super) fn is_absent(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            Self::Bytes(bytes) => bytes.is_empty(),
            _ => false,
        }
    }

    /// The word for this type in an error message.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Duration(_) => "a duration",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Secret(_) => "a secret",
        }
    }

    /// A whole number, also when the language has only floats (JavaScript).
    pub(super) fn whole(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
            Self::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
                Some(*number as i64)
            }
            _ => None,
        }
    }

    pub(super) fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl fmt::Debug for OptionValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.type_name())
    }
}

macro_rules! from {
    ($($type:ty => |$value:ident| $make:expr),* $(,)?) => {$(
        impl From<$type> for OptionValue {
            fn from($value: $type) -> Self {
                $make
            }
        }
    )*};
}

from! {
    bool => |value| Self::Bool(value),
    i64 => |value| Self::Int(value),
    i32 => |value| Self::Int(value.into()),
    u32 => |value| Self::Int(value.into()),
    u16 => |value| Self::Int(value.into()),
    f64 => |value| Self::Float(value),
    &str => |value| Self::Text(value.to_owned()),
    String => |value| Self::Text(value),
    Duration => |value| Self::Duration(value),
    Secret => |value| Self::Secret(value),
}

impl<T: Into<Self>> From<Vec<T>> for OptionValue {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Self>> From<Option<T>> for OptionValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
