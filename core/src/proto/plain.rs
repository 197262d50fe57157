//! The plainest values, recognised at a glance: most replies are made of nothing else.
//!
//! `None` says nothing here: the value is of another form, or not whole, or stands too close to
//! the end. Whoever gets it looks closer.

use std::ops::Range;

/// How long the value at the start of `bytes` is.
#[inline(always)]
pub(super) fn value(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'$', ..] => string(bytes).map(|text| text.end + 2),
        [b':', ..] => head(b':', bytes).map(|(_, end)| end),
        [b'+', b'O', b'K', b'\r', b'\n', ..] => Some(5),
        _ => None,
    }
}

/// Where in `bytes` the text of the string is that stands at their start.
#[inline(always)]
pub(super) fn string(bytes: &[u8]) -> Option<Range<usize>> {
    let (length, start) = head(b'$', bytes)?;
    let end = start + length;
    (bytes.get(end..end + 2)? == b"\r\n").then_some(start..end)
}

/// The number of up to three digits in the line that begins with `mark`, and where the line has
/// ended. Its bytes are looked at all at once: this is where long replies spend their time.
#[inline(always)]
pub(super) fn head(mark: u8, bytes: &[u8]) -> Option<(usize, usize)> {
    let word = u64::from_le_bytes(*bytes.first_chunk()?);
    // Nine at the most if it is a digit, and more if it is none.
    let digit = |place: usize| usize::from((word >> (8 * place)) as u8 ^ b'0');
    let has = |digits: usize| {
        let around = 0xff | 0xffff << (8 * (1 + digits));
        let ends = u64::from(u16::from_le_bytes(*b"\r\n")) << (8 * (1 + digits));
        word & around == u64::from(mark) | ends
    };
    let (number, largest, digits) = if has(2) {
        (digit(1) * 10 + digit(2), digit(1).max(digit(2)), 2)
    } else if has(1) {
        (digit(1), digit(1), 1)
    } else if has(3) {
        let (a, b, c) = (digit(1), digit(2), digit(3));
        (a * 100 + b * 10 + c, a.max(b).max(c), 3)
    } else {
        return None;
    };
    (largest < 10).then_some((number, 3 + digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_recognised_is_what_it_is() {
        for length in [0, 1, 9, 10, 42, 99, 100, 999] {
            let text = "x".repeat(length);
            let bytes = format!("${length}\r\n{text}\r\n+more");
            let found = string(bytes.as_bytes()).unwrap();
            assert_eq!(bytes[found], text);
            assert_eq!(value(bytes.as_bytes()), Some(bytes.len() - 5));
        }
        assert_eq!(head(b':', b":120\r\n:1"), Some((120, 6)));
        assert_eq!((value(b":7\r\n:7\r\n"), value(b"+OK\r\n")), (Some(4), Some(5)));
    }

    #[test]
    fn nothing_is_said_of_anything_else() {
        for bytes in [
            "",
            "$",
            "$1\r\nx",
            "$1\r\nx\r",
            "$-1\r\n$1\r\n",
            "$1x\r\nabcd",
            "$/\r\nx\r\nxx",
            "$1000\r\nx\r\n",
            "$2\r\nabc\r\n",
            "$3\r\nabcde",
            ":-1\r\n+OK\r\n",
            ":1:\r\n+OK\r\n",
            "+OKAY\r\n",
            "-OK\r\n",
            "*1\r\n:1\r\n",
        ] {
            assert_eq!(value(bytes.as_bytes()), None, "{bytes:?}");
        }
    }
}
