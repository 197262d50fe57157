//! Finds where a reply ends, without building anything.
//!
//! The scanner resumes where the last chunk stopped, so its time is linear in the bytes however
//! they are cut. It looks at structure only: text may hold any bytes, also in error lines, which
//! Redis fills with whatever the client or a script sent.

use super::number::{double, is_digits, length, number};
use super::plain;
use memchr::memchr;
use std::fmt;

/// Refuses replies that would take the process with them.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of one whole reply, nested parts included.
    pub bytes: usize,
    /// How deep aggregates may nest; readers recurse this deep.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 512 << 20, depth: 128 }
    }
}

/// Why bytes are no reply; the connection they came from cannot be used again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Malformed {
    /// A byte that starts no reply.
    Type(u8),
    /// A line that should be a number, or another fixed form, and is not.
    Line,
    /// A bulk string that does not end with CR LF.
    Ending,
    /// Streamed strings and aggregates, which no released server sends.
    Streamed,
    /// More bytes than [`Limits::bytes`].
    TooLarge { limit: usize },
    /// Deeper than [`Limits::depth`].
    TooDeep { limit: usize },
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type(byte) => {
                write!(f, "a reply cannot start with byte 0x{byte:02x}; is this a Redis server?")
            }
            Self::Line => f.write_str("a malformed number or mark in a reply"),
            Self::Ending => f.write_str("a bulk string without CR LF at its end"),
            Self::Streamed => f.write_str("a streamed reply, which Redis does not send"),
            Self::TooLarge { limit } => {
                write!(f, "a reply of more than {limit} bytes (option max_reply_bytes)")
            }
            Self::TooDeep { limit } => write!(f, "a reply nested more than {limit} levels deep"),
        }
    }
}

/// A resumable search for the end of the first reply in a buffer.
#[derive(Debug, Default)]
pub struct Scanner {
    limits: Limits,
    /// Everything before it is known to be well-formed.
    at: usize,
    /// The line that starts at `at` has no end before it.
    searched: usize,
    /// A shorter buffer than this cannot hold more than the last one did.
    needed: usize,
    /// Values still to come in the innermost aggregate.
    left: usize,
    /// The same for the aggregates around it.
    outer: Vec<usize>,
    inside: bool,
}

impl Scanner {
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The length of the first reply in `buffer`, or `None` while it is incomplete. Until then
    /// every call must show the same bytes again, plus those that have arrived since.
    pub fn scan(&mut self, buffer: &[u8]) -> Result<Option<usize>, Malformed> {
        if !self.inside {
            self.inside = true;
            self.left = 1;
        }
        while self.left > 0 {
            self.plain_values(buffer);
            if self.left > 0 && !self.value(buffer)? {
                return Ok(None);
            }
            while self.left == 0 {
                match self.outer.pop() {
                    Some(left) => self.left = left,
                    None => break,
                }
            }
        }
        let end = self.at;
        self.at = 0;
        self.searched = 0;
        self.needed = 0;
        self.inside = false;
        Ok(Some(end))
    }

    /// Steps over up to `most` replies that come first in `buffer` and are plain values: how many
    /// there were, and how long they are together. They are as whole as [`scan`](Self::scan) would
    /// find them, one call for each.
    pub fn scan_plain(&self, buffer: &[u8], most: usize) -> (usize, usize) {
        let (mut count, mut at) = (0, 0);
        while count < most
            && !self.inside
            && let Some(length) = plain::value(&buffer[at..])
            && length <= self.limits.bytes
        {
            count += 1;
            at += length;
        }
        (count, at)
    }

    /// How long the buffer must become before scanning again can help.
    pub fn needed(&self) -> usize {
        self.needed
    }

    /// Steps over the plain values that come next.
    #[inline]
    fn plain_values(&mut self, buffer: &[u8]) {
        let within = &buffer[..buffer.len().min(self.limits.bytes)];
        let Some(mut rest) = within.get(self.at..) else { return };
        while self.left > 0
            && let Some(length) = plain::value(rest)
        {
            rest = &rest[length..];
            self.left -= 1;
        }
        self.at = within.len() - rest.len();
    }

