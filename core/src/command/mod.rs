//! The table of commands.

use crate::policy::Effect;
use std::collections::HashMap;
use std::sync::LazyLock;

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// In Redis' own notation: `get`, `xgroup|create`.
    pub name: &'static str,
    pub effect: Effect,
    /// Waits on the server, so it needs a connection of its own.
    pub blocks: bool,
    /// Reached through `call` only.
    pub administers: bool,
    /// Changes what its connection is for.
    pub subscribes: bool,
    /// As the manual writes it.
    pub syntax: &'static str,
}

struct Table {
    commands: Vec<Command>,
    by_name: HashMap<&'static str, usize>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let lines = include_str!("../../commands.txt").lines();
    let commands: Vec<Command> = lines.filter_map(parse).collect();
    let by_name = commands.iter().enumerate().map(|(i, command)| (command.name, i)).collect();
    Table { commands, by_name }
});

fn parse(line: &'static str) -> Option<Command> {
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let mut columns = line.splitn(3, ' ').map(str::trim_start);
    let name = columns.next()?;
    let rest = line[name.len()..].trim_start();
    let (flags, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let rest = rest.trim_start();
    let (_shape, syntax) = rest.split_once(' ').unwrap_or((rest, ""));
    Some(Command {
        name,
        effect: match flags.as_bytes().first()? {
            b'r' => Effect::Reads,
            b'x' => Effect::Runs,
            _ => Effect::Writes,
        },
        blocks: flags.contains('b'),
        administers: flags.contains('a'),
        subscribes: flags.contains('s'),
        syntax: syntax.trim(),
    })
}

/// All commands, in the order of the table.
pub fn all() -> &'static [Command] {
    &TABLE.commands
}

/// The command that these arguments call, whatever the case of their letters. A command with
/// subcommands is known by its first two arguments.
pub fn find<A: AsRef<[u8]>>(args: &[A]) -> Option<&'static Command> {
    let table = &*TABLE;
    let mut word = Word::default();
    word.push(args.first()?.as_ref())?;
    let index = match table.by_name.get(word.text()) {
        Some(index) => index,
        None => {
            word.push(b"|")?;
            word.push(args.get(1)?.as_ref())?;
            table.by_name.get(word.text())?
        }
    };
    table.commands.get(*index)
}

/// How errors call these arguments: by the command alone, since arguments can be secrets.
pub fn name<A: AsRef<[u8]>>(args: &[A]) -> String {
    match find(args) {
        Some(command) => command.name.replace('|', " ").to_ascii_uppercase(),
        None => args
            .first()
            .map(|word| String::from_utf8_lossy(word.as_ref()).to_ascii_uppercase())
            .unwrap_or_default(),
    }
}

/// What a command that is not in the table may do: anything.
pub fn effect<A: AsRef<[u8]>>(args: &[A]) -> Effect {
    find(args).map_or(Effect::Writes, |command| command.effect)
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

    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_by_name_and_subcommand() {
        let get = find(&["GET", "k"]).unwrap();
        assert_eq!((get.name, get.effect, get.syntax), ("get", Effect::Reads, "key"));
        let create = find(&["XGroup", "CREATE", "k"]).unwrap();
        assert_eq!((create.name, create.effect), ("xgroup|create", Effect::Writes));
        assert!(find(&["BLPOP", "k", "0"]).unwrap().blocks);
        assert_eq!(find(&["EVAL"]).unwrap().effect, Effect::Runs);
        assert_eq!(find(&["NO.SUCH", "x"]), None);
        assert_eq!(effect(&["NO.SUCH", "x"]), Effect::Writes);
        assert_eq!(find::<&str>(&[]), None);
    }

    #[test]
    fn the_table_has_no_name_twice() {
        let mut names: Vec<_> = all().iter().map(|command| command.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all().len());
        assert!(names.len() > 300);
    }
}
