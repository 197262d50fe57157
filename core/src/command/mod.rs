//! The commands: what each is called, takes, does and answers.
//!
//! | file | what it holds |
//! |---|---|
//! | `table` | one line of `commands.txt` each: a [`Command`] |
//! | `syntax` | what a command takes, as a tree: a [`Syntax`] |
//! | `arg` | what a host language hands over for an argument: an [`Arg`] |
//! | `encode` | arguments and options → the bytes of a command |
//! | `walk`, `repeat`, `take` | the way along the syntax that this takes |
//! | `names` | names of options, as people type them |
//! | `outcome` | what is known of a command once it is encoded: an [`Encoded`] |
//! | `replies`, `form` | the replies that the table names: their shapes, and what they are made of |

#![forbid(unsafe_code)]

mod arg;
mod encode;
mod form;
mod names;
mod outcome;
mod repeat;
mod replies;
pub mod syntax;
mod table;
mod take;
mod walk;

pub use arg::{Arg, Float};
pub use form::Form;
pub use names::Name;
pub use outcome::{Encoded, Wait};
pub use replies::{REPLIES, Reply};
pub use syntax::Syntax;
pub(crate) use table::prepare;
pub use table::{Command, all};

use crate::policy::Effect;
use crate::proto::shape::Shape;
use std::cell::Cell;

thread_local! {
    /// What was found last: calls of one command tend to come in a row, in pipelines above all.
    static LAST: Cell<Option<&'static Command>> = const { Cell::new(None) };
}

/// The command that these arguments call, whatever the case of their letters. A command with
/// subcommands is known by its first two arguments.
pub fn find<A: AsRef<[u8]>>(args: &[A]) -> Option<&'static Command> {
    let first = args.first()?.as_ref();
    let last = LAST.get().filter(|last| first.eq_ignore_ascii_case(last.name.as_bytes()));
    last.or_else(|| {
        let found = look_up(first, args.get(1).map(AsRef::as_ref));
        LAST.set(found);
        found
    })
}

fn look_up(first: &[u8], second: Option<&[u8]>) -> Option<&'static Command> {
    let mut word = Word::default();
    word.push(first)?;
    table::named(word.text()).or_else(|| {
        word.push(b"|")?;
        word.push(second?)?;
        table::named(word.text())
    })
}

/// How errors call these arguments: by the command alone, since arguments can be secrets.
pub fn name<A: AsRef<[u8]>>(args: &[A]) -> String {
    match find(args) {
        Some(command) => command.title(),
        None => args
            .first()
            .map(|word| String::from_utf8_lossy(word.as_ref()).to_ascii_uppercase())
            .unwrap_or_default(),
    }
}

/// What these arguments may do at the most; what is not in the table may do anything.
pub fn effect<A: AsRef<[u8]>>(args: &[A]) -> Effect {
    find(args).map_or(Effect::Writes, |command| command.effect)
}

/// What is known of the command that these arguments call. What the table does not know, or
/// cannot follow, may do anything, and its reply has no shape.
pub fn known<A: AsRef<[u8]>>(args: &[A]) -> Encoded {
    known_as(find(args), args)
}

fn known_as<A: AsRef<[u8]>>(command: Option<&'static Command>, args: &[A]) -> Encoded {
    let unknown =
        Encoded { effect: Effect::Writes, idempotent: false, wait: Wait::No, shape: &Shape::Raw };
    command.map_or(unknown, |command| {
        let words = args.len().min(command.words());
        if command.plain.is_some_and(|plain| plain.takes(args.len() - words)) {
            return command.plainly();
        }
        let rest: Vec<Arg<'_>> = args[words..].iter().map(|arg| Arg::Bytes(arg.as_ref())).collect();
        command.encode(&rest, &[], &mut Vec::new()).unwrap_or_else(|_| command.at_worst())
    })
}

/// Appends these arguments as they are, and tells what is known of the command. Its reply stays
/// as the server sends it.
pub fn encode_raw<A: AsRef<[u8]>>(args: &[A], out: &mut Vec<u8>) -> Encoded {
    crate::proto::encode::command(out, args);
    Encoded { shape: &Shape::Raw, ..known(args) }
}

/// The same, for hosts that know commands by their words alone: the reply has the shape of the
/// command, as far as the table can follow. With the command, if the table has it.
pub fn encode_words<A: AsRef<[u8]>>(
    args: &[A],
    out: &mut Vec<u8>,
) -> (Encoded, Option<&'static Command>) {
    crate::proto::encode::command(out, args);
    let command = find(args);
    (known_as(command, args), command)
}

/// A name in small letters, put together without asking for memory.
#[derive(Default)]
struct Word {
    bytes: [u8; 32],
    length: usize,
}

impl Word {
    /// `None`: too long for any name in the table.
    fn push(&mut self, part: &[u8]) -> Option<()> {
        let room = self.bytes.get_mut(self.length..self.length + part.len())?;
        room.copy_from_slice(part);
        room.make_ascii_lowercase();
        self.length += part.len();
        Some(())
    }

    fn text(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_by_name_and_subcommand() {
        let get = find(&["GET", "k"]).unwrap();
        assert_eq!((get.name, get.effect, get.usage), ("get", Effect::Reads, "key"));
        let create = find(&["XGroup", "CREATE", "k"]).unwrap();
        assert_eq!((create.name, create.effect), ("xgroup|create", Effect::Writes));
        assert!(find(&["BLPOP", "k", "0"]).unwrap().blocks);
        assert_eq!(find(&["EVAL"]).unwrap().effect, Effect::Runs);
        assert!(find(&["NO.SUCH", "x"]).is_none());
        assert_eq!(effect(&["NO.SUCH", "x"]), Effect::Writes);
        assert!(find::<&str>(&[]).is_none());
    }

    #[test]
    fn raw_arguments_are_sent_as_they_are_and_known_as_far_as_possible() {
        let known = |args: &[&str]| {
            let (mut out, mut plain) = (Vec::new(), Vec::new());
            let encoded = encode_raw(args, &mut out);
            crate::proto::encode::command(&mut plain, args);
            assert_eq!(out, plain);
            assert!(matches!(encoded.shape, Shape::Raw));
            (encoded.effect, encoded.wait)
        };
        assert_eq!(known(&["sort", "k"]), (Effect::Reads, Wait::No));
        assert_eq!(known(&["sort", "k", "store", "d"]), (Effect::Writes, Wait::No));
        assert_eq!(known(&["blpop", "k", "0"]), (Effect::Writes, Wait::Forever));
        assert_eq!(known(&["XREAD", "STREAMS", "k"]), (Effect::Reads, Wait::Forever));
        assert_eq!(known(&["XGROUP", "CREATE"]), (Effect::Writes, Wait::No));
        assert_eq!(known(&["FT.SEARCH", "i", "q"]), (Effect::Writes, Wait::No));
        assert_eq!(known(&[]), (Effect::Writes, Wait::No));
    }

    #[test]
    fn words_give_a_reply_its_shape() {
        let shape = |args: &[&str]| format!("{:?}", encode_words(args, &mut Vec::new()).0.shape);
        assert_eq!(shape(&["HGETALL", "k"]), "Map");
        assert_eq!(shape(&["zrange", "k", "0", "-1"]), "Raw");
        assert_eq!(shape(&["zrange", "k", "0", "-1", "WITHSCORES"]), "Rows");
        assert_eq!(shape(&["HGETALL"]), "Raw");
    }
}
