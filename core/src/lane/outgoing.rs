//! Bytes that wait for their turn to be written.

use std::ops::Range;

/// More than this is given back to the allocator once it is written.
const KEEP: usize = 16 << 10;

#[derive(Debug, Default)]
pub(super) struct Outgoing {
    bytes: Vec<u8>,
    /// What lies before it has been written.
    start: usize,
}

impl Outgoing {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }

    /// Steps over what was written.
    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
        if self.is_empty() {
            self.start = 0;
            self.bytes.clear();
            if self.bytes.capacity() > KEEP {
                self.bytes = Vec::new();
            }
        }
    }

    /// Cuts a range out of the rest.
    pub(super) fn cut(&mut self, range: Range<usize>) {
        self.bytes.drain(self.start + range.start..self.start + range.end);
        self.consume(0);
    }

    /// Puts what could not be written back in front of what came meanwhile.
    pub(super) fn put_back(&mut self, mut unwritten: Outgoing) {
        if self.is_empty() {
            *self = unwritten;
        } else {
            unwritten.push(self.rest());
            *self = unwritten;
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_written_goes_first() {
        let mut taken = Outgoing::default();
        taken.push(b"abcdef");
        taken.consume(4);
        let mut out = Outgoing::default();
        out.push(b"ghi");
        out.put_back(taken);
        assert_eq!(out.rest(), b"efghi");
        out.cut(1..3);
        assert_eq!(out.rest(), b"ehi");
        out.consume(3);
        assert!(out.is_empty());
    }

    #[test]
    fn a_burst_gives_its_memory_back() {
        let mut out = Outgoing::default();
        out.push(&vec![0; 1 << 20]);
        out.consume(1 << 20);
        assert!(out.bytes.capacity() <= KEEP);
    }
}
