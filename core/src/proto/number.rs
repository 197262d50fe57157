//! Numbers and lengths, as the wire spells them.

use super::scan::Malformed;

/// The number in a length line; `None` is the null of RESP2 (`-1`).
pub(super) fn length(line: &[u8]) -> Result<Option<usize>, Malformed> {
    if line == b"?" {
        return Err(Malformed::Streamed);
    }
    match number(line) {
        Some(-1) => Ok(None),
        Some(n) => usize::try_from(n).map(Some).map_err(|_| Malformed::Line),
        None => Err(Malformed::Line),
    }
}

pub(super) fn number(line: &[u8]) -> Option<i64> {
    let (negative, digits) = match line {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, line),
    };
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    let mut value: u64 = 0;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + u64::from(digit - b'0');
    }
    if negative { 0i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() }
}

pub(super) fn double(line: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(line).ok()?;
    // Old servers write "-nan"; Rust's parser knows every other form.
    if text == "-nan" { Some(f64::NAN) } else { text.parse().ok() }
}

pub(super) fn is_digits(line: &[u8]) -> bool {
    !line.is_empty() && line.iter().all(u8::is_ascii_digit)
}
