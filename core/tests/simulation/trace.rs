//! What happened, as a hash and, when one run is replayed, as lines to read.

use crate::queue::Time;

pub(crate) struct Trace {
    hash: u64,
    pub(crate) loud: bool,
}

impl Trace {
    pub(crate) fn new(loud: bool) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, loud }
    }

    pub(crate) fn mix(&mut self, value: u64) {
        self.hash = (self.hash ^ value).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
    }

    pub(crate) fn mix_bytes(&mut self, bytes: &[u8]) {
        self.mix(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            let word = chunk.iter().fold(0, |word, &byte| word << 8 | u64::from(byte));
            self.mix(word);
        }
    }

    pub(crate) fn line(&self, now: Time, text: impl FnOnce() -> String) {
        if self.loud {
            println!("{:>12.3} ms  {}", now.as_secs_f64() * 1000.0, text());
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }
}
