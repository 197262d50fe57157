//! The table of commands, read once from `commands.txt`.

use super::outcome::{Encoded, Wait};
use super::replies::{self, Reply};
use super::syntax::{self, Syntax};
use crate::lazy::Lazy;
use crate::policy::Effect;
use crate::proto::encode;
use crate::proto::shape::Shape;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Duration;

/// One line of the table.
#[derive(Debug)]
pub struct Command {
    /// In Redis' own notation: `get`, `xgroup|create`.
    pub name: &'static str,
    /// The method in Node.js: `get`, `xGroupCreate`.
    pub camel: &'static str,
    /// The method in Python and Ruby, and the function in C: `get`, `xgroup_create`.
    pub snake: &'static str,
    /// The heading that it stands under in the table: `string`, `stream`.
    pub group: &'static str,
    /// What it may do with any options; see [`Encoded::effect`].
    pub effect: Effect,
    /// Without options that look at what was there: twice leaves the data as once would have.
    pub idempotent: bool,
    /// Waits on the server, with some options at least, so it needs a connection of its own.
    pub blocks: bool,
    /// Reached through `call` only.
    pub administers: bool,
    /// Changes what its connection is for.
    pub subscribes: bool,
    /// What it answers without options.
    pub reply: &'static Reply,
    /// What it answers when all of these words or values are given; the last match holds.
    pub replies: Vec<(Vec<&'static str>, &'static Reply)>,
    /// All words and values that change the reply, in their order.
    pub(super) deciding: Vec<&'static str>,
    /// As the manual writes it.
    pub usage: &'static str,
    /// The same as a tree.
    pub syntax: Syntax,
    /// How long one unit of its time to block is.
    pub(super) unit: Duration,
    /// Its name, encoded, and of how many words that is.
    pub(super) head: (Vec<u8>, usize),
    /// Takes these numbers of plain values, which need no second look.
    pub(super) plain: Option<Plain>,
    /// May have STORE or STOREDIST, which is what writes.
    pub(super) stores: bool,
}

/// A count of arguments: at least so many, then further ones in steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plain {
    least: usize,
    step: usize,
}

impl Plain {
    pub(super) fn takes(self, count: usize) -> bool {
        // Mostly there is nothing further, and a division takes its time. Without a step only zero
        // is a multiple of zero.
        let fits = |further: usize| further == 0 || further.is_multiple_of(self.step);
        count.checked_sub(self.least).is_some_and(fits)
    }

    /// For a syntax of nothing but values, of which the last may repeat; what is optional can
    /// then be left to a closer look.
    fn of(syntax: &Syntax) -> Option<Self> {
        let Syntax::Sequence(parts) = syntax else { return None };
        let mut plain = Self { least: syntax.least(), step: 0 };
        for part in parts.iter() {
            match part {
                Syntax::Value(name) if !syntax::counts(name.text) => {}
                Syntax::Choice(parts) if parts.iter().all(|it| matches!(it, Syntax::Word(_))) => {}
                Syntax::Option(_) | Syntax::Optional(_) => {}
                Syntax::Repeated(part) if plain.step == 0 => plain.step = part.least(),
                _ => return None,
            }
        }
        if parts.iter().any(|part| matches!(part, Syntax::Option(_) | Syntax::Optional(_))) {
            // More than the fewest can be an option.
            plain.step = 0;
        }
        Some(plain)
    }
}

impl Command {
    fn parse(group: &'static str, line: &'static str) -> Option<Self> {
        let (mixed, rest) = line.split_once(' ')?;
        let (flags, rest) = rest.trim_start().split_once(' ')?;
        let (reply, usage) = rest.trim_start().split_once(' ').unwrap_or((rest.trim_start(), ""));
        let usage = usage.trim_start();
        let mut shapes = reply.split(';');
        let reply = replies::named(shapes.next()?)?;
        let replies = shapes
            .map(|shape| {
                let (words, name) = shape.split_once('=')?;
                Some((words.split('+').collect(), replies::named(name)?))
            })
            .collect::<Option<Vec<_>>>()?;
        let deciding = replies.iter().flat_map(|(words, _): &(Vec<_>, _)| words).copied().collect();
        let syntax = Syntax::parse(usage)?;
        let name = &*mixed.to_ascii_lowercase().leak();
        let mut head = Vec::new();
        name.split('|').for_each(|word| encode::argument(&mut head, &upper(word)));
        let mut stores = false;
        syntax.visit(&mut |word| stores |= word == "STORE");
        let blocks = flags.contains(['b', 'm']);
        Some(Self {
            name,
            group,
            camel: camel(mixed).leak(),
            snake: name.replace(['|', '-'], "_").leak(),
            effect: match flags.as_bytes().first()? {
                b'r' => Effect::Reads,
                b'w' => Effect::Writes,
                b'x' => Effect::Runs,
                _ => return None,
            },
            idempotent: flags.contains('i'),
            blocks,
            administers: flags.contains('a'),
            subscribes: flags.contains('s'),
            reply,
            replies,
            deciding,
            usage,
            unit: Duration::from_millis(if flags.contains('m') { 1 } else { 1000 }),
            head: (head, name.split('|').count()),
            plain: if blocks { None } else { Plain::of(&syntax) },
            stores,
            syntax,
        })
    }

