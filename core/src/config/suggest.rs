//! Names that people type, compared the way people mean them.

/// Names longer than this are no typing mistakes, and comparing them would take long.
const LONGEST: usize = 64;

/// Letters that a name of ours loses in [`plain`], at most.
const UNDERSCORES: usize = 5;

/// A name without case, `_` and `-`: `natMap`, `nat_map` and `NAT-MAP` are one.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// The known name that was probably meant, if one is near enough to be worth saying.
pub fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if typed.len() > LONGEST {
        return None;
    }
    let typed = plain(typed);
    let allowed = (typed.chars().count() / 4).clamp(1, 3);
    known
        .filter(|name| name.len().abs_diff(typed.len()) <= allowed + UNDERSCORES)
        .map(|name| (distance(&typed, &plain(name)), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// How many letters must be added, removed, changed or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, x) in a.chars().enumerate() {
        let mut row = vec![i + 1];
        for (j, &y) in b.iter().enumerate() {
            let mut cost = (row[j] + 1).min(last[j + 1] + 1).min(last[j] + usize::from(x != y));
            if j > 0 && previous == Some(y) && b[j - 1] == x {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
        previous = Some(x);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_mistakes_find_their_name() {
        let known = ["connect_timeout", "command_timeout", "password", "db", "tls"];
        let near = |typed| nearest(typed, known.into_iter());
        assert_eq!(near("pasword"), Some("password"));
        assert_eq!(near("passowrd"), Some("password"));
        assert_eq!(near("comandTimeout"), Some("command_timeout"));
        assert_eq!(near("colour"), None);
        assert_eq!(near(&"p".repeat(1_000_000)), None);
    }

    #[test]
    fn a_swap_is_one_mistake() {
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
