//! From a name, positional arguments and named options to the bytes of a command.

use super::arg::Arg;
use super::outcome::Encoded;
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