    /// Steps over one value, or over the head of an aggregate; `false` when bytes are missing.
    fn value(&mut self, buffer: &[u8]) -> Result<bool, Malformed> {
        if buffer.len() < self.needed {
            return Ok(false);
        }
        let Some(&kind) = buffer.get(self.at) else {
            self.needed = self.at + 1;
            return Ok(false);
        };
        match kind {
            b'$' | b'*' | b':' | b'+' | b'-' | b'%' | b'~' | b'_' | b'#' | b',' | b'(' | b'='
            | b'!' | b'>' | b'|' => {}
            b';' | b'.' => return Err(Malformed::Streamed),
            other => return Err(Malformed::Type(other)),
        }
        let Some(line_end) = self.line_end(buffer)? else {
            return Ok(false);
        };
        let line = &buffer[self.at + 1..line_end - 2];
        match kind {
            b'$' | b'=' | b'!' => {
                let Some(length) = length(line)? else {
                    self.step(line_end);
                    return Ok(true);
                };
                if kind == b'=' && length < 4 {
                    return Err(Malformed::Line);
                }
                return self.string(buffer, line_end, length);
            }
            b'*' | b'~' | b'>' => {
                let values = length(line)?.unwrap_or(0);
                self.open(line_end, Some(values))?;
            }
            b'%' => {
                let pairs = length(line)?.unwrap_or(0);
                self.open(line_end, pairs.checked_mul(2))?;
            }
            // Attributes stand in front of the value they describe: one value with it.
            b'|' => {
                let pairs = length(line)?.ok_or(Malformed::Line)?;
                self.open(line_end, pairs.checked_mul(2).and_then(|n| n.checked_add(1)))?;
            }
            _ => {
                let well_formed = match kind {
                    b':' => number(line).is_some(),
                    b'#' => line == b"t" || line == b"f",
                    b'_' => line.is_empty(),
                    b',' => double(line).is_some(),
                    b'(' => is_digits(line.strip_prefix(b"-").unwrap_or(line)),
                    _ => true,
                };
                if !well_formed {
                    return Err(Malformed::Line);
                }
                self.step(line_end);
            }
        }
        Ok(true)
    }

    /// Steps over the `length` bytes of a string from `start` on, and their CR LF.
    fn string(&mut self, buffer: &[u8], start: usize, length: usize) -> Result<bool, Malformed> {
        let end = self.within(start, length.checked_add(2))?;
        match buffer.get(end - 2..end) {
            Some(b"\r\n") => self.step(end),
            Some(_) => return Err(Malformed::Ending),
            None => {
                self.needed = end;
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn step(&mut self, end: usize) {
        self.at = end;
        self.left -= 1;
    }

    fn open(&mut self, line_end: usize, values: Option<usize>) -> Result<(), Malformed> {
        // The shortest value takes three bytes; a server that lies about the count is found out
        // before anyone makes room for it.
        self.within(line_end, values.and_then(|n| n.checked_mul(3)))?;
        self.step(line_end);
        if let Some(values) = values.filter(|&n| n > 0) {
            if self.outer.len() + 1 >= self.limits.depth {
                return Err(Malformed::TooDeep { limit: self.limits.depth });
            }
            self.outer.push(self.left);
            self.left = values;
        }
        Ok(())
    }

    fn within(&self, start: usize, length: Option<usize>) -> Result<usize, Malformed> {
        length
            .and_then(|length| start.checked_add(length))
            .filter(|&end| end <= self.limits.bytes)
            .ok_or(Malformed::TooLarge { limit: self.limits.bytes })
    }

    /// The position after the CR LF that ends the line at `at`.
    fn line_end(&mut self, buffer: &[u8]) -> Result<Option<usize>, Malformed> {
        let mut from = self.searched.max(self.at + 1);
        while let Some(found) = buffer.get(from..).and_then(|rest| memchr(b'\n', rest)) {
            let line_feed = from + found;
            if line_feed > self.at + 1 && buffer[line_feed - 1] == b'\r' {
                return self.within(0, Some(line_feed + 1)).map(Some);
            }
            from = line_feed + 1;
        }
        self.searched = buffer.len();
        self.needed = self.within(0, buffer.len().checked_add(1))?;
        Ok(None)
    }
}
