//! From a name, positional arguments and named options to the bytes of a command.

use super::arg::Arg;
use super::outcome::Encoded;
use super::syntax::Syntax;
use super::table::Command;
use super::walk::Walk;
use crate::error::Result;
use crate::proto::encode;

impl Command {
    /// Appends the command with these arguments to `out`, or appends nothing and says why.
    ///
    /// Positional arguments stand as in the manual, words included (`"k", "v", "EX", 60`).
    /// Options go by the words and values of the syntax, in any spelling of case, `_` and `-`
    /// (`ex`, `EX`; `withScores`, `with_scores`): `true` for a word alone, else what follows it,
    /// several values as a list; null and `false` leave it out. What repeats can come as a list
    /// or, if it is pairs, as a map; a count of it is filled in.
    pub fn encode<'a>(
        &'static self,
        positional: &'a [Arg<'a>],
        options: &'a [(&'a str, Arg<'a>)],
        out: &mut Vec<u8>,
    ) -> Result<Encoded> {
        let start = out.len();
        let plain = options.is_empty()
            && self.plain.is_some_and(|plain| plain.takes(positional.len()))
            && positional.iter().all(Arg::is_scalar);
        if plain {
            self.open(self.head.1 + positional.len(), out);
            for arg in positional {
                arg.write(out);
            }
            return Ok(self.plainly());
        }
        let guess = self.head.1 + positional.iter().map(values).sum::<usize>() + options.len() * 2;
        self.open(guess, out);
        let mut walk = Walk::new(self, options, out);
        match walk.all(positional) {
            Ok((count, encoded)) => {
                let count = self.head.1 + count;
                if count != guess {
                    replace_header(out, start, count, guess);
                }
                Ok(encoded)
            }
            Err(error) => {
                out.truncate(start);
                Err(error)
            }
        }
    }

    /// Whether this map, behind these arguments, is data: the pairs that this command repeats, of
    /// which none is there yet. Else it can only be options, even if it is empty; where there are
    /// none, it is what somebody took for a value. For languages in which both look the same.
    pub fn takes_as_data(&self, map: &[(Arg<'_>, Arg<'_>)], given: &[Arg<'_>]) -> bool {
        if map.is_empty() && !self.syntax.has_option(None) {
            return true;
        }
        let is_pairs = |part: &Syntax| match part {
            Syntax::Repeated(group) => matches!(**group, Syntax::Sequence(_)),
            _ => false,
        };
        let Syntax::Sequence(parts) = &self.syntax else { return false };
        parts.iter().any(is_pairs)
            && given.len() < self.syntax.least()
            && given.iter().all(Arg::is_scalar)
            // The pairs themselves, by name.
            && !map.iter().any(|(_, value)| matches!(value, Arg::Map(_)))
    }

    /// Writes the header for so many arguments, and the name.
    fn open(&self, count: usize, out: &mut Vec<u8>) {
        encode::header(out, count);
        out.extend_from_slice(&self.head.0);
    }
}

/// About as many arguments as this will become.
fn values(arg: &Arg<'_>) -> usize {
    match arg {
        Arg::List(items) => items.len(),
        Arg::Map(pairs) => pairs.len() * 2,
        _ => 1,
    }
}

/// The guess was wrong, as with options that fill words in.
fn replace_header(out: &mut Vec<u8>, start: usize, count: usize, guess: usize) {
    if let (0..10, 0..10) = (count, guess) {
        out[start + 1] = b'0' + count as u8;
        return;
    }
    let (mut right, mut wrong) = (Vec::new(), Vec::new());
    encode::header(&mut right, count);
    encode::header(&mut wrong, guess);
    out.splice(start..start + wrong.len(), right);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::find;

    #[test]
    fn a_map_is_data_where_pairs_are_missing_and_options_elsewhere() {
        let takes = |name: &str, given: &[Arg<'_>], map: &[(Arg<'_>, Arg<'_>)]| {
            find(&[name]).is_some_and(|command| command.takes_as_data(map, given))
        };
        let (key, map) = (Arg::Text("k"), Arg::Map(&[]));
        let pairs = [(Arg::Text("f"), Arg::Text("v"))];
        assert!(takes("hset", &[key], &pairs) && takes("mset", &[], &pairs));
        assert!(takes("zadd", &[key], &pairs) && takes("xadd", &[key, Arg::Text("*")], &pairs));
        assert!(!takes("xadd", &[key, Arg::Text("*"), map], &pairs));
        assert!(!takes("zadd", &[key, map], &pairs) && !takes("geosearch", &[key], &pairs));
        assert!(!takes("zadd", &[key, Arg::Int(1), key], &pairs));
        assert!(!takes("set", &[key, key], &pairs) && !takes("set", &[key, key], &[]));
        assert!(takes("del", &[key], &[]) && !takes("del", &[key], &pairs));
        assert!(!takes("hset", &[key], &[(Arg::Text("mapping"), map)]));
    }
}
