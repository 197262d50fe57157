//! Finds commands by their names. Every call does, so it must not cost more than to encode one.

/// The place of each name among others, by its hash. The names are ours, so nobody can make them
/// collide, and what is looked up is not kept.
#[derive(Debug)]
pub(super) struct Index {
    names: Vec<&'static str>,
    /// One more than a place, or 0; a power of two, and mostly empty.
    slots: Vec<u16>,
}

impl Index {
    pub(super) fn new(names: impl Iterator<Item = &'static str>) -> Self {
        let names: Vec<_> = names.collect();
        let mut slots = vec![0; (names.len() * 4).next_power_of_two()];
        for (place, name) in (1..).zip(&names) {
            let mut at = hash(name.bytes()) & (slots.len() - 1);
            while slots[at] != 0 {
                at = (at + 1) & (slots.len() - 1);
            }
            slots[at] = place;
        }
        Self { names, slots }
    }

    /// The place of the name with these letters, in whatever case they are.
    #[inline]
    pub(super) fn find<'a>(&self, name: impl Iterator<Item = &'a u8> + Clone) -> Option<usize> {
        let small = name.map(u8::to_ascii_lowercase);
        let mut at = hash(small.clone()) & (self.slots.len() - 1);
        loop {
            let place = usize::from(self.slots[at]).checked_sub(1)?;
            if small.clone().eq(self.names[place].bytes()) {
                return Some(place);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }
}

/// FNV-1a.
#[inline]
fn hash(name: impl Iterator<Item = u8>) -> usize {
    let hash = name.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash ^ hash >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_nothing_else_is() {
        let index = Index::new(["get", "xgroup|create", "eval_ro"].into_iter());
        assert_eq!(index.find(b"GeT".iter()), Some(0));
        assert_eq!(index.find(b"XGROUP".iter().chain(b"|create")), Some(1));
        assert_eq!(index.find(b"eval_ro".iter()), Some(2));
        for other in [b"".as_slice(), b"ge", b"gett", b"xgroup", b"eval-ro", &[b'g'; 999]] {
            assert_eq!(index.find(other.iter()), None);
        }
    }
}
