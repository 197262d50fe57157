//! Names of options, compared the way people mean them.

use super::syntax::Syntax;

/// A word or value in the syntax of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// As the manual writes it.
    pub text: &'static str,
    class: Class,
    plural: Class,
    aliases: [Class; 2],
}

impl Name {
    pub(super) fn new(text: &'static str) -> Self {
        let class = Class::of(text);
        let mut known = ALIASES.iter().filter(|(name, _)| *name == text);
        let mut alias = || known.next().map_or(class, |(_, alias)| Class::of(alias));
        Self { text, class, plural: class.and(b's'), aliases: [alias(), alias()] }
    }

    /// Whether an option of this class means it.
    pub(super) fn is(&self, option: Class) -> bool {
        self.class == option || self.aliases.contains(&option)
    }

    /// The same for a value that repeats, which may be named in the plural.
    pub(super) fn is_many(&self, option: Class) -> bool {
        self.is(option) || self.plural == option
    }

    /// The classes that mean it.
    pub(super) fn classes(&self) -> Classes {
        let all = [self.class, self.plural].into_iter().chain(self.aliases);
        all.fold(Classes::default(), |classes, class| classes.with(class))
    }
}

/// What people also call a word or value: symbols have names, and other clients have others.
const ALIASES: [(&str, &str); 9] = [
    ("~", "approximate"),
    ("=", "exact"),
    ("arg", "argv"),
    ("arg", "arguments"),
    ("group", "groupname"),
    ("consumer", "consumername"),
    ("offset", "start"),
    ("count", "num"),
    ("REV", "desc"),
];

/// All spellings of a name: case, `_` and `-` make no difference. With 64 bits, others do not
/// come to the same by chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Class(u64);

impl Class {
    /// No letters yet, as FNV-1a begins.
    pub(super) const EMPTY: Self = Self(0xcbf2_9ce4_8422_2325);
    /// The name for pairs of any kind.
    pub(super) const MAPPING: Self = Self::of("mapping");

    pub(super) const fn of(name: &str) -> Self {
        let bytes = name.as_bytes();
        let (mut class, mut at) = (Self::EMPTY, 0);
        while at < bytes.len() {
            if !matches!(bytes[at], b'_' | b'-') {
                class = class.and(bytes[at].to_ascii_lowercase());
            }
            at += 1;
        }
        class
    }

    /// One letter more.
    const fn and(self, letter: u8) -> Self {
        Self((self.0 ^ letter as u64).wrapping_mul(0x100_0000_01b3))
    }
}

/// A set of classes that can say "surely not": a bit for each, which some share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Classes(u64);

impl Classes {
    pub(super) fn with(self, class: Class) -> Self {
        Self(self.0 | 1 << (class.0 >> 58))
    }

    pub(super) fn or(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    pub(super) fn may_have(self, class: Class) -> bool {
        self.0 & 1 << (class.0 >> 58) != 0
    }
}

fn letters(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().filter(|byte| !matches!(byte, b'_' | b'-')).map(|byte| byte.to_ascii_lowercase())
}

/// The name in the syntax that was probably meant, in small letters.
pub(super) fn nearest(option: &str, syntax: &Syntax) -> Option<String> {
    // Longer names are no slips of a finger, and comparing them would take long.
    if option.len() > 40 {
        return None;
    }
    let option: Vec<u8> = letters(option).collect();
    let mut best: Option<((usize, bool), &str)> = None;
    syntax.visit(&mut |name| {
        let letters: Vec<u8> = letters(name).collect();
        let distance = distance(&option, &letters);
        // People seldom miss the first letter.
        let rank = (distance, option.first() != letters.first());
        let near = distance <= (name.len() / 3).clamp(1, 3);
        if near && best.is_none_or(|(least, _)| rank < least) {
            best = Some((rank, name));
        }
    });
    best.map(|(_, name)| name.to_ascii_lowercase())
}

/// How many letters must be added, removed or changed.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let cost = (diagonal + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], cost);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_people_mean_them() {
        let same = |option, name| Name::new(name).is(Class::of(option));
        let same_many = |option, name| Name::new(name).is_many(Class::of(option));
        assert!(same("withScores", "WITHSCORES") && same("min_idle_time", "min-idle-time"));
        assert!(same("approximate", "~") && !same("ex", "exat") && !same("keys", "key"));
        assert!(same("num", "count") && same("desc", "REV") && same("desc", "DESC"));
        assert!(same_many("Keys", "key") && !same_many("keyss", "key"));
    }

    #[test]
    fn no_two_names_of_the_table_look_the_same() {
        let mut names = std::collections::HashMap::new();
        for command in crate::command::all() {
            command.syntax.visit(&mut |name| {
                let letters: Vec<u8> = letters(name).collect();
                let known = names.entry(Class::of(name).0).or_insert_with(|| letters.clone());
                assert_eq!(*known, letters);
            });
        }
        assert!(names.len() > 200);
    }

    #[test]
    fn slips_find_their_name() {
        let syntax = Syntax::parse("key [EX seconds|KEEPTTL] [WITHSCORES]").unwrap();
        assert_eq!(nearest("exx", &syntax).as_deref(), Some("ex"));
        assert_eq!(nearest("keep_tl", &syntax).as_deref(), Some("keepttl"));
        assert_eq!(nearest("with_score", &syntax).as_deref(), Some("withscores"));
        assert_eq!(nearest("colour", &syntax), None);
    }
}
