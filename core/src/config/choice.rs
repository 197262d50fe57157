//! Settings that are one of a few words.

use super::kind::Kind;
use super::value::{OptionValue, Unit};
use crate::{Error, Result};

/// A table of words: what we call it, and what others do.
type Words = &'static [(&'static str, &'static [&'static str])];

/// Which writes may be sent again after a connection was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RetryWrites {
    /// Those that provably did not run. No write runs twice.
    #[default]
    Unsent,
    /// Also those whose answer never came. They may run twice.
    Always,
}

/// Where reads go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadFrom {
    /// To the primary alone.
    #[default]
    Primary,
    /// To a replica, or to the primary when there is none.
    PreferReplica,
    /// To a replica alone.
    Replica,
    /// To whichever node answers soonest.
    Nearest,
    /// To all nodes in turn.
    RoundRobin,
}

/// The version of the wire protocol to ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// RESP2, for old servers and proxies.
    Resp2,
    /// RESP3, with RESP2 where the server knows no better.
    #[default]
    Resp3,
}

impl RetryWrites {
    pub(super) const WORDS: Words = &[("unsent", &[]), ("always", &[])];

    /// The word for it in options.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unsent => "unsent",
            Self::Always => "always",
        }
    }

    /// What a word stands for, in any of its spellings.
    pub fn parse(word: &str) -> Result<Self> {
        parse("retry_writes", word, Self::WORDS, Self::from_word)
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        [Self::Unsent, Self::Always].into_iter().find(|choice| choice.word() == word)
    }
}

impl ReadFrom {
    pub(super) const WORDS: Words = &[
        ("primary", &["master", "upstream"]),
        (
            "prefer_replica",
            &["replica_preferred", "replica_first", "prefer_slave", "slave_preferred"],
        ),
        ("replica", &["slave", "secondary", "replica_only"]),
        ("nearest", &["any", "lowest_latency"]),
        ("round_robin", &["all"]),
    ];

    const ALL: [Self; 5] =
        [Self::Primary, Self::PreferReplica, Self::Replica, Self::Nearest, Self::RoundRobin];

    /// The word for it in options.
    pub fn word(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::PreferReplica => "prefer_replica",
            Self::Replica => "replica",
            Self::Nearest => "nearest",
            Self::RoundRobin => "round_robin",
        }
    }

    /// What a word stands for, in any of its spellings.
    pub fn parse(word: &str) -> Result<Self> {
        parse("read_from", word, Self::WORDS, Self::from_word)
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.word() == word)
    }
}

impl Protocol {
    /// 2 or 3, as HELLO wants it.
    pub fn number(self) -> u8 {
        match self {
            Self::Resp2 => 2,
            Self::Resp3 => 3,
        }
    }
}

fn parse<T>(
    option: &str,
    word: &str,
    words: Words,
    from_word: impl Fn(&str) -> Option<T>,
) -> Result<T> {
    let refused = |why| Error::usage(format!("{option} {why}"));
    let normal = Kind::Choice(words).normal(&word.into(), Unit::Seconds).map_err(refused)?;
    let choice = match &normal {
        OptionValue::Text(word) => from_word(word),
        _ => None,
    };
    choice.ok_or_else(|| Error::new(crate::Kind::Internal, format!("{word:?} has no meaning")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_known_in_any_spelling() {
        assert_eq!(RetryWrites::parse("Always").ok(), Some(RetryWrites::Always));
        assert_eq!(ReadFrom::parse("preferReplica").ok(), Some(ReadFrom::PreferReplica));
        let refused = RetryWrites::parse("never").unwrap_err();
        assert_eq!(refused.message(), "retry_writes is `never`; write one of unsent, always");
    }
}
