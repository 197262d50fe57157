//! What a host language hands over for one argument, and how that is written.

use crate::proto::encode;
use std::fmt::{self, Write};

/// A host's value, on loan.
///
/// An integer beyond 64 bits comes as [`Text`](Arg::Text): its digits.
#[derive(Clone, Copy, PartialEq)]
pub enum Arg<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Bytes(&'a [u8]),
    Text(&'a str),
    List(&'a [Arg<'a>]),
    /// Keys and values.
    Map(&'a [(Arg<'a>, Arg<'a>)]),
}

impl<'a> Arg<'a> {
    /// Whether it can be sent as it is.
    pub(super) fn is_scalar(&self) -> bool {
        matches!(self, Arg::Int(_) | Arg::Float(_) | Arg::Bytes(_) | Arg::Text(_))
    }

    /// Whether an option with this value is as good as left out.
    pub(super) fn is_off(&self) -> bool {
        matches!(self, Arg::Null | Arg::Bool(false))
    }

    pub(super) fn text(&self) -> Option<&'a [u8]> {
        match self {
            Arg::Bytes(bytes) => Some(bytes),
            Arg::Text(text) => Some(text.as_bytes()),
            _ => None,
        }
    }

    /// Its value as a number, if it is one or spells one.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Arg::Int(number) => Some(*number as f64),
            Arg::Float(number) => Some(*number),
            other => std::str::from_utf8(other.text()?).ok()?.parse().ok(),
        }
    }

    /// Its value as a count of others.
    pub(super) fn count(&self) -> Option<usize> {
        match self {
            Arg::Int(number) => usize::try_from(*number).ok(),
            other => std::str::from_utf8(other.text()?).ok()?.parse().ok(),
        }
    }

    /// As it stands in a command by itself; `None` if it is no scalar.
    pub fn to_word(&self) -> Option<Vec<u8>> {
        Some(match self {
            Arg::Bytes(bytes) => bytes.to_vec(),
            Arg::Text(text) => text.as_bytes().to_vec(),
            Arg::Int(number) => Line::of(format_args!("{number}")).bytes().to_vec(),
            Arg::Float(number) => Line::of(Float(*number)).bytes().to_vec(),
            _ => return None,
        })
    }

    /// Appends it to a command; `false` if it is no scalar.
    pub(super) fn write(&self, out: &mut Vec<u8>) -> bool {
        match self {
            Arg::Bytes(bytes) => encode::argument(out, bytes),
            Arg::Text(text) => encode::argument(out, text.as_bytes()),
            Arg::Int(number) => encode::integer(out, *number),
            Arg::Float(number) => encode::argument(out, Line::of(Float(*number)).bytes()),
            _ => return false,
        }
        true
    }
}

/// Arguments can be secrets: only their kind is shown.
impl fmt::Debug for Arg<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Arg::Null => "null",
            Arg::Bool(_) => "boolean",
            Arg::Int(_) => "integer",
            Arg::Float(_) => "float",
            Arg::Bytes(_) => "bytes",
            Arg::Text(_) => "text",
            Arg::List(_) => "list",
            Arg::Map(_) => "map",
        })
    }
}

/// The shortest digits that give the same number back, `inf`, `-inf` and `nan`.
struct Float(f64);

impl fmt::Display for Float {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.0;
        match number.abs() {
            _ if number.is_nan() => f.write_str("nan"),
            // Between these the plain form is short enough to fit a line.
            0.0 | 1e-5..1e17 => write!(f, "{number}"),
            size if size.is_infinite() => write!(f, "{number}"),
            _ => write!(f, "{number:e}"),
        }
    }
}

/// Room for a number, so that writing one asks for no memory.
struct Line {
    bytes: [u8; 40],
    length: usize,
}

impl Line {
    fn of(number: impl fmt::Display) -> Self {
        let mut line = Self { bytes: [0; 40], length: 0 };
        // No number is longer than the room.
        let _ = write!(line, "{number}");
        line
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.length..self.length + text.len()).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length += text.len();
        Ok(())
    }
}

impl From<i64> for Arg<'_> {
    fn from(number: i64) -> Self {
        Arg::Int(number)
    }
}

impl From<f64> for Arg<'_> {
    fn from(number: f64) -> Self {
        Arg::Float(number)
    }
}

impl From<bool> for Arg<'_> {
    fn from(flag: bool) -> Self {
        Arg::Bool(flag)
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Arg::Text(text)
    }
}

impl<'a> From<&'a [u8]> for Arg<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Arg::Bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn floats_are_written_as_redis_reads_them() {
        let written = |number| String::from_utf8(Line::of(Float(number)).bytes().to_vec()).unwrap();
        assert_eq!(written(0.1), "0.1");
        assert_eq!(written(3.0), "3");
        assert_eq!(written(-0.0), "-0");
        assert_eq!(written(1e16), "10000000000000000");
        assert_eq!(written(1e300), "1e300");
        assert_eq!(written(-2.5e-9), "-2.5e-9");
        assert_eq!(written(f64::INFINITY), "inf");
        assert_eq!(written(f64::NEG_INFINITY), "-inf");
        assert_eq!(written(f64::NAN), "nan");
    }

    proptest! {
        #[test]
        fn every_float_comes_back(number in any::<f64>()) {
            let line = Line::of(Float(number));
            let back: f64 = std::str::from_utf8(line.bytes()).unwrap().parse().unwrap();
            prop_assert!(back == number || number.is_nan() && back.is_nan());
        }
    }
}
