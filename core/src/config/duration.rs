//! Spans of time in writing: `500ms`, `5s`, `2m`.

use std::time::Duration;

use super::value::Unit;

/// Node.js timers hold no more than 24.8 days, and nobody waits longer.
const LONGEST: Duration = Duration::from_secs(24 * 24 * 60 * 60);

const UNITS: [(&str, u64); 5] =
    [("us", 1), ("ms", 1_000), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000)];

/// Reads `500ms`, `1.5s`, `2m`, or a bare number in `unit`; says what is wrong otherwise.
pub(super) fn parse(text: &str, unit: Unit) -> Result<Duration, &'static str> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| "is not a span of time")?;
    let suffix = suffix.trim().to_ascii_lowercase();
    if suffix.is_empty() {
        return from_number(number, unit);
    }
    let (_, micros) =
        UNITS.iter().find(|(name, _)| *name == suffix).ok_or("has an unknown unit")?;
    #[expect(clippy::cast_precision_loss, reason = "the factors are small")]
    from_micros(number * *micros as f64)
}

/// A bare number that is odd as seconds and plausible as milliseconds.
pub(super) fn is_doubtful(text: &str) -> bool {
    text.trim().parse::<u32>().is_ok_and(|number| number >= 1000)
}

/// A bare number in the unit of its source.
pub(super) fn from_number(number: f64, unit: Unit) -> Result<Duration, &'static str> {
    from_micros(match unit {
        Unit::Seconds => number * 1e6,
        Unit::Milliseconds => number * 1e3,
    })
}

/// Spans are kept in whole microseconds, so that what is printed reads back the same.
fn from_micros(micros: f64) -> Result<Duration, &'static str> {
    if !micros.is_finite() || micros < 0.5 {
        return Err("is not more than zero");
    }
    if micros > LONGEST.as_micros() as f64 {
        return Err("is longer than 24 days");
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    Ok(Duration::from_micros(micros.round() as u64))
}

/// Checks a span that came as one.
pub(super) fn checked(span: Duration) -> Result<Duration, &'static str> {
    from_micros(span.as_secs_f64() * 1e6)
}

/// The span in the largest unit that divides it, as [`parse`] reads it.
pub(super) fn print(span: Duration) -> String {
    let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    let fitting = UNITS.iter().take(4).rev().find(|(_, factor)| micros.is_multiple_of(*factor));
    let (name, factor) = fitting.unwrap_or(&UNITS[0]);
    format!("{}{name}", micros / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        for (text, millis) in
            [("500ms", 500), ("5s", 5000), ("2m", 120_000), ("1.5", 1500), ("5 S", 5000)]
        {
            assert_eq!(parse(text, Unit::Seconds), Ok(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(parse("5", Unit::Milliseconds), Ok(Duration::from_millis(5)));
    }

    #[test]
    fn nonsense() {
        for text in ["", "s", "-1s", "0", "0ms", "5 parsecs", "1e9", "inf", "NaN", "9999h", "1..2"]
        {
            assert!(parse(text, Unit::Seconds).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_printed_reads_back() {
        for micros in [1, 999, 1000, 1_500_000, 60_000_000, 90_000_000, 3_600_000_000] {
            let span = Duration::from_micros(micros);
            assert_eq!(parse(&print(span), Unit::Seconds), Ok(span));
        }
        assert_eq!(print(Duration::from_secs(5)), "5s");
        assert_eq!(print(Duration::from_millis(1500)), "1500ms");
    }
}