    /// What comes of it without options.
    pub(super) fn plainly(&self) -> Encoded {
        let effect = if self.stores { Effect::Reads } else { self.effect };
        let shape = &self.reply.shape;
        Encoded { effect, idempotent: self.idempotent, wait: Wait::No, shape }
    }

    /// What can come of it with whatever options.
    pub(super) fn at_worst(&self) -> Encoded {
        let wait = if self.blocks { Wait::Forever } else { Wait::No };
        Encoded { effect: self.effect, idempotent: false, wait, shape: &Shape::Raw }
    }

    /// Of how many words its name is.
    pub(super) fn words(&self) -> usize {
        self.head.1
    }

    /// To execute it once more can do harm: it writes data, and does so at once.
    pub fn harms_twice(&self) -> bool {
        let aside = self.administers || self.subscribes || self.blocks;
        self.effect != Effect::Reads && !aside
    }

    /// It answers with a cursor for the next call.
    pub fn scans(&self) -> bool {
        self.cursor().is_some()
    }

    /// The place of that cursor among its arguments.
    pub(crate) fn cursor(&self) -> Option<usize> {
        match self.name {
            "scan" => Some(0),
            "hscan" | "sscan" | "zscan" => Some(1),
            _ => None,
        }
    }

    /// How errors call it: `XGROUP CREATE`.
    pub fn title(&self) -> String {
        self.name.replace('|', " ").to_ascii_uppercase()
    }

    /// The place of the first key in the whole command, if it is always the same.
    pub fn first_key(&self) -> Option<usize> {
        Some(self.head.1 + self.syntax.first_key()?)
    }
}

fn upper(word: &str) -> Vec<u8> {
    word.to_ascii_uppercase().into_bytes()
}

fn camel(mixed: &str) -> String {
    let mut words = mixed.split(['|', '_', '-']);
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        name.extend(word.chars().take(1).map(|first| first.to_ascii_uppercase()));
        name.extend(word.chars().skip(1));
        name
    })
}

struct Table {
    commands: Vec<Command>,
    by_name: HashMap<&'static [u8], usize, BuildHasherDefault<Fnv>>,
}

/// Looking a command up must not cost more than encoding it. The names are ours, so nobody can
/// make them collide, and what is looked up is not kept.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// The length of a name, which comes before its letters.
    fn write_usize(&mut self, length: usize) {
        self.0 ^= length as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

static TABLE: Lazy<Table> = Lazy::new(|| {
    let commands: Vec<Command> =
        lines().filter_map(|(group, line)| Command::parse(group, line)).collect();
    let by_name =
        commands.iter().enumerate().map(|(i, command)| (command.name.as_bytes(), i)).collect();
    Table { commands, by_name }
});

/// Every line with the heading above it.
fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    let mut group = "";
    include_str!("../../commands.txt").lines().filter_map(move |line| {
        if let Some(heading) = line.strip_prefix("# ") {
            group = heading;
        }
        let is_command = !line.is_empty() && !line.starts_with('#');
        is_command.then_some((group, line))
    })
}

/// All commands, in the order of the table.
pub fn all() -> &'static [Command] {
    &TABLE.get().commands
}

/// Reads the table, if nobody has: once by who makes a client, and not by each of its threads.
pub(crate) fn prepare() {
    TABLE.get();
}

/// The command of this name in Redis' notation, in small letters.
pub(super) fn named(name: &[u8]) -> Option<&'static Command> {
    let table = TABLE.get();
    table.commands.get(*table.by_name.get(name)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_understood_and_no_name_comes_twice() {
        let refused: Vec<_> =
            lines().filter(|(group, line)| Command::parse(group, line).is_none()).collect();
        assert!(refused.is_empty(), "{refused:#?}");
        assert_eq!(TABLE.get().by_name.len(), all().len());
        assert!(all().len() > 300);
    }

    #[test]
    fn only_what_writes_at_once_is_harmful_twice() {
        let harms = |name: &str| named(name.as_bytes()).unwrap().harms_twice();
        assert!(harms("incr") && harms("eval"));
        assert!(!harms("get") && !harms("blpop") && !harms("subscribe") && !harms("config|set"));
    }

    #[test]
    fn methods_are_spelled_in_each_habit() {
        let command = named(b"xgroup|createconsumer").unwrap();
        assert_eq!(
            (command.camel, command.snake),
            ("xGroupCreateConsumer", "xgroup_createconsumer")
        );
        assert_eq!(named(b"client|no-evict").unwrap().camel, "clientNoEvict");
        assert_eq!(named(b"eval_ro").unwrap().camel, "evalRo");
    }

    #[test]
    fn plain_commands_are_known_by_their_counts() {
        let takes = |name: &str, count| {
            named(name.as_bytes()).unwrap().plain.is_some_and(|plain| plain.takes(count))
        };
        assert!(takes("get", 1) && !takes("get", 0) && !takes("get", 2));
        assert!(takes("set", 2) && !takes("set", 4));
        assert!(takes("hset", 5) && !takes("hset", 4));
        assert!(takes("lpush", 2) && takes("lpush", 9));
        assert!(!takes("blpop", 2) && !takes("xread", 3) && !takes("zunion", 2));
    }
}
