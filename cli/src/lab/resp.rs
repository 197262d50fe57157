//! Replies on the wire, in either version of the protocol.

use std::fmt::Display;
use std::io::Write as _;

/// A reply to one command.
#[derive(Debug)]
pub(crate) enum Reply {
    Nil,
    Simple(&'static str),
    Error(String),
    Number(i64),
    Bulk(String),
    Array(Vec<Reply>),
    /// A map, which is a flat array in RESP2.
    Map(Vec<(&'static str, Reply)>),
    /// A message out of turn, which is an array in RESP2.
    Push(Vec<Reply>),
}

impl Reply {
    pub(crate) fn bulk(text: impl Display) -> Self {
        Self::Bulk(text.to_string())
    }

    pub(crate) fn array(items: impl IntoIterator<Item = Self>) -> Self {
        Self::Array(items.into_iter().collect())
    }

    pub(crate) fn map(pairs: impl IntoIterator<Item = (&'static str, Self)>) -> Self {
        Self::Map(pairs.into_iter().collect())
    }

    /// Appends the reply in version 2 or 3 of the protocol.
    pub(crate) fn encode(&self, protocol: u8, out: &mut Vec<u8>) {
        let three = protocol == 3;
        match self {
            Self::Nil => put(out, if three { "_" } else { "*-1" }, ""),
            Self::Simple(text) => put(out, "+", text),
            Self::Error(text) => put(out, "-", text),
            Self::Number(number) => put(out, ":", number),
            Self::Bulk(text) => {
                put(out, "$", text.len());
                put(out, text, "");
            }
            Self::Array(items) => {
                put(out, "*", items.len());
                items.iter().for_each(|item| item.encode(protocol, out));
            }
            Self::Push(items) => {
                put(out, if three { ">" } else { "*" }, items.len());
                items.iter().for_each(|item| item.encode(protocol, out));
            }
            Self::Map(pairs) => {
                let (mark, length) =
                    if three { ("%", pairs.len()) } else { ("*", pairs.len() * 2) };
                put(out, mark, length);
                for (key, value) in pairs {
                    Self::bulk(key).encode(protocol, out);
                    value.encode(protocol, out);
                }
            }
        }
    }
}

fn put(out: &mut Vec<u8>, mark: &str, rest: impl Display) {
    // Writing into memory cannot fail.
    let _ = write!(out, "{mark}{rest}\r\n");
}
