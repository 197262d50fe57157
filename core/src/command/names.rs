//! Names of options, compared the way people mean them.

use super::syntax::Syntax;

/// What people also call a word or value, from the names of other clients' parameters.
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

/// Whether an option of this name is meant by a word or value of the syntax: case, `_` and `-`
/// make no difference, and symbols have names.
pub(super) fn same(option: &str, name: &str) -> bool {
    exactly(option, name)
        || ALIASES.iter().any(|(own, alias)| *own == name && exactly(option, alias))
}

/// The same for a value that repeats, which may be named in the plural.
pub(super) fn same_many(option: &str, name: &str) -> bool {
    same(option, name) || alike(option, name) && letters(option).eq(letters(name).chain([b's']))
}

fn exactly(option: &str, name: &str) -> bool {
    alike(option, name) && letters(option).eq(letters(name))
}

/// Most names differ in the first letter already.
fn alike(option: &str, name: &str) -> bool {
    match (option.as_bytes(), name.as_bytes()) {
        ([b'_' | b'-', ..], _) => true,
        ([first, ..], [other, ..]) => first.eq_ignore_ascii_case(other),
        _ => false,
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
        assert!(same("withScores", "WITHSCORES") && same("min_idle_time", "min-idle-time"));
        assert!(same("approximate", "~") && !same("ex", "exat"));
        assert!(same_many("Keys", "key") && !same_many("keyss", "key"));
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
