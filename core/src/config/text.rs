//! Small things done to text: quotes, percent signs, and what of it may be shown.

/// Longest excerpt of a value in a message.
const EXCERPT: usize = 60;

/// The text without blanks around it and without one pair of quotes, which
/// `docker run --env-file` leaves in place.
pub(super) fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inner = ['"', '\''].into_iter().find_map(|quote| {
        let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
        // In `"a","b"` the first and the last quote are no pair.
        (!inner.contains(quote)).then_some(inner)
    });
    inner.map_or(text, str::trim)
}

/// A value inside backticks: short, on one line, no control characters.
pub(super) fn shown(text: &str) -> String {
    let mut excerpt = String::from("`");
    for (count, c) in text.chars().enumerate() {
        if count == EXCERPT {
            excerpt.push('…');
            break;
        }
        if c.is_control() {
            excerpt.extend(c.escape_default());
        } else {
            excerpt.push(c);
        }
    }
    excerpt.push('`');
    excerpt
}

/// Text after percent-decoding.
pub(super) struct Decoded {
    pub(super) bytes: Vec<u8>,
    /// There was a `%` without two hex digits; it was kept.
    pub(super) lone_percent: bool,
}

impl Decoded {
    pub(super) fn text(self) -> Option<String> {
        String::from_utf8(self.bytes).ok()
    }
}

pub(super) fn percent_decoded(text: &str) -> Decoded {
    let mut bytes = Vec::with_capacity(text.len());
    let mut lone_percent = false;
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        match tail {
            [high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                bytes.push(hex(*high) << 4 | hex(*low));
                rest = after;
            }
            _ => {
                lone_percent = true;
                bytes.push(b'%');
            }
        }
    }
    Decoded { bytes, lone_percent }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.wrapping_sub(b'A').wrapping_add(10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pair_of_quotes_goes() {
        assert_eq!(unquoted(" \"a:1\" "), "a:1");
        assert_eq!(unquoted("'a'"), "a");
        assert_eq!(unquoted("\"a'"), "\"a'");
        assert_eq!(unquoted("\""), "\"");
        assert_eq!(unquoted("\"\""), "");
        assert_eq!(unquoted("\"a\",\"b\""), "\"a\",\"b\"");
    }

    #[test]
    fn percent_decoding_keeps_what_is_not_an_escape() {
        let decoded = percent_decoded("a%40%zz%4");
        assert!(decoded.lone_percent);
        assert_eq!(decoded.bytes, b"a@%zz%4");
        assert_eq!(percent_decoded("%fF").bytes, b"\xff");
        assert!(percent_decoded("%ff").text().is_none());
    }

    #[test]
    fn excerpts_are_short_and_on_one_line() {
        assert_eq!(shown("a\nb"), "`a\\nb`");
        assert!(shown(&"x".repeat(1000)).len() < 80);
    }
}
