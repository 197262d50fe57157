//! What an option accepts, and how each way of writing it becomes one normal form.

use super::duration;
use super::list::masked;
use super::secret::Secret;
use super::value::{OptionValue, Unit};

/// The type of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Text without line breaks.
    Text,
    /// A URL, which is never shown: it may hold a password.
    Url,
    /// One word: no blanks, as Redis demands of names.
    Word,
    /// The path of a file or socket.
    Path,
    /// A password: text, bytes, or a callback.
    Secret,
    /// Yes or no.
    Bool,
    /// A whole number within bounds.
    Integer {
        /// The smallest.
        min: i64,
        /// The largest; `i64::MAX` for no bound.
        max: i64,
    },
    /// A span of time.
    Duration,
    /// One of a few words, each with its other spellings.
    Choice(&'static [(&'static str, &'static [&'static str])]),
    /// A list of Sentinel addresses.
    Addresses,
    /// Announced address to reachable address.
    AddressMap,
    /// Host names, patterns and networks.
    Hosts,
    /// Names and values that stand for the process environment, or `false` for none.
    Environment,
}

impl Kind {
    /// What to write, in a few words.
    pub fn expected(self) -> String {
        let words = match self {
            Self::Text => "text without line breaks",
            Self::Url => "a redis:// or redis-sentinel:// URL",
            Self::Word => "a word without blanks",
            Self::Path => "the path of a file",
            Self::Secret => "text, or a function that returns it (not in C and Node.js)",
            Self::Bool => "true or false",
            Self::Duration => "a span of time such as 500ms, 5s or 2m",
            Self::Addresses => "a list of host:port",
            Self::AddressMap => "pairs such as 10.0.0.1:6379=localhost:7001",
            Self::Hosts => "a list of hosts, patterns (*.internal) or networks (10.0.0.0/8)",
            Self::Environment => "a map of variables, or false for none",
            Self::Integer { min, max: i64::MAX } => return format!("a whole number from {min}"),
            Self::Integer { min, max } => return format!("a whole number from {min} to {max}"),
            Self::Choice(choices) => {
                let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
                return format!("one of {}", words.join(", "));
            }
        };
        words.to_owned()
    }

    /// One normal form per meaning, so that two sources can be compared; the error is the end
    /// of a sentence that begins with the option's name. Lists and maps are left as they are.
    pub(super) fn normal(self, value: &OptionValue, unit: Unit) -> Result<OptionValue, String> {
        let normal = match self {
            _ if *value == OptionValue::Null => Some(OptionValue::Null),
            Self::Text => text(value, char::is_control),
            Self::Url => text(value, |_| false),
            Self::Word if matches!(value, OptionValue::Text(text) if text.contains("://")) => None,
            Self::Word => text(value, |c| c.is_control() || c.is_whitespace()),
            Self::Path => {
                if matches!(value, OptionValue::Text(text) if text.trim_start().starts_with("-----BEGIN"))
                {
                    return Err("holds a PEM block; write the path of a file with it".to_owned());
                }
                text(value, |c| c == '\0')
            }
            Self::Secret => secret(value).map(OptionValue::Secret),
            Self::Bool => boolean(value).map(OptionValue::Bool),
            Self::Integer { min, max } => {
                integer(value).filter(|n| (min..=max).contains(n)).map(OptionValue::Int)
            }
            Self::Duration => match span(value, unit) {
                Some(Err(why)) => {
                    return Err(format!(
                        "is {}, which {why}; write {}",
                        got(value),
                        self.expected()
                    ));
                }
                span => span.and_then(Result::ok).map(OptionValue::Duration),
            },
            Self::Choice(choices) => choice(choices, value).map(OptionValue::from),
            Self::Addresses | Self::AddressMap | Self::Hosts | Self::Environment => {
                Some(value.clone())
            }
        };
        normal.ok_or_else(|| match self {
            Self::Secret | Self::Url => {
                format!("is {}; write {}", value.type_name(), self.expected())
            }
            _ => format!("is {}; write {}", got(value), self.expected()),
        })
    }
}

/// The offending value, or its type where it is too large to show.
fn got(value: &OptionValue) -> String {
    match value {
        // A URL in the wrong place can hold a password.
        OptionValue::Text(text) => masked(text),
        OptionValue::Int(number) => format!("`{number}`"),
        OptionValue::Float(number) => format!("`{number}`"),
        OptionValue::Bool(flag) => format!("`{flag}`"),
        OptionValue::Duration(span) => format!("`{}`", duration::print(*span)),
        other => other.type_name().to_owned(),
    }
}

fn text(value: &OptionValue, refused: impl Fn(char) -> bool) -> Option<OptionValue> {
    let text = match value {
        OptionValue::Text(text) => text.clone(),
        OptionValue::Int(number) => number.to_string(),
        _ => return None,
    };
    (!text.contains(refused)).then_some(OptionValue::Text(text))
}

fn secret(value: &OptionValue) -> Option<Secret> {
    match value {
        OptionValue::Secret(secret) => Some(secret.clone()),
        OptionValue::Text(text) => Some(Secret::new(text.as_bytes())),
        OptionValue::Bytes(bytes) => Some(Secret::new(bytes.as_slice())),
        OptionValue::Int(number) => Some(Secret::new(number.to_string())),
        _ => None,
    }
}

fn boolean(value: &OptionValue) -> Option<bool> {
    match value {
        OptionValue::Bool(flag) => Some(*flag),
        OptionValue::Text(text) => match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Some(true),
            "0" | "false" | "no" | "off" => Some(false),
            _ => None,
        },
        other => match other.whole() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
    }
}

fn integer(value: &OptionValue) -> Option<i64> {
    match value {
        OptionValue::Text(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        other => other.whole(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact far beyond the longest span")]
fn span(value: &OptionValue, unit: Unit) -> Option<Result<std::time::Duration, &'static str>> {
    match value {
        OptionValue::Duration(span) => Some(duration::checked(*span)),
        OptionValue::Text(text) => Some(duration::parse(text, unit)),
        OptionValue::Int(number) => Some(duration::from_number(*number as f64, unit)),
        OptionValue::Float(number) => Some(duration::from_number(*number, unit)),
        _ => None,
    }
}

/// Words compare without case, `-` and `_`: `preferReplica` is `prefer_replica`.
fn choice(
    choices: &'static [(&'static str, &'static [&'static str])],
    value: &OptionValue,
) -> Option<&'static str> {
    let written = match value {
        OptionValue::Text(text) => super::suggest::plain(text),
        other => other.whole()?.to_string(),
    };
    choices
        .iter()
        .find(|(word, others)| {
            std::iter::once(word).chain(*others).any(|name| super::suggest::plain(name) == written)
        })
        .map(|(word, _)| *word)
}
